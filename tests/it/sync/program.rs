//! Random programs of locks, channels, atomics, fences, cells, tokens, spawns and joins, run step by step on real threads,
//! against a model that executes the same schedule and keeps, for each thread, the marks that happen before what it does
//! next. A mark is a write to one variable for each other mark; so the analysis finds a race on the variable of a pair if and
//! only if nothing orders the two. It must find exactly the pairs that the model says.

use super::model::{Cell, Model, Ord};
use crate::mutex::turn;
use crate::support::order;
use proptest::collection::vec;
use proptest::prelude::*;
use std::collections::BTreeSet;
use std::sync::{Arc, mpsc as plain};
use std::time::Duration;
use trackside::sync::atomic::{AtomicU64, Ordering, fence};
use trackside::sync::{Condvar, Mutex, MutexGuard, OnceLock, RwLock, RwLockReadGuard, RwLockWriteGuard, mpsc};
use trackside::{Client, MemoryTransport, Name, Value, thread};

const THREADS: usize = 3;
/// How many objects of each sort there are.
const OBJECTS: usize = 2;
/// How many threads may be spawned beside the first ones.
const SPAWNED: usize = 3;

/// One step; the numbers choose a thread and an object of those that there are.
#[derive(Debug, Clone, Copy)]
enum Op {
    Mark,
    Lock(usize),
    TryLock(usize),
    Unlock(usize),
    Read(usize),
    Write(usize),
    Wait(usize),
    Send(usize),
    Receive(usize),
    Load(usize, Ord),
    Store(usize, Ord),
    Add(usize, Ord),
    Exchange(usize, Ord, bool),
    Fence(Ord),
    Once(usize),
    Get(usize),
    Unpark(usize),
    Park,
    Spawn,
    Join(usize),
}

fn op() -> impl Strategy<Value = Op> {
    let object = || 0..OBJECTS;
    let ord = || prop_oneof![Just(Ord::RELAXED), Just(Ord::ACQUIRE), Just(Ord::RELEASE), Just(Ord::BOTH)];
    prop_oneof![
        6 => Just(Op::Mark),
        4 => object().prop_map(Op::Lock),
        1 => object().prop_map(Op::TryLock),
        5 => (0..4_usize).prop_map(Op::Unlock),
        2 => object().prop_map(Op::Read),
        2 => object().prop_map(Op::Write),
        1 => (0..4_usize).prop_map(Op::Wait),
        3 => object().prop_map(Op::Send),
        3 => object().prop_map(Op::Receive),
        3 => (object(), ord()).prop_map(|(at, ord)| Op::Load(at, ord)),
        3 => (object(), ord()).prop_map(|(at, ord)| Op::Store(at, ord)),
        2 => (object(), ord()).prop_map(|(at, ord)| Op::Add(at, ord)),
        1 => (object(), ord(), any::<bool>()).prop_map(|(at, ord, fits)| Op::Exchange(at, ord, fits)),
        2 => ord().prop_map(Op::Fence),
        1 => object().prop_map(Op::Once),
        1 => object().prop_map(Op::Get),
        1 => (0..THREADS + SPAWNED).prop_map(Op::Unpark),
        1 => Just(Op::Park),
        1 => Just(Op::Spawn),
        1 => (0..SPAWNED).prop_map(Op::Join),
    ]
}

/// The objects, for as long as the process lives: guards of them stay with the threads that hold them.
struct World {
    mutexes: [Mutex<()>; OBJECTS],
    rwlocks: [RwLock<()>; OBJECTS],
    condvar: Condvar,
    atomics: [AtomicU64; OBJECTS],
    cells: [OnceLock<()>; OBJECTS],
    senders: [mpsc::Sender<()>; OBJECTS],
    receivers: [std::sync::Mutex<mpsc::Receiver<()>>; OBJECTS],
}

impl World {
    fn new() -> &'static Self {
        let channels: [_; OBJECTS] = std::array::from_fn(|_| mpsc::channel());
        let senders = std::array::from_fn(|at: usize| channels[at].0.clone());
        let receivers = channels.map(|(_, receiver)| std::sync::Mutex::new(receiver));
        Box::leak(Box::new(World {
            mutexes: std::array::from_fn(|_| Mutex::new(())),
            rwlocks: std::array::from_fn(|_| RwLock::new(())),
            condvar: Condvar::new(),
            atomics: std::array::from_fn(|_| AtomicU64::new(0)),
            cells: std::array::from_fn(|_| OnceLock::new()),
            senders,
            receivers,
        }))
    }
}

/// What a thread holds; it cannot leave the thread.
enum Guard {
    Mutex(MutexGuard<'static, ()>),
    #[expect(dead_code, reason = "it is there to be dropped")]
    Read(RwLockReadGuard<'static, ()>),
    #[expect(dead_code, reason = "it is there to be dropped")]
    Write(RwLockWriteGuard<'static, ()>),
}

type Job = Box<dyn FnOnce(&mut Vec<Guard>) + Send>;

/// A thread that does what it is told while the test waits. What passes between the two is not recorded, and takes no part
/// in it: a channel of std's would take the tokens that threads are unparked by.
#[derive(Clone, Default)]
struct Worker(Arc<(std::sync::Mutex<Inbox>, std::sync::Condvar)>);

#[derive(Default)]
struct Inbox {
    job: Option<Job>,
    ended: bool,
}

impl Worker {
    /// What the thread does: all it is told, to the end.
    fn work(&self) {
        let mut guards = Vec::new();
        let (inbox, came) = &*self.0;
        loop {
            let idle = |inbox: &mut Inbox| inbox.job.is_none() && !inbox.ended;
            let job = came.wait_while(inbox.lock().unwrap(), idle).unwrap().job.take();
            let Some(job) = job else { return };
            job(&mut guards);
        }
    }

    fn run<T: Send + 'static>(&self, job: impl FnOnce(&mut Vec<Guard>) -> T + Send + 'static) -> T {
        let (tell, told) = plain::channel();
        self.tell(|inbox| inbox.job = Some(Box::new(move |guards| tell.send(job(guards)).expect("the test waits"))));
        told.recv().expect("the worker answers")
    }

    fn end(&self) {
        self.tell(|inbox| inbox.ended = true);
    }

    fn tell(&self, change: impl FnOnce(&mut Inbox)) {
        let (inbox, came) = &*self.0;
        change(&mut inbox.lock().unwrap());
        came.notify_one();
    }
}

struct Run {
    client: Client,
    world: &'static World,
    /// None where it has been joined.
    workers: Vec<Option<Worker>>,
    handles: Vec<thread::Thread>,
    first: Vec<std::thread::JoinHandle<()>>,
    spawned: Vec<Option<thread::JoinHandle<()>>>,
    model: Model,
}

impl Run {
    fn new(client: Client) -> Self {
        let world = World::new();
        let mut run = Run {
            client,
            world,
            workers: Vec::new(),
            handles: Vec::new(),
            first: Vec::new(),
            spawned: Vec::new(),
            model: Model::new(THREADS, OBJECTS),
        };
        for _ in 0..THREADS {
            let worker = Worker::default();
            let works = worker.clone();
            run.first.push(std::thread::spawn(move || works.work()));
            run.start(worker);
        }
        run
    }

    fn start(&mut self, worker: Worker) {
        self.handles.push(worker.run(|_| thread::current()));
        self.workers.push(Some(worker));
    }

    /// The threads give back what they hold, and end.
    fn finish(self) {
        self.workers.iter().flatten().for_each(|worker| worker.run(Vec::clear));
        self.workers.iter().flatten().for_each(Worker::end);
        self.spawned.into_iter().flatten().for_each(|thread| thread.join().unwrap());
        self.first.into_iter().for_each(|thread| thread.join().unwrap());
    }

    fn step(&mut self, on: usize, op: Op) {
        let on = on % self.workers.len();
        let Some(worker) = self.workers[on].clone() else { return };
        let (world, model) = (self.world, &mut self.model);
        match op {
            Op::Mark => {
                let (mark, client) = (model.mark(on), self.client.clone());
                worker.run(move |_| {
                    for other in 0..mark {
                        client.track_write(Name::dynamic(&format!("{other}-{mark}")), Value::NIL, Value::NIL);
                    }
                    // Those to come cannot be foreseen: as many as there may be.
                    for other in mark + 1..MARKS {
                        client.track_write(Name::dynamic(&format!("{mark}-{other}")), Value::NIL, Value::NIL);
                    }
                });
            }
            Op::Lock(at) if model.lock(on, Cell::Mutex(at), false) => {
                worker.run(move |guards| guards.push(Guard::Mutex(world.mutexes[at].lock().unwrap())));
            }
            Op::TryLock(at) => {
                let got = model.lock(on, Cell::Mutex(at), false);
                worker.run(move |guards| match world.mutexes[at].try_lock() {
                    Ok(guard) => guards.push(Guard::Mutex(guard)),
                    Err(_) => assert!(!got),
                });
            }
            Op::Read(at) if model.lock(on, Cell::RwLock(at), true) => {
                worker.run(move |guards| guards.push(Guard::Read(world.rwlocks[at].read().unwrap())));
            }
            Op::Write(at) if model.lock(on, Cell::RwLock(at), false) => {
                worker.run(move |guards| guards.push(Guard::Write(world.rwlocks[at].write().unwrap())));
            }
            Op::Unlock(which) => {
                if let Some(at) = model.unlock(on, which) {
                    worker.run(move |guards| drop(guards.remove(at)));
                }
            }
            Op::Wait(which) => {
                if let Some(at) = model.wait(on, which) {
                    worker.run(move |guards| {
                        let Guard::Mutex(guard) = guards.remove(at) else { panic!("the model says it is a mutex") };
                        let waited = world.condvar.wait_timeout(guard, Duration::ZERO).unwrap();
                        guards.insert(at, Guard::Mutex(waited.0));
                    });
                }
            }
            Op::Send(at) => {
                model.send(on, at);
                worker.run(move |_| world.senders[at].send(()).unwrap());
            }
            Op::Receive(at) => {
                let there = model.receive(on, at);
                let got = worker.run(move |_| world.receivers[at].lock().unwrap().try_recv().is_ok());
                assert_eq!(got, there);
            }
            Op::Load(at, ord) => {
                let value = model.load(on, at, ord);
                let got = worker.run(move |_| world.atomics[at].load(loading(ord)));
                assert_eq!(got, value);
            }
            Op::Store(at, ord) => {
                let value = model.store(on, at, ord);
                worker.run(move |_| world.atomics[at].store(value, storing(ord)));
            }
            Op::Add(at, ord) => {
                let before = model.add(on, at, ord, 1000);
                let got = worker.run(move |_| world.atomics[at].fetch_add(1000, both(ord)));
                assert_eq!(got, before);
            }
            Op::Exchange(at, ord, fits) => {
                let now = model.value(at);
                let expected = if fits { now } else { now + 1 };
                if fits {
                    model.add(on, at, ord, 1000);
                } else {
                    model.load(on, at, ord);
                }
                let done = worker.run(move |_| {
                    world.atomics[at].compare_exchange(expected, now + 1000, both(ord), loading(ord)).is_ok()
                });
                assert_eq!(done, fits);
            }
            Op::Fence(ord) if ord != Ord::RELAXED => {
                model.fence(on, ord);
                worker.run(move |_| fence(both(ord)));
            }
            Op::Once(at) => {
                model.once(on, at);
                worker.run(move |_| *world.cells[at].get_or_init(|| ()));
            }
            Op::Get(at) => {
                let there = model.get(on, at);
                assert_eq!(worker.run(move |_| world.cells[at].get().is_some()), there);
            }
            Op::Unpark(whom) if whom < self.handles.len() && self.workers[whom].is_some() => {
                model.unpark(on, whom);
                let handle = self.handles[whom].clone();
                worker.run(move |_| handle.unpark());
            }
            Op::Park if model.park(on) => worker.run(|_| thread::park()),
            Op::Spawn if self.spawned.len() < SPAWNED => {
                model.spawn(on);
                let new = Worker::default();
                let works = new.clone();
                self.spawned.push(Some(worker.run(move |_| thread::spawn(move || works.work()))));
                self.start(new);
            }
            Op::Join(which) if THREADS + which < self.workers.len() && THREADS + which != on => {
                if self.model.holds_nothing(THREADS + which)
                    && let Some(handle) = self.spawned[which].take()
                {
                    self.workers[THREADS + which].take().iter().for_each(Worker::end);
                    self.model.join(on, THREADS + which);
                    worker.run(move |_| handle.join().unwrap());
                }
            }
            _ => {}
        }
    }
}

/// As many marks as one program may have: each is as many events.
const MARKS: usize = 12;

fn loading(ord: Ord) -> Ordering {
    if ord.acquire { Ordering::Acquire } else { Ordering::Relaxed }
}

fn storing(ord: Ord) -> Ordering {
    if ord.release { Ordering::Release } else { Ordering::Relaxed }
}

fn both(ord: Ord) -> Ordering {
    match (ord.acquire, ord.release) {
        (false, false) => Ordering::Relaxed,
        (true, false) => Ordering::Acquire,
        (false, true) => Ordering::Release,
        (true, true) => Ordering::AcqRel,
    }
}

/// Runs a program; returns the pairs that race by what was recorded, and by the model.
fn races(ops: &[(usize, Op)]) -> (BTreeSet<String>, BTreeSet<String>) {
    let _turn = turn();
    let memory = MemoryTransport::new();
    let (client, mut flusher) = Client::builder_to(memory.clone())
        .service("sync")
        .flush_interval(Duration::from_millis(1))
        .drop_timeout(Duration::ZERO)
        .build_manual()
        .unwrap();
    let mut run = Run::new(client.clone());
    for (on, op) in ops {
        if run.model.marks() < MARKS || !matches!(op, Op::Mark) {
            run.step(*on, *op);
        }
        flusher.step();
    }
    let expected = run.model.races();
    run.finish();
    while !flusher.step() {}
    drop((client, flusher));
    (order::races(&memory), expected)
}

/// How many programs: `TRACKSIDE_PROGRAMS=10000 cargo test --release --test it sync::program` is the long run.
fn cases() -> u32 {
    std::env::var("TRACKSIDE_PROGRAMS").map_or(300, |text| text.parse().expect("a number of programs"))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: cases(), max_shrink_iters: 3000, ..ProptestConfig::default() })]

    #[test]
    fn what_is_recorded_orders_exactly_what_the_program_orders(
        ops in vec((0..THREADS + SPAWNED, op()), 1..80)
    ) {
        let (found, expected) = races(&ops);
        prop_assert_eq!(found, expected);
    }
}
