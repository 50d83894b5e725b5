//! From numbers to words: what a finding says.

use crate::collect::Key;
use crate::engine::Engine;
use crate::evidence::Claim;
use crate::hole::{Cause, HolePoint};
use crate::log::{AccessOp, NONE, Op, Record};
use crate::report::{AccessInfo, AccessKind, Confidence, Finding, FindingKind};
use crate::strand::Acc;
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
    pub(crate) confidence: Confidence,
    pub(crate) reserve: Option<&'static str>,
    pub(crate) doubt: Option<String>,
}

impl Engine<'_> {
    /// What tells the finding apart from others.
    pub(crate) fn key(&self, kind: FindingKind, first: &Record, second: &Record) -> Key {
        let place = |record: &Record| match self.names.sites.get(record.site as usize) {
            Some(site) => format!("{}:{:010}:{:010}", self.names.text(site.file), site.line, site.column),
            None => String::new(),
        };
        let mut places = [place(first), place(second)];
        places.sort_unstable();
        (kind, self.names.text(first.name).to_owned(), self.run.meta.service.clone(), places)
    }

    /// The occurrence as a finding, with a count of zero.
    pub(crate) fn finding(&self, example: &Example<'_>) -> Finding {
        let (first, second) = (self.info(example.first), self.info(example.second));
        let read = example.read.map(|read| self.info(read));
        let variable = self.names.text(self.record(example.first).name).to_owned();
        let lost = example.claim.map(|claim| self.lost(&claim));
        let explanation = match (&example.claim, &lost) {
            (Some(claim), Some(lost)) => lost_update_text(claim, lost, &first, &second, read.as_ref()),
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
            count: 0,
            confidence: example.confidence.min(match example.doubt {
                Some(_) => Confidence::Likely,
                None => Confidence::Confirmed,
            }),
            reserve: example.reserve.map(str::to_owned),
            incomplete: example.doubt.clone(),
            advice,
            benign_if,
        }
    }

    /// Says which hole may hide the order of two events; nothing if there are too many holes to tell.
    pub(crate) fn doubt_text(&self, point: Option<HolePoint>) -> String {
        match point {
            Some(HolePoint { strand, step, cause }) => {
                let thread = self.thread(strand, step);
                format!(
                    "the record of {thread} has a hole before step {step} ({cause}); \
                     what is missing there may order these accesses"
                )
            }
            None => "the record has many holes; what is missing there may order these accesses".to_owned(),
        }
    }

    fn info(&self, acc: &Acc) -> AccessInfo {
        let record = self.record(acc);
        let site = self.names.sites.get(record.site as usize);
        let (kind, old, new) = match record.op {
            Op::Access { kind, old, new } => (access_kind(kind), old, new),
            _ => (AccessKind::Read, Val::Unknown, Val::Unknown),
        };
        let text = |val: Val| val.text(&self.names.values);
        let locks = acc.locks.held.iter().map(|held| {
            let name = self.resolved.lock_name(held.lock);
            if held.shared { format!("{name} (shared)") } else { name.to_owned() }
        });
        AccessInfo {
            kind,
            file: site.filter(|site| site.file != NONE).map(|site| self.names.text(site.file).to_owned()),
            line: site.map(|site| site.line),
            column: site.map(|site| site.column),
            thread: self.thread(acc.strand, record.step),
            thread_id: self.thread_id(acc.strand),
            thread_name: self.thread_name(acc.strand, record.step).map(str::to_owned),
            service: self.run.meta.service.clone(),
            run: self.id.to_string(),
            event_id: EventId { run: self.id, ring: record.ring, seq: record.seq }.to_string(),
            old: text(old),
            new: text(new),
            locks: locks.collect(),
            time_unix_ns: record.time_unix_ns,
            step: record.step,
        }
    }

    /// What was lost, in words.
    fn lost(&self, claim: &Claim) -> String {
        let text = |val: Val| val.text(&self.names.values).unwrap_or_else(|| "?".to_owned());
        let arrow = |(old, new): (Val, Val)| match old {
            Val::Unknown => text(new),
            old => format!("{} -> {}", text(old), text(new)),
        };
        let base = claim.base();
        let (write, foreign) = (arrow(claim.write), arrow(claim.foreign));
        let same_base = claim.foreign.0.known_eq(base) == Some(true);
        let from = match (same_base, base) {
            (true, base) => format!("both computed from {}: ", text(base)),
            (false, Val::Unknown) => String::new(),
            (false, base) => format!("computed from {}: ", text(base)),
        };
        let change = |(old, new): (Val, Val)| new.minus(old).map(|difference| format!("{difference:+}"));
        let fact = if claim.between {
            format!("{from}the write {foreign} is overwritten by {write}")
        } else {
            format!("{from}of the writes {foreign} and {write}, the later one overwrites the earlier one")
        };
        // Between, all that happened to the value since it was read is undone, not only its last change.
        let undone = if claim.between && claim.was_state { (base, claim.foreign.1) } else { claim.foreign };
        match (change(undone), change(claim.write)) {
            (Some(one), _) if claim.between => format!("{fact}; the change of {one} is lost"),
            (Some(one), Some(other)) if one == other => format!("{fact}; one of the two changes of {one} is lost"),
            (Some(one), Some(other)) => format!("{fact}; the change of {one} or the change of {other} is lost"),
            _ if claim.between => format!("{fact}; what was written first is lost"),
            _ => format!("{fact}; one of the two is lost"),
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
        }
    }
}

fn race_text(first: &AccessInfo, second: &AccessInfo) -> String {
    let (a, b) = (first.kind.verb(), second.kind.verb());
    let cause = match (first.locks.is_empty(), second.locks.is_empty()) {
        (true, true) => "Neither held a lock.".to_owned(),
        (false, false) => "They held no lock in common that would keep them apart.".to_owned(),
        (true, false) => format!("{} held no lock.", first.thread),
        (false, true) => format!("{} held no lock.", second.thread),
    };
    format!(
        "{} {a} the variable and {} {b} it, and nothing that was recorded makes one wait for the other: no lock, no \
         start and no end of a task. They may happen at the same moment, or in the other order next time. {cause}",
        first.thread, second.thread
    )
}

fn lost_update_text(
    claim: &Claim,
    lost: &str,
    first: &AccessInfo,
    second: &AccessInfo,
    read: Option<&AccessInfo>,
) -> String {
    let (other, owner) = (&first.thread, &second.thread);
    let story = match (read, claim.between) {
        (Some(_), true) => format!(
            "{owner} read the variable, then {other} wrote it, then {owner} wrote a value computed from what it had \
             read before."
        ),
        (Some(_), false) => format!(
            "{owner} read the variable and then wrote it. {other} wrote it as well, and nothing keeps that write from \
             falling between the read and the write."
        ),
        (None, _) => format!("{owner} and {other} wrote the variable, and neither waited for the other."),
    };
    let locks = match read {
        Some(read) if !read.locks.is_empty() && !second.locks.is_empty() => {
            " Locks were held, but not the same one all the way from the read to the write."
        }
        _ => "",
    };
    format!("{story}{locks} In numbers: {lost}.")
}

fn hints(example: &Example<'_>, first: &AccessInfo, second: &AccessInfo) -> (String, String) {
    let atomic = |info: &AccessInfo| {
        matches!(info.kind, AccessKind::AtomicRead | AccessKind::AtomicWrite | AccessKind::AtomicRmw)
    };
    let (advice, benign_if) = match example.kind {
        FindingKind::DataRace if atomic(first) != atomic(second) => (
            "make both accesses atomic, or protect both by one lock",
            "the plain access happens while no other thread can reach the variable",
        ),
        FindingKind::DataRace => (
            "protect both accesses by one lock, or make the variable atomic, or let one wait for the other",
            "the two are ordered by something that was not recorded, such as a channel, a barrier or a plain lock",
        ),
        FindingKind::LostUpdate if atomic(second) => (
            "replace the load and the store by one atomic read-modify-write, such as fetch_add or compare_exchange",
            "what is written does not depend on what was read",
        ),
        FindingKind::LostUpdate => (
            "hold one lock from the read to the write, or use one atomic read-modify-write",
            "what is written does not depend on what was read",
        ),
    };
    (advice.to_owned(), benign_if.to_owned())
}
