//! Random programs, run under random schedules, against an oracle that looks at every pair of events.
//!
//! `PROPTEST_CASES=10000 cargo test --release -p trackside-analysis --test it -- random --nocapture` runs ten thousand of each.

use crate::memory_model;
use crate::oracle::{Oracle, variable_of};
use crate::program::{Context, Program, V, remote, report, traces};
use crate::sync::CHOICES;
use crate::world::{Choice, STRANDS, Setup, run};
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use std::collections::{BTreeMap, BTreeSet};
use trackside_analysis::{Confidence, Finding, FindingKind, Report};
use trackside_wire::{Kind, Kinds};

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
            prop_assert!(oracle.stale(write, base) as u64 >= least, "not so many were lost: {report}");
        } else if finding.confidence == Confidence::Confirmed {
            let overwritten = read < foreign && foreign < write;
            let origin = oracle.origin(foreign).unwrap_or(foreign);
            let overwrites = origin < write && write < foreign;
            prop_assert!(overwritten || overwrites, "nothing was lost: {report}");
            let tracked = memory_model::is_atomic(&oracle.program.events[write]);
            prop_assert!(!tracked || differing(oracle.program).contains(&(read, write, foreign)), "undone: {report}");
        }
    }
    Ok(())
}

/// What is lost of tracked atomics, unless values say that it was undone.
fn differing(program: &Program) -> BTreeSet<(usize, usize, usize)> {
    memory_model::overwritten(program, |loaded, there| *there == V::Nil || loaded != there)
}

/// The processes of a program, up to three.
const PROCESSES: u64 = 3;

/// Anything; or a few accesses, and around them messages, signals and atomics, or calls.
fn choices() -> impl Strategy<Value = Vec<Choice>> {
    let traffic = prop_oneof![2 => Just(1_u8), 2 => Just(7), 1 => Just(0), 8 => 31..CHOICES];
    let calls = prop_oneof![4 => Just(1_u8), 4 => Just(7), 1 => Just(19), 2 => Just(23), 2 => Just(25), 2 => Just(27)];
    prop_oneof![choices_of(0..CHOICES), choices_of(traffic), choices_of(calls)]
}

fn choices_of(what: impl Strategy<Value = u8>) -> impl Strategy<Value = Vec<Choice>> {
    let choice = (0..PROCESSES * STRANDS, what, 0..8_u8, 1..5_u32);
    proptest::collection::vec(choice, 0..90).prop_map(|mut choices| {
        // Start with some strands, so that there is something to interleave.
        choices.splice(0..0, (1..4).map(|which| (0, 17, which, 1)));
        choices
    })
}

/// A program in one process, or in several that call each other.
fn program(choices: impl Strategy<Value = Vec<Choice>>, values: bool) -> impl Strategy<Value = Program> {
    let setup = Setup { processes: 1, values, tried_again: false, barriers: true };
    (choices, prop_oneof![Just(1), Just(PROCESSES)])
        .prop_map(move |(choices, processes)| run(&choices, Setup { processes, ..setup }))
}

/// A program in several processes, whose calls may be tried again, so that the record does not tell which try was
/// answered.
fn retrying_program() -> impl Strategy<Value = Program> {
    let setup = Setup { processes: PROCESSES, values: true, tried_again: true, barriers: true };
    choices().prop_map(move |choices| run(&choices, setup))
}

/// A program of one process without values whose signals have numbers of their own: of a barrier, the record does not
/// tell that somebody met there who is not sampled.
fn without_barriers() -> impl Strategy<Value = Program> {
    let setup = Setup { processes: 1, values: false, tried_again: false, barriers: false };
    (choices(), prop_oneof![Just(1), Just(PROCESSES)])
        .prop_map(move |(choices, processes)| run(&choices, Setup { processes, ..setup }))
}

/// The variables of these events, each with its process.
fn variables(oracle: &Oracle<'_>, events: impl Iterator<Item = usize>) -> BTreeSet<(Option<u64>, String)> {
    let variable = |at: usize| variable_of(&oracle.program.events[at]);
    events.map(variable).map(|(process, name)| (process, name.to_owned())).collect()
}

/// The variables of the findings of this kind.
fn told(oracle: &Oracle<'_>, report: &Report, kind: FindingKind) -> BTreeSet<(Option<u64>, String)> {
    variables(oracle, of_kind(report, kind).map(|finding| oracle.event(&finding.first)))
}

/// Strands that read and write one variable and little else, all writes on one line.
fn crowd() -> impl Strategy<Value = Vec<Choice>> {
    let step = (0..STRANDS, prop_oneof![Just(1_u8), Just(7)], prop_oneof![Just(0_u8), Just(4)]);
    proptest::collection::vec(step, 0..60).prop_map(|steps| {
        let start = (1..4).map(|which| (0, 17, which, 1));
        start.chain(steps.into_iter().map(|(strand, what, which)| (strand, what, which, u32::from(what)))).collect()
    })
}

/// Some kinds that the programs here have, or all.
fn off() -> impl Strategy<Value = Kinds> {
    let kinds = [
        Kinds::only([Kind::LockAcquire, Kind::LockRelease]),
        Kinds::only([Kind::AsyncSpawn, Kind::TaskBegin, Kind::TaskEnd, Kind::AsyncAwait]),
        Kinds::only([Kind::CallSent, Kind::CallReturned, Kind::HttpResponse]),
        Kinds::only([Kind::Read, Kind::AtomicRead]),
        Kinds::only([Kind::Write, Kind::AtomicWrite, Kind::AtomicRmw]),
        Kinds::ALL,
    ];
    let one = proptest::sample::select(Kind::ALL).prop_map(|kind| Kinds::only([kind]));
    prop_oneof![proptest::sample::select(kinds.to_vec()), one]
}

/// An event that need not make sense beside the others; and what it says that it comes after.
type Nonsense = (u64, u8, &'static str, V, V, Vec<(u64, u64)>);

fn nonsense() -> impl Strategy<Value = Nonsense> {
    let value = prop_oneof![
        Just(V::Nil),
        (0..4_i64).prop_map(V::Int),
        prop_oneof![Just(i64::MIN), Just(i64::MAX)].prop_map(V::Int),
        prop_oneof![Just("RwLock-Read"), Just("SeqCst"), Just("Relaxed"), Just("Barrier")].prop_map(V::from),
    ];
    let list = proptest::collection::vec(value.clone(), 1..5).prop_map(V::List);
    let after = (0..6_u64, prop_oneof![4 => 0..20_u64, 1 => Just(u64::MAX)]);
    let after = prop_oneof![3 => Just(vec![]), 1 => proptest::collection::vec(after, 1..3)];
    let name = prop_oneof![Just("x"), Just("y"), Just("shared:z")];
    (0..10_u64, 0..Kind::ALL.len() as u8, name, value.clone(), prop_oneof![value, list], after)
}

#[test]
fn random_programs_have_events_of_every_kind_and_races() {
    let mut runner = TestRunner::deterministic();
    let (mut counts, mut racy) = (BTreeMap::new(), 0);
    for _ in 0..500 {
        let program = program(choices(), false).new_tree(&mut runner).expect("a program").current();
        let kinds: BTreeSet<u8> = program.events.iter().map(|event| event.kind.code()).collect();
        kinds.into_iter().for_each(|kind| *counts.entry(kind).or_insert(0) += 1);
        racy += usize::from(!Oracle::new(&program).races().is_empty());
    }
    for kind in Kind::ALL {
        let count = counts.get(&kind.code()).copied().unwrap_or(0);
        assert!(count >= 10, "{count} of 500 programs have {kind:?}");
    }
    assert!((100..450).contains(&racy), "{racy} of 500 have a race");
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, max_shrink_iters: 100_000, ..ProptestConfig::default() })]

    #[test]
    fn races_are_told_truly_and_none_of_a_variable_is_passed_over(
        program in program(choices(), false),
        size in 1..40_usize,
    ) {
        let mut batches = program.batches(size);
        batches.reverse();
        let report = report(&batches);
        let oracle = Oracle::new(&program);
        check_races_told(&oracle, &report)?;
        let racy = variables(&oracle, oracle.races().iter().map(|(a, _)| *a));
        prop_assert_eq!(told(&oracle, &report, FindingKind::DataRace), racy, "{}", report);
        prop_assert!(report.summary.is_complete(), "{report}");
    }

    #[test]
    fn without_values_each_variable_that_can_lose_an_update_is_told(program in program(choices(), false)) {
        let report = program.report();
        let oracle = Oracle::new(&program);
        check_losses_told(&oracle, &report)?;
        let losing = variables(&oracle, oracle.losses().iter().map(|(read, _, _)| *read));
        prop_assert_eq!(told(&oracle, &report, FindingKind::LostUpdate), losing, "{}", report);
    }

    /// Races of each kind and variable: of which pairs of places depends on which accesses met, but all told are true.
    #[test]
    fn timestamps_never_decide_whether_there_is_a_finding(
        mut program in program(choices(), false),
        times in proptest::collection::vec(prop_oneof![0..20_u64, 0..1_000_000_u64], 1..120),
    ) {
        let found = |oracle: &Oracle<'_>, report: &Report| {
            [FindingKind::DataRace, FindingKind::LostUpdate].map(|kind| told(oracle, report, kind))
        };
        let expect = found(&Oracle::new(&program), &program.report());
        program.retime(&times);
        let report = program.report();
        let oracle = Oracle::new(&program);
        prop_assert_eq!(found(&oracle, &report), expect);
        prop_assert!(report.summary.is_complete());
        check_races_told(&oracle, &report)?;
        check_losses_told(&oracle, &report)?;
        prop_assert_eq!(&program.report(), &report, "and the same timestamps give the same report");
    }

    #[test]
    fn what_values_confirm_did_happen(
        mut program in program(prop_oneof![choices(), crowd()], true),
        times in proptest::collection::vec(0..100_u64, 0..120),
    ) {
        program.retime(&times);
        let report = program.report();
        let oracle = Oracle::new(&program);
        check_losses_told(&oracle, &report)?;
        check_races_told(&oracle, &report)?;
        let mut told = told(&oracle, &report, FindingKind::LostUpdate);
        let tracked = variables(&oracle, (0..program.events.len()).filter(|at| memory_model::is_atomic(&program.events[*at])));
        told.retain(|variable| tracked.contains(variable));
        prop_assert_eq!(told, variables(&oracle, differing(&program).iter().map(|(read, _, _)| *read)), "{}", report);
    }

    #[test]
    fn what_no_hole_could_overturn_is_true_of_the_whole_program(
        whole in prop_oneof![program(choices(), true), retrying_program()],
        losses in proptest::collection::vec((0..90_usize, any::<bool>()), 0..12),
    ) {
        let mut program = whole.clone();
        program.lose(&losses);
        // Of a run or a call of which nothing is left, the record cannot say that it is missing.
        program.keep_a_trace_of_each();
        let report = program.report();
        check_races_told(&Oracle::new(&whole), &report)?;
        check_losses_told(&Oracle::new(&whole), &report)?;
    }

    #[test]
    fn what_strands_that_are_not_sampled_could_overturn_is_not_called_certain(
        whole in without_barriers(),
        unsampled in proptest::collection::btree_set(2..=STRANDS, 1..4),
    ) {
        let mut program = whole.clone();
        // The caller decides for those it calls, so those that call or are called stay.
        let unsampled: Vec<u64> = unsampled.into_iter().filter(|strand| !whole.contexts.contains_key(strand)).collect();
        program.unsample(&unsampled);
        let report = program.report();
        check_races_told(&Oracle::new(&whole), &report)?;
        check_losses_told(&Oracle::new(&whole), &report)?;
    }

    /// Locks, tasks, calls and accesses may be off for a while, in one process or in several.
    #[test]
    fn what_kinds_that_were_off_could_overturn_is_not_called_certain(
        whole in prop_oneof![program(prop_oneof![choices(), crowd()], true), retrying_program()],
        offs in proptest::collection::vec((0..PROCESSES, off(), 0..90_usize, 1..90_usize), 1..3),
    ) {
        let mut program = whole.clone();
        for (process, kinds, from, count) in offs {
            program.switch_off(process, kinds, from..from + count);
        }
        let report = program.report();
        check_races_told(&Oracle::new(&whole).of_record(&program), &report)?;
        check_losses_told(&Oracle::new(&whole).of_record(&program), &report)?;
        prop_assert_eq!(report.summary.not_arrived, 0, "{}", report);
    }

    #[test]
    fn a_record_that_makes_no_sense_has_a_report_too_and_always_the_same(
        events in proptest::collection::vec(nonsense(), 0..120),
        first_steps in proptest::collection::vec(prop_oneof![Just(0), Just(1), Just(u64::MAX - 5)], 5),
        entries in proptest::collection::vec((0..10_u64, 0..4_u64, 0..4_u64), 0..6),
        losses in proptest::collection::vec((0..120_usize, any::<bool>()), 0..6),
        size in 1..40_usize,
    ) {
        let mut program = Program::new();
        let strand = |number: u64| remote(number / 5, number % 5);
        for (number, step) in first_steps.iter().enumerate() {
            program.begin_at(strand(number as u64), *step);
        }
        for (number, span, upstream) in entries {
            *program.context(strand(number)) = Context { span, upstream, entry: true, trace: 1, ..Context::default() };
        }
        for (number, kind, name, a, b, after) in events {
            for (other, steps) in after {
                program.after(strand(number), other, steps);
            }
            program.event(strand(number), Kind::from_code(kind).unwrap(), name, a, b);
        }
        program.lose(&losses);
        let mut batches = program.batches(size);
        let expect = report(&batches);
        batches.reverse();
        prop_assert_eq!(&report(&batches), &expect);
        prop_assert_eq!(traces(&program.batches(size)), traces(&batches));
        prop_assert!(!expect.to_string().is_empty());
    }
}
