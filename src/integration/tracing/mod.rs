//! The bridge to the [`tracing`](https://docs.rs/tracing) crate: what a program says there is recorded.
//!
//! Spans become function calls and contexts, marked events become accesses to variables, and errors become errors. So a
//! service that is instrumented with `tracing` needs no more than a layer, and a marked event at each access to what is
//! shared.
//!
//! Needs the feature `tracing`.
//!
//! # Examples
//!
//! ```
//! use tracing_subscriber::layer::SubscriberExt;
//! use trackside::{Client, MemoryTransport, tracing::TracksideLayer};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let client = Client::builder_to(MemoryTransport::new()).service("bank").build()?;
//! let subscriber = tracing_subscriber::registry().with(TracksideLayer::new(&client));
//! // A program would call `tracing::subscriber::set_global_default`, once.
//! tracing::subscriber::with_default(subscriber, || {
//!     let _transfer = tracing::info_span!("transfer", amount = 10).entered();
//!     tracing::info!(target: "trackside", variable = "accounts.alice", access = "write", old = 100, new = 90);
//! });
//! client.flush(std::time::Duration::from_secs(5))?;
//! # #[cfg(feature = "tracked")]
//! assert_eq!(client.stats().delivered, 3);
//! # Ok(())
//! # }
//! ```

mod fields;
mod places;
mod root;

use crate::client::Client;
use crate::clock;
use crate::context::Moment;
use crate::recorder::Recorder;
use crate::ring::sync::Arc;
use crate::value::{Name, Value};
use fields::{Fields, OfEvent, OfSpan, Owned, bounded};
use root::Root;
use tracing_core::span::{Attributes, Id, Record};
use tracing_core::{Event, Level, Metadata, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::layer::Context;
use tracing_subscriber::registry::{LookupSpan, SpanRef};
use trackside_wire::{Access, Kind};

/// The target of events that tell of an access to a shared variable.
const MARK: &str = "trackside";

/// The crates of which nothing is recorded: what they do is to deliver what was recorded.
const INTERNAL: &[&str] =
    &["trackside_wire", "trackside_analysis", "trackside_collector", "ureq", "ureq_proto", "rustls"];

/// Records what the spans and events of `tracing` tell into a [`Client`].
///
/// # Spans
///
/// A span is recorded as a call of a function when it is first entered: its name, its target as the module, and its
/// fields. When it is closed, that is recorded as the function's return, with the time since then, and with the fields
/// that were set meanwhile. A span that is never entered is not recorded.
///
/// # Contexts
///
/// A span without a parent begins a [`Context`](crate::Context), and so a trace, when it is first entered; its descendants
/// belong to it. Whenever a thread is in one of these spans, what it records belongs to that context, whoever records it,
/// and on whatever thread: `future.instrument(span)` takes its context along.
///
/// - If the thread has a context already, such as one that a server's middleware has attached, the span joins that.
/// - A span with the field `trackside.context = true` begins a context of its own wherever it stands: a request on a
///   connection whose span is its parent. With `trackside.context = false`, a span without a parent begins none.
/// - If a second thread enters a span while the first is still in it, the second gets a context of its own, in the same
///   trace and span: two threads are never one line of execution.
///
/// What a thread did before it created a span happens before what is done in the span, and what was done in it before what
/// is done by the thread that leaves it; entering and leaving a span orders things as [`Context::attach`] does, which that
/// says more about. Nothing else that threads tell each other is known: see [`Client::track_async_spawn`]. And as a
/// worker that polls two futures in turn does one after the other, accesses on one worker are ordered: races show between
/// workers.
///
/// [`Context::attach`]: crate::Context::attach
///
/// # Events
///
/// - One with the target `trackside` is an access to a variable: the fields are `variable`, `access` ("Read", "Write",
///   "AtomicRead", "AtomicWrite" or "AtomicRmw", in upper or lower case), `old` and `new`. If there is no variable, or the
///   access is another one, a custom event is recorded with what was given.
/// - One of the level ERROR is an error, of its target as the type. The text is its message and the field `error` (or
///   `err`).
/// - Others are not recorded unless [`TracksideLayer::events`] says so.
///
/// # What is recorded of them
///
/// Numbers, truth values and text keep their types; everything else becomes the text that its `Debug` writes, of which no
/// more is asked for than is recorded. All fields of a span have the room of one value, [`Value::INLINE_LIMIT`]. Nothing is
/// held back: do not put secrets into fields, or filter those spans and events out, by `with_filter`.
///
/// Its place in the source is that of the span or event: file and line, as `tracing` has them, without the column. What
/// came through the `log` crate has none.
///
/// What the client does to deliver is not recorded: neither what happens on its own thread, nor what is said by the crates
/// that it delivers with. If a [`Transport`](crate::Transport) of your own has threads of its own, filter them out.
#[derive(Debug)]
pub struct TracksideLayer {
    recorder: Recorder,
    events: Option<Level>,
}

/// What is kept of a span, with it.
#[derive(Debug)]
struct Kept {
    /// Of which layer it is: there may be one for each of several clients.
    layer: usize,
    /// What the span is to us; `None`: nothing, and neither are its descendants.
    tree: Option<Tree>,
    /// Its fields, until they are recorded: with its call, and those set later with its return.
    fields: Fields,
    /// When it was created.
    created: Arc<Moment>,
    /// When it was first entered, in ticks.
    entered: Option<u64>,
}

/// Where a span belongs.
#[derive(Debug, Clone)]
struct Tree {
    /// `None`: to a tree without a context.
    root: Option<Arc<Root>>,
    /// Whether it is the one at the root.
    is_root: bool,
}

/// One for each layer, in the order of a span's extensions; they are found by type.
#[derive(Debug, Default)]
struct AllKept(Vec<Kept>);

impl TracksideLayer {
    /// A layer that records into `client`. It does not keep the client alive: when its last clone has been dropped, nothing
    /// more is recorded.
    pub fn new(client: &Client) -> Self {
        Self { recorder: client.recorder().clone(), events: None }
    }

    /// Records all events of this level, and of more severe ones, as custom events: the target is the name, the fields are
    /// the data.
    #[must_use]
    pub fn events(mut self, level: Level) -> Self {
        self.events = Some(level);
        self
    }

    /// Tells this layer's spans, and the threads' entries of them, from those of other layers.
    fn key(&self) -> usize {
        Arc::as_ptr(self.recorder.pipe()) as usize
    }

    fn with_kept<'a, S, R>(&self, span: &SpanRef<'a, S>, look: impl FnOnce(&mut Kept) -> R) -> Option<R>
    where
        S: Subscriber + for<'l> LookupSpan<'l>,
    {
        let mut extensions = span.extensions_mut();
        let kept = extensions.get_mut::<AllKept>()?.0.iter_mut().find(|kept| kept.layer == self.key())?;
        Some(look(kept))
    }

    /// Where a span belongs that the calling thread creates.
    fn place<S>(&self, span: &SpanRef<'_, S>, marked: Option<bool>) -> Option<Tree>
    where
        S: Subscriber + for<'l> LookupSpan<'l>,
    {
        if Recorder::is_delivering() || is_internal(span.metadata().target()) {
            return None;
        }
        let parent = span.parent().and_then(|parent| self.with_kept(&parent, |kept| kept.tree.clone()));
        let begin = |joins| Tree { root: Some(Root::new(&self.recorder, span.name(), joins)), is_root: true };
        match (parent, marked) {
            (Some(None), _) => None,
            (_, Some(true)) => Some(begin(false)),
            (Some(Some(tree)), _) => Some(Tree { is_root: false, ..tree }),
            (None, Some(false)) => Some(Tree { root: None, is_root: true }),
            (None, None) => Some(begin(true)),
        }
    }

    fn enter(&self, id: &Id, tree: &Tree) {
        if let Some(root) = &tree.root {
            root::enter((self.key(), id.into_u64()), root);
        }
    }

    fn exit(&self, id: &Id) {
        root::exit((self.key(), id.into_u64()));
    }

    fn access(&self, metadata: &'static Metadata<'static>, fields: &OfEvent) -> Option<()> {
        let kind = access(fields.access.as_ref()?.text()?)?.kind();
        let variable = Name::dynamic(fields.variable.as_ref()?.text()?);
        let old = fields.old.as_ref().map_or(Value::NIL, Owned::value);
        let new = fields.new.as_ref().map_or(Value::NIL, Owned::value);
        self.recorder.record_at(kind, variable, old, new, places::of(metadata));
        Some(())
    }

    fn error(&self, metadata: &'static Metadata<'static>, fields: &OfEvent) {
        let text = |field: &Option<Owned>| field.as_ref().map(Owned::to_text);
        let message = match (text(&fields.message), text(&fields.error)) {
            (Some(message), Some(error)) => bounded(&format_args!("{message}: {error}"), Value::INLINE_LIMIT + 1),
            (message, error) => message.or(error).unwrap_or_default(),
        };
        let (name, message) = (metadata.target().into(), message.as_str().into());
        self.recorder.record_at(Kind::Error, name, message, Value::NIL, places::of(metadata));
    }

    fn custom(&self, event: &Event<'_>, name: Name<'_>) {
        let mut visitor = OfSpan::default();
        event.record(&mut visitor);
        let data = Value::of(&visitor.fields);
        self.recorder.record_at(Kind::Custom, name, data, Value::NIL, places::of(event.metadata()));
    }
}

impl<S> Layer<S> for TracksideLayer
where
    S: Subscriber + for<'l> LookupSpan<'l>,
{
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        let Some(span) = context.span(id) else { return };
        let mut visitor = OfSpan::default();
        attributes.record(&mut visitor);
        let kept = Kept {
            layer: self.key(),
            tree: self.place(&span, visitor.context),
            fields: visitor.fields,
            created: Arc::new(Moment::now(&self.recorder)),
            entered: None,
        };
        let mut extensions = span.extensions_mut();
        if let Some(all) = extensions.get_mut::<AllKept>() {
            all.0.push(kept);
        } else {
            extensions.insert(AllKept(vec![kept]));
        }
    }

    fn on_record(&self, id: &Id, values: &Record<'_>, context: Context<'_, S>) {
        let Some(span) = context.span(id) else { return };
        let Some(fields) = self.with_kept(&span, |kept| std::mem::take(&mut kept.fields)) else { return };
        // The values are other people's code: none of it may run while the span is locked.
        let mut visitor = OfSpan::new(fields);
        values.record(&mut visitor);
        self.with_kept(&span, |kept| kept.fields = visitor.fields);
    }

    fn on_enter(&self, id: &Id, context: Context<'_, S>) {
        if Recorder::is_delivering() {
            return;
        }
        let Some(span) = context.span(id) else { return };
        let kept = self.with_kept(&span, |kept| {
            let first = kept.entered.is_none();
            if first {
                kept.entered = Some(clock::ticks());
            }
            (kept.tree.clone(), kept.created.clone(), first.then(|| std::mem::take(&mut kept.fields)))
        });
        let Some((Some(tree), created, call)) = kept else { return };
        self.enter(id, &tree);
        created.before_this(&self.recorder);
        if let Some(fields) = call {
            let metadata = span.metadata();
            let (name, module) = (metadata.name().into(), metadata.target().into());
            self.recorder.record_at(Kind::FunctionCall, name, module, Value::of(&fields), places::of(metadata));
        }
    }

    fn on_exit(&self, id: &Id, _context: Context<'_, S>) {
        self.exit(id);
    }

    fn on_close(&self, id: Id, context: Context<'_, S>) {
        if Recorder::is_delivering() {
            return;
        }
        let Some(span) = context.span(&id) else { return };
        let kept = self.with_kept(&span, |kept| (kept.tree.take(), std::mem::take(&mut kept.fields), kept.entered));
        let Some((Some(tree), fields, Some(entered))) = kept else { return };
        if let (Some(root), true) = (&tree.root, tree.is_root) {
            root.join_all();
        }
        let value = if fields.is_empty() { Value::NIL } else { Value::of(&fields) };
        self.enter(&id, &tree);
        let (metadata, duration) = (span.metadata(), clock::elapsed_ns(entered).into());
        self.recorder.record_at(Kind::FunctionReturn, metadata.name().into(), value, duration, places::of(metadata));
        self.exit(&id);
    }

    fn on_event(&self, event: &Event<'_>, context: Context<'_, S>) {
        let metadata = event.metadata();
        let (marked, is_error) = (metadata.target() == MARK, *metadata.level() == Level::ERROR);
        let wanted = marked || is_error || self.events.is_some_and(|most| *metadata.level() <= most);
        if !wanted || Recorder::is_delivering() || is_internal(metadata.target()) {
            return;
        }
        let span = context.event_span(event);
        if span.and_then(|span| self.with_kept(&span, |kept| kept.tree.is_none())) == Some(true) {
            return;
        }
        let fields = OfEvent::of(event);
        let log_target = fields.log_target.as_ref().and_then(Owned::text).unwrap_or("");
        if is_internal(log_target) || log_target == MARK {
            return;
        }
        if marked {
            if self.access(metadata, &fields).is_none() {
                let variable = fields.variable.as_ref().and_then(Owned::text).unwrap_or(MARK);
                self.custom(event, Name::dynamic(variable));
            }
        } else if is_error {
            self.error(metadata, &fields);
        } else {
            self.custom(event, metadata.target().into());
        }
    }
}

/// Whether events of this target are ours, or of what we deliver with.
fn is_internal(target: &str) -> bool {
    let (krate, module) = target.split_once("::").map_or((target, None), |(krate, module)| (krate, Some(module)));
    INTERNAL.contains(&krate) || (krate == MARK && module.is_some())
}

fn access(name: &str) -> Option<Access> {
    const ALL: [(&str, Access); 5] = [
        ("Read", Access::Read),
        ("Write", Access::Write),
        ("AtomicRead", Access::AtomicRead),
        ("AtomicWrite", Access::AtomicWrite),
        ("AtomicRmw", Access::AtomicRmw),
    ];
    ALL.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, access)| *access)
}
