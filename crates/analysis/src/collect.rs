//! Findings while they are collected: one for each kind, variable and pair of places, with the best example so far.

use crate::clock::Snapshot;
use crate::intern::Map;
use crate::report::{Confidence, Finding, FindingKind, Summary};
use crate::value::Val;

/// How many findings a report holds at most.
pub(crate) const FINDINGS_MAX: usize = 10_000;

/// How many examples per variable wait to be confirmed.
const UNSETTLED_MAX: usize = 16;

/// What makes two pairs of accesses the same finding: kind, variable, and the two places with their services, sorted.
pub(crate) type Key = (FindingKind, String, [(String, String); 2]);

/// What an example is worth: the higher it is, the better it shows what the finding is. Of equals the first is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Rank {
    pub(crate) confidence: Confidence,
    /// No hole could overturn it.
    pub(crate) complete: bool,
    /// It is known what was lost.
    pub(crate) tells_loss: bool,
    /// What is known of it is known of these very accesses.
    pub(crate) exact: bool,
}

impl Rank {
    fn of(finding: &Finding) -> Self {
        Self {
            confidence: finding.confidence,
            complete: finding.incomplete.is_none(),
            tells_loss: finding.lost.is_some(),
            exact: finding.lost_at_least.is_none(),
        }
    }
}

/// The findings of all runs.
#[derive(Debug, Default)]
pub(crate) struct Collector {
    numbers: Map<Key, usize>,
    findings: Vec<Finding>,
    dropped: u64,
}

impl Collector {
    /// The number of the finding with this key, if it is there.
    pub(crate) fn find(&self, key: &Key) -> Option<usize> {
        self.numbers.get(key).copied()
    }

    /// Adds a finding, with a count of zero. Nothing if there are too many.
    pub(crate) fn add(&mut self, key: Key, example: Finding) -> Option<usize> {
        if self.findings.len() == FINDINGS_MAX {
            return None;
        }
        self.numbers.insert(key, self.findings.len());
        self.findings.push(example);
        Some(self.findings.len() - 1)
    }

    /// Whether there is room for another finding.
    pub(crate) fn has_room(&self) -> bool {
        self.findings.len() < FINDINGS_MAX
    }

    /// Counts a pair of accesses to a finding, or to those for which there was no room.
    pub(crate) fn count(&mut self, number: Option<usize>) {
        match number.and_then(|number| self.findings.get_mut(number)) {
            Some(finding) => finding.count += 1,
            None => self.dropped += 1,
        }
    }

    /// Adds a finding, or counts it to the one with this key that is there; the better example is shown.
    pub(crate) fn tell(&mut self, key: Key, finding: Finding) {
        match self.find(&key) {
            Some(number) => {
                let count = &mut self.findings[number].count;
                *count = count.saturating_add(finding.count);
                self.replace(number, finding);
            }
            None if self.has_room() => drop(self.add(key, finding)),
            None => self.dropped += 1,
        }
    }

    /// Whether an example of this worth is better than the one there is.
    pub(crate) fn wants(&self, number: usize, rank: Rank) -> bool {
        rank > Rank::of(&self.findings[number])
    }

    /// Shows a better example from now on.
    pub(crate) fn replace(&mut self, number: usize, example: Finding) {
        if self.wants(number, Rank::of(&example)) {
            let count = self.findings[number].count;
            self.findings[number] = Finding { count, ..example };
        }
    }

    /// The findings: lost updates that are confirmed, other lost updates, data races, and those about locks; of each kind
    /// the most frequent first.
    pub(crate) fn into_findings(self, summary: &mut Summary) -> Vec<Finding> {
        summary.findings_dropped = self.dropped;
        let mut findings: Vec<(Key, usize)> = self.numbers.into_iter().collect();
        let place = |(key, number): &(Key, usize)| {
            let finding = &self.findings[*number];
            let unsure = finding.kind == FindingKind::LostUpdate && finding.confidence != Confidence::Confirmed;
            (finding.kind, unsure, std::cmp::Reverse(finding.count), key.clone())
        };
        findings.sort_by_cached_key(place);
        let mut taken: Vec<Option<Finding>> = self.findings.into_iter().map(Some).collect();
        findings.into_iter().filter_map(|(_, number)| taken[number].take()).collect()
    }
}

/// Examples that values confirm, unless a write met later may have brought the old value back in between.
#[derive(Debug, Default)]
pub(crate) struct Unsettled {
    waiting: Vec<Waiting>,
}

#[derive(Debug)]
struct Waiting {
    base: Val,
    number: usize,
    writes: [(u32, u32); 2],
    example: Box<Finding>,
}

impl Unsettled {
    /// Whether an example for this finding may wait.
    pub(crate) fn has_room(&self, number: usize) -> bool {
        self.waiting.len() < UNSETTLED_MAX && self.waiting.iter().all(|waiting| waiting.number != number)
    }

    /// Lets an example wait. Both writes are given as strand and epoch; both were computed from `base`.
    pub(crate) fn wait(&mut self, base: Val, number: usize, writes: [(u32, u32); 2], example: Finding) {
        self.waiting.push(Waiting { base, number, writes, example: Box::new(example) });
    }

    /// A write of `value` was met: an example that it does not come after may be refuted by it, and is dropped.
    pub(crate) fn wrote(&mut self, value: Val, now: &Snapshot) {
        let after = |writes: &[(u32, u32); 2]| writes.iter().all(|(strand, epoch)| now.knows(*strand, *epoch));
        self.waiting.retain(|waiting| value.known_eq(waiting.base) == Some(false) || after(&waiting.writes));
    }

    /// No more writes will be met.
    pub(crate) fn settle(self, collector: &mut Collector) {
        for Waiting { number, example, .. } in self.waiting {
            collector.replace(number, *example);
        }
    }
}
