//! The numbers of an atomic's writes. The value is operated on relaxed throughout, so whatever order there is comes from
//! the numbers' own protocol.

use crate::model::Model;
use crate::ring::sync::{Arc, AtomicU64, Ordering};
use crate::ring::version::{Place, Stripe, Terms, Version, Writes};
use loom::thread;

/// An atomic and its numbers.
#[derive(Debug)]
struct Numbered {
    stripe: Stripe,
    version: Version,
    value: AtomicU64,
}

/// What an operation found out: the value that it read, the one that it wrote, and its place.
#[derive(Debug, Clone, Copy)]
struct Done {
    read: Option<u64>,
    wrote: Option<u64>,
    place: Option<Place>,
}

/// A handler has no patience, and others have more than they need.
const NO_PATIENCE: u32 = 0;
const PATIENCE: u32 = u32::MAX;

fn terms(period: u64, patience: u32) -> Terms {
    // Ids need only grow from one period to the next here, and each period begins once.
    let new_id = match period {
        0 => || 0,
        10 => || 11,
        _ => || 21,
    };
    Terms { period, patience, new_id }
}

impl Numbered {
    fn new() -> Arc<Self> {
        let word = || AtomicU64::new(0);
        Arc::new(Self { stripe: Stripe::new(word()), version: Version::new(word(), word(), word()), value: word() })
    }

    fn swap(&self, value: u64, terms: Terms) -> Done {
        let (read, place) = self.operate(terms, Writes::Always, || (self.value.swap(value, Ordering::Relaxed), true));
        Done { read: Some(read), wrote: Some(value), place }
    }

    fn store(&self, value: u64, terms: Terms) -> Done {
        let ((), place) = self.operate(terms, Writes::Always, || (self.value.store(value, Ordering::Relaxed), true));
        Done { read: None, wrote: Some(value), place }
    }

    /// Writes only over `from`.
    fn exchange(&self, from: u64, to: u64, terms: Terms) -> Done {
        let (result, place) = self.operate(terms, Writes::Perhaps, || {
            let result = self.value.compare_exchange(from, to, Ordering::Relaxed, Ordering::Relaxed);
            (result, result.is_ok())
        });
        Done { read: Some(result.unwrap_or_else(|found| found)), wrote: result.ok().map(|_| to), place }
    }

    fn operate<R>(&self, terms: Terms, writes: Writes, operation: impl FnOnce() -> (R, bool)) -> (R, Option<Place>) {
        self.version.operate(&self.stripe, terms, writes, operation)
    }

    /// A load that takes the lock.
    fn load_locked(&self, terms: Terms) -> Done {
        let (read, place) = self.operate(terms, Writes::Never, || (self.value.load(Ordering::Relaxed), false));
        Done { read: Some(read), wrote: None, place }
    }

    /// A load that looks before and after; nothing, where that did not help.
    fn glance(&self, period: u64) -> Option<Done> {
        let (read, place) = self.version.glance(&self.stripe, period, || self.value.load(Ordering::Relaxed))?;
        Some(Done { read: Some(read), wrote: None, place: Some(place) })
    }
}

/// Asserts that no number belongs to two writes, that each load with a number read the value of that number's write, and
/// each update the value of the number before its own. A number whose write is in no record stands for none of those that
/// are; number 0 is the value at the beginning. All writes have values of their own.
fn check(all: &[Done]) {
    let write_of = |place: Place| {
        let mut writes = all.iter().filter(|done| done.wrote.is_some() && done.place == Some(place));
        let write = writes.next().and_then(|done| done.wrote);
        assert_eq!(writes.count(), 0, "a number that two writes have: {all:?}");
        write
    };
    for done in all {
        let (Some(read), Some(place)) = (done.read, done.place) else { continue };
        let from = Place { number: place.number - u64::from(done.wrote.is_some()), ..place };
        if let Some(written) = write_of(from) {
            assert_eq!(written, read, "read from another write than {from:?}: {all:?}");
        } else if from == (Place { id: 0, number: 0 }) {
            assert_eq!(read, 0, "not the first value: {all:?}");
        } else if from.id == 0 {
            let known = all.iter().any(|done| done.wrote == Some(read) && done.place.is_some());
            assert!(!known && read != 0, "older than {from:?}: {all:?}");
        }
    }
}

/// As [`check`], where everything has a place, of one id: then no number is missing either.
fn check_complete(all: &[Done]) {
    check(all);
    let mut numbers: Vec<_> = all.iter().filter(|done| done.wrote.is_some()).map(|done| done.place).collect();
    numbers.sort_by_key(|place| place.map(|place| place.number));
    let dense = (1..=numbers.len() as u64).map(|number| Some(Place { id: 0, number }));
    assert!(numbers.iter().copied().eq(dense), "{all:?}");
    assert!(all.iter().all(|done| done.place.is_some()), "{all:?}");
}

pub(super) const WRITES: Model = Model {
    name: "version_writes",
    promise: "two writers' numbers are the modification order, and a load that takes the lock reads the last of them",
    floor: 20,
    preemptions: 3,
    body: || {
        let atomic = Numbered::new();
        let theirs = atomic.clone();
        let writing =
            thread::spawn(move || vec![theirs.swap(1, terms(0, PATIENCE)), theirs.store(2, terms(0, PATIENCE))]);
        let mut all = vec![atomic.swap(3, terms(0, PATIENCE)), atomic.load_locked(terms(0, PATIENCE))];
        all.extend(writing.join().expect("the writer holds"));
        all.push(atomic.load_locked(terms(0, PATIENCE)));
        check_complete(&all);
    },
};

pub(super) const LOADS: Model = Model {
    name: "version_loads",
    promise: "a load without the lock has the number of the write that it read, though another comes in between",
    floor: 1500,
    preemptions: 3,
    body: || {
        let atomic = Numbered::new();
        let theirs = atomic.clone();
        let writing =
            thread::spawn(move || vec![theirs.store(1, terms(0, PATIENCE)), theirs.swap(2, terms(0, PATIENCE))]);
        let mut all: Vec<_> = (0..2).filter_map(|_| atomic.glance(0)).collect();
        all.extend(writing.join().expect("the writer holds"));
        check_complete(&all);
    },
};

pub(super) const EXCHANGES: Model = Model {
    name: "version_exchanges",
    promise: "an exchange that fails takes no number, and nobody is told the one that it had for a while",
    floor: 1000,
    preemptions: 3,
    body: || {
        let atomic = Numbered::new();
        let theirs = atomic.clone();
        let writing = thread::spawn(move || {
            let failed = theirs.exchange(7, 8, terms(0, PATIENCE));
            vec![failed, theirs.exchange(0, 1, terms(0, PATIENCE)), theirs.exchange(7, 8, terms(0, PATIENCE))]
        });
        let mut all: Vec<_> = (0..2).filter_map(|_| atomic.glance(0)).collect();
        all.extend(writing.join().expect("the writer holds"));
        all.extend(atomic.glance(0));
        check_complete(&all);
    },
};

pub(super) const STRAYS: Model = Model {
    name: "version_strays",
    promise: "who operates without the lock, and who cannot tell whether he came before, leave holes and no wrong numbers",
    floor: 25_000,
    preemptions: 3,
    body: || {
        let atomic = Numbered::new();
        let [one, other] = [atomic.clone(), atomic.clone()];
        let straying = thread::spawn(move || other.swap(1, terms(0, NO_PATIENCE)));
        let looking = thread::spawn(move || {
            let load = one.glance(0);
            load.into_iter().chain([one.swap(2, terms(0, NO_PATIENCE))]).collect::<Vec<_>>()
        });
        let mut all = vec![atomic.swap(3, terms(0, NO_PATIENCE))];
        all.push(straying.join().expect("the stray holds"));
        all.extend(atomic.glance(0));
        all.extend(looking.join().expect("the writer holds"));
        all.push(atomic.load_locked(terms(0, PATIENCE)));
        all.extend(atomic.glance(0));
        check(&all);
        assert_eq!(all[all.len() - 1].place, all[all.len() - 2].place, "all have settled");
    },
};

/// What happens where a handler comes in the middle of its own thread's operation.
fn interrupted(handler_first: bool) {
    let atomic = Numbered::new();
    let theirs = atomic.clone();
    let interrupted = thread::spawn(move || {
        let mut handled = None;
        let mut handler = || handled = Some(theirs.swap(1, terms(0, NO_PATIENCE)));
        let (read, place) = theirs.operate(terms(0, PATIENCE), Writes::Always, || {
            if handler_first {
                handler();
            }
            let read = theirs.value.swap(2, Ordering::Relaxed);
            if !handler_first {
                handler();
            }
            (read, true)
        });
        assert_eq!(place, None, "two operations at once, and only one place");
        [handled.expect("it came"), Done { read: Some(read), wrote: Some(2), place }]
    });
    let mut all: Vec<_> = atomic.glance(0).into_iter().collect();
    all.extend(interrupted.join().expect("the thread holds"));
    all.push(atomic.swap(3, terms(0, PATIENCE)));
    all.extend(atomic.glance(0));
    check(&all);
    // Two numbers are missing, and those after them are not wrong.
    assert_eq!(all[all.len() - 1].place, Some(Place { id: 0, number: 3 }));
}

pub(super) const HANDLER_BEFORE: Model = Model {
    name: "version_handler_before",
    promise: "a signal handler on the thread that has the lock goes astray, before that thread's own operation",
    floor: 170,
    preemptions: 3,
    body: || interrupted(true),
};

pub(super) const HANDLER_AFTER: Model = Model {
    name: "version_handler_after",
    promise: "as before, after that thread's own operation",
    floor: 200,
    preemptions: 3,
    body: || interrupted(false),
};

pub(super) const PERIODS: Model = Model {
    name: "version_periods",
    promise: "a load has the id under which its number was given, though a new period begins in between",
    floor: 5000,
    preemptions: 3,
    body: || {
        let atomic = Numbered::new();
        let theirs = atomic.clone();
        let writing = thread::spawn(move || {
            let old = theirs.store(1, terms(0, PATIENCE));
            // Nobody records, so nobody gives it a number.
            theirs.value.store(2, Ordering::Relaxed);
            vec![old, theirs.load_locked(terms(10, PATIENCE)), theirs.store(3, terms(10, PATIENCE))]
        });
        let mut all: Vec<_> = [atomic.glance(10), atomic.glance(10)].into_iter().flatten().collect();
        all.extend(writing.join().expect("the writer holds"));
        let first = Place { id: 11, number: 0 };
        let in_the_new = |done: &&Done| done.place.is_some_and(|place| place.id == 11);
        for done in all.iter().filter(in_the_new) {
            let expected = if done.place == Some(first) { 2 } else { 3 };
            assert_eq!(done.read.or(done.wrote), Some(expected), "{all:?}");
        }
        assert_eq!(all.iter().filter(in_the_new).count(), all.len() - 1, "{all:?}");
    },
};
