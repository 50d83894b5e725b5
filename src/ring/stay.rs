//! Whose events a ring takes: the strand that its thread runs as, how far that has come, and what it comes after.

/// The first events of a strand, as something that happens before something else.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Edge {
    pub(crate) strand: u64,
    /// How many of its events are meant.
    pub(crate) steps: u64,
    /// Through which ring the last of them went.
    pub(crate) ring: u16,
    /// How many events had gone through that ring with it.
    pub(crate) seq: u64,
}

/// How far a strand has come. It is with the strand while that runs nowhere, and is brought up to date whenever that
/// matters while it runs.
#[derive(Debug, Clone)]
pub(crate) struct Progress {
    number: u64,
    steps: u64,
    /// The ring of the last event, and how many events had gone through it then.
    last: (u16, u64),
    after: Vec<Edge>,
}

/// How many edges wait for their strand's next event at most; the oldest go first. A strand gets one when it joins
/// another, and joining is itself an event: more than a few wait only while events are being dropped.
const EDGES: usize = 128;

impl Progress {
    /// A strand that has recorded nothing yet.
    pub(crate) fn new(number: u64) -> Self {
        Self { number, steps: 0, last: (0, 0), after: Vec::new() }
    }

    /// The strand's number in its client's run.
    pub(crate) fn number(&self) -> u64 {
        self.number
    }

    /// How many events it has recorded, dropped ones included.
    pub(crate) fn steps(&self) -> u64 {
        self.steps
    }

    /// The ring of its last event, and how many events had gone through that by then.
    pub(crate) fn last(&self) -> (u16, u64) {
        self.last
    }

    /// What its next event comes after, beside its own last one.
    pub(crate) fn after(&self) -> &[Edge] {
        &self.after
    }

    /// All that it has done so far, and what its next event will come after: whoever comes after the strand comes after
    /// these.
    pub(crate) fn so_far(&self) -> Vec<Edge> {
        let (ring, seq) = self.last;
        let done = (self.steps > 0).then_some(Edge { strand: self.number, steps: self.steps, ring, seq });
        done.into_iter().chain(self.after.iter().copied()).collect()
    }

    /// As [`Progress::so_far`], of a strand that has come to its end. One that has recorded nothing is named as well: who is
    /// told that so many events of it come before, none, knows that there are no others to be missed.
    pub(crate) fn at_end(&self) -> Vec<Edge> {
        let mut edges = self.so_far();
        if self.steps == 0 {
            edges.insert(0, Edge { strand: self.number, steps: 0, ring: 0, seq: 0 });
        }
        edges
    }

    /// Its next event will come after all of these.
    pub(crate) fn follow(&mut self, edges: &[Edge]) {
        edges.iter().for_each(|edge| self.follow_one(*edge));
    }

    fn follow_one(&mut self, edge: Edge) {
        if edge.strand == self.number {
            return;
        }
        if let Some(known) = self.after.iter_mut().find(|known| known.strand == edge.strand) {
            if known.steps < edge.steps {
                *known = edge;
            }
            return;
        }
        if self.after.len() == EDGES {
            self.after.remove(0);
        }
        self.after.push(edge);
    }

    /// The edges have been told.
    pub(crate) fn told(&mut self) {
        self.after.clear();
    }
}

/// A strand's stay in a ring: from when its thread began to run as it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Stay {
    strand: u64,
    /// How far the strand had come when the stay began.
    first_step: u64,
    /// How many events had gone through the ring then.
    since: u64,
    /// Whether the flusher has been told.
    told: bool,
}

impl Stay {
    /// The stay of nobody.
    pub(super) const NONE: Stay = Stay { strand: 0, first_step: 0, since: 0, told: false };

    /// A strand's stay that begins after so many events of the ring.
    pub(super) fn of(progress: &Progress, events: u64) -> Self {
        Self { strand: progress.number, first_step: progress.steps, since: events, told: false }
    }

    /// Whose it is; 0 for nobody.
    #[inline(always)]
    pub(super) fn strand(&self) -> u64 {
        self.strand
    }

    /// Whether it still holds for a strand that has come so far: it is that strand's, which ran nowhere else meanwhile.
    pub(super) fn holds(&self, progress: &Progress, events: u64) -> bool {
        self.strand == progress.number && self.first_step + (events - self.since) == progress.steps
    }

    /// Whether the flusher knows of it, and the strand has nothing more to tell.
    pub(super) fn is_told(&self, progress: &Progress) -> bool {
        self.told && progress.after.is_empty()
    }

    /// The flusher has been told.
    pub(super) fn told(&mut self) {
        self.told = true;
    }

    /// How many of the strand's events were dropped since its stay began: as long as the flusher has not been told of it,
    /// that is all of them.
    pub(super) fn dropped(&self, events: u64) -> u64 {
        if self.told { 0 } else { events - self.since }
    }

    /// Brings the strand's progress up to date, if the stay is its own.
    pub(super) fn settle(&self, progress: &mut Progress, ring: u16, events: u64) {
        let steps = self.first_step + (events - self.since);
        // A strand that has run elsewhere since has come further than its stay here says.
        if self.strand == progress.number && steps > progress.steps {
            progress.steps = steps;
            progress.last = (ring, events);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_strand_that_has_done_nothing_precedes_nothing() {
        assert_eq!(Progress::new(7).so_far(), []);
    }

    #[test]
    fn a_stay_counts_what_was_recorded_in_it_and_no_more() {
        let mut progress = Progress::new(7);
        let stay = Stay::of(&progress, 100);
        stay.settle(&mut progress, 3, 100);
        assert_eq!(progress.so_far(), []);
        stay.settle(&mut progress, 3, 104);
        stay.settle(&mut progress, 3, 104);
        assert_eq!(progress.so_far(), [Edge { strand: 7, steps: 4, ring: 3, seq: 104 }]);
        let later = Stay::of(&progress, 9);
        later.settle(&mut progress, 5, 10);
        assert_eq!(progress.so_far(), [Edge { strand: 7, steps: 5, ring: 5, seq: 10 }]);
        stay.settle(&mut progress, 3, 104);
        assert_eq!(progress.steps(), 5, "a stay that is over changes nothing");
        let mut other = Progress::new(8);
        later.settle(&mut other, 5, 10);
        assert_eq!(other.steps(), 0);
    }

    #[test]
    fn of_two_edges_from_one_strand_the_later_one_counts() {
        let mut progress = Progress::new(1);
        let edge = |strand, steps| Edge { strand, steps, ring: 0, seq: steps };
        for (strand, steps) in [(2, 5), (3, 1), (2, 4), (2, 6), (1, 9)] {
            progress.follow(&[edge(strand, steps)]);
        }
        assert_eq!(progress.after(), [edge(2, 6), edge(3, 1)]);
        (0..1000).for_each(|strand| progress.follow(&[edge(strand + 10, 1)]));
        assert_eq!(progress.after().len(), EDGES);
        assert_eq!(progress.after()[EDGES - 1], edge(1009, 1));
        progress.told();
        assert!(progress.after().is_empty());
    }
}
