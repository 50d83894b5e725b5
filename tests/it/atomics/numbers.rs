//! What the record says of tracked atomics.

use crate::mutex::{in_default_client, with_default_client, without_client};
use crate::support::{LONG, Seen, events};
use std::collections::BTreeMap;
use std::thread;
use trackside::sync::atomic::Ordering::{AcqRel, Acquire, Relaxed, Release, SeqCst};
use trackside::sync::atomic::{AtomicBool, AtomicI64, AtomicPtr, AtomicU64, AtomicUsize, fence};
use trackside::{Client, Kind, Kinds, MemoryTransport};

/// Of each event: its kind and its second value, which has the number.
fn told(seen: &[Seen]) -> Vec<(Kind, &str)> {
    seen.iter().map(|seen| (seen.kind, seen.b.as_str())).collect()
}

/// The numbers in `[1, "Relaxed", 2, 3]`.
fn parts(seen: &Seen) -> Vec<u64> {
    let inner = seen.b.trim_start_matches('[').trim_end_matches(']');
    inner.split(", ").filter(|part| !part.starts_with('"')).map(|part| part.parse().unwrap()).collect()
}

#[test]
fn each_operation_is_told_with_its_number_its_ordering_and_its_values() {
    let atomic = AtomicI64::named("balance", 5);
    let seen = in_default_client(|_| {
        assert_eq!(atomic.load(Acquire), 5);
        atomic.store(-7, Release);
        assert_eq!(atomic.load(SeqCst), -7);
        assert_eq!(atomic.fetch_add(1, AcqRel), -7);
        assert_eq!(atomic.compare_exchange(-6, i64::MIN, SeqCst, Relaxed), Ok(-6));
        assert_eq!(atomic.compare_exchange(1, 2, SeqCst, Acquire), Err(i64::MIN));
        assert_eq!(atomic.fetch_update(Release, Relaxed, |old| Some(!old)), Ok(i64::MIN));
        assert_eq!(atomic.swap(i64::MAX, Acquire), i64::MAX);
        assert_eq!(atomic.fetch_update(Release, SeqCst, |_| None), Err(i64::MAX));
    });
    use Kind::{AtomicLoad, AtomicStore, AtomicUpdate};
    let (min, max) = (i64::MIN, i64::MAX);
    let expected = [
        (AtomicLoad, "[0, \"Acquire\", 5]".into()),
        (AtomicStore, "[1, \"Release\", -7]".into()),
        (AtomicLoad, "[1, \"SeqCst\", -7]".into()),
        (AtomicUpdate, "[2, \"AcqRel\", -7, -6]".into()),
        (AtomicUpdate, format!("[3, \"SeqCst\", -6, {min}]")),
        (AtomicLoad, format!("[3, \"Acquire\", {min}]")),
        (AtomicLoad, format!("[3, \"Relaxed\", {min}]")),
        (AtomicUpdate, format!("[4, \"Release\", {min}, {max}]")),
        (AtomicUpdate, format!("[5, \"Acquire\", {max}, {max}]")),
        (AtomicLoad, format!("[5, \"SeqCst\", {max}]")),
    ];
    let expected: Vec<_> = expected.iter().map(|(kind, text): &(Kind, String)| (*kind, text.as_str())).collect();
    assert_eq!(told(&seen), expected);
    assert!(seen.iter().all(|one| one.name.as_deref() == Some("balance") && one.a == seen[0].a));
}

#[test]
fn what_becomes_of_a_value_is_told_as_it_is() {
    let (byte, flag) = (trackside::sync::atomic::AtomicU8::new(5), AtomicBool::new(true));
    let (pointer, wide) = (AtomicPtr::<u8>::default(), AtomicPtr::<u32>::default());
    let seen = in_default_client(|_| {
        byte.fetch_add(255, Relaxed);
        byte.fetch_sub(5, Relaxed);
        byte.fetch_and(0b1010, Relaxed);
        byte.fetch_nand(0b0110, Relaxed);
        byte.fetch_or(0b0111, Relaxed);
        byte.fetch_xor(0b1111, Relaxed);
        byte.fetch_max(250, Relaxed);
        byte.fetch_min(3, Relaxed);
        flag.fetch_nand(true, Relaxed);
        flag.fetch_or(true, Relaxed);
        flag.fetch_xor(true, Relaxed);
        flag.fetch_not(Relaxed);
        flag.fetch_and(false, Relaxed);
        pointer.store(std::ptr::without_provenance_mut(0x1000), Relaxed);
        pointer.swap(std::ptr::null_mut(), Relaxed);
        wide.fetch_ptr_add(3, Relaxed);
        wide.fetch_ptr_sub(4, Relaxed);
        wide.fetch_byte_add(9, Relaxed);
        wide.fetch_byte_sub(2, Relaxed);
        wide.fetch_or(8, Relaxed);
        wide.fetch_and(!2, Relaxed);
        wide.fetch_xor(4, Relaxed);
    });
    let values: Vec<_> = seen.iter().map(|seen| seen.b.split_once("\"Relaxed\", ").unwrap().1).collect();
    let bytes = ["5, 4]", "4, 255]", "255, 10]", "10, 253]", "253, 255]", "255, 240]", "240, 250]", "250, 3]"];
    let flags = ["true, false]", "false, true]", "true, false]", "false, true]", "true, false]"];
    let end = u64::MAX - 3;
    let first = ["0, 12]".to_owned(), format!("12, {end}]"), format!("{end}, 5]")];
    let first = first.each_ref().map(String::as_str);
    let pointers = [&["4096]", "4096, 0]"][..], &first, &["5, 3]", "3, 11]", "11, 9]", "9, 13]"]].concat();
    assert_eq!(values, [&bytes[..], &flags, &pointers].concat());
}

#[test]
fn names_and_places_are_told() {
    static NAMED: AtomicU64 = AtomicU64::named("named", 0);
    let unnamed = AtomicUsize::new(0);
    let made = line!() - 1;
    let mut lines = Vec::new();
    let seen = in_default_client(|_| {
        NAMED.store(1, Relaxed);
        _ = unnamed.fetch_update(Relaxed, Relaxed, |old| Some(old + 1));
        fence(SeqCst);
        lines.extend([line!() - 3, line!() - 2, line!() - 2, line!() - 1]);
    });
    let place = format!("{}:{made}", file!());
    let names: Vec<_> = seen.iter().map(|seen| seen.name.as_deref()).collect();
    assert_eq!(names, [Some("named"), Some(&place), Some(&place), None]);
    assert_eq!(seen.iter().map(|seen| seen.line).collect::<Vec<_>>(), lines);
    assert!(seen.iter().all(|seen| seen.file == file!()));
    assert_eq!((seen[3].kind, seen[3].a.as_str(), seen[3].b.as_str()), (Kind::MemoryFence, "\"SeqCst\"", "null"));
    assert_ne!(seen[0].a, seen[1].a);
}

#[test]
fn numbers_are_the_modification_order_whoever_contends() {
    const THREADS: u64 = 8;
    const EACH: u64 = 300;
    let atomic = AtomicU64::named("contended", 0);
    let seen = in_default_client(|_| {
        thread::scope(|scope| {
            for thread in 1..=THREADS {
                let atomic = &atomic;
                scope.spawn(move || {
                    for number in 0..EACH {
                        // Every value is written once.
                        let value = thread << 32 | number;
                        match (thread + number) % 3 {
                            0 => atomic.store(value, Release),
                            1 => _ = atomic.swap(value, AcqRel),
                            _ => _ = atomic.compare_exchange(atomic.load(Relaxed), value, AcqRel, Acquire),
                        }
                        atomic.load(Acquire);
                    }
                });
            }
        });
    });
    let mut written = BTreeMap::from([(0, 0)]);
    for one in seen.iter().filter(|one| one.kind != Kind::AtomicLoad) {
        let parts = parts(one);
        assert_eq!(written.insert(parts[0], parts[parts.len() - 1]), None, "a number that two writes have");
    }
    assert!(written.keys().copied().eq(0..written.len() as u64), "a number that no write has");
    let mut loads = 0;
    for one in &seen {
        let parts = parts(one);
        match one.kind {
            Kind::AtomicLoad => assert_eq!(parts[1], written[&parts[0]], "{one:?}"),
            Kind::AtomicUpdate => assert_eq!(parts[1], written[&(parts[0] - 1)], "{one:?}"),
            _ => assert_eq!(one.kind, Kind::AtomicStore),
        }
        loads += u64::from(one.kind == Kind::AtomicLoad);
    }
    assert!(loads >= THREADS * EACH);
    assert_eq!(atomic.into_inner(), *written.last_key_value().unwrap().1);
}

#[test]
fn a_kind_that_is_off_still_takes_its_numbers() {
    let atomic = AtomicU64::named("counter", 0);
    let seen = in_default_client(|client| {
        let only = |kinds: Kinds| client.reconfigure(|settings| settings.kinds = kinds).unwrap();
        only(Kinds::ALL.without(Kind::AtomicStore).without(Kind::LockAcquire));
        atomic.store(1, Relaxed);
        atomic.load(Relaxed);
        only(Kinds::ALL.without(Kind::AtomicUpdate));
        atomic.swap(2, Relaxed);
        _ = atomic.compare_exchange(2, 3, Relaxed, Relaxed);
        _ = atomic.compare_exchange(2, 3, Relaxed, Relaxed);
        only(Kinds::ALL.without(Kind::AtomicLoad).without(Kind::MemoryFence));
        atomic.load(Relaxed);
        fence(SeqCst);
        _ = atomic.compare_exchange(2, 3, Relaxed, Relaxed);
        atomic.fetch_add(1, Relaxed);
        // Nothing but what is not recorded here.
        only(Kinds::only([Kind::Error]));
        atomic.store(5, Relaxed);
        only(Kinds::ALL);
        atomic.load(Relaxed);
    });
    use Kind::{AtomicLoad, AtomicUpdate};
    let expected = [
        (AtomicLoad, "[1, \"Relaxed\", 1]"),
        (AtomicLoad, "[3, \"Relaxed\", 3]"),
        (AtomicUpdate, "[4, \"Relaxed\", 3, 4]"),
        (AtomicLoad, "[5, \"Relaxed\", 5]"),
    ];
    assert_eq!(told(&seen), expected);
    assert!(seen.iter().all(|one| one.a == seen[0].a));
}

#[test]
fn what_was_written_while_nobody_recorded_is_not_taken_for_what_was_written_before() {
    let atomic = AtomicU64::named("switched", 0);
    let seen = in_default_client(|client| {
        let switch = |on| client.reconfigure(|settings| settings.enabled = on).unwrap();
        atomic.store(1, Release);
        switch(false);
        atomic.store(2, Release);
        switch(true);
        atomic.load(Acquire);
        atomic.swap(3, AcqRel);
    });
    let expected = [
        (Kind::AtomicStore, "[1, \"Release\", 1]"),
        (Kind::AtomicLoad, "[0, \"Acquire\", 2]"),
        (Kind::AtomicUpdate, "[1, \"AcqRel\", 2, 3]"),
    ];
    assert_eq!(told(&seen), expected);
    let [before, after, after_too] = [0, 1, 2].map(|at: usize| seen[at].a.parse::<u64>().unwrap());
    assert!(before < after && after == after_too);
}

#[test]
fn a_new_client_counts_from_the_value_that_it_finds() {
    let atomic = AtomicU64::named("shared", 0);
    without_client(|| atomic.store(7, Relaxed));
    for old in [7, 8] {
        let seen = in_default_client(|_| _ = atomic.fetch_add(1, Relaxed));
        assert_eq!(told(&seen), [(Kind::AtomicUpdate, format!("[1, \"Relaxed\", {old}, {}]", old + 1).as_str())]);
    }
    // One after the other, and the first one still there: the later one has it.
    let memory = MemoryTransport::new();
    with_default_client(&memory, |first| {
        let later = MemoryTransport::new();
        atomic.store(10, Relaxed);
        let client = Client::builder_to(later.clone()).build().unwrap();
        atomic.load(Relaxed);
        client.shutdown(LONG);
        // The default is gone, and nobody is in its place.
        atomic.store(11, Relaxed);
        assert_eq!(told(&events(&later)), [(Kind::AtomicLoad, "[0, \"Relaxed\", 10]")]);
        first.flush(LONG).unwrap();
    });
    assert_eq!(told(&events(&memory)), [(Kind::AtomicStore, "[1, \"Relaxed\", 10]")]);
}

#[test]
fn what_is_done_in_a_context_that_is_not_sampled_takes_a_number_and_no_more() {
    let atomic = AtomicU64::named("sampled", 0);
    let seen = in_default_client(|client| {
        let headers = [("traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00")];
        let attached = client.extract(&headers).attach();
        atomic.store(1, Relaxed);
        atomic.load(Relaxed);
        drop(attached);
        atomic.load(Relaxed);
    });
    assert_eq!(told(&seen), [(Kind::AtomicLoad, "[1, \"Relaxed\", 1]")]);
}
