//! The thread that calls [`Flusher::step`] for a living.

use super::{Flusher, Retired};
use crate::ring::local;
use crate::ring::pipe::Pipe;
use crate::ring::signal::Sleeper;
use crate::ring::sync::{Arc, lock};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Instant;

/// How many panics in a row, of a transport or a callback, end the flusher.
const PANICS: u32 = 8;

/// Starts the flusher's thread. When it stops, it leaves the flusher in `retired`.
///
/// # Errors
/// If the system has no thread to give.
pub(crate) fn start(pipe: Arc<Pipe>, flusher: Flusher, sleeper: Sleeper, retired: Retired) -> std::io::Result<()> {
    let run = move || {
        local::mark_flusher();
        let flusher = work(&pipe, flusher, &sleeper);
        pipe.close();
        *lock(&retired) = Some(flusher);
        pipe.signal.stopped();
    };
    std::thread::Builder::new().name("trackside-flusher".into()).spawn(run).map(drop)
}

fn work(pipe: &Pipe, mut flusher: Flusher, sleeper: &Sleeper) -> Flusher {
    let mut panics = 0;
    while panics < PANICS {
        let now = Instant::now();
        // Before the step: what was recorded before the request was made is then looked at, and not just given up.
        let stopping = pipe.signal.request().stop_by.is_some();
        // A step changes the books and the backlog in one go after each call of foreign code, so going on after a panic
        // in there finds them whole; the attempt it interrupted is made again.
        let round = || {
            let step = flusher.step(now);
            // One look at the rings can fill several batches. If only one were sent before the next look, the backlog
            // would grow until it overflows, however fast the receiver is.
            (0..step.sealed).take_while(|_| flusher.send_next()).for_each(drop);
            step
        };
        let step = match catch_unwind(AssertUnwindSafe(round)) {
            Ok(step) => step,
            Err(_) => {
                panics += 1;
                continue;
            }
        };
        panics = 0;
        let stop_by = pipe.signal.request().stop_by;
        if (stopping && step.idle) || stop_by.is_some_and(|stop_by| stop_by <= Instant::now()) {
            break;
        }
        let until = stop_by.map_or(step.next, |stop_by| stop_by.min(step.next));
        let left = until.saturating_duration_since(Instant::now());
        if !left.is_zero() {
            sleeper.sleep(left);
        }
    }
    flusher.give_up();
    flusher
}
