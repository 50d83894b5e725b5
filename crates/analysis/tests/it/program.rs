//! A recorded program, written down as it ran.
//!
//! A strand's number has its process in the upper bits: `remote(2, 1)` is strand 1 of the second process beside the
//! first one. Each process is a run of its own, with its own tasks and locks.

use std::collections::{BTreeMap, BTreeSet};
use trackside_analysis::{AccessInfo, Analyzer, Finding, FindingKind, LockOrder, Report, Trace};
use trackside_wire::{Batch, Kind, Kinds};

/// A value in an event.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum V {
    Nil,
    Int(i64),
    Text(String),
    List(Vec<V>),
}

impl From<i64> for V {
    fn from(int: i64) -> Self {
        V::Int(int)
    }
}

impl From<&str> for V {
    fn from(text: &str) -> Self {
        V::Text(text.to_owned())
    }
}

impl<T: Into<V>> From<Option<T>> for V {
    fn from(value: Option<T>) -> Self {
        value.map_or(V::Nil, Into::into)
    }
}

/// One event, as it ran.
#[derive(Debug, Clone)]
pub(crate) struct Event {
    pub(crate) strand: u64,
    pub(crate) kind: Kind,
    pub(crate) line: Option<u32>,
    pub(crate) name: String,
    pub(crate) a: V,
    pub(crate) b: V,
    /// Its step; counted when the event is added.
    pub(crate) step: u64,
    pub(crate) ring: u16,
    /// Its place on its ring.
    pub(crate) seq: u64,
    /// What it comes after: strands, and how many of their steps.
    pub(crate) after: Vec<(u64, u64)>,
    pub(crate) time: u64,
    pub(crate) lost: Option<Lost>,
}

/// Strand `number` of another process, counted from 1.
pub(crate) fn remote(process: u64, number: u64) -> u64 {
    process << 16 | number
}

/// The process of a strand, and its number in it.
pub(crate) fn process(strand: u64) -> (u64, u64) {
    (strand >> 16, strand & 0xffff)
}

/// What a strand is, beside a thread's own.
#[derive(Debug, Clone, Default)]
pub(crate) struct Context {
    pub(crate) span: u64,
    pub(crate) upstream: u64,
    pub(crate) entry: bool,
    pub(crate) name: Option<String>,
    pub(crate) trace: u128,
    /// The processes in its past.
    pub(crate) past: Vec<u64>,
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Lost {
    /// The client says so.
    Declared,
    /// Its batch never came.
    Silently,
    /// Its strand is not sampled.
    Unsampled,
    /// Its kind was off.
    Off,
}

/// A program in the making. Strands are numbered; locks and variables are named.
#[derive(Debug, Clone)]
pub(crate) struct Program {
    pub(crate) events: Vec<Event>,
    pub(crate) run: u64,
    pub(crate) contexts: BTreeMap<u64, Context>,
    /// The strand that answered each call.
    pub(crate) answers: BTreeMap<u64, u64>,
    /// By the process: the kinds that were off at some moment.
    pub(crate) off: BTreeMap<u64, Kinds>,
    steps: BTreeMap<u64, u64>,
    rings: BTreeMap<u64, u16>,
    seqs: BTreeMap<(u64, u16), u64>,
    pending: BTreeMap<u64, Vec<(u64, u64)>>,
    turns: BTreeMap<(u64, String), u64>,
    /// The acquisitions that each strand has of each lock.
    held: BTreeMap<(u64, String), Vec<u64>>,
    /// The values of each tracked atomic, by the numbers of its writes.
    pub(crate) values: BTreeMap<(u64, String), Vec<V>>,
    line: Option<u32>,
    /// The column of all events; 0: only their lines are told.
    pub(crate) column: u32,
}

impl Program {
    pub(crate) fn new() -> Self {
        let (contexts, answers, off, steps, rings, seqs, pending) = Default::default();
        let (turns, held, values) = Default::default();
        Self {
            events: Vec::new(),
            run: 7,
            contexts,
            answers,
            off,
            steps,
            rings,
            seqs,
            pending,
            turns,
            held,
            values,
            line: None,
            column: 9,
        }
    }

    /// The line of the next event. Without it, an event has a line of its own.
    pub(crate) fn at(&mut self, line: u32) -> &mut Self {
        self.line = Some(line);
        self
    }

    pub(crate) fn event(&mut self, strand: u64, kind: Kind, name: &str, a: V, b: V) -> &mut Self {
        let step = self.steps.entry(strand).or_default();
        let line = self.line.take().or(Some(1000 + self.events.len() as u32));
        let (name, time) = (name.to_owned(), 100 * self.events.len() as u64);
        let (process, number) = process(strand);
        let ring = self.rings.get(&strand).copied().unwrap_or(number as u16);
        let next = self.seqs.entry((process, ring)).or_default();
        let (seq, after) = (*next, self.pending.remove(&strand).unwrap_or_default());
        self.events.push(Event { strand, kind, line, name, a, b, step: *step, ring, seq, after, time, lost: None });
        *step = step.wrapping_add(1);
        *next += 1;
        self
    }

    /// From now on the strand goes through this ring of its process.
    pub(crate) fn on(&mut self, strand: u64, ring: u16) -> &mut Self {
        self.rings.insert(strand, ring);
        self
    }

    /// The strand's next event comes after the first `steps` events of another one.
    pub(crate) fn after(&mut self, strand: u64, other: u64, steps: u64) -> &mut Self {
        self.pending.entry(strand).or_default().push((other, steps));
        self
    }

    /// The strand's next event comes after all that another one did so far.
    pub(crate) fn follow(&mut self, strand: u64, other: u64) -> &mut Self {
        let steps = self.steps.get(&other).copied().unwrap_or(0);
        self.after(strand, other, steps)
    }

    pub(crate) fn context(&mut self, strand: u64) -> &mut Context {
        self.contexts.entry(strand).or_insert_with(|| Context { trace: 1, ..Context::default() })
    }

    /// The strand makes a call, and the others are what takes it.
    pub(crate) fn call(&mut self, strand: u64, span: u64, taken_by: &[u64]) -> &mut Self {
        let caller = self.context(strand);
        caller.span = if caller.span == 0 { 1000 + strand } else { caller.span };
        let (trace, upstream, mut past) = (caller.trace, caller.span, caller.past.clone());
        past.push(process(strand).0);
        for entry in taken_by {
            let mut past = past.clone();
            past.push(process(*entry).0);
            *self.context(*entry) = Context { span, upstream, entry: true, name: None, trace, past };
        }
        self.event(strand, Kind::CallSent, "", V::Int(span as i64), V::Nil)
    }

    /// The strand answers the call it took.
    pub(crate) fn respond(&mut self, strand: u64) -> &mut Self {
        self.event(strand, Kind::HttpResponse, "", V::Int(200), V::Nil)
    }

    /// The call has returned; it was answered by this strand.
    pub(crate) fn returned(&mut self, strand: u64, span: u64, answered_by: u64) -> &mut Self {
        self.answers.insert(span, answered_by);
        self.event(strand, Kind::CallReturned, "", V::Int(span as i64), V::Nil)
    }

    pub(crate) fn read(&mut self, strand: u64, name: &str, value: impl Into<V>) -> &mut Self {
        self.event(strand, Kind::Read, name, V::Nil, value.into())
    }

    pub(crate) fn write(&mut self, strand: u64, name: &str, old: impl Into<V>, new: impl Into<V>) -> &mut Self {
        self.event(strand, Kind::Write, name, old.into(), new.into())
    }

    pub(crate) fn access(&mut self, strand: u64, kind: Kind, name: &str) -> &mut Self {
        self.event(strand, kind, name, V::Nil, V::Nil)
    }

    pub(crate) fn spawn(&mut self, parent: u64, child: u64) -> &mut Self {
        let task = process(child).1 as i64;
        self.event(parent, Kind::AsyncSpawn, "task", V::Int(task), V::Nil);
        self.event(child, Kind::TaskBegin, "task", V::Int(task), V::Nil)
    }

    pub(crate) fn join(&mut self, parent: u64, child: u64) -> &mut Self {
        let task = process(child).1 as i64;
        self.event(child, Kind::TaskEnd, "task", V::Int(task), V::Nil);
        self.event(parent, Kind::AsyncAwait, "task", V::Int(task), V::Nil)
    }

    /// Takes a lock that counts its acquisitions.
    pub(crate) fn lock(&mut self, strand: u64, lock: &str) -> &mut Self {
        self.counted(strand, lock, "Mutex")
    }

    pub(crate) fn counted(&mut self, strand: u64, lock: &str, kind: &str) -> &mut Self {
        let turn = self.turns.entry((process(strand).0, lock.to_owned())).or_default();
        *turn += 1;
        let turn = *turn;
        self.held.entry((strand, lock.to_owned())).or_default().push(turn);
        let detail = V::List(vec![V::Int(turn as i64), kind.into()]);
        self.event(strand, Kind::LockAcquire, lock, id(lock), detail)
    }

    /// The last event, an acquisition, had to wait for so many nanoseconds.
    pub(crate) fn waited(&mut self, nanos: i64) -> &mut Self {
        let event = self.events.last_mut().expect("an event");
        let V::List(detail) = &mut event.b else { panic!("not an acquisition: {event:?}") };
        detail.push(V::Int(nanos));
        self
    }

    pub(crate) fn unlock(&mut self, strand: u64, lock: &str) -> &mut Self {
        self.uncount(strand, lock, "Mutex")
    }

    pub(crate) fn uncount(&mut self, strand: u64, lock: &str, kind: &str) -> &mut Self {
        let held = self.held.get_mut(&(strand, lock.to_owned()));
        let turn = held.and_then(Vec::pop).expect("the strand holds the lock");
        let detail = V::List(vec![V::Int(turn as i64), kind.into()]);
        self.event(strand, Kind::LockRelease, lock, id(lock), detail)
    }

    /// The strand is about to wait for a lock.
    pub(crate) fn wait(&mut self, strand: u64) -> &mut Self {
        self.event(strand, Kind::LockWait, "", V::Nil, V::List(vec![V::Nil, "Mutex".into()]))
    }

    /// As [`Program::wait`]. That closes a circle, of these strands, each with the lock that it waits for.
    pub(crate) fn close(&mut self, strand: u64, circle: &[(u64, &str)]) -> &mut Self {
        let step = |(strand, lock): &(u64, &str)| V::List(vec![V::Int(process(*strand).1 as i64), id(lock)]);
        let steps = V::List(circle.iter().map(step).collect());
        let lock = circle.first().map_or(V::Nil, |(_, lock)| id(lock));
        self.event(strand, Kind::LockWait, "", lock, V::List(vec![V::Nil, "Mutex".into(), steps]))
    }

    /// The strand's future is not ready.
    pub(crate) fn suspend(&mut self, strand: u64) -> &mut Self {
        self.event(strand, Kind::Suspended, "", V::Nil, V::Nil);
        self.events.last_mut().expect("an event").line = None;
        self
    }

    /// The guard of a lock goes to another strand, in a way that is not recorded.
    pub(crate) fn hand_over(&mut self, from: u64, to: u64, lock: &str) -> &mut Self {
        let turn = self.held.remove(&(from, lock.to_owned())).expect("the strand holds the lock");
        self.held.insert((to, lock.to_owned()), turn);
        self
    }

    /// Takes a lock that is known by its name alone.
    pub(crate) fn plain_lock(&mut self, strand: u64, lock: &str, kind: &str) -> &mut Self {
        self.event(strand, Kind::LockAcquire, lock, V::Nil, V::List(vec![V::Nil, kind.into()]))
    }

    pub(crate) fn plain_unlock(&mut self, strand: u64, lock: &str, kind: &str) -> &mut Self {
        self.event(strand, Kind::LockRelease, lock, V::Nil, V::List(vec![V::Nil, kind.into()]))
    }

    /// The last event is lost, and the client says so.
    pub(crate) fn lost(&mut self) -> &mut Self {
        self.events.last_mut().expect("an event").lost = Some(Lost::Declared);
        self
    }

    /// The last event is in a batch that never came.
    pub(crate) fn gone(&mut self) -> &mut Self {
        self.events.last_mut().expect("an event").lost = Some(Lost::Silently);
        self
    }

    /// The strand's first event has this step.
    pub(crate) fn begin_at(&mut self, strand: u64, step: u64) {
        self.steps.insert(strand, step);
    }

    /// The events at these places are lost, declared or not.
    pub(crate) fn lose(&mut self, losses: &[(usize, bool)]) {
        for (at, declared) in losses {
            if let Some(event) = self.events.get_mut(*at) {
                event.lost = Some(if *declared { Lost::Declared } else { Lost::Silently });
            }
        }
    }

    /// The first event of each process, and of each strand that took a call, is not lost.
    pub(crate) fn keep_a_trace_of_each(&mut self) {
        let mut met = BTreeSet::new();
        for event in &mut self.events {
            let entry = self.contexts.get(&event.strand).is_some_and(|context| context.entry);
            if met.insert((process(event.strand).0, None)) || (entry && met.insert((0, Some(event.strand)))) {
                event.lost = None;
            }
        }
    }

    /// Gives the events these timestamps, the first again after the last; they need not say the truth.
    pub(crate) fn retime(&mut self, times: &[u64]) {
        self.events.iter_mut().zip(times.iter().cycle()).for_each(|(event, time)| event.time = *time);
    }

    /// The report on all events, in one batch.
    pub(crate) fn report(&self) -> Report {
        report(&self.batches(usize::MAX))
    }

    /// The report on all events, in batches of this size.
    pub(crate) fn report_of(&self, size: usize) -> Report {
        report(&self.batches(size))
    }

    /// Kind, variable and lines of each finding, sorted; `kind` is the finding's kind, "race" or "lost".
    pub(crate) fn found(&self) -> Vec<String> {
        found(&self.report())
    }
}

/// The report on these batches.
pub(crate) fn report(batches: &[Vec<u8>]) -> Report {
    let mut analyzer = Analyzer::new();
    for bytes in batches {
        analyzer.ingest(&Batch::decode(bytes).expect("a batch"));
    }
    analyzer.finish()
}

/// The traces in these batches.
pub(crate) fn traces(batches: &[Vec<u8>]) -> Vec<Trace> {
    let mut analyzer = Analyzer::new();
    for bytes in batches {
        analyzer.ingest(&Batch::decode(bytes).expect("a batch"));
    }
    analyzer.traces()
}

pub(crate) fn found(report: &Report) -> Vec<String> {
    let line = |line: Option<u32>| line.map_or("?".to_owned(), |line| line.to_string());
    let mut found: Vec<String> = report
        .findings
        .iter()
        .map(|finding| {
            let kind = match finding.kind {
                FindingKind::DataRace => "race",
                FindingKind::LostUpdate => "lost",
                FindingKind::RecursiveRead => "again",
                FindingKind::HeldAcrossAwait => "await",
                FindingKind::InconsistentLocking => "forgot",
                FindingKind::Deadlock => return deadlock("stuck", finding),
                _ => return deadlock("deadlock", finding),
            };
            let (first, second) = (line(finding.first.line), line(finding.second.line));
            let read = finding.read.as_ref().map_or(String::new(), |read| format!("{}..", line(read.line)));
            let incomplete = if finding.incomplete.is_some() { " incomplete" } else { "" };
            format!("{kind} {} {first} {read}{second} {:?}{incomplete}", finding.variable, finding.confidence)
        })
        .collect();
    found.sort();
    found
}

/// A deadlock, potential or not: the two lines of each step, from the lowest on.
fn deadlock(kind: &str, finding: &Finding) -> String {
    let line = |info: &AccessInfo| info.line.map_or("?".to_owned(), |line| line.to_string());
    let step = |order: &LockOrder| {
        let held = order.held.as_ref().map_or("?".to_owned(), line);
        format!("{} {held} {} {}", order.holds, order.asks, line(&order.asked))
    };
    let mut steps: Vec<String> = finding.orders.iter().map(step).collect();
    let lowest = (0..steps.len()).min_by_key(|at| steps[*at].clone()).unwrap_or(0);
    steps.rotate_left(lowest);
    let incomplete = if finding.incomplete.is_some() { " incomplete" } else { "" };
    format!("{kind} {}{incomplete}", steps.join(", "))
}

/// A lock's id, made of its name.
fn id(lock: &str) -> V {
    V::Int(lock.bytes().fold(100, |id, byte| id * 31 % 65_521 + i64::from(byte)))
}
