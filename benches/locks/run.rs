//! How an operation is timed: by one thread, or by several at once.

use std::sync::Barrier;
use std::thread;
use std::time::{Duration, Instant};

/// Does an operation so many times, on each of its threads, and says how long that took.
pub(crate) type Run = Box<dyn Fn(u64) -> Duration>;

/// One operation, of the original and of ours.
pub(crate) struct Case {
    pub(crate) name: String,
    /// Operations between two looks at the clock. What they record stays far below half a ring.
    pub(crate) round: u64,
    pub(crate) original: Run,
    pub(crate) ours: Run,
}

/// Done by the calling thread.
pub(crate) fn alone(operation: impl Fn(u64) + 'static) -> Run {
    Box::new(move |operations| {
        let start = Instant::now();
        for i in 0..operations {
            operation(i);
        }
        start.elapsed()
    })
}

/// Done by so many threads at once, the calling one among them; each is told which one it is.
pub(crate) fn together(threads: usize, operation: impl Fn(usize, u64) + Sync + 'static) -> Run {
    Box::new(move |operations| {
        let (operation, barrier) = (&operation, &Barrier::new(threads));
        let work = move |which| {
            barrier.wait();
            let start = Instant::now();
            for i in 0..operations {
                operation(which, i);
            }
            barrier.wait();
            start.elapsed()
        };
        thread::scope(|scope| {
            for which in 1..threads {
                scope.spawn(move || work(which));
            }
            work(0)
        })
    })
}

/// A case of the same source with two libraries, as which `$library` is known in it.
macro_rules! case {
    ($round:expr, $name:expr, $original:path, $ours:path, |$library:ident| $run:expr) => {
        $crate::run::Case {
            name: $name.to_string(),
            round: $round,
            original: {
                use $original as $library;
                $run
            },
            ours: {
                use $ours as $library;
                $run
            },
        }
    };
}
pub(crate) use case;
