//! A table may only point to what the batch has; the error names the table that does not.

use crate::amplification::{lane, strand};
use trackside_wire::{Batch, BatchHead, Header, Kinds, Lane, RunId, Site, Strand, write_head};

/// What is wrong with a batch of one string and these tables.
fn problem(sites: &[Site], strands: &[Strand], lanes: &[Lane]) -> Option<&'static str> {
    let header = Header {
        run: RunId::new(1),
        batch: 0,
        service: "",
        instance: "",
        environment: "",
        pid: 0,
        tags: vec![],
        base_unix_ns: 0,
        recorded: 0,
        lost: vec![],
        unsampled: 0,
        off: Kinds::NONE,
    };
    let mut bytes = Vec::new();
    let head = BatchHead { header: &header, strings: &["x"], sites, strands, lanes, events: 0 };
    write_head(&mut bytes, &head);
    Batch::decode(&bytes).err().map(|error| error.problem)
}

#[test]
fn what_a_batch_does_not_have_cannot_be_pointed_to() {
    let site = |file| Site { file, line: 1, column: 1 };
    let named = |name| Strand { name: Some(name), ..strand() };
    let clock = |component| Strand { clock: vec![(0, 1), (component, 1)], ..strand() };
    let of = |strand| Lane { strand, ..lane() };
    let thread = |thread| Lane { thread: Some(thread), ..lane() };
    assert_eq!(problem(&[site(0)], &[named(0), clock(0)], &[of(1), thread(0)]), None);
    let check = |sites: &[Site], strands: &[Strand], lanes: &[Lane], expect: &str| {
        assert_eq!(problem(sites, strands, lanes), Some(expect));
    };
    check(&[site(1)], &[], &[], "a site points to a string that the batch does not have");
    check(&[], &[named(1)], &[], "a strand points to a string that the batch does not have");
    check(&[], &[clock(1)], &[], "a clock points to a string that the batch does not have");
    check(&[], &[], &[of(0)], "a lane points to a strand that the batch does not have");
    check(&[], &[strand()], &[of(0), of(1)], "a lane points to a strand that the batch does not have");
    check(&[], &[strand()], &[thread(1)], "a lane points to a string that the batch does not have");
}
