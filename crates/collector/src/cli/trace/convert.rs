//! From events to what is drawn of them.

use super::arrows::{Arrows, End, Link};
use super::spans::{Open, SpanOf, Spans};
use super::writer::{Moment, TraceWriter};
use crate::cli::events::{kind_name, site, strand_name, value};
use crate::cli::failure::Failure;
use serde_json::{Value, json};
use std::collections::HashMap;
use trackside_wire::{Batch, Event, Kind, Raw, RunId, Strand};

/// What spans and arrows of locks are called.
const LOCK: &str = "lock";

/// Takes batches in, and holds of them what is under way: strands, open spans, arrows with one end.
pub(super) struct Converter {
    writer: TraceWriter,
    runs: HashMap<RunId, Run>,
    arrows: Arrows,
    /// Which strand holds a lock, where its acquisitions are numbered: another one may give it back.
    holders: HashMap<(u32, Vec<u8>, u64), u64>,
    /// Where tasks that are strands of their own were waited for: which task, and there. Their ends are known at the end.
    joins: Vec<(RunId, u64, Moment)>,
    /// Numbers for what needs one.
    next: u64,
}

struct Run {
    pid: u32,
    strands: HashMap<u64, Drawn>,
}

#[derive(Default)]
struct Drawn {
    tid: u32,
    spans: Spans,
    /// When its latest event was, and the one before.
    last_ns: u64,
    before_ns: u64,
}

impl Converter {
    pub(super) fn new(writer: TraceWriter) -> Self {
        Self {
            writer,
            runs: HashMap::new(),
            arrows: Arrows::default(),
            holders: HashMap::new(),
            joins: Vec::new(),
            next: 0,
        }
    }

    pub(super) fn take(&mut self, batch: &Batch<'_>) -> Result<(), Failure> {
        let pid = self.process(batch)?;
        for event in batch.events() {
            let Some(lane) = batch.lanes.get(event.lane as usize) else { continue };
            let Some(strand) = batch.strands.get(lane.strand as usize) else { continue };
            let ns = batch.header.base_unix_ns.saturating_add(event.time_ns);
            let thread = lane.thread.map(|name| batch.string(name));
            let at = self.moment(batch, pid, strand, thread, event.step, ns)?;
            self.event(batch, &event, strand, at)?;
        }
        Ok(())
    }

    /// Closes the trace. Returns how many arrows were given up.
    pub(super) fn finish(mut self) -> Result<u64, Failure> {
        for (run, task, to) in std::mem::take(&mut self.joins) {
            let Some(Run { pid, strands }) = self.runs.get(&run) else { continue };
            let Some(drawn) = strands.get(&task) else { continue };
            let from = Moment { pid: *pid, tid: drawn.tid, ns: drawn.last_ns };
            self.next += 1;
            self.writer.span(from, from.ns, "join", "ends", json!({}))?;
            self.writer.arrow(from, to, "join", self.next)?;
        }
        for run in self.runs.into_values() {
            for drawn in run.strands.into_values() {
                for Open { of, name, start_ns, mut args } in drawn.spans.unfinished() {
                    args["unfinished"] = json!(true);
                    let at = Moment { pid: run.pid, tid: drawn.tid, ns: start_ns };
                    self.writer.span(at, drawn.last_ns, of.cat(), &name, args)?;
                }
            }
        }
        self.writer.finish()?;
        Ok(self.arrows.forgotten())
    }

    fn process(&mut self, batch: &Batch<'_>) -> Result<u32, Failure> {
        let pid = u32::try_from(self.runs.len() + 1).unwrap_or(u32::MAX);
        if let Some(run) = self.runs.get(&batch.header.run) {
            return Ok(run.pid);
        }
        self.runs.insert(batch.header.run, Run { pid, strands: HashMap::new() });
        let header = &batch.header;
        self.writer.process(pid, &format!("{}/{} (pid {})", header.service, header.instance, header.pid))?;
        Ok(pid)
    }

    /// Where a strand is now; says who it is when it is met for the first time.
    fn moment(
        &mut self,
        batch: &Batch<'_>,
        pid: u32,
        strand: &Strand,
        thread: Option<&str>,
        step: u64,
        ns: u64,
    ) -> Result<Moment, Failure> {
        let strands =
            &mut self.runs.entry(batch.header.run).or_insert_with(|| Run { pid, strands: HashMap::new() }).strands;
        let tid = u32::try_from(strands.len() + 1).unwrap_or(u32::MAX);
        let drawn = strands.entry(strand.number).or_default();
        // The clock of a strand is set anew now and then, and may go back by a little; its steps do not.
        drawn.before_ns = drawn.last_ns;
        drawn.last_ns = drawn.last_ns.max(ns);
        let is_new = drawn.tid == 0;
        if is_new {
            drawn.tid = tid;
        }
        let at = Moment { pid, tid: drawn.tid, ns: drawn.last_ns };
        if is_new {
            self.writer.thread(pid, tid, &strand_name(batch, strand, thread))?;
        }
        if is_new && step == 0 {
            self.writer.span(at, at.ns, "strand", "begins", json!({}))?;
            let number = Link { pid: Some(pid), cat: "spawn", object: vec![], number: strand.number };
            self.link(number, End::To, at, false)?;
            if strand.entry {
                self.link(call(strand, strand.span), End::To, at, false)?;
            }
        }
        Ok(at)
    }

    fn event(&mut self, batch: &Batch<'_>, event: &Event<'_>, strand: &Strand, at: Moment) -> Result<(), Failure> {
        let name = event.name.map_or("", |name| batch.string(name));
        let detail = |index: usize| event.b.elements().nth(index);
        let args = || args(batch, event);
        match event.kind {
            Kind::LockAcquire => {
                let (lock, number) = (lock_key(event, name), detail(0).and_then(Raw::as_u64));
                let shared = is_shared(detail(1));
                if let Some(waited) = detail(2).and_then(Raw::as_u64) {
                    // It did nothing else meanwhile.
                    let before = self.strand(batch, strand.number).map_or(0, |drawn| drawn.before_ns);
                    let since = Moment { ns: at.ns.saturating_sub(waited).max(before), ..at };
                    self.writer.span(since, at.ns, "wait", &format!("waits for {name}"), json!({}))?;
                }
                if let Some(number) = number {
                    self.holders.insert((at.pid, lock.clone(), number), strand.number);
                    if let Some(before) = number.checked_sub(1) {
                        self.link(lock_link(at, &lock, before), End::To, at, shared)?;
                    }
                }
                self.begin(batch, strand.number, SpanOf::Lock(lock, number), format!("holds {name}"), at, args());
                Ok(())
            }
            Kind::LockRelease => {
                let (lock, number) = (lock_key(event, name), detail(0).and_then(Raw::as_u64));
                let holder = number.and_then(|number| self.holders.remove(&(at.pid, lock.clone(), number)));
                let released = SpanOf::Lock(lock.clone(), number);
                let held = self.end(batch, holder.unwrap_or(strand.number), &released, at.ns)?;
                // An arrow begins in the hold, or, where that is not in the record, at a span of its own.
                let from = match held {
                    Some((held, true)) => Moment { ns: at.ns.saturating_sub(1).max(held.ns), ..held },
                    _ => {
                        self.writer.span(at, at.ns, LOCK, &format!("releases {name}"), args())?;
                        at
                    }
                };
                match number {
                    Some(number) => self.link(lock_link(at, &lock, number), End::From, from, is_shared(detail(1))),
                    None => Ok(()),
                }
            }
            Kind::FunctionCall => {
                self.begin(batch, strand.number, SpanOf::Call(name.to_owned()), name.to_owned(), at, args());
                Ok(())
            }
            Kind::HttpRequest => {
                let title = format!("{name} {}", value(event.a));
                self.begin(batch, strand.number, SpanOf::Request, title, at, args());
                Ok(())
            }
            Kind::DatabaseQuery => {
                self.begin(batch, strand.number, SpanOf::Query, value(event.a), at, args());
                Ok(())
            }
            Kind::FunctionReturn => self.end_or_tell(batch, strand.number, &SpanOf::Call(name.to_owned()), event, at),
            Kind::HttpResponse => self.end_or_tell(batch, strand.number, &SpanOf::Request, event, at),
            Kind::DatabaseResult => self.end_or_tell(batch, strand.number, &SpanOf::Query, event, at),
            Kind::AsyncAwait if event.b.as_u64().is_some_and(|steps| steps > 0) => {
                if let Some(task) = event.a.as_u64().filter(|_| self.joins.len() < Arrows::MOST) {
                    self.joins.push((batch.header.run, task, at));
                }
                self.writer.span(at, at.ns, "join", &title(event.kind, name), args())
            }
            kind => match linked(event, strand, at, name) {
                None => {
                    let cat = if kind.access().is_some() { "access" } else { "event" };
                    self.writer.instant(at, cat, &title(kind, name), args())
                }
                Some((link, end)) => {
                    self.writer.span(at, at.ns, link.cat, &title(kind, name), args())?;
                    self.link(link, end, at, false)
                }
            },
        }
    }

    fn strand(&mut self, batch: &Batch<'_>, number: u64) -> Option<&mut Drawn> {
        self.runs.get_mut(&batch.header.run)?.strands.get_mut(&number)
    }

    fn begin(&mut self, batch: &Batch<'_>, strand: u64, of: SpanOf, name: String, at: Moment, args: Value) {
        if let Some(drawn) = self.strand(batch, strand) {
            drawn.spans.begin(Open { of, name, start_ns: at.ns, args });
        }
    }

    /// Draws the span that ends now. Returns where it began, and whether it is one of its strand's.
    fn end(&mut self, batch: &Batch<'_>, strand: u64, of: &SpanOf, ns: u64) -> Result<Option<(Moment, bool)>, Failure> {
        let pid = self.runs.get(&batch.header.run).map_or(0, |run| run.pid);
        let Some(drawn) = self.strand(batch, strand) else { return Ok(None) };
        let tid = drawn.tid;
        let Some((Open { of, name, start_ns, args }, is_innermost)) = drawn.spans.end(of) else { return Ok(None) };
        let start = Moment { pid, tid, ns: start_ns };
        if is_innermost {
            self.writer.span(start, ns, of.cat(), &name, args)?;
        } else {
            // It ends while something that began later goes on: spans of a thread cannot be drawn so.
            self.next += 1;
            self.writer.apart(start, ns, of.cat(), &name, self.next)?;
        }
        Ok(Some((start, is_innermost)))
    }

    fn end_or_tell(
        &mut self,
        batch: &Batch<'_>,
        strand: u64,
        of: &SpanOf,
        event: &Event<'_>,
        at: Moment,
    ) -> Result<(), Failure> {
        if self.end(batch, strand, of, at.ns)?.is_some() {
            return Ok(());
        }
        let name = event.name.map_or("", |name| batch.string(name));
        self.writer.instant(at, of.cat(), &title(event.kind, name), args(batch, event))
    }

    fn link(&mut self, link: Link, end: End, at: Moment, shared: bool) -> Result<(), Failure> {
        let cat = link.cat;
        let Some((from, to)) = self.arrows.meet(link, end, at, shared) else { return Ok(()) };
        self.next += 1;
        if cat == LOCK {
            // Whether the hold that begins here will be a span of the strand, is only known when it ends.
            self.writer.span(to, to.ns, LOCK, "takes over", json!({}))?;
        }
        self.writer.arrow(from, to, cat, self.next)
    }
}

/// What an event that is neither a lock's nor a span's begins or ends an arrow of.
fn linked(event: &Event<'_>, strand: &Strand, at: Moment, name: &str) -> Option<(Link, End)> {
    let number = || event.b.elements().next().and_then(Raw::as_u64);
    let of = |cat, object, number| Link { pid: Some(at.pid), cat, object, number };
    let task = |cat| match event.a.as_u64() {
        Some(number) => of(cat, vec![], number),
        None => of(cat, event.a.as_bytes().to_vec(), 0),
    };
    Some(match event.kind {
        Kind::MessageSent => (of("message", lock_key(event, name), number()?), End::From),
        Kind::MessageReceived => (of("message", lock_key(event, name), number()?), End::To),
        Kind::SyncRelease => (of("signal", lock_key(event, name), number()?), End::From),
        Kind::SyncAcquire => (of("signal", lock_key(event, name), number()?), End::To),
        Kind::AsyncSpawn => (task("spawn"), End::From),
        Kind::TaskBegin => (task("spawn"), End::To),
        Kind::TaskEnd => (task("join"), End::From),
        Kind::AsyncAwait => (task("join"), End::To),
        Kind::CallSent => (call(strand, event.a.as_u64()?), End::From),
        _ => return None,
    })
}

/// A call to another service, which has the trace and the span in common with who takes it.
fn call(strand: &Strand, span: u64) -> Link {
    Link { pid: None, cat: "request", object: strand.trace.to_le_bytes().to_vec(), number: span }
}

fn lock_link(at: Moment, lock: &[u8], number: u64) -> Link {
    Link { pid: Some(at.pid), cat: LOCK, object: lock.to_vec(), number }
}

/// What a lock, or anything else with an id or else a name, is known by.
fn lock_key(event: &Event<'_>, name: &str) -> Vec<u8> {
    if event.a.is_nil() { name.as_bytes().to_vec() } else { event.a.as_bytes().to_vec() }
}

/// Whether this type of acquisition lets others in.
fn is_shared(kind: Option<Raw<'_>>) -> bool {
    let kind = kind.and_then(Raw::as_str).unwrap_or("").to_ascii_lowercase();
    kind.strip_suffix("-try").unwrap_or(&kind).ends_with("read")
}

fn title(kind: Kind, name: &str) -> String {
    if name.is_empty() { kind_name(kind) } else { format!("{} {name}", kind_name(kind)) }
}

fn args(batch: &Batch<'_>, event: &Event<'_>) -> Value {
    let mut args = json!({ "step": event.step });
    if let Some(site) = site(batch, event) {
        args["at"] = json!(site);
    }
    for (key, raw) in [("a", event.a), ("b", event.b)] {
        if !raw.is_nil() {
            args[key] = json!(value(raw));
        }
    }
    args
}
