//! Random programs that take locks in any order, under random schedules, against an oracle that looks at all of them.

use crate::lock_oracle::{Forgotten, Lines, LockOracle};
use crate::program::{Program, process, remote};
use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet};
use trackside_analysis::{AccessInfo, Confidence, Finding, FindingKind, Report};

/// Strands of a process, and processes.
const STRANDS: u64 = 5;
const PROCESSES: u64 = 2;

const LOCKS: [&str; 4] = ["a", "b", "c", "rw"];

/// What a strand could do next: the strand, what, to which of several, and on which line.
type Choice = (u64, u8, u8, u32);

/// A strand, whether it keeps others out, and how the record calls that.
type Holder = (u64, bool, &'static str);

#[derive(Default)]
struct World {
    running: BTreeSet<u64>,
    used: BTreeSet<u64>,
    /// Who holds each lock of each process.
    held: BTreeMap<(u64, &'static str), Vec<Holder>>,
}

/// Runs the choices one after the other, passing over those that cannot be made.
fn run(choices: &[Choice], processes: u64) -> Program {
    let mut p = Program::new();
    let mut world = World { running: (0..processes).map(|at| remote(at, 1)).collect(), ..World::default() };
    for (strand, what, which, line) in choices {
        let strand = remote(strand / STRANDS % processes, 1 + strand % STRANDS);
        if world.running.contains(&strand) {
            world.step(&mut p, strand, *what, usize::from(*which), *line);
        }
    }
    p
}

impl World {
    fn step(&mut self, p: &mut Program, strand: u64, what: u8, which: usize, line: u32) {
        let lock = LOCKS[which % LOCKS.len()];
        let other = remote(process(strand).0, 1 + which as u64 % STRANDS);
        let variable = ["x", "y"][which % 2];
        match what {
            0..=6 => self.acquire(p, strand, lock, what, line),
            7..=10 => self.release(p, strand, which),
            11 | 12 if process(other).1 != 1 && self.used.insert(other) => {
                self.running.insert(other);
                if what == 11 {
                    p.spawn(strand, other)
                } else {
                    p.follow(other, strand)
                };
            }
            13 if process(other).1 != 1 && other != strand && !self.holds(other) && self.running.remove(&other) => {
                p.join(strand, other);
            }
            14 if other != strand => drop(p.follow(strand, other)),
            15 | 16 => drop(p.at(line).write(strand, variable, None::<i64>, None::<i64>)),
            17 => drop(p.at(line).read(strand, variable, None::<i64>)),
            _ => {}
        }
    }

    fn holds(&self, strand: u64) -> bool {
        self.held.values().flatten().any(|(holder, ..)| *holder == strand)
    }

    fn acquire(&mut self, p: &mut Program, strand: u64, lock: &'static str, what: u8, line: u32) {
        let (kind, exclusive) = match (lock, what) {
            ("rw", 0..=2) => ("RwLock-Read", false),
            ("rw", 3) => ("RwLock-Read-Try", false),
            ("rw", _) => ("RwLock-Write", true),
            (_, 0) => ("Mutex-Try", true),
            _ => ("Mutex", true),
        };
        let holders = self.held.entry((process(strand).0, lock)).or_default();
        let free = if exclusive { holders.is_empty() } else { holders.iter().all(|(_, exclusive, _)| !exclusive) };
        if free {
            holders.push((strand, exclusive, kind));
            p.at(line).counted(strand, lock, kind);
        }
    }

    /// Gives back one of the locks that the strand holds, not always the last one.
    fn release(&mut self, p: &mut Program, strand: u64, which: usize) {
        let mut own = self.held.iter_mut().filter(|((at, _), _)| *at == process(strand).0);
        let holds = |holders: &[Holder]| holders.iter().rposition(|(holder, ..)| *holder == strand);
        let own: Vec<_> =
            own.by_ref().filter_map(|((_, lock), holders)| holds(holders).map(|at| (*lock, holders, at))).collect();
        let count = own.len();
        if let Some((lock, holders, at)) = own.into_iter().nth(which % count.max(1)) {
            let (_, _, kind) = holders.remove(at);
            p.uncount(strand, lock, kind);
        }
    }
}

/// Programs in which strands meet anywhere.
fn interleaved() -> impl Strategy<Value = Program> {
    let choice = (0..PROCESSES * STRANDS, 0..18_u8, 0..8_u8, 1..6_u32);
    let choices = proptest::collection::vec(choice, 0..110).prop_map(|mut choices| {
        // Start with some strands, so that there is something to interleave.
        choices.splice(0..0, (1..5).map(|which| (0, 11, which, 1)));
        choices
    });
    (choices, 1..=PROCESSES).prop_map(|(choices, processes)| run(&choices, processes))
}

/// Programs that take several locks at a time, one strand after the other: rich in cycles.
fn sections() -> impl Strategy<Value = Program> {
    let locks = proptest::collection::vec((0..7_u8, 0..4_u8, 1..6_u32), 1..4);
    let section = (0..STRANDS, locks, 0..8_u8, prop_oneof![3 => Just(99_u8), 2 => 11..15_u8]);
    (proptest::collection::vec(section, 0..12), 1..=PROCESSES).prop_map(|(sections, processes)| {
        let mut choices: Vec<Choice> = (1..5).map(|which| (0, 11, which, 1)).collect();
        for (strand, locks, which, order) in sections {
            let strand = strand + STRANDS * u64::from(which == 7);
            let count = locks.len();
            choices.extend(locks.into_iter().map(|(how, lock, line)| (strand, how, lock, line)));
            choices.extend([(strand, 15, which, 1)]);
            choices.extend((0..count).map(|at| (strand, 7, which + at as u8, 1)));
            choices.push((strand, order, which, 1));
        }
        run(&choices, processes)
    })
}

fn program() -> impl Strategy<Value = Program> {
    prop_oneof![interleaved(), sections()]
}

/// Strands that write one variable, mostly under one lock.
fn crowd() -> impl Strategy<Value = Program> {
    let step = (0..4_u64, prop_oneof![5 => Just(true), 1 => Just(false)], any::<bool>(), 1..6_u32, 0..8_u8);
    proptest::collection::vec(step, 0..24).prop_map(|steps| {
        let mut p = Program::new();
        for (strand, locked, write, line, order) in steps {
            let (lock, kind) = if line == 5 { ("rw", "RwLock-Read") } else { ("rw", "RwLock-Write") };
            if locked {
                p.counted(strand, lock, kind);
            }
            p.at(line);
            if write {
                p.write(strand, "x", None::<i64>, None::<i64>)
            } else {
                p.read(strand, "x", None::<i64>)
            };
            if locked {
                p.uncount(strand, lock, kind);
            }
            match order {
                0..=2 => drop(p.counted(strand, lock, "RwLock-Write").uncount(strand, lock, "RwLock-Write")),
                3 => drop(p.follow((strand + 1) % 4, strand)),
                _ => {}
            }
        }
        p
    })
}

fn of_kind(report: &Report, kind: FindingKind) -> impl Iterator<Item = &Finding> {
    report.findings.iter().filter(move |finding| finding.kind == kind)
}

fn process_of(info: &AccessInfo) -> u64 {
    info.service.strip_prefix("shop-").map_or(0, |number| number.parse().expect("a number"))
}

fn deadlocks<'a>(findings: impl Iterator<Item = &'a Finding>) -> BTreeSet<Lines> {
    let line = |info: &AccessInfo| info.line.expect("a line");
    let told = findings.map(|finding| {
        let lines =
            finding.orders.iter().map(|order| (line(order.held.as_ref().expect("an acquisition")), line(&order.asked)));
        (process_of(&finding.first), lines.collect())
    });
    told.collect()
}

fn recursive_reads(report: &Report) -> BTreeSet<(u64, u32, u32, bool)> {
    let told = of_kind(report, FindingKind::RecursiveRead).map(|finding| {
        let met = finding.confidence == Confidence::Likely;
        (process_of(&finding.first), finding.first.line.unwrap(), finding.second.line.unwrap(), met)
    });
    told.collect()
}

fn forgotten(report: &Report) -> Vec<Forgotten> {
    let told = of_kind(report, FindingKind::InconsistentLocking).map(|finding| {
        let discipline = finding.discipline.as_ref().unwrap();
        Forgotten {
            process: process_of(&finding.first),
            variable: finding.variable.clone(),
            lock: discipline.lock.clone(),
            held: discipline.held,
            accesses: discipline.accesses,
            without: discipline.without.iter().map(|(place, _)| place.line.unwrap()).collect(),
        }
    });
    told.collect()
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, max_shrink_iters: 100_000, ..ProptestConfig::default() })]

    #[test]
    fn all_potential_deadlocks_and_recursive_reads_are_told_and_no_others(
        mut program in program(),
        times in proptest::collection::vec(0..1_000_u64, 1..120),
        size in 1..40_usize,
    ) {
        program.retime(&times);
        let mut batches = program.batches(size);
        batches.reverse();
        let report = crate::program::report(&batches);
        let oracle = LockOracle::new(&program);
        prop_assert_eq!(deadlocks(of_kind(&report, FindingKind::PotentialDeadlock)), oracle.deadlocks(), "{}", report);
        prop_assert_eq!(recursive_reads(&report), oracle.recursive_reads(), "{}", report);
        prop_assert!(report.summary.is_complete());
    }

    #[test]
    fn a_forgotten_lock_is_told_and_nothing_else(
        mut program in prop_oneof![program(), crowd()],
        times in proptest::collection::vec(0..1_000_u64, 1..120),
    ) {
        program.retime(&times);
        let report = program.report();
        let oracle: Vec<_> = LockOracle::new(&program).forgotten().into_iter().filter(|any| !any.is_empty()).collect();
        let told = forgotten(&report);
        prop_assert_eq!(told.len(), oracle.len(), "{:?}: {}", oracle, report);
        for any in oracle {
            prop_assert!(told.iter().any(|told| any.contains(told)), "{any:?}: {report}");
        }
    }

    #[test]
    fn what_no_hole_could_overturn_is_true_of_the_whole_program(
        whole in program(),
        losses in proptest::collection::vec((0..110_usize, any::<bool>()), 0..12),
    ) {
        let mut program = whole.clone();
        program.lose(&losses);
        program.keep_a_trace_of_each();
        let report = program.report();
        let certain = of_kind(&report, FindingKind::PotentialDeadlock).filter(|finding| finding.incomplete.is_none());
        let all = LockOracle::new(&whole).deadlocks();
        let told = deadlocks(certain);
        prop_assert!(told.is_subset(&all), "{told:?} not in {all:?}: {report}");
    }
}
