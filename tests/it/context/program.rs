//! Random programs of contexts on threads, run step by step, against a model that keeps, for each event, the set of those
//! that happen before it. What the receiver gets must say exactly the same, in an order in which causes come first.

use crate::support::{builder, events, order::received};
use proptest::collection::vec;
use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::pin::Pin;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::task::{Poll, Waker};
use std::time::Duration;
use trackside::{Attached, Client, Context, Finished, InContext, MemoryTransport};

const WORKERS: usize = 3;

#[derive(Debug, Clone)]
enum Op {
    /// A thread records as itself.
    Plain { worker: usize, events: u64 },
    /// A new request.
    Request,
    /// A scope on a thread is entered, by a context that runs nowhere, and left later.
    Attach { worker: usize, which: usize },
    /// Some scope on a thread is left, not always the innermost.
    Detach { worker: usize, which: usize },
    /// A context becomes a future's.
    Wrap { which: usize },
    /// A future is polled, on some thread, and records.
    Poll { worker: usize, which: usize, events: u64 },
    /// A thread forks what it runs as.
    Fork { worker: usize },
    /// A future that is polled forks itself.
    ForkInside { worker: usize, which: usize },
    /// A context that runs nowhere ends, and a thread waits for that.
    Join { worker: usize, which: usize },
    /// The flusher looks at the rings.
    Step,
}

fn op() -> impl Strategy<Value = Op> {
    let (worker, which, events) = (0..WORKERS, 0..8_usize, 1..4_u64);
    prop_oneof![
        3 => (worker.clone(), events.clone()).prop_map(|(worker, events)| Op::Plain { worker, events }),
        2 => Just(Op::Request),
        4 => (worker.clone(), which.clone()).prop_map(|(worker, which)| Op::Attach { worker, which }),
        3 => (worker.clone(), which.clone()).prop_map(|(worker, which)| Op::Detach { worker, which }),
        2 => which.clone().prop_map(|which| Op::Wrap { which }),
        6 => (worker.clone(), which.clone(), events)
            .prop_map(|(worker, which, events)| Op::Poll { worker, which, events }),
        2 => worker.clone().prop_map(|worker| Op::Fork { worker }),
        2 => (worker.clone(), which.clone()).prop_map(|(worker, which)| Op::ForkInside { worker, which }),
        2 => (worker, which).prop_map(|(worker, which)| Op::Join { worker, which }),
        2 => Just(Op::Step),
    ]
}

type Job<S> = Box<dyn FnOnce(&mut S) + Send>;

/// A thread that does what it is told, while the caller waits.
struct Worker {
    jobs: Sender<Job<Scopes>>,
    done: Receiver<()>,
}

/// The scopes that a worker is in, outermost first. They cannot leave their thread.
#[derive(Default)]
struct Scopes(Vec<Attached>);

impl Worker {
    fn start() -> Self {
        let (jobs, todo) = channel::<Job<Scopes>>();
        let (tell, done) = channel();
        std::thread::spawn(move || {
            let mut scopes = Scopes::default();
            for job in todo {
                job(&mut scopes);
                tell.send(()).expect("the test waits");
            }
        });
        Self { jobs, done }
    }

    fn run<T: Send + 'static>(&self, job: impl FnOnce(&mut Scopes) -> T + Send + 'static) -> T {
        let result = Arc::new(Mutex::new(None));
        let place = result.clone();
        let job: Job<Scopes> = Box::new(move |scopes| *place.lock().unwrap() = Some(job(scopes)));
        self.jobs.send(job).expect("the worker waits");
        self.done.recv().expect("the worker answers");
        result.lock().unwrap().take().expect("the job is done")
    }
}

/// What a future is to do when it is next polled.
type Queue = Arc<Mutex<VecDeque<Box<dyn FnOnce() + Send>>>>;

/// A future that does, whenever it is polled, what is in its queue.
struct Task {
    future: Pin<Box<dyn Future<Output = ()> + Send>>,
    queue: Queue,
    strand: usize,
}

impl Task {
    fn new(context: Context, strand: usize) -> Self {
        let queue = Queue::default();
        let todo = queue.clone();
        let work = std::future::poll_fn(move |_| {
            let jobs = std::mem::take(&mut *todo.lock().unwrap());
            jobs.into_iter().for_each(|job| job());
            Poll::<()>::Pending
        });
        Self { future: Box::pin(work.in_context(context)), queue, strand }
    }
}

/// What the model knows of a strand.
#[derive(Default, Clone)]
struct Known(BTreeSet<u64>);

struct Run {
    client: Client,
    workers: Vec<Worker>,
    /// By strand: what happens before its next event.
    known: Vec<Known>,
    /// By event, in the order they were recorded: its strand, and what happens before it.
    model: Vec<(usize, BTreeSet<u64>)>,
    /// Contexts that run nowhere, with their strands.
    free: Vec<(Context, usize)>,
    /// By worker: the strands of its scopes, its own one first.
    scopes: Vec<Vec<usize>>,
    tasks: Vec<Task>,
}

impl Run {
    fn new(client: Client) -> Self {
        let own = |worker| vec![worker];
        Self {
            client,
            workers: (0..WORKERS).map(|_| Worker::start()).collect(),
            known: vec![Known::default(); WORKERS],
            model: Vec::new(),
            free: Vec::new(),
            scopes: (0..WORKERS).map(own).collect(),
            tasks: Vec::new(),
        }
    }

    /// The next event of a strand, as the model sees it: its number.
    fn event(&mut self, strand: usize) -> u64 {
        let number = self.model.len() as u64;
        let known = &mut self.known[strand].0;
        self.model.push((strand, known.clone()));
        known.insert(number);
        number
    }

    fn strand(&mut self, like: usize) -> usize {
        self.known.push(self.known[like].clone());
        self.known.len() - 1
    }

    fn learn(&mut self, strand: usize, from: usize) {
        let from = self.known[from].clone();
        self.known[strand].0.extend(from.0);
    }

    fn innermost(&self, worker: usize) -> usize {
        *self.scopes[worker].last().expect("at least the thread's own")
    }

    fn op(&mut self, op: Op) {
        match op {
            Op::Plain { worker, events } => {
                let strand = self.innermost(worker);
                let numbers: Vec<u64> = (0..events).map(|_| self.event(strand)).collect();
                let client = self.client.clone();
                self.workers[worker].run(move |_| numbers.iter().for_each(|number| client.track_custom("e", *number)));
            }
            Op::Request => {
                self.known.push(Known::default());
                self.free.push((self.client.context(), self.known.len() - 1));
            }
            Op::Attach { worker, which } if !self.free.is_empty() => {
                let (context, strand) = self.free.remove(which % self.free.len());
                self.learn(strand, self.innermost(worker));
                self.scopes[worker].push(strand);
                self.workers[worker].run(move |scopes| scopes.0.push(context.attach()));
            }
            Op::Detach { worker, which } if self.scopes[worker].len() > 1 => {
                let at = which % (self.scopes[worker].len() - 1);
                let strand = self.scopes[worker].remove(at + 1);
                self.learn(self.innermost(worker), strand);
                let context = self.workers[worker].run(move |scopes| scopes.0.remove(at).detach());
                self.free.push((context.expect("nothing is being recorded"), strand));
            }
            Op::Wrap { which } if !self.free.is_empty() => {
                let (context, strand) = self.free.remove(which % self.free.len());
                self.tasks.push(Task::new(context, strand));
            }
            Op::Poll { worker, which, events } if !self.tasks.is_empty() => {
                let at = which % self.tasks.len();
                let strand = self.tasks[at].strand;
                let numbers: Vec<u64> = (0..events).map(|_| self.event(strand)).collect();
                let client = self.client.clone();
                let job = move || numbers.iter().for_each(|number| client.track_custom("e", *number));
                self.poll(worker, at, Box::new(job));
            }
            Op::Fork { worker } => {
                let parent = self.innermost(worker);
                self.event(parent);
                let strand = self.strand(parent);
                let client = self.client.clone();
                self.free.push((self.workers[worker].run(move |_| client.fork("fork")), strand));
            }
            Op::ForkInside { worker, which } if !self.tasks.is_empty() => {
                let at = which % self.tasks.len();
                let parent = self.tasks[at].strand;
                self.event(parent);
                let strand = self.strand(parent);
                let forked = Arc::new(Mutex::new(None));
                let place = forked.clone();
                let job = move || *place.lock().unwrap() = Context::current().map(|current| current.fork("inside"));
                self.poll(worker, at, Box::new(job));
                let forked = forked.lock().unwrap().take().expect("a task runs in its context");
                self.free.push((forked, strand));
            }
            Op::Join { worker, which } if !self.free.is_empty() => {
                let (context, strand) = self.free.remove(which % self.free.len());
                let waits = self.innermost(worker);
                self.learn(waits, strand);
                self.event(waits);
                let finished: Finished = context.finish();
                self.workers[worker].run(move |_| finished.join());
            }
            _ => {}
        }
    }

    fn poll(&mut self, worker: usize, at: usize, job: Box<dyn FnOnce() + Send>) {
        let mut task = self.tasks.swap_remove(at);
        task.queue.lock().unwrap().push_back(job);
        let task = self.workers[worker].run(move |_| {
            let polled = task.future.as_mut().poll(&mut std::task::Context::from_waker(Waker::noop()));
            assert!(polled.is_pending());
            task
        });
        self.tasks.push(task);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, max_shrink_iters: 2000, ..ProptestConfig::default() })]

    #[test]
    fn what_happens_before_what_is_what_the_receiver_is_told(ops in vec(op(), 1..60)) {
        let memory = MemoryTransport::new();
        let (client, mut flusher) = builder(&memory).batch_events(7).flush_interval(Duration::from_millis(1)).drop_timeout(Duration::ZERO).build_manual().unwrap();
        let mut run = Run::new(client.clone());
        for op in ops {
            if let Op::Step = op {
                flusher.step();
            }
            run.op(op);
        }
        // The futures drop their contexts; the workers leave their scopes when they end.
        let model = std::mem::take(&mut run.model);
        drop(run);
        while !flusher.step() {}

        // The n-th event of a strand is the n-th one on both sides; which strand is which, the order of steps tells.
        let received = received(&events(&memory));
        prop_assert_eq!(received.len(), model.len());
        let by_step = |events: &[(u64, BTreeSet<u64>)]| {
            let mut steps: BTreeMap<u64, u64> = BTreeMap::new();
            events.iter().map(|(strand, _)| {
                let step = steps.entry(*strand).or_default();
                *step += 1;
                (*strand, *step)
            }).collect::<Vec<_>>()
        };
        let model: Vec<_> = model.into_iter().map(|(strand, before)| (strand as u64, before)).collect();
        let (names, found) = (by_step(&model), by_step(&received));
        // Strands are numbered on both sides in the order in which they began to be, threads when they first record: so the
        // map is made from the events' own numbers.
        let numbers: BTreeMap<u64, usize> = events(&memory).iter().enumerate()
            .filter(|(_, seen)| seen.name.as_deref() == Some("e"))
            .map(|(at, seen)| (seen.a.parse().unwrap(), at)).collect();
        let mut strands: BTreeMap<u64, u64> = BTreeMap::new();
        for (number, at) in &numbers {
            let (strand, step) = names[*number as usize];
            prop_assert_eq!(found[*at].1, step);
            prop_assert_eq!(*strands.entry(found[*at].0).or_insert(strand), strand);
        }
        // Those without a number of their own are forks and joins, on strands that have a numbered event, or none.
        let sets = |events: &[(u64, BTreeSet<u64>)], name: &dyn Fn(usize) -> Option<u64>| {
            let mut sets: BTreeMap<u64, BTreeSet<u64>> = BTreeMap::new();
            for (at, (_, before)) in events.iter().enumerate() {
                if let Some(number) = name(at) {
                    sets.insert(number, before.iter().filter_map(|event| name(*event as usize)).collect());
                }
            }
            sets
        };
        let back: BTreeMap<usize, u64> = numbers.iter().map(|(number, at)| (*at, *number)).collect();
        let expected = sets(&model, &|at| numbers.contains_key(&(at as u64)).then_some(at as u64));
        let got = sets(&received, &|at| back.get(&at).copied());
        prop_assert_eq!(got, expected);
    }
}
