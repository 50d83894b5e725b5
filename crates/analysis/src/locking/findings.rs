//! Findings about locks, once all strands have come to their ends, and the section on contention.

use crate::collect::{Collector, Key};
use crate::engine::Engine;
use crate::intern::Map;
use crate::locking::contention::{LockUse, Use, Waited, WaiterKey};
use crate::locking::cycles::{Cycle, cycles};
use crate::locking::discipline::{Forgotten, Judgement, Verdict};
use crate::locking::label::Labels;
use crate::locking::moment::{Sample, Samples};
use crate::locking::orders::{Again, Edge};
use crate::locking::report::{Discipline, LockOrder, LockReport, LockSite, LockWaiter, Times};
use crate::locking::words::{Words, deadlock_words, forgotten_words, recursive_words};
use crate::report::{AccessInfo, Confidence, Finding, FindingKind, Summary};
use std::cmp::Reverse;

/// How many locks the report tells of, and how many places and waiters of each.
const LOCKS_TOLD: usize = 100;
const SITES_TOLD: usize = 16;
const WAITERS_TOLD: usize = 16;

/// How many potential deadlocks are told apart.
const DEADLOCKS_MAX: usize = 10_000;

/// Why a recursive read is only possible to do harm.
const NO_WRITER: &str = "no writer was found that could ask in between";

/// A potential deadlock: how often the rarest of its steps was met, and the example.
struct Deadlock {
    count: u64,
    certain: bool,
    edges: Vec<u32>,
    samples: Vec<Sample>,
}

impl Engine<'_> {
    /// Tells all that was found about locks. Returns what they cost.
    pub(crate) fn tell_locks(&self, collector: &mut Collector, summary: &mut Summary) -> Vec<LockReport> {
        let labels = Labels::new(self);
        self.tell_deadlocks(&labels, collector, summary);
        for (again, samples) in &self.watch.orders.again.all {
            self.tell_recursive_read(&labels, *again, samples, collector);
        }
        self.tell_awaits(&labels, collector);
        self.tell_stuck(&labels, collector);
        for using in &self.watch.variables {
            match using.judge() {
                Judgement::Sound => {}
                Judgement::Forgot(verdict) => self.tell_forgotten(&labels, &verdict, collector),
                Judgement::Bounded => summary.disciplines_bounded += 1,
            }
        }
        summary.locks += labels.names.len() as u64;
        self.lock_reports(&labels)
    }

    fn tell_deadlocks(&self, labels: &Labels, collector: &mut Collector, summary: &mut Summary) {
        let edges = &self.watch.orders.edges;
        // By the run and the set of the steps' places: many locks may be taken at the same two places.
        let mut numbers: Map<(u32, Vec<(u32, u32)>), usize> = Map::default();
        let mut deadlocks: Vec<Deadlock> = Vec::new();
        let bounded = cycles(edges, &self.holes, |Cycle { edges: numbers_of, samples, certain }| {
            let steps = || numbers_of.iter().map(|edge| &edges[*edge as usize]);
            let mut places: Vec<(u32, u32)> = steps().map(|edge| (edge.key.held_site, edge.key.asked_site)).collect();
            places.sort_unstable();
            places.dedup();
            let run = steps().next().map_or(0, |edge| labels.runs[edge.key.held as usize]);
            let count = steps().map(|edge| edge.samples.count).min().unwrap_or(0);
            let next = deadlocks.len();
            if next == DEADLOCKS_MAX && !numbers.contains_key(&(run, places.clone())) {
                collector.count(None);
                return;
            }
            let number = *numbers.entry((run, places)).or_insert(next);
            let sum = deadlocks.get(number).map_or(0, |known| known.count).saturating_add(count);
            let better = |known: &Deadlock| (certain, known.edges.len()) > (known.certain, numbers_of.len());
            match deadlocks.get_mut(number) {
                Some(known) if !better(known) => known.count = sum,
                known => {
                    let samples = samples.into_iter().cloned().collect();
                    let new = Deadlock { count: sum, certain, edges: numbers_of.to_vec(), samples };
                    match known {
                        Some(known) => *known = new,
                        None => deadlocks.push(new),
                    }
                }
            }
        });
        summary.lock_orders_bounded += bounded.edges.saturating_add(self.watch.orders.dropped);
        summary.lock_orders_bounded += self.watch.orders.again.dropped + self.watch.awaits.dropped;
        summary.lock_cycles_bounded += bounded.components;
        for deadlock in &deadlocks {
            self.tell_deadlock(labels, deadlock, collector);
        }
    }

    fn tell_deadlock(&self, labels: &Labels, found: &Deadlock, collector: &mut Collector) {
        let steps = || found.edges.iter().map(|edge| &self.watch.orders.edges[*edge as usize]).zip(&found.samples);
        let orders: Vec<LockOrder> = steps().map(|(edge, sample)| self.lock_order(labels, edge, sample)).collect();
        let mut places: Vec<String> = steps()
            .map(|(edge, sample)| self.site_key(sample.strand, &[edge.key.held_site, edge.key.asked_site]))
            .collect();
        places.sort_unstable();
        places.dedup();
        let incomplete = (!found.certain).then(|| self.doubt_of(&found.samples));
        let names: Vec<&str> = orders.iter().map(|order| order.holds.as_str()).collect();
        let variable = names.join(", ");
        let [first, second, ..] = &orders[..] else { return };
        let (first, second) = (first.asked.clone(), second.asked.clone());
        let kind = FindingKind::PotentialDeadlock;
        let key = (kind, places.join("\n"), Default::default());
        let finding =
            Finding { incomplete, ..finding(kind, variable, (first, second), deadlock_words(&orders), found.count) };
        collector.tell(key, Finding { orders, ..finding });
    }

    fn lock_order(&self, labels: &Labels, edge: &Edge, sample: &Sample) -> LockOrder {
        LockOrder {
            holds: labels.of(edge.key.held).to_owned(),
            asks: labels.of(edge.key.asked).to_owned(),
            held: sample.taken.map(|at| self.event_info(sample.strand, at, Vec::new())),
            asked: self.event_info(sample.strand, sample.at, labels.of_set(&edge.locks)),
            count: edge.samples.count,
        }
    }

    fn tell_recursive_read(&self, labels: &Labels, again: Again, samples: &Samples, collector: &mut Collector) {
        let (lock, first_site, second_site) = again;
        let writers = &self.watch.orders.writers[lock as usize];
        // One that a writer can meet shows best what may happen.
        let met = samples.meeting(writers).map(|(sample, _)| sample);
        let Some(sample) = met.or(samples.kept.first()) else { return };
        let Some(taken) = sample.taken else { return };
        let variable = labels.of(lock).to_owned();
        let held = vec![format!("{variable} (shared)")];
        let first = self.event_info(sample.strand, taken, Vec::new());
        let second = self.event_info(sample.strand, sample.at, held);
        let kind = FindingKind::RecursiveRead;
        let key: Key = (kind, self.site_key(sample.strand, &[first_site, second_site]), Default::default());
        let words = recursive_words(&variable, &second);
        let order = LockOrder {
            holds: variable.clone(),
            asks: variable.clone(),
            held: Some(first.clone()),
            asked: second.clone(),
            count: samples.count,
        };
        let finding = finding(kind, variable, (first, second), words, samples.count);
        let (confidence, reserve) = match met {
            Some(_) => (Confidence::Likely, None),
            None => (Confidence::Possible, Some(NO_WRITER.to_owned())),
        };
        let incomplete = sample.unsure.then(|| self.doubt_of(std::slice::from_ref(sample)));
        collector.tell(key, Finding { confidence, reserve, incomplete, orders: vec![order], ..finding });
    }

    fn tell_forgotten(&self, labels: &Labels, verdict: &Verdict<'_>, collector: &mut Collector) {
        let Verdict { lock, held, accesses, .. } = *verdict;
        let Some(Forgotten { example, meets, .. }) = verdict.without.first() else { return };
        let info = |(sample, locks): (&Sample, &std::rc::Rc<_>)| {
            self.event_info(sample.strand, sample.at, labels.of_set(locks))
        };
        let (first, second) = (info(*example), info(*meets));
        let mut places: Map<u32, u64> = Map::default();
        for forgotten in &verdict.without {
            *places.entry(forgotten.site).or_default() += forgotten.count;
        }
        let mut without: Vec<_> = places.into_iter().map(|(site, count)| (self.place(site), count)).collect();
        without.sort_unstable_by(|(a, a_count), (b, b_count)| (b_count, a).cmp(&(a_count, b)));
        let count = without.iter().map(|(_, count)| count).sum();
        let lock_name = labels.of(lock).to_owned();
        let doubt = self.holes.doubt(example.0.holes, meets.0.holes);
        let incomplete = doubt.map(|point| self.doubt_text(point, [example.0.strand, meets.0.strand]));
        let name = self.names.text(self.record_at(example.0.strand, example.0.at).name).to_owned();
        let discipline = Discipline { lock: lock_name.clone(), held, accesses, without };
        let kind = FindingKind::InconsistentLocking;
        let place = (self.run_of(example.0.strand).log.meta.service.clone(), lock_name);
        let key = (kind, name.clone(), [place, Default::default()]);
        let words = forgotten_words(&discipline, &first);
        let finding = finding(kind, name, (first, second), words, count);
        collector.tell(key, Finding { incomplete, discipline: Some(discipline), ..finding });
    }
}

impl Engine<'_> {
    /// What stands for places of a strand's service, whatever their numbers are.
    pub(super) fn site_key(&self, strand: u32, sites: &[u32]) -> String {
        let places = sites.iter().map(|site| self.place_key(*site));
        let service = &self.run_of(strand).log.meta.service;
        places.fold(service.clone(), |key, place| key + "\t" + &place)
    }

    /// Which hole may order two of the examples, or hide a lock that one of them held.
    fn doubt_of(&self, samples: &[Sample]) -> String {
        if let Some(unsure) = samples.iter().find(|sample| sample.unsure) {
            let thread = self.thread(unsure.strand, self.record_at(unsure.strand, unsure.at).step);
            return format!("which locks {thread} held is not known for sure: one of them may keep the strands apart");
        }
        let mut pairs = samples.iter().enumerate().flat_map(|(at, a)| samples[at + 1..].iter().map(move |b| (a, b)));
        let doubt =
            pairs.find_map(|(a, b)| self.holes.doubt(a.holes, b.holes).map(|point| (point, [a.strand, b.strand])));
        let (point, strands) = doubt.unwrap_or_default();
        self.doubt_text(point, strands)
    }

    /// What the locks cost, those that were waited for longest first.
    fn lock_reports(&self, labels: &Labels) -> Vec<LockReport> {
        let counted = self.watch.locks.iter().enumerate().map(|(number, lock)| (number, lock, lock.all()));
        let mut locks: Vec<(usize, &LockUse, Use)> = counted.filter(|(.., all)| all.acquisitions > 0).collect();
        let order = |(number, _, all): &(usize, &LockUse, Use)| {
            let most = Reverse((all.wait.total, all.wait.count, all.hold.total, all.acquisitions));
            (most, labels.names[*number].clone(), labels.runs[*number])
        };
        locks.sort_by_cached_key(order);
        locks.truncate(LOCKS_TOLD);
        locks.into_iter().map(|(number, lock, all)| self.lock_report(labels, number, (lock, &all))).collect()
    }

    fn lock_report(&self, labels: &Labels, number: usize, (lock, all): (&LockUse, &Use)) -> LockReport {
        let run = &self.resolved.roster.runs[labels.runs[number] as usize];
        let mut sites: Vec<LockSite> = lock
            .sites
            .iter()
            .map(|((site, shared), using)| LockSite {
                place: self.place(*site),
                shared: *shared,
                acquisitions: using.acquisitions,
                wait: Times::from(&using.wait),
                hold: Times::from(&using.hold),
                across_awaits: Times::from(&using.across),
            })
            .collect();
        sites.sort_by(|a, b| {
            let most = |site: &LockSite| Reverse((site.wait.total_ns, site.hold.total_ns, site.acquisitions));
            (most(a), &a.place, a.shared).cmp(&(most(b), &b.place, b.shared))
        });
        sites.truncate(SITES_TOLD);
        let waiter = |(key, waited): (WaiterKey, Waited)| LockWaiter {
            place: self.place(key.site),
            thread: self.thread(key.strand, waited.step),
            held_at: key.holder_site.map(|site| self.place(site)),
            count: waited.times,
            total_ns: waited.total,
            max_ns: waited.max,
        };
        let mut waiters: Vec<LockWaiter> = lock.waiters().map(waiter).collect();
        waiters.sort_by(|a, b| {
            let most = |waiter: &LockWaiter| Reverse((waiter.total_ns, waiter.count));
            (most(a), &a.place, &a.held_at, &a.thread).cmp(&(most(b), &b.place, &b.held_at, &b.thread))
        });
        waiters.truncate(WAITERS_TOLD);
        LockReport {
            lock: labels.names[number].clone(),
            process: run.place(),
            run: run.id.to_string(),
            acquisitions: all.acquisitions,
            wait: Times::from(&all.wait),
            hold: Times::from(&all.hold),
            across_awaits: Times::from(&all.across),
            sites,
            waiters,
        }
    }
}

/// A finding with what all of them have.
pub(super) fn finding(
    kind: FindingKind,
    variable: String,
    (first, second): (AccessInfo, AccessInfo),
    words: Words,
    count: u64,
) -> Finding {
    Finding {
        kind,
        variable,
        first,
        second,
        read: None,
        explanation: words.explanation,
        lost: None,
        orders: Vec::new(),
        discipline: None,
        count,
        lost_at_least: None,
        confidence: Confidence::Possible,
        reserve: None,
        incomplete: None,
        advice: words.advice.to_owned(),
        benign_if: words.benign_if.to_owned(),
    }
}
