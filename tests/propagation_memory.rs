//! The promise of `propagation`: whatever headers come in, reading them takes little memory and time. A global allocator
//! keeps each thread's peak.

#![expect(unsafe_code, reason = "a global allocator cannot be written without")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::hint::black_box;
use std::time::{Duration, Instant};
use trackside::propagation::{RACEWAY_CLOCK, Received, TRACEPARENT, TRACESTATE};

struct Counting;

thread_local! {
    // No destructor and no lazy initialisation, so that the allocator itself may use it at any time.
    static IN_USE: Cell<isize> = const { Cell::new(0) };
    static PEAK: Cell<isize> = const { Cell::new(0) };
}

fn note(bytes: isize) {
    let now = IN_USE.get() + bytes;
    IN_USE.set(now);
    PEAK.set(PEAK.get().max(now));
}

// SAFETY: every call is passed on to the system's allocator unchanged; the counting does not allocate. What is not
// written here allocates through these.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        note(layout.size() as isize);
        // SAFETY: the caller keeps the contract of this very method.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        note(-(layout.size() as isize));
        // SAFETY: the caller keeps the contract of this very method.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// The most that `work` has in use at any moment, beyond what was in use before.
fn peak_of(work: impl FnOnce()) -> isize {
    let before = IN_USE.get();
    PEAK.set(before);
    work();
    PEAK.get() - before
}

const MOST: isize = 64 << 10;
/// The promise, for an optimised build.
const LONGEST: Duration = Duration::from_millis(if cfg!(debug_assertions) { 10 } else { 1 });
const TRIES: usize = 100;
const MIB: usize = 1 << 20;

#[track_caller]
fn check(what: &str, headers: &[(&str, String)]) -> Received {
    let mut received = Received::default();
    let peak = peak_of(|| received = black_box(Received::parse(black_box(headers))));
    assert!(peak <= MOST, "{what}: {peak} bytes");
    let took = shortest(|| drop(black_box(Received::parse(black_box(headers)))));
    assert!(took < LONGEST, "{what}: {took:?}");
    received
}

/// How long `work` takes when nothing gets in its way: the shortest of some tries, the first that is short enough.
fn shortest(mut work: impl FnMut()) -> Duration {
    let mut shortest = Duration::MAX;
    for _ in 0..TRIES {
        let began = Instant::now();
        work();
        shortest = shortest.min(began.elapsed());
        if shortest < LONGEST {
            break;
        }
    }
    shortest
}

fn base64(text: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let mut out = String::new();
    for three in text.chunks(3) {
        let bits = three.iter().chain(&[0; 2]).take(3).fold(0_usize, |bits, byte| bits << 8 | usize::from(*byte));
        for digit in 0..=three.len() {
            out.push(char::from(DIGITS[bits >> (18 - 6 * digit) & 63]));
        }
    }
    out
}

/// A `raceway-clock` of about this length, made of `piece` over and over between two ends.
fn clock_header(len: usize, before: &str, piece: &str, after: &str) -> String {
    let pieces = (len * 3 / 4).saturating_sub(8 + before.len() + after.len()) / piece.len();
    format!("v1;{}", base64(format!("{before}{}{after}", piece.repeat(pieces)).as_bytes()))
}

#[test]
fn the_counter_sees_what_it_should() {
    assert_eq!(peak_of(|| {}), 0);
    let peak = peak_of(|| {
        drop(black_box(vec![0_u8; 1000]));
        drop(black_box(vec![0_u8; 500]));
    });
    assert_eq!(peak, 1000);
    assert!(peak_of(|| drop(black_box(vec![0_u8; MIB]))) > MOST);
}

#[test]
fn hostile_clocks() {
    // Of the length at which a header is still read, and of one at which it is not.
    for len in [8 << 10, MIB] {
        for (what, before, piece, after) in [
            ("nested lists", "{\"clock\":", "[", ""),
            ("nested objects", "", "{\"clock\":", ""),
            ("nested and ignored", "{\"x\":", "[", ""),
            ("many numbers", "{\"clock\":[0", ",0", "]}"),
            ("many empty entries", "{\"clock\":[[]", ",[]", "]}"),
            ("one component, often", "{\"clock\":[[\"a\",1]", ",[\"a\",2]", "]}"),
            ("many clocks", "{\"clock\":[]", ",\"clock\":[[\"a\",1]]", "}"),
            ("a long name", "{\"clock\":[[\"", "a", "\",1]]}"),
            ("a long name, escaped", "{\"clock\":[[\"", "\\u0061", "\",1]]}"),
            ("a long id, escaped", "{\"trace_id\":\"", "\\n", "\"}"),
            ("a long key, escaped", "{\"", "\\u0061", "\":1}"),
            ("a long number", "{\"clock\":[[\"a\",1", "0", "]]}"),
            ("many keys", "{\"a\":1", ",\"a\":1", "}"),
            ("no JSON", "", "\0", ""),
        ] {
            let header = clock_header(len, before, piece, after);
            assert!(header.len() > len - 64 && header.len() <= len, "{what}: {}", header.len());
            check(what, &[(RACEWAY_CLOCK, header)]);
        }
    }
    let entries: String = (0..100_000).map(|number| format!(",[\"c{number}\",1]")).collect();
    for (entries, components) in [(&entries[..], 0), (&entries[..5998], 63)] {
        let json = format!("{{\"clock\":[[\"c\",1]{}]}}", &entries[..entries.rfind(",[").unwrap_or(0)]);
        let received = check("many components", &[(RACEWAY_CLOCK, format!("v1;{}", base64(json.as_bytes())))]);
        assert_eq!(received.clock.len(), components);
    }
}

#[test]
fn hostile_others() {
    for (what, piece) in [("hyphens", "-"), ("zeros", "0"), ("commas", ","), ("members", "a=b,"), ("base64", "YWFh")] {
        for len in [8 << 10, MIB] {
            let value = piece.repeat(len / piece.len());
            for name in [TRACEPARENT, TRACESTATE, RACEWAY_CLOCK] {
                check(what, &[(name, value.clone())]);
            }
            check("base64 of nothing", &[(RACEWAY_CLOCK, format!("v1;{}", &value[3..]))]);
        }
        for name in [TRACEPARENT, TRACESTATE, RACEWAY_CLOCK] {
            let headers: Vec<_> = (0..100).map(|_| (name, piece.repeat((8 << 10) / piece.len()))).collect();
            check("long headers, often", &headers);
            let headers: Vec<_> = (0..100_000).map(|_| (name, piece.to_owned())).collect();
            check("short headers, often", &headers);
        }
    }
}
