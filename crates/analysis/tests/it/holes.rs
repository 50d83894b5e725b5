//! Records with holes: what is missing, and what can be said nevertheless.
use crate::program::Program;

#[track_caller]
fn check(expect: &[&str], holes: u64, write_down: impl FnOnce(&mut Program)) {
    let mut program = Program::new();
    write_down(&mut program);
    assert_eq!(program.found(), expect, "{}", program.report());
    assert_eq!(program.report().summary.holes, holes, "{}", program.report());
}
