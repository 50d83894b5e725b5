// One source for both columns: `sync` and `Value` are whatever the module that includes this says, and `MARK` is a number
// of its own, so that the compiler does not make one function of two that are the same.

use std::hint::black_box;
use sync::atomic::{AtomicU64, Ordering};
use sync::{LazyLock, Mutex, OnceLock, RwLock, mpsc};

/// What is operated on.
pub(crate) struct Objects {
    mutex: Mutex<u64>,
    lock: RwLock<u64>,
    atomic: AtomicU64,
    cell: OnceLock<u64>,
    lazy: LazyLock<u64>,
    sender: mpsc::Sender<u64>,
    receiver: mpsc::Receiver<u64>,
    value: Value,
}

impl Objects {
    pub(crate) fn new() -> Self {
        let (sender, receiver) = mpsc::channel();
        let objects = Self {
            mutex: Mutex::new(0),
            lock: RwLock::new(0),
            atomic: AtomicU64::new(0),
            cell: OnceLock::from(1),
            lazy: LazyLock::new(|| 1),
            sender,
            receiver,
            value: value(0),
        };
        // What is made when it is first used.
        assert_eq!(*objects.lazy, 1);
        for i in 0..crate::ROUND {
            objects.sender.send(i).expect("there is a receiver");
            assert_eq!(objects.receiver.recv(), Ok(i));
        }
        objects
    }

    pub(crate) fn run(&mut self) {
        mutex(&self.mutex);
        read(&self.lock);
        write(&self.lock);
        add(&self.atomic);
        load(&self.atomic);
        exchange(&self.atomic);
        get(&self.cell);
        force(&self.lazy);
        pass(&self.sender, &self.receiver);
        update(&mut self.value);
    }
}

#[inline(never)]
fn mutex(mutex: &Mutex<u64>) {
    each(|i| *mutex.lock().expect("nobody panics") += black_box(i));
}

#[inline(never)]
fn read(lock: &RwLock<u64>) {
    each(|i| _ = black_box(*lock.read().expect("nobody panics") + black_box(i)));
}

#[inline(never)]
fn write(lock: &RwLock<u64>) {
    each(|i| *lock.write().expect("nobody panics") += black_box(i));
}

#[inline(never)]
fn add(atomic: &AtomicU64) {
    each(|i| _ = black_box(atomic.fetch_add(black_box(i), Ordering::AcqRel)));
}

#[inline(never)]
fn load(atomic: &AtomicU64) {
    each(|i| _ = black_box(atomic.load(Ordering::Acquire) + black_box(i)));
}

#[inline(never)]
fn exchange(atomic: &AtomicU64) {
    each(|i| _ = black_box(atomic.compare_exchange(black_box(i), i + 1, Ordering::AcqRel, Ordering::Acquire)));
}

#[inline(never)]
fn get(cell: &OnceLock<u64>) {
    each(|i| _ = black_box(cell.get().map(|value| value + black_box(i))));
}

#[inline(never)]
fn force(lazy: &LazyLock<u64>) {
    each(|i| _ = black_box(**lazy + black_box(i)));
}

#[inline(never)]
fn pass(sender: &mpsc::Sender<u64>, receiver: &mpsc::Receiver<u64>) {
    each(|i| {
        sender.send(black_box(i)).expect("there is a receiver");
        _ = black_box(receiver.recv());
    });
}

#[inline(never)]
fn update(value: &mut Value) {
    each(|i| change(value, black_box(i)));
}

#[inline(always)]
fn each(mut operation: impl FnMut(u64)) {
    for i in 0..crate::ROUND {
        black_box(MARK);
        operation(i);
    }
}
