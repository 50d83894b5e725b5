//! Messages and signals: what they order and what not.

use crate::program::Program;

const RACE: &str = "race x 1 2 Confirmed";
const DOUBT: &str = "race x 1 2 Likely incomplete";

#[track_caller]
fn check(expect: &[&str], holes: u64, write_down: impl FnOnce(&mut Program)) {
    let mut program = Program::new();
    write_down(&mut program);
    let report = program.report();
    assert_eq!(program.found(), expect, "{report}");
    assert_eq!(report.summary.holes, holes, "{report}");
}

/// Strand 1 writes x, then does this; strand 2 does that, then reads x.
fn passing(
    p: &mut Program,
    write: impl FnOnce(&mut Program) -> &mut Program,
    read: impl FnOnce(&mut Program) -> &mut Program,
) {
    p.at(1).write(1, "x", None::<i64>, 1);
    write(p);
    read(p);
    p.at(2).read(2, "x", 1);
}

#[test]
fn a_message_hands_over_what_came_before_it_was_sent_to_all_who_receive_it() {
    check(&[], 0, |p| {
        passing(p, |p| p.send(1, "c", 1), |p| p.receive(2, "c", 1).receive(3, "c", 1).read(3, "x", 1));
    });
    check(&[RACE], 0, |p| {
        p.send(1, "c", 1).at(1).write(1, "x", None::<i64>, 1).receive(2, "c", 1).at(2).read(2, "x", 1);
    });
    check(&[RACE], 0, |p| {
        passing(p, |p| p.send(1, "c", 1), |p| p);
        p.receive(2, "c", 1);
    });
}

#[test]
fn a_message_hands_over_nothing_of_others_of_its_channel_or_of_other_channels() {
    // Messages 1 and 2 are of different senders: receiving the second tells nothing of the first, nor the other way.
    for received in [1, 2] {
        let found = [&[][..], &[RACE]][received as usize - 1];
        check(found, 0, |p| {
            passing(p, |p| p.send(1, "c", 1).send(3, "c", 2), |p| p.receive(2, "c", received));
        });
    }
    check(&[RACE], 0, |p| {
        passing(p, |p| p.send(1, "c", 1).send(3, "other", 1), |p| p.receive(2, "other", 1));
    });
}

#[test]
fn a_message_whose_send_is_not_in_the_record_is_a_hole() {
    check(&[DOUBT], 1, |p| {
        passing(p, |p| p.send(3, "c", 1).forget(3), |p| p.receive(2, "c", 1));
    });
    check(&[DOUBT], 1, |p| {
        passing(p, |p| p.send(1, "c", 1).lost(), |p| p.receive(2, "c", 1));
    });
}

#[test]
fn a_barrier_hands_over_from_all_to_all() {
    let meet = |p: &mut Program, generation| {
        (1..4).fold(&mut *p, |p, strand| p.release(strand, "barrier", generation));
        (1..4).fold(p, |p, strand| p.acquire(strand, "barrier", generation));
    };
    check(&[], 0, |p| {
        p.write(1, "x", None::<i64>, 1).write(3, "y", None::<i64>, 1);
        meet(p, 1);
        p.read(2, "x", 1).read(2, "y", 1).read(1, "y", 1);
        meet(p, 2);
        p.write(3, "x", 1, 2);
    });
    check(&["race x 2 3 Confirmed"], 0, |p| {
        p.write(1, "x", None::<i64>, 1);
        meet(p, 1);
        p.at(2).read(2, "x", 1).at(3).write(3, "x", 1, 2);
        meet(p, 2);
    });
}

#[test]
fn a_barrier_waits_for_all_who_share_a_number_though_they_come_late() {
    let mut p = Program::new();
    p.at(1).write(1, "x", None::<i64>, 1).release(1, "barrier", 1).release(2, "barrier", 1);
    p.acquire(2, "barrier", 1).at(2).read(2, "x", 1);
    p.retime(&[900, 901, 1, 2, 3]);
    assert_eq!(p.found(), Vec::<String>::new(), "{}", p.report());
}

#[test]
fn where_anything_is_missing_a_barrier_may_miss_somebody() {
    let program = |p: &mut Program, lost: bool| {
        p.at(1).write(1, "x", None::<i64>, 1).release(2, "barrier", 1);
        p.read(3, "y", 0).read(3, "y", 0);
        if lost {
            p.gone();
        }
        p.read(3, "y", 0).acquire(2, "barrier", 1).at(2).read(2, "x", 1);
    };
    check(&[RACE], 0, |p| program(p, false));
    check(&[DOUBT], 2, |p| program(p, true));
}

#[test]
fn a_once_hands_over_to_all_who_find_it_done() {
    check(&[], 0, |p| {
        passing(p, |p| p.release(1, "once", 1), |p| p.acquire(3, "once", 1).read(3, "x", 1).acquire(2, "once", 1));
    });
    check(&[RACE], 0, |p| {
        passing(p, |p| p.release(1, "once", 1).acquire(3, "once", 1), |p| p);
    });
    check(&[DOUBT], 1, |p| {
        passing(p, |p| p.release(1, "once", 1).lost(), |p| (0..9).fold(p, |p, _| p.acquire(2, "once", 1)));
    });
}

#[test]
fn a_token_hands_over_from_all_who_gave_it_so_far_and_not_from_later_ones() {
    check(&[], 0, |p| {
        passing(p, |p| p.release(1, "token", 1).release(3, "token", 2), |p| p.acquire(2, "token", 2));
    });
    check(&[RACE], 0, |p| {
        p.release(3, "token", 1);
        passing(p, |p| p.release(1, "token", 2), |p| p.acquire(2, "token", 1));
    });
    // Woken without a token.
    check(&[RACE], 0, |p| {
        passing(p, |p| p.release(1, "token", 1), |p| p.acquire(2, "token", 0));
    });
}

#[test]
fn a_number_that_nobody_released_is_a_hole_for_itself_and_all_above_it() {
    let given_by_a_stranger = |p: &mut Program, noticed| {
        p.release(1, "token", 1).at(1).write(1, "x", None::<i64>, 1);
        p.release(3, "token", 2).release(1, "another", 1).release(4, "token", 3).forget(3);
        p.acquire(2, "token", noticed).at(2).read(2, "x", 1);
    };
    check(&[RACE], 0, |p| given_by_a_stranger(p, 1));
    check(&[DOUBT], 1, |p| given_by_a_stranger(p, 2));
    check(&[DOUBT], 1, |p| given_by_a_stranger(p, 3));
    // The next notice misses no more than the last one did: what came in between is certain.
    check(&[RACE], 1, |p| {
        p.release(3, "token", 1).forget(3);
        p.acquire(2, "token", 1).release(4, "token", 2).spawn(2, 1).at(1).write(1, "x", None::<i64>, 1);
        p.acquire(2, "token", 2).at(2).read(2, "x", 1);
    });
}

#[test]
fn messages_and_signals_of_another_run_are_others() {
    use crate::program::remote;
    let mut p = Program::new();
    p.write(1, "shared:x", None::<i64>, 1).send(1, "c", 1).release(1, "token", 1).store(1, "flag", "SeqCst", 1);
    let other = remote(1, 1);
    p.receive(other, "c", 1).acquire(other, "token", 1).read(other, "shared:x", 1);
    let report = p.report();
    assert_eq!(report.summary.holes, 2, "neither has a partner in its own run: {report}");
    assert_eq!(report.findings.len(), 1, "{report}");
}

#[test]
fn what_is_in_doubt_of_who_tells_is_in_doubt_of_who_notices() {
    type Step = fn(&mut Program) -> &mut Program;
    let ways: [(Step, Step); 4] = [
        (|p| p.send(3, "c", 1), |p| p.receive(2, "c", 1)),
        (|p| p.release(3, "token", 1), |p| p.acquire(2, "token", 1)),
        (|p| p.store(3, "flag", "Release", 1), |p| p.load(2, "flag", "Acquire")),
        (|p| p.fence(3, "Release").store(3, "flag", "Relaxed", 1), |p| p.load(2, "flag", "Acquire")),
    ];
    for (tell, notice) in ways {
        // What strand 3 lost may be a lock that strand 1 let go.
        check(&[DOUBT], 1, |p| {
            p.at(1).write(1, "x", None::<i64>, 1).read(3, "y", 0).lock(3, "m").lost();
            tell(p);
            notice(p).at(2).read(2, "x", 1);
        });
        check(&[RACE], 1, |p| {
            p.at(1).write(1, "x", None::<i64>, 1).read(3, "y", 0);
            tell(p).lock(3, "m").lost().read(3, "y", 0);
            notice(p).at(2).read(2, "x", 1);
        });
    }
}

#[test]
fn numbers_left_out_tell_of_strands_that_write_unrecorded_so_values_prove_nothing() {
    type Step = fn(&mut Program, u64) -> &mut Program;
    let ways: [Step; 4] = [
        |p, strand| p.send(strand, "c", strand),
        |p, strand| p.release(strand, "token", strand),
        |p, strand| p.store(strand, "flag", "Release", 1),
        |p, strand| p.update(strand, "flag", "Relaxed", 1),
    ];
    for way in ways {
        let program = |p: &mut Program, left_out: &[u64]| {
            (1..4).fold(&mut *p, |p, strand| way(p, strand)).read(1, "x", 0).read(3, "x", 0);
            p.at(1).write(1, "x", 0, 1).at(2).write(3, "x", 0, 5);
            left_out.iter().for_each(|strand| _ = p.forget(*strand));
        };
        let lost = |left_out: &[u64]| {
            let mut p = Program::new();
            program(&mut p, left_out);
            let found = p.found();
            found.into_iter().find(|found| found.starts_with("lost")).expect("a lost update")
        };
        assert!(lost(&[]).ends_with("Confirmed"), "{}", lost(&[]));
        assert!(lost(&[2]).ends_with("Likely"), "{}", lost(&[2]));
    }
}
