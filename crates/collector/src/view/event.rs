use super::text::{self, VALUE_MAX, bounded};
use serde::Serialize;
use trackside_wire::{Batch, Event, Kind, Raw};

/// An event as the page shows it.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Shown {
    pub(super) kind: String,
    pub(super) step: u64,
    #[serde(skip)]
    pub(super) time_unix_ns: u64,
    pub(super) name: Option<String>,
    /// Of a write: the value before.
    old: Option<String>,
    /// The value read or written.
    new: Option<String>,
    /// What else is said of it.
    text: Option<String>,
    /// Of a lock: which one.
    pub(super) lock: Option<String>,
    shared: bool,
    /// For how long an acquisition waited, or what was recorded took.
    pub(super) took_ns: Option<u64>,
    file: Option<String>,
    line: Option<u32>,
    column: Option<u32>,
    #[serde(skip)]
    pub(super) link: Option<Link>,
}

/// One end of an arrow. The texts say which object of the run it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Link {
    Acquire { lock: String, number: u64, shared: bool },
    Release { lock: String, number: u64, shared: bool },
    Sent { channel: String, number: u64 },
    Received { channel: String, number: u64 },
    Signalled { object: String, number: u64 },
    Noticed { object: String, number: u64 },
    Stored { atomic: String, number: u64 },
    Loaded { atomic: String, number: u64 },
    Spawned { task: String },
    Began { task: String },
    Ended { task: String },
    Awaited { task: String },
    Called { span: u64 },
    Returned { span: u64 },
    Responded,
}

impl Shown {
    pub(super) fn new(batch: &Batch<'_>, event: &Event<'_>) -> Self {
        let site = event.site.and_then(|site| batch.sites.get(site as usize));
        let mut shown = Self {
            kind: format!("{:?}", event.kind),
            step: event.step,
            time_unix_ns: batch.header.base_unix_ns.saturating_add(event.time_ns),
            name: event.name.map(|name| text::name(batch.string(name))),
            old: None,
            new: None,
            text: None,
            lock: None,
            shared: false,
            took_ns: None,
            file: site.map(|site| bounded(batch.string(site.file), VALUE_MAX)),
            line: site.map(|site| site.line),
            column: site.map(|site| site.column).filter(|column| *column > 0),
            link: None,
        };
        shown.tell(event);
        shown
    }

    /// Of a request: its method and its address.
    pub(super) fn request(&self) -> Option<String> {
        Some(text::name(&format!("{} {}", self.name.as_deref()?, self.text.as_deref()?)))
    }

    /// Takes over what the event that ends this one says of it.
    pub(super) fn adopt(&mut self, end: &Shown) {
        self.new = end.new.clone().or(self.new.take());
        self.took_ns = end.took_ns.or(self.took_ns);
    }

    /// What the two arguments say, which depends on the kind.
    fn tell(&mut self, event: &Event<'_>) {
        let Event { a, b, .. } = *event;
        match event.kind {
            Kind::Read | Kind::Write | Kind::AtomicRead | Kind::AtomicWrite | Kind::AtomicRmw => {
                (self.old, self.new) = (value(a), value(b));
            }
            Kind::AtomicLoad | Kind::AtomicStore | Kind::AtomicUpdate => self.tell_atomic(event),
            Kind::LockAcquire | Kind::LockRelease => self.tell_lock(event),
            Kind::MessageSent | Kind::MessageReceived | Kind::SyncRelease | Kind::SyncAcquire => {
                self.tell_numbered(event);
            }
            Kind::AsyncSpawn | Kind::TaskBegin | Kind::TaskEnd | Kind::AsyncAwait => {
                let task = bounded(a, text::NAME_MAX);
                self.link = Some(match event.kind {
                    Kind::AsyncSpawn => Link::Spawned { task },
                    Kind::TaskBegin => Link::Began { task },
                    Kind::TaskEnd => Link::Ended { task },
                    _ => Link::Awaited { task },
                });
            }
            Kind::CallSent => self.link = a.as_u64().map(|span| Link::Called { span }),
            Kind::CallReturned => self.link = a.as_u64().map(|span| Link::Returned { span }),
            Kind::FunctionReturn => (self.new, self.took_ns) = (value(a), b.as_u64()),
            Kind::DatabaseQuery => {
                (self.text, self.took_ns) = (words(a), b.elements().nth(1).and_then(Raw::as_u64));
            }
            Kind::HttpResponse => {
                (self.new, self.took_ns) = (value(a), b.elements().nth(2).and_then(Raw::as_u64));
                self.link = Some(Link::Responded);
            }
            Kind::FunctionCall => self.text = value(b).or_else(|| value(a)),
            Kind::Custom => self.text = value(a),
            _ => self.text = words(a),
        }
    }

    fn tell_lock(&mut self, event: &Event<'_>) {
        let mut detail = event.b.elements();
        let number = detail.next().and_then(Raw::as_u64);
        let sort = detail.next().and_then(Raw::as_str).unwrap_or("");
        self.took_ns = detail.next().and_then(Raw::as_u64);
        let sort = sort.strip_suffix("-Try").unwrap_or(sort);
        self.shared = sort.ends_with("Read");
        self.text = Some(bounded(sort, text::NAME_MAX)).filter(|sort| !sort.is_empty());
        let lock = self.object(event.a);
        self.lock = Some(lock.clone());
        let shared = self.shared;
        self.link = number.map(|number| match event.kind {
            Kind::LockAcquire => Link::Acquire { lock, number, shared },
            _ => Link::Release { lock, number, shared },
        });
    }

    fn tell_atomic(&mut self, event: &Event<'_>) {
        let mut detail = event.b.elements();
        let number = detail.next().and_then(Raw::as_u64);
        let ordering = detail.next().and_then(Raw::as_str).unwrap_or("");
        self.text = Some(bounded(ordering, text::NAME_MAX)).filter(|ordering| !ordering.is_empty());
        let atomic = self.object(event.a);
        if event.kind == Kind::AtomicUpdate {
            self.old = detail.next().and_then(value);
        }
        self.new = detail.next().and_then(value);
        let (acquires, releases) = match ordering {
            "Acquire" => (true, false),
            "Release" => (false, true),
            "AcqRel" | "SeqCst" => (true, true),
            _ => (false, false),
        };
        self.link = number.and_then(|number| match event.kind {
            Kind::AtomicLoad => acquires.then_some(Link::Loaded { atomic, number }),
            _ => releases.then_some(Link::Stored { atomic, number }),
        });
    }

    fn tell_numbered(&mut self, event: &Event<'_>) {
        let mut detail = event.b.elements();
        let number = detail.next().and_then(Raw::as_u64);
        self.text = detail.next().and_then(Raw::as_str).map(|sort| bounded(sort, text::NAME_MAX));
        let object = self.object(event.a);
        self.link = number.map(|number| match event.kind {
            Kind::MessageSent => Link::Sent { channel: object, number },
            Kind::MessageReceived => Link::Received { channel: object, number },
            Kind::SyncRelease => Link::Signalled { object, number },
            _ => Link::Noticed { object, number },
        });
    }

    /// What an object is known by in its run: its id, or else its name.
    fn object(&self, id: Raw<'_>) -> String {
        if id.is_nil() { format!("name {}", self.name.as_deref().unwrap_or("")) } else { bounded(id, text::NAME_MAX) }
    }
}

/// A value, as the report has it: text is in quotes. Nothing if it was not recorded.
fn value(raw: Raw<'_>) -> Option<String> {
    (!raw.is_nil()).then(|| bounded(raw, VALUE_MAX))
}

/// What is text by its nature: an URL, a message.
fn words(raw: Raw<'_>) -> Option<String> {
    raw.as_str().map(|text| bounded(text, VALUE_MAX)).or_else(|| value(raw))
}
