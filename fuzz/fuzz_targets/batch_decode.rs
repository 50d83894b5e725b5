//! Bytes from outside, as the collector and `trackside check FILE` read them: whatever they are, the reader answers or
//! refuses. What it accepts can be walked, cut in two and written again, and stays the same.
//!
//! A longer run, with what it learns kept in `corpus/batch_decode`:
//! `cargo +nightly fuzz run batch_decode -- -max_total_time=3600 -max_len=65536`.
//! A finding is written to `artifacts/batch_decode`; run it again with `cargo +nightly fuzz run batch_decode FILE`,
//! make it small with `cargo +nightly fuzz tmin batch_decode FILE`, and add it to the tests of crates/wire.

#![no_main]

use libfuzzer_sys::fuzz_target;
use std::collections::HashSet;
use trackside_wire::{Ack, Batch, BatchHead, Event, FileBatches, Raw, write_head};

fuzz_target!(|bytes: &[u8]| {
    if let Ok(batch) = Batch::decode(bytes) {
        walk(&batch);
        cut_in_two(&batch);
        write_again(&batch);
    }
    if let Ok(ack) = Ack::decode(bytes) {
        let written = ack.encode();
        assert!(written.len() <= Ack::MAX_LEN);
        assert_eq!(Ack::decode(&written), Ok(ack));
    }
    if let Ok(raw) = Raw::new(bytes) {
        look_at(raw);
    }
    if let Ok(batches) = FileBatches::new(bytes) {
        batches.for_each(|batch| match batch {
            Ok(batch) => walk(&batch),
            Err(error) => drop(error.to_string()),
        });
    }
});

/// Everything that a reader of a batch could trip over.
fn walk(batch: &Batch<'_>) {
    assert_eq!(batch.events().len(), batch.len());
    assert_eq!(batch.events().count(), batch.len());
    for event in batch.events() {
        assert!(batch.lanes.get(event.lane as usize).is_some(), "an event without a lane");
        assert!(event.site.is_none_or(|site| batch.sites.get(site as usize).is_some()), "an event without its site");
        assert!(event.name.is_none_or(|name| batch.strings.get(name as usize).is_some()), "an event without its name");
        assert_eq!(event.id.to_string().len(), 36);
        look_at(event.a);
        look_at(event.b);
    }
    let string = |index: u32| batch.strings.get(index as usize).is_some();
    for lane in &batch.lanes {
        assert!(batch.strands.get(lane.strand as usize).is_some(), "a lane without its strand");
        assert!(lane.thread.is_none_or(string), "a lane without its thread's name");
    }
    for strand in &batch.strands {
        assert!(strand.name.is_none_or(string), "a strand without its name");
        assert!(strand.clock.iter().all(|(component, _)| string(*component)), "a clock without a component's name");
    }
    for site in &batch.sites {
        assert!(batch.strings.get(site.file as usize).is_some(), "a site without its file");
    }
}

/// A value is shown, decoded and taken apart, all the way down.
fn look_at(raw: Raw<'_>) {
    let _ = (raw.to_string(), raw.value(), raw.as_u64(), raw.as_str());
    raw.elements().for_each(look_at);
}

/// The two halves hold the same events, with the same ids and steps.
fn cut_in_two(batch: &Batch<'_>) {
    let middle = batch.len() / 2;
    let halves = [batch.slice(0..middle, 1), batch.slice(middle..usize::MAX, 2)];
    let [left, right] = halves.each_ref().map(|half| Batch::decode(half).expect("a half of a batch is a batch"));
    assert_eq!((left.len(), right.len()), (middle, batch.len() - middle));
    assert!(left.strands == batch.strands && right.strands == batch.strands, "the halves differ in their strands");
    // A loss, and what a lane comes after, are told once: by the half with the event behind it.
    let used: HashSet<u32> = batch.events().map(|event| event.lane).collect();
    for (at, lane) in batch.lanes.iter().enumerate() {
        let halves = [&left, &right].map(|half| half.lanes.get(at).expect("the tables are whole"));
        let (told, after) = (halves.map(|lane| lane.lost_before), halves.map(|lane| &lane.after[..]).concat());
        let is_used = used.contains(&(at as u32));
        assert_eq!(after, if is_used { &lane.after[..] } else { &[] });
        let expected = if is_used { lane.lost_before } else { 0 };
        assert!(told == [expected, 0] || told == [0, expected], "a loss of {expected} is told as {told:?}");
    }
    assert!(left.events().chain(right.events()).eq(batch.events()), "the halves differ from the whole");
}

/// What is written from what was read reads the same.
fn write_again(batch: &Batch<'_>) {
    let mut written = Vec::new();
    let Batch { header, strings, sites, strands, lanes, .. } = batch;
    write_head(&mut written, &BatchHead { header, strings, sites, strands, lanes, events: 0 });
    let again = Batch::decode(&written).expect("what was written can be read");
    assert_eq!((&again.header, &again.strings), (header, strings));
    assert_eq!((&again.sites, &again.strands, &again.lanes), (sites, strands, lanes));
    let events: Vec<Event<'_>> = again.events().collect();
    assert!(events.is_empty());
}
