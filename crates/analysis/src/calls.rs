//! Calls from one strand to others, by what stands in their headers: who made them, who took them, who answered.

use crate::intern::Map;
use crate::log::Op;
use crate::roster::Roster;
use foldhash::fast::FixedState;
use std::collections::HashSet;

/// A call that some strand in the record took.
#[derive(Debug, Default)]
pub(crate) struct Call {
    /// The strands that made the headers, each once: one, in a record that makes sense.
    pub(crate) senders: Vec<u32>,
    /// The strands that began with the headers. Several, if the caller tried more than once.
    pub(crate) entries: Vec<u32>,
}

/// All calls that were taken.
#[derive(Debug, Default)]
pub(crate) struct Calls {
    /// By trace and span.
    numbers: Map<(u128, u64), u32>,
    calls: Vec<Call>,
    /// The spans of all strands.
    spans: HashSet<(u128, u64), FixedState>,
}

impl Calls {
    pub(crate) fn new(roster: &Roster<'_>) -> Self {
        let mut calls = Calls::default();
        for (strand, at) in (0..).zip(&roster.strands) {
            let info = &at.log.info;
            if info.span == 0 {
                continue;
            }
            calls.spans.insert((info.trace, info.span));
            if info.entry {
                let next = calls.calls.len() as u32;
                let number = *calls.numbers.entry((info.trace, info.span)).or_insert(next);
                if number == next {
                    calls.calls.push(Call::default());
                }
                calls.calls[number as usize].entries.push(strand);
            }
        }
        if calls.calls.is_empty() {
            return calls;
        }
        for (strand, at) in (0..).zip(&roster.strands) {
            for record in &at.log.records {
                let Op::Sent(span) = record.op else { continue };
                let Some(number) = calls.number(at.log.info.trace, span) else { continue };
                let senders = &mut calls.calls[number as usize].senders;
                if senders.last() != Some(&strand) {
                    senders.push(strand);
                }
            }
        }
        calls
    }

    /// The number of the call with this span, if it was taken.
    pub(crate) fn number(&self, trace: u128, span: u64) -> Option<u32> {
        self.numbers.get(&(trace, span)).copied()
    }

    /// The call with this number.
    pub(crate) fn get(&self, number: u32) -> &Call {
        &self.calls[number as usize]
    }

    /// Whether the strand took a call that nobody in the record made, although the strand that it says made it is there.
    pub(crate) fn is_orphan(&self, roster: &Roster<'_>, strand: u32) -> bool {
        let info = &roster.strands[strand as usize].log.info;
        let taken = self.number(info.trace, info.span).filter(|_| info.entry);
        taken.is_some_and(|number| self.get(number).senders.is_empty())
            && self.spans.contains(&(info.trace, info.upstream))
    }
}
