//! Events recorded from within the recording of another: by a value's `Serialize`, by a `Drop` during a panic. The inner
//! ones are recorded or counted, the outer ones are whole, and nothing waits for itself. Signal handlers and allocators
//! have binaries of their own: tests/signal and tests/allocator.rs.

use crate::mutex::in_default_client;
use crate::support::{LONG, Seen, assert_balanced, client, events};
use serde::ser::{Error, SerializeMap, SerializeSeq, SerializeTuple};
use serde::{Serialize, Serializer};
use std::panic::{AssertUnwindSafe, catch_unwind};
use trackside::{Client, TrackedMutex, Value};
use trackside_wire::Kind;

/// Serialises as whatever the function makes of it.
struct By<F>(F);

impl<F: Fn() -> Made> Serialize for By<F> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match (self.0)() {
            Made::Number(number) => serializer.serialize_u64(number),
            Made::Error => Err(S::Error::custom("no")),
            Made::TooMuch => {
                let mut list = serializer.serialize_seq(Some(1 << 20))?;
                // An implementation that does not care about errors.
                (0..1 << 20).for_each(|number| drop(list.serialize_element(&number)));
                list.end()
            }
            Made::TooFew => {
                let mut pair = serializer.serialize_tuple(2)?;
                pair.serialize_element(&1)?;
                pair.end()
            }
            Made::TooMany => {
                let mut map = serializer.serialize_map(Some(1))?;
                map.serialize_entry("one", &1)?;
                map.serialize_entry("two", &2)?;
                map.end()
            }
            Made::Nested(depth) => Nest(depth).serialize(serializer),
        }
    }
}

enum Made {
    Number(u64),
    Error,
    TooMuch,
    TooFew,
    TooMany,
    Nested(u32),
}

/// A list in a list in a list.
struct Nest(u32);

impl Serialize for Nest {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut list = serializer.serialize_seq(Some(1))?;
        match self.0 {
            0 => list.serialize_element(&0)?,
            depth => list.serialize_element(&Nest(depth - 1))?,
        }
        list.end()
    }
}

fn values(seen: &[Seen]) -> Vec<(&str, &str)> {
    seen.iter().map(|seen| (seen.name.as_deref().unwrap_or(""), seen.a.as_str())).collect()
}

#[test]
fn a_serialize_that_tracks() {
    let (client, memory) = client();
    let (inner, other) = (client.clone(), crate::support::client());
    let value = By(move || {
        inner.track_custom("inner", 1);
        other.0.track_custom("to another client", 2);
        inner.track_custom("inner", Value::of(&[3, 4]));
        Made::Number(5)
    });
    for _ in 0..100 {
        client.track_custom("outer", Value::of(&value));
        client.track_http_request("GET", "/", Value::of(&value), Value::of(&value));
    }
    client.flush(LONG).unwrap();
    assert_eq!((client.stats().recorded, client.stats().lost.total()), (800, 0));
    let seen = events(&memory);
    let inner = [("inner", "1"), ("inner", "[3, 4]")];
    let round = [&inner[..], &[("outer", "5")], &inner, &inner, &[("GET", "\"/\"")]].concat();
    assert_eq!(values(&seen[..8]), round);
    assert_eq!(values(&seen[792..]), round);
}

#[test]
fn a_serialize_that_tracks_itself() {
    #[derive(Clone)]
    struct Deep<'a>(&'a Client, u32);
    impl Serialize for Deep<'_> {
        fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            if let Some(less) = self.1.checked_sub(1) {
                self.0.track_custom("deep", Value::of(&Deep(self.0, less)));
            }
            serializer.serialize_u32(self.1)
        }
    }
    let (client, memory) = client();
    client.track_custom("deep", Value::of(&Deep(&client, 20)));
    client.flush(LONG).unwrap();
    let depths: Vec<_> = events(&memory).into_iter().map(|seen| seen.a).collect();
    assert_eq!(depths, (0..=20).map(|depth| depth.to_string()).collect::<Vec<_>>());
}

#[test]
fn a_serialize_that_flushes_and_shuts_down() {
    let (client, memory) = client();
    let inner = client.clone();
    client.track_custom("first", 0);
    client.track_custom("outer", Value::of(&By(move || Made::Number(u64::from(inner.flush(LONG).is_ok())))));
    let inner = client.clone();
    client.track_custom("late", Value::of(&By(move || Made::Number(inner.shutdown(LONG).delivered))));
    let stats = client.stats();
    assert_eq!((stats.recorded, stats.delivered, stats.lost.after_shutdown), (3, 2, 1), "{stats}");
    assert_eq!(values(&events(&memory)), [("first", "0"), ("outer", "1")]);
}

#[test]
fn a_serialize_that_locks_a_tracked_mutex() {
    static LOCK: TrackedMutex<u64> = TrackedMutex::named("lock", 0);
    let seen = in_default_client(|client| {
        let value = By(|| {
            let mut guard = LOCK.lock().unwrap();
            *guard += 1;
            Made::Number(*guard)
        });
        client.track_custom("outer", Value::of(&value));
        // The value of an event recorded under one lock takes another.
        static OUTER: TrackedMutex<()> = TrackedMutex::named("outer lock", ());
        let guard = OUTER.lock().unwrap();
        client.track_custom("outer", Value::of(&value));
        drop(guard);
    });
    use Kind::{Custom, LockAcquire, LockRelease};
    let kinds: Vec<_> = seen.iter().map(|seen| seen.kind).collect();
    let one = [LockAcquire, LockRelease, Custom];
    assert_eq!(kinds, [&one[..], &[LockAcquire], &one, &[LockRelease]].concat());
    assert_eq!([&seen[2].a, &seen[6].a], ["1", "2"]);
}

#[test]
fn a_serialize_that_panics_records_nothing_and_breaks_nothing() {
    let (client, memory) = client();
    let bad = By(|| panic!("a Serialize that panics; this is part of a test"));
    for number in 0..10 {
        let result = catch_unwind(AssertUnwindSafe(|| client.track_custom("bad", Value::of(&bad))));
        assert!(result.is_err());
        let result = catch_unwind(AssertUnwindSafe(|| client.track_http_request("GET", "/", 1, Value::of(&bad))));
        assert!(result.is_err());
        client.track_custom("good", number);
    }
    client.flush(LONG).unwrap();
    assert_eq!((client.stats().recorded, client.stats().delivered), (10, 10));
    assert!(events(&memory).iter().all(|seen| seen.name.as_deref() == Some("good")));
}

#[test]
fn what_no_single_value_can_be_made_of_is_left_out() {
    let (client, memory) = client();
    let makers: [fn() -> Made; 5] =
        [|| Made::Error, || Made::TooMuch, || Made::TooFew, || Made::TooMany, || Made::Nested(100)];
    for maker in makers {
        client.track_custom("alone", Value::of(&By(maker)));
        client.track_custom("good", 1);
        client.track_http_request("part", "/", Value::of(&By(maker)), 2);
    }
    client.flush(LONG).unwrap();
    let stats = client.stats();
    assert_eq!((stats.delivered, stats.truncated), (15, 10), "{stats}");
    let seen = events(&memory);
    for round in seen.chunks(3) {
        let [alone, good, part] = round else { panic!("three events a round") };
        assert_eq!((alone.a.as_str(), good.a.as_str(), part.b.as_str()), ("\"\"…", "1", "[\"\"…, 2]"));
    }
}

#[test]
fn a_drop_that_tracks_during_a_panic() {
    struct Tracks<'a>(&'a Client);
    impl Drop for Tracks<'_> {
        fn drop(&mut self) {
            assert!(std::thread::panicking());
            self.0.track_custom("dropped", Value::of(&("in", "a panic")));
        }
    }
    let (client, memory) = client();
    let result = catch_unwind(AssertUnwindSafe(|| {
        let _tracks = Tracks(&client);
        let _function = client.start_function("fails", 1);
        let task = client.track_async_spawn("task");
        let _task = client.enter(task);
        client.track_custom("before", Value::of(&By(|| panic!("this is part of a test"))));
    }));
    assert!(result.is_err());
    client.flush(LONG).unwrap();
    let kinds: Vec<_> = events(&memory).iter().map(|seen| seen.kind).collect();
    use Kind::{AsyncSpawn, Custom, FunctionCall, FunctionReturn, TaskBegin, TaskEnd};
    assert_eq!(kinds, [FunctionCall, AsyncSpawn, TaskBegin, TaskEnd, FunctionReturn, Custom]);
    assert_balanced(&client.stats());
}

#[test]
fn a_panicking_thread_closes_its_ring() {
    let (client, memory) = client();
    for number in 0..20 {
        let client = client.clone();
        let thread = std::thread::spawn(move || {
            client.track_custom("last words", number);
            panic!("a thread that panics; this is part of a test");
        });
        assert!(thread.join().is_err());
        // The ring of one is free for the next.
    }
    client.flush(LONG).unwrap();
    assert_eq!(events(&memory).len(), 20);
    assert!(client.stats().rings < 20, "{:?}", client.stats());
}
