//! Records of a part of what happened, which say so: strands that are not sampled, kinds that were off for a while.

use crate::program::{Lost, Program, process};
use std::collections::BTreeMap;
use std::ops::Range;
use trackside_analysis::{Finding, Report};
use trackside_wire::{Kind, Kinds};

/// How many steps of a strand are recorded, and what it comes after and has not told.
type Recorded = (u64, Vec<(u64, u64)>);

impl Program {
    /// These strands are not sampled: nothing of them is recorded, and nothing of that is called lost.
    pub(crate) fn unsample(&mut self, strands: &[u64]) -> &mut Self {
        let unsampled = self.events.iter_mut().filter(|event| strands.contains(&event.strand));
        unsampled.for_each(|event| event.lost = Some(Lost::Unsampled));
        self
    }

    /// Nothing of the strand is recorded, and nothing says so.
    pub(crate) fn forget(&mut self, strand: u64) -> &mut Self {
        self.events.retain(|event| event.strand != strand);
        self
    }

    /// These kinds were off in the process while the events at these places happened: those that are of them have no
    /// steps, and no numbers in their rings. To be called last.
    pub(crate) fn switch_off(&mut self, of: u64, kinds: Kinds, places: Range<usize>) {
        let known = self.off.entry(of).or_default();
        *known = known.union(kinds);
        // By strand and the number of its steps as it ran.
        let mut so_far: BTreeMap<(u64, u64), Recorded> = BTreeMap::new();
        let mut seqs: BTreeMap<(u64, u16), u64> = BTreeMap::new();
        for (at, event) in self.events.iter_mut().enumerate() {
            let (ran, own) = (event.step, process(event.strand).0);
            let (steps, mut untold) = so_far.get(&(event.strand, ran)).cloned().unwrap_or_default();
            for (other, number) in std::mem::take(&mut event.after) {
                let (steps, theirs) = so_far.get(&(other, number)).cloned().unwrap_or_default();
                untold.extend([(other, steps)].into_iter().chain(theirs));
            }
            let off = own == of && places.contains(&at) && kinds.contains(event.kind);
            event.step = steps;
            let next = if off {
                event.lost = Some(Lost::Off);
                (steps, untold)
            } else {
                event.after = untold;
                let seq = seqs.entry((own, event.ring)).or_default();
                event.seq = std::mem::replace(seq, *seq + 1);
                (steps + 1, Vec::new())
            };
            so_far.insert((event.strand, ran + 1), next);
        }
    }
}

const LOCKS: Kinds = Kinds::only([Kind::LockAcquire, Kind::LockRelease]);

/// The report on a program, of which these kinds were off at these places.
fn report_without(write_down: impl Fn(&mut Program), kinds: Kinds, places: Range<usize>) -> Report {
    let mut program = Program::new();
    write_down(&mut program);
    program.switch_off(0, kinds, places);
    program.report()
}

/// Confidence, reserve and doubt of each finding; of several that are alike, once.
fn told(report: &Report) -> Vec<(String, Option<&str>, Option<&str>)> {
    let told = |finding: &Finding| format!("{:?} {:?}", finding.confidence, finding.kind);
    let all = report.findings.iter();
    let all = all.map(|finding| (told(finding), finding.reserve.as_deref(), finding.incomplete.as_deref()));
    let mut all: Vec<_> = all.collect();
    all.dedup();
    all
}

#[track_caller]
fn check(report: &Report, expect: &[(&str, Option<&str>, Option<&str>)]) {
    let expect: Vec<_> = expect.iter().map(|(what, reserve, doubt)| ((*what).to_owned(), *reserve, *doubt)).collect();
    assert_eq!(told(report), expect, "{report}");
}

/// Two strands write `x` in turn, the second one after it was handed a lock.
fn handed_over(p: &mut Program) {
    p.at(1).write(1, "x", None::<i64>, 1).lock(1, "m").unlock(1, "m");
    p.lock(2, "m").unlock(2, "m").at(2).write(2, "x", None::<i64>, 2);
}

/// Two strands write `x` with nothing between them, long after the lock was used.
fn not_handed_over(p: &mut Program) {
    p.lock(2, "m").unlock(2, "m").at(1).write(1, "x", None::<i64>, 1).at(2).write(2, "x", None::<i64>, 2);
}

/// Two updates of `x` from one value.
fn update(p: &mut Program) {
    p.at(1).read(1, "x", 5).at(1).read(2, "x", 5).at(2).write(1, "x", 5, 6).at(2).write(2, "x", 5, 7);
}

const LOCKS_OFF: &str = "lock events were switched off for some or all of the run; what was not recorded may order these \
                         accesses";

#[test]
fn where_locks_were_off_no_race_is_confirmed() {
    check(&report_without(handed_over, Kinds::NONE, 0..0), &[]);
    check(&report_without(handed_over, LOCKS, 1..5), &[("Likely DataRace", None, Some(LOCKS_OFF))]);
    check(&report_without(not_handed_over, Kinds::NONE, 0..0), &[("Confirmed DataRace", None, None)]);
    // The record does not say when they were off.
    check(&report_without(not_handed_over, LOCKS, 0..0), &[("Likely DataRace", None, Some(LOCKS_OFF))]);
}

#[test]
fn every_kind_that_orders_leaves_races_in_doubt_and_no_other_does() {
    let words = [
        ("atomic", &[Kind::AtomicRead, Kind::AtomicWrite, Kind::AtomicRmw][..]),
        ("atomic", &[Kind::AtomicLoad, Kind::AtomicStore, Kind::AtomicUpdate]),
        ("task", &[Kind::AsyncSpawn, Kind::TaskBegin, Kind::TaskEnd, Kind::AsyncAwait]),
        ("lock", &[Kind::LockAcquire, Kind::LockRelease]),
        ("fence", &[Kind::MemoryFence]),
        ("call", &[Kind::CallSent, Kind::CallReturned, Kind::HttpResponse]),
        ("message", &[Kind::MessageSent, Kind::MessageReceived]),
        ("signal", &[Kind::SyncRelease, Kind::SyncAcquire]),
    ];
    let accesses = [Kind::Read, Kind::Write];
    let signs = [Kind::Suspended, Kind::LockWait];
    let rest = [
        Kind::FunctionCall,
        Kind::FunctionReturn,
        Kind::HttpRequest,
        Kind::DatabaseQuery,
        Kind::DatabaseResult,
        Kind::Error,
        Kind::Custom,
    ];
    let race = |kind: Kind| report_without(not_handed_over, Kinds::only([kind]), 0..0);
    for (word, kinds) in words {
        for kind in kinds {
            let doubt = LOCKS_OFF.replace("lock", word);
            check(&race(*kind), &[("Likely DataRace", None, Some(&doubt))]);
            assert!(race(*kind).summary.kinds_off.contains(&format!("{kind:?}")));
        }
    }
    for kind in accesses {
        check(&race(kind), &[("Confirmed DataRace", None, None)]);
        assert!(!race(kind).summary.is_complete());
    }
    for kind in signs {
        check(&race(kind), &[("Confirmed DataRace", None, None)]);
        assert!(!race(kind).summary.is_complete(), "findings may be missing");
    }
    for kind in rest {
        check(&race(kind), &[("Confirmed DataRace", None, None)]);
        assert!(race(kind).summary.is_complete(), "nothing rests on {kind:?}");
    }
    // Who adds a kind has to say what it means.
    let all: Kinds =
        words.iter().flat_map(|(_, kinds)| *kinds).chain(&accesses).chain(&signs).chain(&rest).copied().collect();
    assert_eq!(all, Kinds::ALL);
}

#[test]
fn what_was_off_is_told_in_one_sentence() {
    let off = Kinds::only([Kind::Write, Kind::AsyncAwait, Kind::LockAcquire, Kind::LockRelease, Kind::Error]);
    let mut p = Program::new();
    not_handed_over(&mut p);
    p.read(9, "y", 0).read(8, "y", 0).unsample(&[8, 9]);
    p.switch_off(0, off, 0..0);
    let doubt = "2 contexts were not sampled, and write, task and lock events were switched off for some or all of the \
                 run; what was not recorded may order these accesses";
    let report = p.report();
    check(&report, &[("Likely DataRace", None, Some(doubt))]);
    let text = report.to_string();
    let lines = "\
not sampled, so recorded for their errors alone: 2 contexts
not recorded all the time: AsyncAwait, LockAcquire, LockRelease, Write
so findings may be missing
";
    assert!(text.ends_with(lines), "{text}");
    let json = serde_json::to_value(&report).unwrap();
    assert_eq!(json["summary"]["unsampled"], 2);
    assert_eq!(json["summary"]["kinds_off"], serde_json::json!(["AsyncAwait", "LockAcquire", "LockRelease", "Write"]));
}

#[test]
fn where_contexts_were_not_sampled_nothing_is_confirmed() {
    // Strand 3 is a request that is not sampled, and hands on what it got from the first strand.
    let message = |p: &mut Program| {
        p.at(1).write(1, "x", None::<i64>, 1).lock(1, "m").unlock(1, "m");
        p.lock(3, "m").unlock(3, "m").follow(2, 3).at(2).write(2, "x", None::<i64>, 2);
    };
    let mut p = Program::new();
    message(&mut p);
    check(&p.report(), &[]);
    p.unsample(&[3]);
    // That the second strand has waited for the third is not in the record: who is not sampled has no steps to wait for.
    p.events.iter_mut().for_each(|event| event.after.clear());
    let doubt = "1 context was not sampled; what was not recorded may order these accesses";
    check(&p.report(), &[("Likely DataRace", None, Some(doubt))]);

    let mut p = Program::new();
    update(&mut p);
    check(&p.report(), &[("Confirmed LostUpdate", None, None), ("Confirmed DataRace", None, None)]);
    p.write(3, "x", 6, 5).unsample(&[3]);
    let reserve = "some contexts were not sampled, and one of them may have accessed the variable in between";
    let lost = ("Likely LostUpdate", Some(reserve), Some(doubt));
    check(&p.report(), &[lost, ("Likely DataRace", None, Some(doubt))]);
    assert_eq!((p.report().summary.unsampled, p.report().summary.is_complete()), (1, false));
}

#[test]
fn where_accesses_were_off_values_prove_nothing() {
    let reserve =
        "reads or writes were switched off for some or all of the run, and one of them may have come in between";
    for (kind, word) in [(Kind::Read, "read"), (Kind::Write, "write")] {
        let doubt = format!(
            "{word} events were switched off for some or all of the run; what was not recorded may have come between these \
             accesses"
        );
        let report = report_without(update, Kinds::only([kind]), 0..0);
        let lost = ("Likely LostUpdate", Some(reserve), Some(&*doubt));
        check(&report, &[lost, ("Confirmed DataRace", None, None)]);
    }
    // By counting, too: a surplus of updates from a value that nobody wrote in sight.
    let surplus = |p: &mut Program| {
        p.write(9, "x", 0, 7).spawn(9, 1).spawn(9, 2);
        for (strand, from, to) in [(1, 7, 6), (2, 6, 5), (1, 5, 6), (2, 6, 5)] {
            p.at(1).read(strand, "x", from).at(2).write(strand, "x", from, to);
        }
        p.at(1).read(1, "x", 5).at(1).read(2, "x", 5).at(2).write(1, "x", 5, 8).at(2).write(2, "x", 5, 9);
    };
    let report = report_without(surplus, Kinds::NONE, 0..0);
    assert_eq!((told(&report)[0].0.as_str(), report.findings[0].lost_at_least), ("Confirmed LostUpdate", Some(1)));
    let report = report_without(surplus, Kinds::only([Kind::Write]), 0..0);
    assert_eq!((told(&report)[0].0.as_str(), report.findings[0].lost_at_least), ("Likely LostUpdate", None));
}

#[test]
fn where_locks_were_off_no_lost_update_is_confirmed() {
    let report = report_without(update, LOCKS, 0..0);
    let doubt = Some(LOCKS_OFF);
    check(&report, &[("Likely LostUpdate", None, doubt), ("Likely DataRace", None, doubt)]);
}

/// Strands of two other processes.
const SHOP: u64 = 1 << 16 | 5;
const MILL: u64 = 2 << 16 | 5;
const ROW: &str = "shared:row";

#[test]
fn what_one_service_left_out_is_held_against_what_it_made_others_do() {
    // The shop's one strand hands the call on to another one, which calls the mill; that it did was not recorded.
    let through = |p: &mut Program| {
        p.at(1).write(1, ROW, None::<i64>, 1).call(1, 9, &[SHOP]).read(SHOP, "y", 0).lock(SHOP, "m").unlock(SHOP, "m");
        p.lock(SHOP + 1, "m").unlock(SHOP + 1, "m").call(SHOP + 1, 10, &[MILL]).at(2).write(MILL, ROW, None::<i64>, 2);
    };
    let mut p = Program::new();
    through(&mut p);
    check(&p.report(), &[]);
    p.switch_off(1, LOCKS, 0..usize::MAX);
    let doubt = format!("in shop-1/1, {LOCKS_OFF}");
    check(&p.report(), &[("Likely DataRace", None, Some(&doubt))]);
    // The shop has had nothing to do with it.
    let mut p = Program::new();
    p.read(SHOP, "y", 0).at(1).write(1, ROW, None::<i64>, 1).at(2).write(MILL, ROW, None::<i64>, 2);
    p.switch_off(1, Kinds::ALL.without(Kind::Read).without(Kind::Write), 0..usize::MAX);
    check(&p.report(), &[("Confirmed DataRace", None, None)]);
}

#[test]
fn a_call_whose_other_end_was_off_is_a_hole() {
    let holes = |report: &Report| report.summary.first_holes.iter().map(|hole| hole.what.clone()).collect::<Vec<_>>();
    let sent = |p: &mut Program| {
        p.at(1).write(1, ROW, None::<i64>, 1).call(1, 9, &[SHOP]).at(2).write(SHOP, ROW, None::<i64>, 2);
    };
    let mut p = Program::new();
    sent(&mut p);
    check(&p.report(), &[]);
    p.switch_off(0, Kinds::only([Kind::CallSent]), 0..usize::MAX);
    assert_eq!(holes(&p.report()), ["the call that is taken here is not in the record"]);
    assert_eq!(told(&p.report())[0].0, "Likely DataRace");

    // Not even who made the call is in the record.
    let mut p = Program::new();
    p.at(1).write(1, ROW, None::<i64>, 1).lock(1, "m").unlock(1, "m").lock(2, "m").unlock(2, "m");
    p.call(2, 9, &[SHOP]).at(2).write(SHOP, ROW, None::<i64>, 2);
    check(&p.report(), &[]);
    p.switch_off(0, Kinds::ALL, 1..usize::MAX);
    assert_eq!(holes(&p.report()), ["the call that is taken here is not in the record"]);
    assert_eq!(told(&p.report())[0].0, "Likely DataRace");

    let answered = |p: &mut Program| {
        p.call(1, 9, &[SHOP]).at(2).write(SHOP, ROW, None::<i64>, 2).respond(SHOP).returned(1, 9, SHOP);
        p.write(SHOP + 1, "y", 0, 1).at(1).write(1, ROW, None::<i64>, 1);
    };
    let mut p = Program::new();
    answered(&mut p);
    check(&p.report(), &[]);
    p.switch_off(1, Kinds::only([Kind::HttpResponse]), 0..usize::MAX);
    assert_eq!(holes(&p.report()), ["the last answer to the call that returns here is not in the record"]);
    assert_eq!(told(&p.report())[0].0, "Likely DataRace");

    // Who took the call was off all the time, but another of its strands was not.
    let handed = |p: &mut Program| {
        p.at(2).write(SHOP + 1, ROW, None::<i64>, 2).lock(SHOP + 1, "m").unlock(SHOP + 1, "m");
        p.call(1, 9, &[SHOP]).lock(SHOP, "m").unlock(SHOP, "m").respond(SHOP).returned(1, 9, SHOP);
        p.at(1).write(1, ROW, None::<i64>, 1);
    };
    let mut p = Program::new();
    handed(&mut p);
    check(&p.report(), &[]);
    p.switch_off(1, Kinds::ALL, 3..usize::MAX);
    assert_eq!(holes(&p.report()), ["who took the call that returns here is not in the record"]);
    assert_eq!(told(&p.report())[0].0, "Likely DataRace");
}

/// Of a run, the newest word counts; in whatever order the batches come.
#[test]
fn what_any_batch_says_was_off_was_off() {
    let mut p = Program::new();
    not_handed_over(&mut p);
    let before = p.batches(2);
    p.switch_off(0, LOCKS, 0..0);
    let mut batches = [&before[..1], &p.batches(2)[1..]].concat();
    let expect = [("Likely DataRace", None, Some(LOCKS_OFF))];
    check(&crate::program::report(&batches), &expect);
    batches.reverse();
    check(&crate::program::report(&batches), &expect);
    let mixed = [&p.batches(2)[..1], &before[1..]].concat();
    check(&crate::program::report(&mixed), &expect);
}
