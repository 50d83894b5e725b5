//! Coarse timestamps: what they are worth, and that they cost the record nothing else.

use crate::mutex::turn;
use crate::support::{LONG, assert_balanced, builder};
use std::sync::MutexGuard;
use std::time::{Duration, Instant};
use trackside::{BuildError, Client, ManualFlusher, MemoryTransport, Timestamps, TrackedMutex};
use trackside_wire::{Batch, Kind};

const fn coarse(resolution: Duration) -> Timestamps {
    Timestamps::Coarse { resolution }
}

const MS: Duration = Duration::from_millis(1);

#[test]
fn a_resolution_that_makes_no_sense_is_refused() {
    let build = |resolution| builder(&MemoryTransport::new()).timestamps(coarse(resolution)).build_manual().err();
    let nanosecond = Duration::from_nanos(1);
    for resolution in [Duration::ZERO, MS / 10 - nanosecond, 1000 * MS + nanosecond, Duration::MAX] {
        let error = build(resolution).unwrap_or_else(|| panic!("{resolution:?} was taken"));
        let BuildError::Invalid { field, problem, remedy } = &error else { panic!("{error:?}") };
        assert_eq!((*field, *remedy), ("timestamps", "give a resolution of 100 us to 1 s"));
        assert!(problem.contains(&format!("{resolution:?}")), "{problem}");
    }
    for resolution in [MS / 10, 1000 * MS] {
        assert!(build(resolution).is_none(), "{resolution:?}");
    }
}

/// The client that locks record into, with timestamps that change when the test says so.
struct Bench {
    flusher: ManualFlusher,
    client: Client,
    memory: MemoryTransport,
    _turn: MutexGuard<'static, ()>,
}

impl Bench {
    fn new(timestamps: Timestamps) -> Self {
        let turn = turn();
        let memory = MemoryTransport::new();
        let builder = Client::builder_to(memory.clone()).service("coarse").timestamps(timestamps);
        let (client, flusher) = builder.drop_timeout(Duration::ZERO).build_manual().unwrap();
        Self { flusher, client, memory, _turn: turn }
    }

    /// A step, after some time that any clock must notice.
    fn step(&mut self) {
        let start = Instant::now();
        while start.elapsed() < MS / 100 {
            std::hint::spin_loop();
        }
        self.flusher.step();
    }

    /// The kinds of all events and their times, which are those of one batch.
    fn end(self) -> Vec<(Kind, u64)> {
        let Self { mut flusher, client, memory, _turn } = self;
        std::thread::scope(|scope| {
            let flush = scope.spawn(|| client.flush(LONG));
            while !flush.is_finished() {
                flusher.step();
            }
        });
        assert_balanced(&client.stats());
        let batches = memory.batches();
        let [batch] = &batches[..] else { panic!("one batch") };
        let batch = Batch::decode(&batch.bytes).unwrap();
        batch.events().map(|event| (event.kind, event.time_ns)).collect()
    }
}

#[test]
fn an_event_has_the_time_of_the_last_step() {
    let mut bench = Bench::new(coarse(MS));
    let mut record = |times| {
        (0..times).for_each(|number| bench.client.track_custom("event", number));
        bench.step();
        times
    };
    let groups = [3, 1, 5].map(&mut record);
    let times: Vec<_> = bench.end().into_iter().map(|(_, time)| time).collect();
    let mut rest = &times[..];
    let mut firsts = Vec::new();
    for group in groups {
        let (same, others) = rest.split_at(group);
        assert!(same.iter().all(|time| *time == same[0]), "{times:?}");
        (firsts, rest) = ([firsts, vec![same[0]]].concat(), others);
    }
    assert!(firsts.is_sorted_by(|a, b| a < b), "{times:?}");
}

#[test]
fn precise_ones_do_not_wait_for_a_step() {
    let bench = Bench::new(Timestamps::Precise);
    (0..100).for_each(|number| bench.client.track_custom("event", number));
    let times: Vec<_> = bench.end().into_iter().map(|(_, time)| time).collect();
    assert!(times.is_sorted() && times[0] < times[99], "{times:?}");
}

#[test]
fn a_lock_is_held_for_no_time_within_a_step_and_for_some_over_one() {
    for event in [false, true] {
        let mut bench = Bench::new(coarse(MS));
        let lock = TrackedMutex::named("lock", ());
        bench.client.track_custom("first", 0);
        bench.step();
        drop(lock.lock());
        let guard = lock.lock();
        if event {
            bench.client.track_custom("within", 0);
        }
        bench.step();
        drop(guard);
        let of_lock = |(kind, time)| matches!(kind, Kind::LockAcquire | Kind::LockRelease).then_some(time);
        let times: Vec<_> = bench.end().into_iter().filter_map(of_lock).collect();
        let [taken, given_back, again, at_last] = times[..] else { panic!("{times:?}") };
        assert_eq!([given_back, again], [taken; 2]);
        assert!(at_last > again, "{times:?}");
    }
}

/// How long a lock was waited for is measured, however coarse the time is.
#[cfg(target_os = "linux")]
#[test]
fn waits_are_measured_all_the_same() {
    use crate::support::blocked::{this_thread, wait_until_blocked};
    use crate::support::events;
    let bench = Bench::new(coarse(1000 * MS));
    let (client, memory) = (bench.client.clone(), bench.memory.clone());
    let lock = TrackedMutex::named("lock", ());
    let held = lock.lock();
    let (arrived, is_there) = std::sync::mpsc::channel();
    std::thread::scope(|scope| {
        scope.spawn(|| {
            client.track_custom("first", 0);
            arrived.send(this_thread()).unwrap();
            drop(lock.lock());
        });
        wait_until_blocked(&is_there.recv().unwrap(), &lock);
        drop(held);
    });
    let kinds = bench.end();
    assert!(kinds.iter().all(|(_, time)| *time == kinds[0].1), "{kinds:?}");
    let seen = events(&memory);
    let waited = seen.iter().find(|seen| seen.b.starts_with("[2, ") && seen.kind == Kind::LockAcquire).unwrap();
    let waited = waited.b.strip_prefix("[2, \"Mutex\", ").and_then(|rest| rest.strip_suffix(']'));
    assert!(waited.expect("it had to wait").parse::<u64>().unwrap() > 0);
}

/// The client's own thread tells the time, and not only the flusher's looks; and no event of a strand is earlier than the
/// one before.
#[test]
fn time_goes_on_by_itself_and_never_back() {
    let _turn = turn();
    let memory = MemoryTransport::new();
    let client = builder(&memory).timestamps(coarse(MS / 10)).flush_interval(LONG).ring_bytes(8 << 20).build().unwrap();
    let start = Instant::now();
    while start.elapsed() < 50 * MS {
        client.track_custom("event", 0);
        std::thread::sleep(MS / 10);
    }
    let stats = client.shutdown(LONG);
    assert_eq!(stats.lost.total(), 0, "{stats}");
    let mut times = 0;
    for batch in memory.batches() {
        let batch = Batch::decode(&batch.bytes).unwrap();
        let told: Vec<_> = batch.events().map(|event| event.time_ns).collect();
        assert!(told.is_sorted(), "{told:?}");
        times += told.chunk_by(|a, b| a == b).count();
    }
    assert!(times >= 3, "{times} times in 50 ms");
}

/// How many threads of this process tell the time of a client.
#[cfg(target_os = "linux")]
fn clocks() -> usize {
    let name = |thread: std::fs::DirEntry| std::fs::read_to_string(thread.path().join("comm")).unwrap_or_default();
    let threads = std::fs::read_dir("/proc/self/task").unwrap().flatten();
    threads.map(name).filter(|name| name == "trackside-clock\n").count()
}

#[cfg(target_os = "linux")]
#[test]
fn the_thread_that_tells_the_time_ends_with_its_client() {
    use crate::support::wait_until;
    // Others of these tests have such threads too.
    let _turn = turn();
    wait_until("those of tests before have ended", || clocks() == 0);
    let build = |timestamps| builder(&MemoryTransport::new()).timestamps(timestamps).build().unwrap();
    let precise = build(Timestamps::Precise);
    let [shut_down, dropped] = [coarse(MS), coarse(MS)].map(build);
    // A thread gets its name when it begins to run.
    wait_until("both run", || clocks() == 2);
    shut_down.shutdown(LONG);
    wait_until("one has ended", || clocks() == 1);
    drop(dropped);
    wait_until("both have ended", || clocks() == 0);
    drop(precise);
}
