//! Tracked atomics where programs have atomics of std's and no safe code: in memory that was only zeroed, in memory that goes
//! away at the moment at which a write is seen, and in the allocator.

#![expect(unsafe_code, reason = "memory is handled by hand")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::mem::MaybeUninit;
use std::time::Duration;
use trackside::sync::atomic::{AtomicBool, AtomicPtr, AtomicU64, AtomicUsize, Ordering, fence};
use trackside::{Client, MemoryTransport, Stats};

const LONG: Duration = Duration::from_secs(60);
const ROUNDS: u64 = 500;

/// The system's allocator, which counts.
struct Counting;

static ALLOCATED: AtomicUsize = AtomicUsize::named("allocated", 0);

// SAFETY: every call is passed on to the system's allocator unchanged.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATED.fetch_add(layout.size(), Ordering::SeqCst);
        // SAFETY: the caller keeps the contract of this very method.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        ALLOCATED.fetch_sub(layout.size(), Ordering::SeqCst);
        // SAFETY: the caller keeps the contract of this very method.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// Runs `work` on a thread that nothing was recorded on before, while a client records, and returns its books.
fn recorded(work: impl FnOnce() + Send + 'static) -> Stats {
    let client = Client::builder_to(MemoryTransport::new()).service("raw").build().expect("a valid configuration");
    std::thread::spawn(work).join().expect("no panic");
    client.flush(LONG).expect("in time");
    let stats = client.shutdown(LONG);
    assert_eq!(stats.recorded, stats.delivered + stats.pending + stats.lost.total(), "{stats}");
    stats
}

/// With what freed memory is overwritten, so that whoever still writes to it is found out.
const FREED: u8 = 0xA5;

/// Overwrites an atomic instead of freeing it.
///
/// # Safety
/// It is a box's, and nobody reaches it any more.
unsafe fn free<T>(atomic: *mut T) {
    // SAFETY: the caller says so.
    unsafe { atomic.cast::<u8>().write_bytes(FREED, size_of::<T>()) };
}

/// Whether nobody has written to it since it was freed. It is really freed then.
///
/// # Safety
/// It was freed, and no thread has it any more.
unsafe fn is_as_it_was<T>(atomic: *mut T) -> bool {
    // SAFETY: it is as long as that, and every byte was written.
    let untouched =
        unsafe { std::slice::from_raw_parts(atomic.cast::<u8>(), size_of::<T>()) } == vec![FREED; size_of::<T>()];
    // SAFETY: it was a box's, and there is nothing in it to be dropped.
    drop(unsafe { Box::from_raw(atomic.cast::<MaybeUninit<T>>()) });
    untouched
}

/// Gives a reference back to a count of references made by hand, as std's `Arc` is one; the last one frees it.
fn give_back(references: *mut AtomicU64) {
    // SAFETY: the caller has a reference, so nobody has freed it.
    if unsafe { &*references }.fetch_sub(1, Ordering::Release) == 1 {
        fence(Ordering::Acquire);
        // SAFETY: this was the last reference.
        unsafe { free(references) };
    }
}

// One test, since a process has one default client at a time.
#[test]
fn what_std_allows_with_its_atomics() {
    // Counts of references, whose memory ends with a write that another thread sees.
    let stats = recorded(|| {
        for _ in 0..ROUNDS {
            let references = Box::into_raw(Box::new(AtomicU64::new(2)));
            let shared = AtomicPtr::new(references);
            std::thread::scope(|scope| {
                for _ in 0..2 {
                    scope.spawn(|| give_back(shared.load(Ordering::Acquire)));
                }
            });
            // SAFETY: the last of the two has freed it, and both have ended.
            assert!(unsafe { is_as_it_was(references) });
        }
    });
    assert!(stats.delivered > 2 * ROUNDS, "{stats}");

    // A flag that is gone as soon as it is seen to be set.
    recorded(|| {
        for _ in 0..ROUNDS {
            let flag = Box::into_raw(Box::new(AtomicBool::new(false)));
            let shared = AtomicPtr::new(flag);
            std::thread::scope(|scope| {
                // SAFETY: it is not freed before this is seen.
                scope.spawn(|| unsafe { &*shared.load(Ordering::Relaxed) }.store(true, Ordering::Release));
                // SAFETY: only this thread frees it.
                while !unsafe { &*flag }.load(Ordering::Acquire) {
                    std::hint::spin_loop();
                }
                // SAFETY: the other thread has done with it.
                unsafe { free(flag) };
            });
            // SAFETY: it was freed above, and the other thread has ended.
            assert!(unsafe { is_as_it_was(flag) });
        }
    });

    // Memory that was only zeroed.
    let stats = recorded(|| {
        #[derive(Debug)]
        struct Block {
            next: AtomicPtr<u64>,
            written: AtomicBool,
            count: AtomicUsize,
        }
        // SAFETY: an atomic of zeros is one with the value 0, as with std's.
        let block = unsafe { Box::<Block>::new_zeroed().assume_init() };
        assert!(!block.written.swap(true, Ordering::AcqRel));
        assert!(block.next.swap(std::ptr::dangling_mut(), Ordering::AcqRel).is_null());
        assert_eq!((block.count.fetch_add(3, Ordering::Relaxed), block.count.load(Ordering::Relaxed)), (0, 3));
    });
    assert!(stats.delivered > 4, "{stats}");

    // An allocator that counts, on a thread on which its own count is the first thing that is recorded.
    let stats = recorded(|| (0..100).for_each(|number| drop(std::hint::black_box(vec![number; 10]))));
    assert!(stats.delivered > 200 && stats.lost.reentrant > 0, "{stats}");
    assert_eq!(stats.lost.total(), stats.lost.reentrant + stats.lost.thread_exit, "{stats}");
}
