//! What happens before what in a program of locks, channels, atomics and threads, by what their documentation promises.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// The marks that happen before something.
type Known = BTreeSet<usize>;

/// What an operation on an atomic orders.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Ord {
    pub(super) acquire: bool,
    pub(super) release: bool,
}

impl Ord {
    pub(super) const RELAXED: Ord = Ord { acquire: false, release: false };
    pub(super) const ACQUIRE: Ord = Ord { acquire: true, release: false };
    pub(super) const RELEASE: Ord = Ord { acquire: false, release: true };
    pub(super) const BOTH: Ord = Ord { acquire: true, release: true };
}

/// A lock.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, std::cmp::Ord)]
pub(super) enum Cell {
    Mutex(usize),
    RwLock(usize),
}

#[derive(Debug, Default)]
struct Lock {
    readers: usize,
    written: bool,
    /// What is known to who takes it for reading, and what else to who takes it for writing.
    by_writers: Known,
    by_readers: Known,
}

#[derive(Debug, Default)]
struct Atomic {
    value: u64,
    /// What those know who acquire the value: the heads of its release sequence.
    heads: Known,
}

#[derive(Debug, Default, Clone)]
struct Thread {
    known: Known,
    /// What was known at the last releasing fence.
    fence: Known,
    /// What was read by loads that do not acquire, for an acquiring fence.
    read: Known,
    token: Option<Known>,
    /// The locks held, and whether for reading, oldest first.
    held: Vec<(Cell, bool)>,
}

#[derive(Debug)]
pub(super) struct Model {
    threads: Vec<Thread>,
    locks: BTreeMap<Cell, Lock>,
    channels: Vec<VecDeque<Known>>,
    atomics: Vec<Atomic>,
    cells: Vec<Option<Known>>,
    /// By mark: its thread, and what happens before it.
    marks: Vec<(usize, Known)>,
}

impl Model {
    pub(super) fn new(threads: usize, objects: usize) -> Self {
        Self {
            threads: vec![Thread::default(); threads],
            locks: BTreeMap::new(),
            channels: (0..objects).map(|_| VecDeque::new()).collect(),
            atomics: (0..objects).map(|_| Atomic::default()).collect(),
            cells: vec![None; objects],
            marks: Vec::new(),
        }
    }

    fn learn(&mut self, on: usize, known: &Known) {
        self.threads[on].known.extend(known);
    }

    fn known(&self, on: usize) -> Known {
        self.threads[on].known.clone()
    }

    /// Something is done that can be told apart from all else. Returns its number.
    pub(super) fn mark(&mut self, on: usize) -> usize {
        let mark = self.marks.len();
        self.marks.push((on, self.known(on)));
        self.threads[on].known.insert(mark);
        mark
    }

    pub(super) fn marks(&self) -> usize {
        self.marks.len()
    }

    /// The pairs of marks that nothing orders.
    pub(super) fn races(&self) -> BTreeSet<String> {
        let pairs = (0..self.marks.len()).flat_map(|later| (0..later).map(move |earlier| (earlier, later)));
        let apart = |(earlier, later): &(usize, usize)| {
            self.marks[*earlier].0 != self.marks[*later].0 && !self.marks[*later].1.contains(earlier)
        };
        pairs.filter(apart).map(|(earlier, later)| format!("{earlier}-{later}")).collect()
    }

    /// Takes a lock, if that needs no waiting.
    pub(super) fn lock(&mut self, on: usize, cell: Cell, shared: bool) -> bool {
        let lock = self.locks.entry(cell).or_default();
        if lock.written || (lock.readers > 0 && !shared) {
            return false;
        }
        // Std's documentation forbids a thread that reads to read again.
        if self.threads[on].held.iter().any(|(held, _)| *held == cell) {
            return false;
        }
        let mut known = lock.by_writers.clone();
        if shared {
            lock.readers += 1;
        } else {
            lock.written = true;
            known.extend(&lock.by_readers);
        }
        self.threads[on].held.push((cell, shared));
        self.learn(on, &known);
        true
    }

    /// Gives back one of the locks held, and says which.
    pub(super) fn unlock(&mut self, on: usize, which: usize) -> Option<usize> {
        let at = which.checked_rem(self.threads[on].held.len())?;
        let (cell, shared) = self.threads[on].held.remove(at);
        self.give_back(on, cell, shared);
        Some(at)
    }

    fn give_back(&mut self, on: usize, cell: Cell, shared: bool) {
        let known = self.known(on);
        let lock = self.locks.get_mut(&cell).expect("it was taken");
        if shared {
            lock.readers -= 1;
            lock.by_readers.extend(known);
        } else {
            lock.written = false;
            lock.by_writers.extend(known);
        }
    }

    /// Gives back one of the mutexes held, and takes it again.
    pub(super) fn wait(&mut self, on: usize, which: usize) -> Option<usize> {
        let at = which.checked_rem(self.threads[on].held.len())?;
        let (cell, shared) = self.threads[on].held[at];
        matches!(cell, Cell::Mutex(_)).then(|| self.give_back(on, cell, shared))?;
        self.locks.get_mut(&cell).expect("it was taken").written = true;
        Some(at)
    }

    pub(super) fn holds_nothing(&self, on: usize) -> bool {
        self.threads[on].held.is_empty()
    }

    pub(super) fn send(&mut self, on: usize, at: usize) {
        let known = self.known(on);
        self.channels[at].push_back(known);
    }

    /// Whether there was a message.
    pub(super) fn receive(&mut self, on: usize, at: usize) -> bool {
        let message = self.channels[at].pop_front();
        message.is_some_and(|known| {
            self.learn(on, &known);
            true
        })
    }

    pub(super) fn value(&self, at: usize) -> u64 {
        self.atomics[at].value
    }

    pub(super) fn load(&mut self, on: usize, at: usize, ord: Ord) -> u64 {
        self.read(on, at, ord);
        self.atomics[at].value
    }

    fn read(&mut self, on: usize, at: usize, ord: Ord) {
        let heads = self.atomics[at].heads.clone();
        if ord.acquire {
            self.learn(on, &heads);
        } else {
            self.threads[on].read.extend(heads);
        }
    }

    /// What a write hands on: all that is known, or all that was at the last releasing fence.
    fn head(&self, on: usize, ord: Ord) -> Known {
        if ord.release { self.known(on) } else { self.threads[on].fence.clone() }
    }

    /// Returns the value to be stored.
    pub(super) fn store(&mut self, on: usize, at: usize, ord: Ord) -> u64 {
        let heads = self.head(on, ord);
        let atomic = &mut self.atomics[at];
        atomic.value += 1;
        atomic.heads = heads;
        atomic.value
    }

    /// Returns the value before.
    pub(super) fn add(&mut self, on: usize, at: usize, ord: Ord, more: u64) -> u64 {
        self.read(on, at, ord);
        let head = self.head(on, ord);
        let atomic = &mut self.atomics[at];
        atomic.heads.extend(head);
        atomic.value += more;
        atomic.value - more
    }

    pub(super) fn fence(&mut self, on: usize, ord: Ord) {
        if ord.acquire {
            let read = self.threads[on].read.clone();
            self.learn(on, &read);
        }
        if ord.release {
            self.threads[on].fence = self.known(on);
        }
    }

    pub(super) fn once(&mut self, on: usize, at: usize) {
        if !self.get(on, at) {
            self.cells[at] = Some(self.known(on));
        }
    }

    /// Whether the cell has been set.
    pub(super) fn get(&mut self, on: usize, at: usize) -> bool {
        let known = self.cells[at].clone();
        known.is_some_and(|known| {
            self.learn(on, &known);
            true
        })
    }

    pub(super) fn unpark(&mut self, on: usize, whom: usize) {
        let known = self.known(on);
        self.threads[whom].token.get_or_insert_default().extend(known);
    }

    /// Whether there was a token.
    pub(super) fn park(&mut self, on: usize) -> bool {
        let token = self.threads[on].token.take();
        token.is_some_and(|known| {
            self.learn(on, &known);
            true
        })
    }

    pub(super) fn spawn(&mut self, on: usize) {
        let known = self.known(on);
        self.threads.push(Thread { known, ..Thread::default() });
    }

    pub(super) fn join(&mut self, on: usize, whom: usize) {
        let known = self.known(whom);
        self.learn(on, &known);
    }
}
