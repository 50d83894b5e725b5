//! What the record has of each trace: who took part, who called whom, and which links are broken.

use crate::calls::Calls;
use crate::log::{NONE, Names};
use crate::roster::Roster;
use serde::Serialize;
use std::collections::BTreeSet;

/// What the record has of one trace. The strands of threads outside of any context belong to the trace of their run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Trace {
    /// Its id, as a UUID.
    pub id: String,
    /// The processes with events in it, as `service#instance`, sorted, each once.
    pub processes: Vec<String>,
    /// How many events it has, each counted once.
    pub events: u64,
    /// How many strands these are of.
    pub strands: u64,
    /// The calls with both ends in the record, each pair of strands once: mostly from service to service, but a service
    /// may also call itself.
    pub calls: Vec<TraceCall>,
    /// Its broken links.
    pub orphans: Vec<Orphan>,
}

/// A call from one strand to another.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct TraceCall {
    /// The strand that recorded `CallSent`.
    pub from: TraceStrand,
    /// The entry strand that began with the call's headers.
    pub to: TraceStrand,
    /// The span that the headers carried, as 16 hexadecimal digits.
    pub span: String,
}

/// A strand, and where it ran.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct TraceStrand {
    /// `service#instance`.
    pub process: String,
    /// The run, for processes that were started more than once.
    pub run: String,
    /// The strand's number in its run.
    pub strand: u64,
    /// The strand's name, if it has one.
    pub name: Option<String>,
}

/// A strand that is cut off from what it comes after.
///
/// A strand is an orphan if one of these holds:
///
/// - it is an entry strand, no `CallSent` in the record has its trace and span, and yet some strand in the record has
///   its trace and its upstream span: the caller records, but not this call. An entry strand whose upstream span no
///   strand in the record has is no orphan; who called it does not record, or is not part of this record.
/// - one of its lanes comes after the first n events of another strand (n > 0), and the n-th of those is not in the
///   record.
///
/// It is listed once for each of the two that holds, with the first example. In a whole record there are none.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Orphan {
    /// The strand that is cut off.
    pub strand: TraceStrand,
    /// What is missing.
    pub missing: Missing,
}

/// What an [`Orphan`] comes after, and the record does not have.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Missing {
    /// The call that it took.
    Call {
        /// The span that the call's headers carried, as 16 hexadecimal digits.
        span: String,
        /// The caller's own span, likewise.
        upstream: String,
    },
    /// Events of another strand of the same run.
    Events {
        /// The other strand's number.
        strand: u64,
        /// How many of its first events come before; the last of them is not there.
        steps: u64,
    },
}

/// All traces, by id. The strands' events are settled.
pub(crate) fn traces(roster: &Roster<'_>, names: &Names) -> Vec<Trace> {
    let calls = Calls::new(roster);
    let looker = Looker { roster, names, calls: &calls };
    let trace = |strand: u32| roster.strands[strand as usize].log.info.trace;
    let mut strands: Vec<u32> = (0..roster.strands.len() as u32).collect();
    strands.sort_by_key(|strand| trace(*strand));
    strands.chunk_by(|a, b| trace(*a) == trace(*b)).map(|own| looker.trace(trace(own[0]), own)).collect()
}

struct Looker<'a> {
    roster: &'a Roster<'a>,
    names: &'a Names,
    calls: &'a Calls,
}

impl Looker<'_> {
    fn trace(&self, id: u128, strands: &[u32]) -> Trace {
        let runs: BTreeSet<u32> = strands.iter().map(|strand| self.roster.strands[*strand as usize].run).collect();
        let processes: BTreeSet<String> = runs.iter().map(|run| self.roster.runs[*run as usize].process()).collect();
        let events = strands.iter().map(|strand| self.roster.strands[*strand as usize].log.records.len() as u64).sum();
        let mut calls: Vec<TraceCall> = strands.iter().flat_map(|strand| self.calls_to(*strand)).collect();
        let mut orphans: Vec<Orphan> = strands.iter().flat_map(|strand| self.orphans(*strand)).collect();
        calls.sort_unstable();
        orphans.sort_unstable();
        let strands = strands.len() as u64;
        Trace { id: uuid(id), processes: processes.into_iter().collect(), events, strands, calls, orphans }
    }

    fn calls_to(&self, entry: u32) -> impl Iterator<Item = TraceCall> {
        let info = &self.roster.strands[entry as usize].log.info;
        let call = self.calls.number(info.trace, info.span).filter(|_| info.entry);
        let senders = call.map_or(&[][..], |call| &self.calls.get(call).senders);
        senders.iter().map(move |sender| TraceCall {
            from: self.strand(*sender),
            to: self.strand(entry),
            span: hex(info.span),
        })
    }

    fn orphans(&self, strand: u32) -> impl Iterator<Item = Orphan> {
        let place = &self.roster.strands[strand as usize];
        let info = &place.log.info;
        let call = self.calls.is_orphan(self.roster, strand);
        let call = call.then(|| Missing::Call { span: hex(info.span), upstream: hex(info.upstream) });
        let mut after = place.log.lanes.iter().flat_map(|lane| &lane.after);
        let events = after.find(|(other, steps)| self.roster.reach(place.run, *other, *steps).missing);
        let events = events.map(|(strand, steps)| Missing::Events { strand: *strand, steps: *steps });
        call.into_iter().chain(events).map(move |missing| Orphan { strand: self.strand(strand), missing })
    }

    fn strand(&self, strand: u32) -> TraceStrand {
        let place = &self.roster.strands[strand as usize];
        let run = self.roster.run_of(strand);
        let name = Some(place.log.info.name).filter(|name| *name != NONE);
        TraceStrand {
            process: run.process(),
            run: run.id.to_string(),
            strand: place.id,
            name: name.map(|name| self.names.text(name).to_owned()),
        }
    }
}

fn hex(span: u64) -> String {
    format!("{span:016x}")
}

fn uuid(id: u128) -> String {
    let part = |shift: u32, digits: u32| (id >> shift) & ((1 << (4 * digits)) - 1);
    format!("{:08x}-{:04x}-{:04x}-{:04x}-{:012x}", part(96, 8), part(80, 4), part(64, 4), part(48, 4), part(0, 12))
}
