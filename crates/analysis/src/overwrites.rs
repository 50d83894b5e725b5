//! Lost updates of tracked atomics, proven by the numbers of the writes.
//!
//! A strand loads write n and, without another look, stores write m. If m is n + 1, nothing came in between, whatever
//! else is known. If it is more, the writes n + 1 to m - 1 came after the load and are overwritten by a strand that had
//! not seen them. Values then tell whether it matters: they may have put back what was loaded. Where both writes are made
//! under a lock that was not held at the load, as by who looks at a flag first and takes the lock only then, nothing tells
//! what the value stored was made from: then it is possible, and no more.

use crate::atomics::{Atomic, Write};
use crate::collect::{Collector, FINDINGS_MAX};
use crate::engine::Engine;
use crate::explain::{Example, Told, names};
use crate::intern::Map;
use crate::log::Record;
use crate::report::{Confidence, FindingKind};
use crate::roster::Roster;
use crate::strand::Acc;
use crate::value::Val;

/// How many of the writes that one store overwrites are looked at.
const LOOKED_AT: usize = 8;

/// How many pairs of places are kept: no fewer than a report holds findings.
const PAIRS_MAX: usize = FINDINGS_MAX;

const UNKNOWN: &str = "the value that was there in the end is not known, so it may have been the one that was loaded";
const SAME: &str = "both stored the same value, so it matters only if each took itself for the one that changed it";

const GUARDED: &str = "both stored under a lock that was taken after the load, so what was stored may come from what that \
                       lock protects, and not from what was loaded";

/// Records: the strand and the index.
type At = (u32, u32);

/// The lost updates of all tracked atomics, one example for each pair of places.
#[derive(Debug, Default)]
pub(crate) struct Overwrites {
    numbers: Map<Pair, usize>,
    found: Vec<Overwrite>,
    /// How many pairs of writes were found at places for which there was no room.
    dropped: u64,
    /// The accesses shown: as the engine met them, once it did.
    shown: Map<At, Option<Acc>>,
}

/// What one finding is told of: the run, the variable's name, and the two places.
type Pair = (u32, u32, u32, u32);

#[derive(Debug, Clone, Copy)]
struct Overwrite {
    /// How many pairs of writes were found.
    count: u64,
    load: At,
    foreign: At,
    store: At,
    /// How many writes fell in between.
    between: u64,
    /// What was loaded, and what was there when the store came.
    loaded: Val,
    there: Val,
    confidence: Confidence,
    reserve: Option<&'static str>,
}

impl Overwrites {
    /// Looks for lost updates of an atomic whose writes are lined up.
    pub(crate) fn look_at(&mut self, atomic: &Atomic, roster: &Roster<'_>) {
        for (at, store) in atomic.writes.iter().enumerate() {
            let Some((load, number)) = store.loaded.filter(|(_, number)| store.number > number.saturating_add(1))
            else {
                continue;
            };
            let first = atomic.writes.partition_point(|write| write.number <= number);
            let Some(last) = atomic.writes[first..at].last() else { continue };
            let loaded = record(roster, (store.strand, load)).op.access().map_or(Val::Unknown, |(_, _, value)| value);
            let there = if last.number + 1 == store.number { last.value } else { Val::Unknown };
            let (confidence, reserve) = match loaded.known_eq(there) {
                // What came in between was undone, so the store replaced what it meant to.
                Some(true) => continue,
                None => (Confidence::Likely, Some(UNKNOWN)),
                Some(false) if there == store.value && !there.is_integer() => (Confidence::Likely, Some(SAME)),
                Some(false) => (Confidence::Confirmed, None),
            };
            let between = store.number - number - 1;
            for foreign in atomic.writes[first..at].iter().take(LOOKED_AT).filter(|other| other.strand != store.strand)
            {
                let [load, foreign, store] = [(store.strand, load), place(foreign), place(store)];
                let overwrite =
                    Overwrite { count: 1, load, foreign, store, between, loaded, there, confidence, reserve };
                self.add(roster, overwrite);
            }
        }
    }

    /// Once all atomics were looked at: from now on, the accesses that are going to be shown are kept.
    pub(crate) fn settle(&mut self) {
        let shown = self.found.iter().flat_map(|Overwrite { load, foreign, store, .. }| [*load, *foreign, *store]);
        self.shown = shown.map(|at| (at, None)).collect();
    }

    fn add(&mut self, roster: &Roster<'_>, overwrite: Overwrite) {
        let (foreign, store) = (record(roster, overwrite.foreign), record(roster, overwrite.store));
        let run = roster.strands[overwrite.store.0 as usize].run;
        let pair = (run, store.name, foreign.site, store.site);
        let Some(number) = self.numbers.get(&pair) else {
            if self.found.len() == PAIRS_MAX {
                self.dropped += 1;
            } else {
                self.numbers.insert(pair, self.found.len());
                self.found.push(overwrite);
            }
            return;
        };
        let known = &mut self.found[*number];
        let count = known.count + 1;
        if overwrite.confidence > known.confidence {
            *known = overwrite;
        }
        known.count = count;
    }
}

fn place(write: &Write) -> At {
    (write.strand, write.at)
}

fn record<'a>(roster: &Roster<'a>, (strand, at): At) -> &'a Record {
    &roster.strands[strand as usize].log.records[at as usize]
}

impl Engine<'_> {
    /// An access to a tracked atomic, which never races.
    pub(crate) fn atomic(&mut self, strand: u32) {
        let state = &mut self.states[strand as usize];
        let Some(shown) = self.resolved.overwrites.shown.get_mut(&(strand, state.at)) else { return };
        let (at, epoch, stance) = (state.at, state.clock.epoch(), state.stance(&mut self.signatures));
        *shown = Some(Acc { strand, at, epoch, met: self.met, stamp: None, stance });
    }

    /// Reports the lost updates of tracked atomics, once all strands have ended.
    pub(crate) fn report_overwrites(&mut self, collector: &mut Collector) {
        let Overwrites { found, shown, dropped, .. } = std::mem::take(&mut self.resolved.overwrites);
        for overwrite in found {
            let acc = |at: &At| shown.get(at).and_then(Option::as_ref);
            let accesses = (acc(&overwrite.load), acc(&overwrite.foreign), acc(&overwrite.store));
            let (Some(load), Some(foreign), Some(store)) = accesses else { continue };
            let guarded = store.locks().excludes_since(load.locks(), foreign.locks());
            let overwrite = if guarded {
                Overwrite { confidence: Confidence::Possible, reserve: Some(GUARDED), ..overwrite }
            } else {
                overwrite
            };
            let example = Example {
                kind: FindingKind::LostUpdate,
                first: foreign,
                second: store,
                read: Some(load),
                claim: None,
                told: Some(self.told(&overwrite, load, foreign, store)),
                confidence: overwrite.confidence,
                reserve: overwrite.reserve,
                by_count: None,
                // The numbers of the writes leave none.
                doubt: None,
            };
            let number = self.report(&example, collector);
            (1..overwrite.count).for_each(|_| collector.count(number));
        }
        (0..dropped).for_each(|_| collector.count(None));
    }

    fn told(&self, overwrite: &Overwrite, load: &Acc, foreign: &Acc, store: &Acc) -> Told {
        let Overwrite { between, loaded, there, .. } = *overwrite;
        let [first, read, second] = [foreign, load, store].map(|acc| self.info(acc));
        let (other, owner) = names(&first, &second);
        let others = match between {
            1 => String::new(),
            between => format!(" {between} writes fell in between, and this is one of them."),
        };
        let mut explanation = format!(
            "{owner} {} the variable, then {other} {} it, then {owner} {} it without having seen that: the numbers of the \
             writes prove this order.{others}",
            read.kind.verb(),
            first.kind.verb(),
            second.kind.verb(),
        );
        let text = |value: Val| value.text(&self.names.values).unwrap_or_else(|| "?".to_owned());
        let new = self.values(store).1;
        let lost = (overwrite.reserve.is_none()).then(|| {
            let undone = there.minus(loaded).map_or_else(
                || "what was written in between".to_owned(),
                |change| format!("the change of {change:+} in between"),
            );
            format!(
                "{} had been loaded, and {} was stored over {}; {undone} is lost",
                text(loaded),
                text(new),
                text(there)
            )
        });
        if let Some(lost) = &lost {
            explanation.push_str(&format!(" {lost}."));
        }
        Told { explanation, lost }
    }
}
