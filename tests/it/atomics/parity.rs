//! The same calls on std's atomics and on ours, and their answers compared; with no client, and with one that records.

use crate::mutex::{in_default_client, without_client};
use std::any::Any;
use std::fmt::Debug;
use std::panic::{AssertUnwindSafe, RefUnwindSafe, catch_unwind};
use std::sync::atomic::Ordering::{self, AcqRel, Acquire, Relaxed, Release, SeqCst};
use trackside::sync::atomic;

const ORDERINGS: [Ordering; 5] = [Relaxed, Acquire, Release, AcqRel, SeqCst];

/// What came of `work`: its result, or the words of its panic.
fn outcome<R: Debug>(work: impl FnOnce() -> R) -> String {
    match catch_unwind(AssertUnwindSafe(work)) {
        Ok(result) => format!("{result:?}"),
        Err(panic) => {
            format!("panics: {}", text_of(&*panic))
        }
    }
}

/// What a panic says.
fn text_of(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    text.or_else(|| panic.downcast_ref().cloned()).unwrap_or_default()
}

/// Runs `ours` without a client, and with one, and `std` once: all three say the same.
#[track_caller]
fn same(ours: impl Fn() -> Vec<String>, std: impl Fn() -> Vec<String>) {
    let expected = std();
    assert!(expected.len() > 1);
    without_client(|| assert_eq!(ours(), expected));
    let mut recorded = Vec::new();
    // A panic's hook prints a trace for each; there are some hundreds of them.
    let seen = in_default_client(|_| recorded = ours());
    assert_eq!(recorded, expected);
    assert!(!seen.is_empty());
}

/// The methods that all atomics have, for each ordering and each pair of values.
macro_rules! common_methods {
    ($said:ident, $Atomic:ident, $values:expr) => {
        for old in $values {
            $said.push(format!("{:?} {:?}", $Atomic::from(old), $Atomic::new(old).into_inner()));
            for order in ORDERINGS {
                $said.push(outcome(|| $Atomic::new(old).load(order)));
            }
            for value in $values {
                let mut atomic = $Atomic::new(old);
                *atomic.get_mut() = value;
                let place = atomic.as_ptr();
                $said.push(format!("{atomic:?} {}", std::ptr::eq(place, atomic.get_mut())));
                for order in ORDERINGS {
                    let atomic = $Atomic::new(old);
                    $said.push(outcome(|| atomic.store(value, order)));
                    $said.push(outcome(|| (atomic.swap(old, order), atomic.load(SeqCst))));
                    #[expect(deprecated)]
                    $said.push(outcome(|| (atomic.compare_and_swap(old, value, order), atomic.load(SeqCst))));
                    for failure in ORDERINGS {
                        let atomic = $Atomic::new(old);
                        let (current, new) = (value, old);
                        $said.push(outcome(|| atomic.compare_exchange(current, new, order, failure)));
                        $said.push(outcome(|| atomic.compare_exchange(old, value, order, failure)));
                        $said.push(format!("{atomic:?}"));
                        let atomic = $Atomic::new(old);
                        $said.push(outcome(
                            || while atomic.compare_exchange_weak(old, value, order, failure).is_err() {},
                        ));
                        $said.push(outcome(|| {
                            atomic.fetch_update(order, failure, |found| (found == value).then_some(old))
                        }));
                        $said.push(outcome(|| atomic.fetch_update(order, failure, |_| None)));
                        $said.push(format!("{atomic:?}"));
                    }
                }
            }
        }
    };
}

/// As above, for methods that take a value and an ordering.
macro_rules! update_methods {
    ($said:ident, $Atomic:ident, $values:expr, $operands:expr, $($method:ident)*) => {
        for old in $values {
            for value in $operands {
                for order in ORDERINGS {
                    $(
                        let atomic = $Atomic::new(old);
                        $said.push(outcome(|| (atomic.$method(value, order), atomic.load(SeqCst))));
                    )*
                }
            }
        }
    };
}

macro_rules! integers {
    ($($test:ident: $Atomic:ident, $value:ty;)*) => {$(
        #[test]
        fn $test() {
            const VALUES: [$value; 5] = [0, 1, 5, <$value>::MIN, <$value>::MAX];
            macro_rules! steps {
                ($path:path) => {{
                    use $path as Atomic;
                    let mut said = vec![format!("{:?}", Atomic::default())];
                    common_methods!(said, Atomic, VALUES);
                    update_methods!(
                        said, Atomic, VALUES, VALUES,
                        fetch_add fetch_sub fetch_and fetch_nand fetch_or fetch_xor fetch_max fetch_min
                    );
                    said
                }};
            }
            quietly(|| same(|| steps!(atomic::$Atomic), || steps!(std::sync::atomic::$Atomic)));
        }
    )*};
}

integers! {
    i8s_answer_like_stds: AtomicI8, i8;
    i16s_answer_like_stds: AtomicI16, i16;
    i32s_answer_like_stds: AtomicI32, i32;
    i64s_answer_like_stds: AtomicI64, i64;
    isizes_answer_like_stds: AtomicIsize, isize;
    u8s_answer_like_stds: AtomicU8, u8;
    u16s_answer_like_stds: AtomicU16, u16;
    u32s_answer_like_stds: AtomicU32, u32;
    u64s_answer_like_stds: AtomicU64, u64;
    usizes_answer_like_stds: AtomicUsize, usize;
}

#[test]
fn bools_answer_like_stds() {
    const VALUES: [bool; 2] = [false, true];
    macro_rules! steps {
        ($path:path) => {{
            use $path as Atomic;
            let mut said = vec![format!("{:?}", Atomic::default())];
            common_methods!(said, Atomic, VALUES);
            update_methods!(said, Atomic, VALUES, VALUES, fetch_and fetch_nand fetch_or fetch_xor);
            for (old, order) in VALUES.into_iter().flat_map(|old| ORDERINGS.map(|order| (old, order))) {
                let atomic = Atomic::new(old);
                said.push(format!("{:?} {atomic:?}", atomic.fetch_not(order)));
            }
            said
        }};
    }
    quietly(|| same(|| steps!(atomic::AtomicBool), || steps!(std::sync::atomic::AtomicBool)));
}

#[test]
fn pointers_answer_like_stds() {
    let values = [0, 8, usize::MAX].map(std::ptr::without_provenance_mut::<u64>);
    macro_rules! steps {
        ($path:path) => {{
            use $path as Atomic;
            let mut said = vec![format!("{:?} {:p}", Atomic::<u64>::default(), Atomic::new(values[1]))];
            common_methods!(said, Atomic, values);
            update_methods!(
                said, Atomic, values, [0, 1, 6, usize::MAX],
                fetch_ptr_add fetch_ptr_sub fetch_byte_add fetch_byte_sub fetch_and fetch_or fetch_xor
            );
            said
        }};
    }
    quietly(|| same(|| steps!(atomic::AtomicPtr), || steps!(std::sync::atomic::AtomicPtr)));
}

/// `try_update` and `update` are newer than the oldest std that this is built with, and names for what that has.
#[test]
fn what_is_updated_by_a_function_is_as_std_has_it() {
    let order_of_a_store = std::hint::black_box(Release);
    let by_their_names = || {
        let (word, pointer) = (atomic::AtomicI16::new(7), atomic::AtomicPtr::new(std::ptr::null_mut::<u8>()));
        let mut said = vec![format!("{:?}", word.try_update(AcqRel, Acquire, |old| Some(old + 1)))];
        said.push(format!("{:?}", word.try_update(SeqCst, Relaxed, |old| (old < 0).then_some(0))));
        said.push(format!("{:?} {word:?}", word.update(Release, Acquire, |old| old * 2)));
        said.push(format!("{:?} {pointer:?}", pointer.update(Relaxed, Relaxed, |old| old.wrapping_add(3))));
        said.push(outcome(|| word.update(Relaxed, order_of_a_store, |old| old)));
        said
    };
    let as_std_has_it = || {
        use std::sync::atomic::{AtomicI16, AtomicPtr};
        let (word, pointer) = (AtomicI16::new(7), AtomicPtr::new(std::ptr::null_mut::<u8>()));
        let mut said = vec![format!("{:?}", word.fetch_update(AcqRel, Acquire, |old| Some(old + 1)))];
        said.push(format!("{:?}", word.fetch_update(SeqCst, Relaxed, |old| (old < 0).then_some(0))));
        said.push(format!("{:?} {word:?}", word.fetch_update(Release, Acquire, |old| Some(old * 2)).unwrap()));
        let add = |old: *mut u8| Some(old.wrapping_add(3));
        said.push(format!("{:?} {pointer:?}", pointer.fetch_update(Relaxed, Relaxed, add).unwrap()));
        said.push(outcome(|| word.fetch_update(Relaxed, order_of_a_store, Some).unwrap()));
        said
    };
    quietly(|| same(by_their_names, as_std_has_it));
}

#[test]
fn fences_answer_like_stds() {
    let said = |fence: fn(Ordering)| ORDERINGS.map(|order| outcome(|| fence(order))).to_vec();
    quietly(|| same(|| said(atomic::fence), || said(std::sync::atomic::fence)));
    quietly(|| assert_eq!(said(atomic::compiler_fence), said(std::sync::atomic::compiler_fence)));
}

/// Without a line on standard error for each of the panics that are expected.
fn quietly(work: impl FnOnce()) {
    use std::sync::{Mutex, PoisonError};
    static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());
    let _turn = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
    let me = std::thread::current().id();
    let hook = std::sync::Arc::new(std::panic::take_hook());
    let usual = hook.clone();
    std::panic::set_hook(Box::new(move |info| {
        let expected = text_of(info.payload()).starts_with("there is no such thing as");
        if !(expected && std::thread::current().id() == me) {
            usual(info);
        }
    }));
    let result = catch_unwind(AssertUnwindSafe(work));
    std::panic::set_hook(Box::new(move |info| hook(info)));
    if let Err(panic) = result {
        std::panic::resume_unwind(panic);
    }
}

#[test]
fn they_are_made_in_statics_and_shared_and_cross_panics() {
    fn shared<T: Send + Sync + RefUnwindSafe + 'static>(_: &'static T) {}
    static WORD: atomic::AtomicU64 = atomic::AtomicU64::new(1);
    static FLAG: atomic::AtomicBool = atomic::AtomicBool::named("flag", true);
    static POINTER: atomic::AtomicPtr<std::cell::Cell<u8>> = atomic::AtomicPtr::new(std::ptr::null_mut());
    const AS_POINTER: *mut u64 = WORD.as_ptr();
    shared(&WORD);
    shared(&FLAG);
    shared(&POINTER);
    assert_eq!((WORD.as_ptr(), atomic::AtomicU64::new(3).into_inner()), (AS_POINTER, 3));
    #[expect(deprecated)]
    let constants = (atomic::ATOMIC_BOOL_INIT, atomic::ATOMIC_ISIZE_INIT, atomic::ATOMIC_USIZE_INIT);
    assert_eq!(format!("{constants:?}"), "(false, 0, 0)");
    without_client(|| assert!(FLAG.load(Relaxed) && POINTER.load(Relaxed).is_null()));
}

#[test]
fn they_serialise_like_stds() {
    let values = (atomic::AtomicBool::new(true), atomic::AtomicI8::new(-3), atomic::AtomicU64::new(u64::MAX));
    let mut text = String::new();
    without_client(|| text = serde_json::to_string(&values).unwrap());
    assert_eq!(text, format!("[true,-3,{}]", u64::MAX));
    let back: (atomic::AtomicBool, atomic::AtomicI8, atomic::AtomicU64) = serde_json::from_str(&text).unwrap();
    assert_eq!(format!("{back:?}"), format!("{values:?}"));
}
