//! Random programs, run under random schedules, against an oracle that looks at every pair of events.

use crate::oracle::Oracle;
use crate::program::{Program, V, report};
use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet};
use trackside_analysis::{Confidence, Finding, FindingKind, Report};
use trackside_wire::Kind;

const STRANDS: u64 = 5;
const VARIABLES: [&str; 3] = ["x", "y", "z"];
const LOCKS: [(&str, bool); 3] = [("m", true), ("n", true), ("plain", false)];

/// What a strand could do next: the strand, what, to which of several, and on which line.
type Choice = (u64, u8, u8, u32);

/// Runs the choices one after the other, passing over those that cannot be made.
fn run(choices: &[Choice], values: bool) -> Program {
    let mut p = Program::new();
    let mut world = World { running: [1].into(), ..World::default() };
    for (strand, what, which, line) in choices {
        let strand = 1 + strand % STRANDS;
        if world.running.contains(&strand) {
            world.step(&mut p, strand, *what, usize::from(*which), *line, values);
        }
    }
    p
}

#[derive(Default)]
struct World {
    running: BTreeSet<u64>,
    used: BTreeSet<u64>,
    /// Who holds each lock, and whether exclusively.
    held: BTreeMap<&'static str, Vec<(u64, bool)>>,
    memory: BTreeMap<&'static str, i64>,
    /// What each strand last read or wrote.
    registers: BTreeMap<(u64, &'static str), i64>,
}

impl World {
    fn step(&mut self, p: &mut Program, strand: u64, what: u8, which: usize, line: u32, values: bool) {
        let variable = VARIABLES[which % VARIABLES.len()];
        let lock = LOCKS[which % LOCKS.len()];
        let now = self.memory.get(variable).copied().unwrap_or(0);
        let shown = |value: i64| if values { V::Int(value) } else { V::Nil };
        match what {
            0..=5 => {
                self.registers.insert((strand, variable), now);
                let kind = if what == 0 { Kind::AtomicRead } else { Kind::Read };
                p.at(line).event(strand, kind, variable, V::Nil, shown(now));
            }
            6..=10 => {
                let old = self.registers.remove(&(strand, variable)).unwrap_or(now);
                let new = if which < 4 { old + 1 } else { old - 1 };
                self.memory.insert(variable, new);
                let kind = if what == 6 { Kind::AtomicWrite } else { Kind::Write };
                p.at(line).event(strand, kind, variable, shown(old), shown(new));
            }
            11 => {
                self.memory.insert(variable, now + 1);
                self.registers.remove(&(strand, variable));
                p.at(line).event(strand, Kind::AtomicRmw, variable, shown(now), shown(now + 1));
            }
            12 | 13 => self.acquire(p, strand, lock, what == 12),
            14..=16 => self.release(p, strand, lock),
            17 => {
                let child = 1 + which as u64 % STRANDS;
                if child != 1 && self.used.insert(child) {
                    self.running.insert(child);
                    p.spawn(strand, child);
                }
            }
            _ => {
                let child = 1 + which as u64 % STRANDS;
                let holds = self.held.values().flatten().any(|(holder, _)| *holder == child);
                if child != strand && child != 1 && !holds && self.running.remove(&child) {
                    p.join(strand, child);
                }
            }
        }
    }

    fn acquire(&mut self, p: &mut Program, strand: u64, (lock, counted): (&'static str, bool), exclusive: bool) {
        let holders = self.held.entry(lock).or_default();
        let mine = holders.iter().any(|(holder, _)| *holder == strand);
        let free = if exclusive { holders.is_empty() } else { holders.iter().all(|(_, exclusive)| !exclusive) };
        if mine || !free {
            return;
        }
        holders.push((strand, exclusive));
        let kind = if exclusive { "RwLock-Write" } else { "RwLock-Read" };
        if counted {
            p.counted(strand, lock, kind)
        } else {
            p.plain_lock(strand, lock, kind)
        };
    }

    fn release(&mut self, p: &mut Program, strand: u64, (lock, counted): (&'static str, bool)) {
        let holders = self.held.entry(lock).or_default();
        let Some(at) = holders.iter().position(|(holder, _)| *holder == strand) else { return };
        let (_, exclusive) = holders.remove(at);
        let kind = if exclusive { "RwLock-Write" } else { "RwLock-Read" };
        if counted {
            p.uncount(strand, lock, kind)
        } else {
            p.plain_unlock(strand, lock, kind)
        };
    }
}

fn of_kind(report: &Report, kind: FindingKind) -> impl Iterator<Item = &Finding> {
    report.findings.iter().filter(move |finding| finding.kind == kind)
}

/// Each race that is told, and that no hole could overturn, is one.
fn check_races_told(oracle: &Oracle<'_>, report: &Report) -> Result<(), TestCaseError> {
    let races = oracle.races();
    let places: BTreeSet<_> = races.iter().map(|(a, b)| oracle.places(*a, *b)).collect();
    for finding in of_kind(report, FindingKind::DataRace).filter(|finding| finding.incomplete.is_none()) {
        let (a, b) = (oracle.event(&finding.first), oracle.event(&finding.second));
        prop_assert!(races.contains(&(a.min(b), a.max(b))), "not a race: {report}");
        prop_assert!(places.contains(&oracle.places(a, b)));
    }
    Ok(())
}

/// Each lost update that is told, and that no hole could overturn, may have happened; a confirmed one did.
fn check_losses_told(oracle: &Oracle<'_>, report: &Report) -> Result<(), TestCaseError> {
    let losses = oracle.losses();
    for finding in of_kind(report, FindingKind::LostUpdate).filter(|finding| finding.incomplete.is_none()) {
        let (foreign, write) = (oracle.event(&finding.first), oracle.event(&finding.second));
        let Some(read) = finding.read.as_ref().map(|read| oracle.event(read)) else {
            prop_assert!(!oracle.ordered(foreign, write), "ordered: {report}");
            continue;
        };
        prop_assert!(losses.contains(&(read, write, foreign)), "nothing can be lost: {report}");
        if let Some(least) = finding.lost_at_least {
            prop_assert!(least >= 1 && finding.confidence == Confidence::Confirmed, "{report}");
            let base = finding.second.old.as_ref().and_then(|old| old.parse().ok()).expect("a number");
            prop_assert!(oracle.stale(&finding.variable, base) as u64 >= least, "not so many were lost: {report}");
        } else if finding.confidence == Confidence::Confirmed {
            let overwritten = read < foreign && foreign < write;
            let origin = oracle.origin(foreign).unwrap_or(foreign);
            let overwrites = origin < write && write < foreign;
            prop_assert!(overwritten || overwrites, "nothing was lost: {report}");
        }
    }
    Ok(())
}

fn choices() -> impl Strategy<Value = Vec<Choice>> {
    proptest::collection::vec((0..STRANDS, 0..19_u8, 0..8_u8, 1..5_u32), 0..90).prop_map(|mut choices| {
        // Start with some strands, so that there is something to interleave.
        choices.splice(0..0, (1..4).map(|which| (0, 17, which, 1)));
        choices
    })
}

/// Strands that read and write one variable and little else, all writes on one line.
fn crowd() -> impl Strategy<Value = Vec<Choice>> {
    let step = (0..STRANDS, prop_oneof![Just(1_u8), Just(7)], prop_oneof![Just(0_u8), Just(6)]);
    proptest::collection::vec(step, 0..60).prop_map(|steps| {
        let start = (1..4).map(|which| (0, 17, which, 1));
        start.chain(steps.into_iter().map(|(strand, what, which)| (strand, what, which, u32::from(what)))).collect()
    })
}

/// An event that need not make sense beside the others.
fn nonsense() -> impl Strategy<Value = (u64, u8, &'static str, V, V)> {
    let value = prop_oneof![
        Just(V::Nil),
        (0..4_i64).prop_map(V::Int),
        prop_oneof![Just(i64::MIN), Just(i64::MAX)].prop_map(V::Int),
        Just(V::from("RwLock-Read")),
    ];
    let list = (value.clone(), value.clone()).prop_map(|(a, b)| V::List(vec![a, b]));
    (0..5_u64, 0..20_u8, prop_oneof![Just("x"), Just("y")], value.clone(), prop_oneof![value, list])
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, max_shrink_iters: 100_000, ..ProptestConfig::default() })]

    #[test]
    fn races_are_told_truly_and_none_of_a_variable_is_passed_over(choices in choices(), size in 1..40_usize) {
        let program = run(&choices, false);
        let mut batches = program.batches(size);
        batches.reverse();
        let report = report(&batches);
        let oracle = Oracle::new(&program);
        check_races_told(&oracle, &report)?;
        let told: BTreeSet<&str> = of_kind(&report, FindingKind::DataRace).map(|f| f.variable.as_str()).collect();
        let races = oracle.races();
        let racy: BTreeSet<&str> = races.iter().map(|(a, _)| program.events[*a].name.as_str()).collect();
        prop_assert_eq!(told, racy);
        prop_assert!(report.summary.is_complete());
    }

    #[test]
    fn without_values_each_variable_that_can_lose_an_update_is_told(choices in choices()) {
        let program = run(&choices, false);
        let report = program.report();
        let oracle = Oracle::new(&program);
        check_losses_told(&oracle, &report)?;
        let told: BTreeSet<&str> = of_kind(&report, FindingKind::LostUpdate).map(|f| f.variable.as_str()).collect();
        let losses = oracle.losses();
        let losing: BTreeSet<&str> = losses.iter().map(|(read, _, _)| program.events[*read].name.as_str()).collect();
        prop_assert_eq!(told, losing);
    }

    /// Races of each kind and variable: of which pairs of places depends on which accesses met, but all told are true.
    #[test]
    fn timestamps_never_decide_whether_there_is_a_finding(
        choices in choices(),
        times in proptest::collection::vec(prop_oneof![0..20_u64, 0..1_000_000_u64], 1..120),
    ) {
        let mut program = run(&choices, false);
        let found = |report: &Report| -> BTreeSet<(FindingKind, String)> {
            report.findings.iter().map(|finding| (finding.kind, finding.variable.clone())).collect()
        };
        let expect = found(&program.report());
        program.retime(&times);
        let report = program.report();
        prop_assert_eq!(found(&report), expect);
        prop_assert!(report.summary.is_complete());
        let oracle = Oracle::new(&program);
        check_races_told(&oracle, &report)?;
        check_losses_told(&oracle, &report)?;
        prop_assert_eq!(&program.report(), &report, "and the same timestamps give the same report");
    }

    #[test]
    fn what_values_confirm_did_happen(
        choices in prop_oneof![choices(), crowd()],
        times in proptest::collection::vec(0..100_u64, 0..120),
    ) {
        let mut program = run(&choices, true);
        program.retime(&times);
        let report = program.report();
        check_losses_told(&Oracle::new(&program), &report)?;
        check_races_told(&Oracle::new(&program), &report)?;
    }

    #[test]
    fn what_no_hole_could_overturn_is_true_of_the_whole_program(
        choices in choices(),
        losses in proptest::collection::vec((0..90_usize, any::<bool>()), 1..12),
    ) {
        let whole = run(&choices, true);
        let mut program = whole.clone();
        program.lose(&losses);
        let report = program.report();
        check_races_told(&Oracle::new(&whole), &report)?;
        check_losses_told(&Oracle::new(&whole), &report)?;
    }

    #[test]
    fn a_record_that_makes_no_sense_has_a_report_too_and_always_the_same(
        events in proptest::collection::vec(nonsense(), 0..120),
        first_steps in proptest::collection::vec(prop_oneof![Just(0), Just(1), Just(u64::MAX - 5)], 5),
        losses in proptest::collection::vec((0..120_usize, any::<bool>()), 0..6),
        size in 1..40_usize,
    ) {
        let mut program = Program::new();
        for (strand, step) in first_steps.iter().enumerate() {
            program.begin_at(strand as u64, *step);
        }
        for (strand, kind, name, a, b) in events {
            program.event(strand, Kind::from_code(kind).unwrap(), name, a, b);
        }
        program.lose(&losses);
        let mut batches = program.batches(size);
        let expect = report(&batches);
        batches.reverse();
        prop_assert_eq!(&report(&batches), &expect);
        prop_assert!(!expect.to_string().is_empty());
    }
}
