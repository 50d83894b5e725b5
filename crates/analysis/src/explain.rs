//! From numbers to words: what a finding says.

use crate::collect::{Key, Rank};
use crate::engine::Engine;
use crate::evidence::Claim;
use crate::hole::{Cause, HolePoint};
use crate::log::{AccessOp, NONE, Op};
use crate::loss::lost_update_text;
use crate::report::{AccessInfo, AccessKind, Confidence, Finding, FindingKind};
use crate::roster::RunRef;
use crate::strand::Acc;
use crate::tally::Surplus;
use crate::value::Val;
use std::fmt;
use trackside_wire::EventId;

/// One occurrence of a finding.
#[derive(Debug, Clone)]
pub(crate) struct Example<'a> {
    pub(crate) kind: FindingKind,
    pub(crate) first: &'a Acc,
    pub(crate) second: &'a Acc,
    pub(crate) read: Option<&'a Acc>,
    /// Of a lost update: the values.
    pub(crate) claim: Option<Claim>,
    /// Of a lost update that no values need to prove: what is said of it.
    pub(crate) told: Option<Told>,
    pub(crate) confidence: Confidence,
    pub(crate) reserve: Option<&'static str>,
    /// Set if it is confirmed by counting alone.
    pub(crate) by_count: Option<Surplus>,
    pub(crate) doubt: Option<String>,
}

/// What happened in a lost update that the numbers of an atomic's writes prove.
#[derive(Debug, Clone)]
pub(crate) struct Told {
    pub(crate) explanation: String,
    pub(crate) lost: Option<String>,
}

impl Example<'_> {
    /// What it is worth as an example.
    pub(crate) fn rank(&self) -> Rank {
        Rank {
            confidence: self.sureness(),
            complete: self.doubt.is_none(),
            tells_loss: self.claim.is_some_and(|claim| claim.shows_start() || self.is_confirmed())
                || self.told.as_ref().is_some_and(|told| told.lost.is_some()),
            exact: self.by_count.is_none(),
        }
    }

    /// The confidence, which doubt limits.
    fn sureness(&self) -> Confidence {
        if self.doubt.is_some() { self.confidence.min(Confidence::Likely) } else { self.confidence }
    }

    /// Whether it is beyond doubt.
    pub(crate) fn is_confirmed(&self) -> bool {
        self.sureness() == Confidence::Confirmed
    }
}

impl Engine<'_> {
    /// What tells the finding apart from others.
    pub(crate) fn key(&self, example: &Example<'_>) -> Key {
        let place = |acc: &Acc| {
            let place = self.place_key(self.record(acc).site);
            (self.run_of(acc.strand).log.meta.service.clone(), place)
        };
        let mut places = [place(example.first), place(example.second)];
        places.sort_unstable();
        (example.kind, self.names.text(self.record(example.first).name).to_owned(), places)
    }

    /// What stands for a place, whatever its number is; in the order of lines.
    pub(crate) fn place_key(&self, site: u32) -> String {
        match self.names.sites.get(site as usize) {
            Some(site) => format!("{}:{:010}:{:010}", self.names.text(site.file), site.line, site.column),
            None => String::new(),
        }
    }

    /// The occurrence as a finding, with a count of zero.
    pub(crate) fn finding(&self, example: &Example<'_>) -> Finding {
        let (first, second) = (self.info(example.first), self.info(example.second));
        let read = example.read.map(|read| self.info(read));
        let variable = self.names.text(self.record(example.first).name).to_owned();
        let told = example.told.as_ref();
        let lost = self.lost(example).or_else(|| told?.lost.clone());
        let explanation = match example.kind {
            FindingKind::LostUpdate if told.is_some() => told.map_or_else(String::new, |told| told.explanation.clone()),
            FindingKind::LostUpdate => lost_update_text(example, lost.as_deref(), &first, &second, read.as_ref()),
            _ => race_text(&first, &second),
        };
        let (advice, benign_if) = hints(example, &first, &second);
        Finding {
            kind: example.kind,
            variable,
            first,
            second,
            read,
            explanation,
            lost,
            orders: Vec::new(),
            discipline: None,
            count: 0,
            lost_at_least: example.by_count.map(|surplus| u64::from(surplus.lost())),
            confidence: example.sureness(),
            reserve: example.reserve.map(str::to_owned),
            incomplete: example.doubt.clone(),
            advice,
            benign_if,
        }
    }

    /// Says which hole may hide the order of two events; nothing if there are too many holes to tell.
    pub(crate) fn doubt_text(&self, point: Option<HolePoint>, [a, b]: [u32; 2]) -> String {
        match point {
            Some(HolePoint { strand, step, cause }) => {
                let thread = self.thread(strand, step);
                let runs = [strand, a, b].map(|strand| self.resolved.roster.strands[strand as usize].run);
                let place = if runs == [runs[0]; 3] { String::new() } else { self.run_of(strand).place() + " " };
                format!(
                    "the record of {place}{thread} has a hole before step {step} ({cause}); \
                     what is missing there may order these accesses"
                )
            }
            None => self.order_doubt(a, b).unwrap_or_else(|| {
                "the record has many holes; what is missing there may order these accesses".to_owned()
            }),
        }
    }

    /// Says what a run did not record that may order two events: one of theirs, or else the first that there is. What made
    /// an event come after too much to be told apart is not kept.
    fn order_doubt(&self, a: u32, b: u32) -> Option<String> {
        let own = [a, b].map(|strand| self.run_of(strand));
        let mut runs = own.into_iter().chain(&self.resolved.roster.runs);
        let run = runs.find(|run| run.log.partial.hides_order())?;
        Some(self.partial_text(run, a, b) + "; what was not recorded may order these accesses")
    }

    /// Says that one of two accesses need not be the next one after the other, if their runs do not have them all.
    pub(crate) fn access_doubt(&self, a: &Acc, b: &Acc) -> Option<String> {
        let run = [a, b].map(|acc| self.run_of(acc.strand)).into_iter().find(|run| run.log.partial.hides_accesses())?;
        Some(
            self.partial_text(run, a.strand, b.strand) + "; what was not recorded may have come between these accesses",
        )
    }

    /// What a run did not record, and which run that is, if two accesses are not both its own.
    fn partial_text(&self, run: &RunRef<'_>, a: u32, b: u32) -> String {
        let own = [a, b].iter().all(|strand| self.run_of(*strand).id == run.id);
        let place = if own { String::new() } else { format!("in {}, ", run.place()) };
        place + &run.log.partial.text()
    }

    pub(crate) fn info(&self, acc: &Acc) -> AccessInfo {
        let locks = acc.locks.held.iter().map(|held| {
            let name = self.resolved.lock_name(held.lock);
            if held.shared { format!("{name} (shared)") } else { name.to_owned() }
        });
        self.event_info(acc.strand, acc.at, locks.collect())
    }

    /// A strand's record as one side of a finding, with the locks held.
    pub(crate) fn event_info(&self, strand: u32, at: u32, locks: Vec<String>) -> AccessInfo {
        let record = self.record_at(strand, at);
        let run = self.run_of(strand);
        let site = self.names.sites.get(record.site as usize);
        let (kind, old, new) = match (record.op.access(), record.op) {
            (Some((kind, old, new)), _) => (access_kind(kind), old, new),
            (None, Op::Acquire(op)) if op.shared => (AccessKind::AcquireShared, Val::Unknown, Val::Unknown),
            (None, Op::Acquire(_)) => (AccessKind::Acquire, Val::Unknown, Val::Unknown),
            (None, Op::Wait) => (AccessKind::Waiting, Val::Unknown, Val::Unknown),
            (None, Op::Suspend) => (AccessKind::Suspended, Val::Unknown, Val::Unknown),
            _ => (AccessKind::Other, Val::Unknown, Val::Unknown),
        };
        let text = |val: Val| val.text(&self.names.values);
        AccessInfo {
            kind,
            file: site.filter(|site| site.file != NONE).map(|site| self.names.text(site.file).to_owned()),
            line: site.map(|site| site.line),
            column: site.map(|site| site.column).filter(|column| *column != 0),
            thread: self.thread(strand, record.step),
            thread_id: self.thread_id(strand),
            thread_name: self.thread_name(strand, record.step).map(str::to_owned),
            strand_name: self.strand_name(strand).map(str::to_owned),
            service: run.log.meta.service.clone(),
            instance: run.log.meta.instance.clone(),
            run: run.id.to_string(),
            event_id: EventId { run: run.id, ring: record.ring, seq: record.seq }.to_string(),
            old: text(old),
            new: text(new),
            locks,
            time_unix_ns: record.time_unix_ns,
            step: record.step,
        }
    }
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Cause::Lost(1) => f.write_str("1 event was lost"),
            Cause::Lost(count) => write!(f, "{count} events were lost"),
            Cause::Missing(1) => f.write_str("1 event is in no batch that arrived"),
            Cause::Missing(count) => write!(f, "{count} events are in no batch that arrived"),
            Cause::NoPartner(what) => write!(f, "{what} is not in the record"),
            Cause::Answers(count) => {
                write!(f, "{count} strands took the call that returns here, and which of them answered is not known")
            }
            Cause::Contradiction => f.write_str("it waits for what comes after it: the record contradicts itself"),
        }
    }
}

fn access_kind(op: AccessOp) -> AccessKind {
    match (op.atomic, op.read, op.write) {
        (false, _, false) => AccessKind::Read,
        (false, _, true) => AccessKind::Write,
        (true, true, true) => AccessKind::AtomicRmw,
        (true, false, true) => AccessKind::AtomicWrite,
        (true, _, false) => AccessKind::AtomicRead,
    }
}

impl AccessKind {
    /// What the strand did, in the past tense.
    pub(crate) fn verb(self) -> &'static str {
        match self {
            AccessKind::Read => "read",
            AccessKind::Write => "wrote",
            AccessKind::AtomicRead => "loaded",
            AccessKind::AtomicWrite => "stored",
            AccessKind::AtomicRmw => "updated",
            AccessKind::Acquire | AccessKind::AcquireShared => "took",
            AccessKind::Waiting => "waits for",
            AccessKind::Suspended => "awaited",
            AccessKind::Other => "went on",
        }
    }
}

/// What prose calls the two strands: their names or those of their threads, where those tell them apart. Strands of two
/// runs are told apart by where they ran.
pub(crate) fn names(first: &AccessInfo, second: &AccessInfo) -> (String, String) {
    let name = |info: &AccessInfo| info.strand_name.clone().or_else(|| info.thread_name.clone());
    if first.run != second.run {
        return (first.thread_in_place(), second.thread_in_place());
    }
    match (name(first), name(second)) {
        (Some(one), Some(other)) if one != other => (one, other),
        _ => (first.thread.clone(), second.thread.clone()),
    }
}

fn race_text(first: &AccessInfo, second: &AccessInfo) -> String {
    let (a, b) = (first.kind.verb(), second.kind.verb());
    let (one, other) = names(first, second);
    let cause = match (first.locks.is_empty(), second.locks.is_empty()) {
        (true, true) => "Neither held a lock.".to_owned(),
        (false, false) => "They held no lock in common that would keep them apart.".to_owned(),
        (true, false) => format!("{one} held no lock."),
        (false, true) => format!("{other} held no lock."),
    };
    if first.run != second.run {
        return format!(
            "{one} {a} the variable and {other} {b} it, and nothing that was recorded makes one wait for the other: no \
             call and no reply. They may happen at the same moment, or in the other order next time."
        );
    }
    format!(
        "{one} {a} the variable and {other} {b} it, and nothing that was recorded makes one wait for the other: no lock, no \
         message, no signal, no start and no end of a task. They may happen at the same moment, or in the other order next time. {cause}"
    )
}

fn hints(example: &Example<'_>, first: &AccessInfo, second: &AccessInfo) -> (String, String) {
    let atomic = |info: &AccessInfo| {
        matches!(info.kind, AccessKind::AtomicRead | AccessKind::AtomicWrite | AccessKind::AtomicRmw)
    };
    let (advice, benign_if) = match example.kind {
        FindingKind::DataRace if first.run != second.run => (
            "let one call the other, or let what holds the value decide: a transaction, or a write on condition",
            "what holds the value orders the two, such as a transaction of a database",
        ),
        FindingKind::LostUpdate if first.run != second.run => (
            "read and write in one transaction, or write on condition that what was read is still there",
            "what is written does not depend on what was read",
        ),
        FindingKind::DataRace if atomic(first) != atomic(second) => (
            "make both accesses atomic, or protect both by one lock",
            "the plain access happens while no other thread can reach the variable",
        ),
        FindingKind::LostUpdate if atomic(second) => (
            "replace the load and the store by one atomic read-modify-write, such as fetch_add or compare_exchange",
            "what is written does not depend on what was read",
        ),
        FindingKind::LostUpdate => (
            "hold one lock from the read to the write, or use one atomic read-modify-write",
            "what is written does not depend on what was read",
        ),
        _ => (
            "protect both accesses by one lock, or make the variable atomic, or let one wait for the other",
            "the two are ordered by something that was not recorded, such as a channel or a lock that is not tracked",
        ),
    };
    (advice.to_owned(), benign_if.to_owned())
}
