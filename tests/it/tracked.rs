//! `Tracked` values record their own accesses, each as the variable that it is.

use crate::mutex::{in_default_client, turn, with_default_client, without_client};
use crate::support::{LONG, Seen, events};
use serde::Serialize;
use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Barrier, Mutex, RwLock};
use std::thread;
use trackside::{Client, Kind, Kinds, MemoryTransport, Tracked, TrackedMutex};
use trackside_collector::Collector;

fn told(seen: &[Seen]) -> Vec<(Kind, &str, &str)> {
    seen.iter().map(|seen| (seen.kind, seen.a.as_str(), seen.b.as_str())).collect()
}

#[test]
fn each_access_is_told_with_its_values_and_its_place() {
    let mut value = Tracked::named("value", 5);
    let mut lines = Vec::new();
    let seen = in_default_client(|_| {
        let first = line!() + 1;
        assert_eq!((value.get(), *value.read()), (5, 5));
        value.set(-6);
        assert_eq!(value.replace(7), -6);
        assert_eq!(value.take(), 7);
        value.update(|value| *value += 8);
        *value.write() += 1;
        lines.extend([0, 0, 1, 2, 3, 4, 4, 5, 5].map(|line| first + line));
    });
    use Kind::{Read, Write};
    let expected = [
        (Read, "null", "5"),
        (Read, "null", "5"),
        (Write, "null", "-6"),
        (Write, "-6", "7"),
        (Write, "7", "0"),
        (Read, "null", "0"),
        (Write, "0", "8"),
        (Read, "null", "8"),
        (Write, "8", "9"),
    ];
    assert_eq!(told(&seen), expected);
    assert_eq!(seen.iter().map(|seen| seen.line).collect::<Vec<_>>(), lines);
    assert!(seen.iter().all(|seen| seen.name.as_deref() == Some("value") && seen.file == file!()));
    assert_eq!(value.into_inner(), 9);
}

#[test]
fn what_is_untracked_records_nothing() {
    let mut value = Tracked::default();
    let seen = in_default_client(|_| {
        *value.untracked_mut() += 1;
        assert_eq!((*value.untracked(), format!("{value:?}")), (1, "Tracked(1)".into()));
        assert_eq!(Tracked::from(2).into_inner(), 2);
    });
    assert_eq!(seen, []);
    without_client(|| {
        value.set(2);
        assert_eq!((value.get(), value.replace(3), format!("{:?}", value.write())), (2, 2, "3".into()));
    });
}

#[test]
fn those_made_in_one_place_are_variables_of_their_own() {
    let (mut many, made) = ((0..3).map(|_| Tracked::new(0)).collect::<Vec<_>>(), line!());
    let mut renamed: Vec<_> = (0..2).map(|id| Tracked::opaque(id).renamed(format!("accounts.{id}"))).collect();
    let memory = MemoryTransport::new();
    with_default_client(&memory, |client| {
        for round in 0..2 {
            many.iter_mut().for_each(|one| one.set(round));
            renamed.iter_mut().for_each(|one| one.set(round));
            client.flush(LONG).unwrap();
        }
    });
    assert!(memory.batches().len() >= 2);
    let seen = events(&memory);
    let names: Vec<_> = seen.iter().map(|seen| seen.name.as_deref().unwrap()).collect();
    let place = format!("{}:{made}#", file!());
    let numbers: Vec<u64> = names[..3].iter().map(|name| name.strip_prefix(&place).unwrap().parse().unwrap()).collect();
    assert_eq!(BTreeSet::from_iter(&numbers).len(), 3);
    assert_eq!((names[3], names[4]), ("accounts.0", "accounts.1"));
    // Each keeps its name, in the next batch as well.
    assert_eq!(names[..5], names[5..]);
}

#[test]
fn values_are_told_as_far_as_they_can_be() {
    struct Opaque;
    #[derive(Serialize, Default)]
    struct Order {
        id: u64,
        tags: Vec<&'static str>,
    }
    let limit = Tracked::<()>::VALUE_LIMIT;
    let seen = in_default_client(|_| {
        let mut order = Tracked::new(Order::default());
        order.update(|order| order.tags.push("new"));
        Tracked::opaque(Opaque).set(Opaque);
        Tracked::new("x".repeat(limit)).read();
        Tracked::new(Some(0.5)).replace(None);
    });
    let cut = "\"\"…";
    let expected = [
        (Kind::Read, "null", "{\"id\": 0, \"tags\": []}"),
        (Kind::Write, "{\"id\": 0, \"tags\": []}", "{\"id\": 0, \"tags\": [\"new\"]}"),
        (Kind::Write, "null", "null"),
        (Kind::Read, "null", cut),
        (Kind::Write, "0.5", "null"),
    ];
    assert_eq!(told(&seen), expected);
}

#[test]
fn a_guard_tells_a_write_if_there_may_have_been_one_even_if_it_panicked() {
    let mut value = Tracked::new(vec![1]);
    let seen = in_default_client(|_| {
        assert_eq!(value.write().len(), 1);
        let result = catch_unwind(AssertUnwindSafe(|| {
            value.update(|value| {
                value.push(2);
                panic!("in the middle; this is part of a test");
            })
        }));
        assert!(result.is_err());
    });
    let expected = [(Kind::Read, "null", "[1]"), (Kind::Read, "null", "[1]"), (Kind::Write, "[1]", "null")];
    assert_eq!(told(&seen), expected);
    assert_eq!(value.into_inner(), [1, 2]);
}

/// Records, or panics, when it is serialised.
#[derive(Clone, Copy)]
struct Noisy(&'static TrackedMutex<bool>);

impl Serialize for Noisy {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let panics = *self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        assert!(!panics, "not to be serialised; this is part of a test");
        serializer.serialize_u8(7)
    }
}

#[test]
fn a_value_may_record_or_panic_while_it_is_told() {
    static PANICS: TrackedMutex<bool> = TrackedMutex::named("panics", false);
    let mut value = Tracked::new(Noisy(&PANICS));
    let seen = in_default_client(|_| {
        value.read();
        *PANICS.lock().unwrap() = true;
        assert!(catch_unwind(AssertUnwindSafe(|| value.set(Noisy(&PANICS)))).is_err());
        PANICS.clear_poison();
        *PANICS.lock().unwrap() = false;
        value.set(Noisy(&PANICS));
    });
    let accesses: Vec<_> = seen.into_iter().filter(|seen| seen.name.as_deref() != Some("panics")).collect();
    assert_eq!(told(&accesses), [(Kind::Read, "null", "7"), (Kind::Write, "null", "7")]);
}

#[test]
fn kinds_that_are_off_are_not_told() {
    let mut value = Tracked::new(1);
    let seen = in_default_client(|client| {
        client.reconfigure(|settings| settings.kinds = Kinds::ALL.without(Kind::Read)).unwrap();
        value.get();
        value.update(|value| *value += 1);
        client.reconfigure(|settings| settings.kinds = Kinds::only([Kind::Read])).unwrap();
        value.set(3);
        value.replace(4);
        value.update(|value| *value += 1);
    });
    assert_eq!(told(&seen), [(Kind::Write, "1", "2"), (Kind::Read, "null", "4")]);
}

#[test]
fn it_is_shared_as_its_value_is() {
    fn shared<T: Send + Sync>(_: &T) {}
    static BALANCE: Mutex<Tracked<i64>> = Mutex::new(Tracked::new(1));
    static QUEUE: RwLock<Tracked<Vec<u8>>> = RwLock::new(Tracked::named("queue", Vec::new()));
    shared(&BALANCE);
    shared(&Arc::new(Tracked::new("text")));
    without_client(|| {
        QUEUE.write().unwrap().write().push(1);
        assert_eq!((BALANCE.lock().unwrap().get(), QUEUE.read().unwrap().read().len()), (1, 1));
    });
}

/// Two threads add to a balance, all in one section or not; returns what the collector finds.
fn findings(add: impl Fn(&TrackedMutex<Tracked<i64>>, &Barrier) + Sync) -> Vec<String> {
    let _turn = turn();
    let collector = Collector::builder().start().unwrap();
    let client = Client::builder(collector.url()).service("tracked").build().unwrap();
    let (balance, both) = (TrackedMutex::new(Tracked::named("balance", 100)), Barrier::new(2));
    thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| add(&balance, &both));
        }
    });
    let stats = client.shutdown(LONG);
    assert_eq!(stats.lost.total(), 0, "{stats}");
    collector.report().findings.iter().map(|one| format!("{:?} of {}", one.kind, one.variable)).collect()
}

#[test]
fn a_lost_update_is_found_without_a_single_call_of_the_client() {
    let lost = findings(|balance, both| {
        let now = balance.lock().unwrap().get();
        both.wait();
        balance.lock().unwrap().set(now + 10);
    });
    assert_eq!(lost, ["LostUpdate of balance"]);
    let kept = findings(|balance, both| {
        balance.lock().unwrap().get();
        both.wait();
        balance.lock().unwrap().update(|balance| *balance += 10);
    });
    assert!(kept.is_empty(), "{kept:?}");
}
