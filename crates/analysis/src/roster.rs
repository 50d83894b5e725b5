//! Who is in the record: all strands of all runs, numbered through.

use crate::intern::Map;
use crate::log::{RunLog, StrandLog};
use std::collections::BTreeMap;
use trackside_wire::RunId;

/// A run, by its number in the roster.
#[derive(Debug)]
pub(crate) struct RunRef<'a> {
    pub(crate) id: RunId,
    pub(crate) log: &'a RunLog,
}

impl RunRef<'_> {
    /// What other services call it, and what stands in clocks: `service#instance`.
    pub(crate) fn process(&self) -> String {
        format!("{}#{}", self.log.meta.service, self.log.meta.instance)
    }

    /// What people read.
    pub(crate) fn place(&self) -> String {
        format!("{}/{}", self.log.meta.service, self.log.meta.instance)
    }
}

/// A strand, by its number in the roster.
#[derive(Debug, Clone, Copy)]
pub(crate) struct StrandRef<'a> {
    pub(crate) run: u32,
    /// Its number in its run.
    pub(crate) id: u64,
    pub(crate) log: &'a StrandLog,
}

/// The strands of all runs, whose events are settled.
#[derive(Debug)]
pub(crate) struct Roster<'a> {
    pub(crate) runs: Vec<RunRef<'a>>,
    pub(crate) strands: Vec<StrandRef<'a>>,
    numbers: Map<(u32, u64), u32>,
}

/// What "the first n events of that strand" are in the record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Reach {
    /// The strand and how many of its records those are, if there are any.
    pub(crate) records: Option<(u32, u32)>,
    /// Whether the last of them is not there, so that what came before it is not all known.
    pub(crate) missing: bool,
}

impl<'a> Roster<'a> {
    pub(crate) fn new(logs: &'a BTreeMap<RunId, RunLog>) -> Self {
        let (mut runs, mut strands, mut numbers) = (Vec::new(), Vec::new(), Map::default());
        for (run, (id, log)) in (0..).zip(logs) {
            runs.push(RunRef { id: *id, log });
            for (id, log) in &log.strands {
                numbers.insert((run, *id), strands.len() as u32);
                strands.push(StrandRef { run, id: *id, log });
            }
        }
        Self { runs, strands, numbers }
    }

    /// The run of a strand.
    pub(crate) fn run_of(&self, strand: u32) -> &RunRef<'a> {
        &self.runs[self.strands[strand as usize].run as usize]
    }

    /// The strand that the run knows by this number, if it is in the record.
    pub(crate) fn strand(&self, run: u32, number: u64) -> Option<u32> {
        self.numbers.get(&(run, number)).copied()
    }

    /// The first `steps` events of the strand that the run knows by this number.
    pub(crate) fn reach(&self, run: u32, number: u64, steps: u64) -> Reach {
        let Some(last) = steps.checked_sub(1) else {
            return Reach { records: None, missing: false };
        };
        let Some(strand) = self.numbers.get(&(run, number)).copied() else {
            return Reach { records: None, missing: true };
        };
        let records = &self.strands[strand as usize].log.records;
        let count = records.partition_point(|record| record.step < steps);
        let missing = count == 0 || records[count - 1].step != last;
        Reach { records: (count > 0).then_some((strand, count as u32)), missing }
    }
}
