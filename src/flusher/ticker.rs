//! The thread that reads the clock for all others, where timestamps are coarse.
//!
//! Not the flusher's own: that waits for answers, and meanwhile time would stand still.

use crate::clock;
use crate::ring::pipe::Pipe;
use crate::ring::sync::Arc;
use std::time::Duration;

/// Starts the thread. It ends within `resolution` of the pipe's end.
///
/// # Errors
/// If the system has no thread to give.
pub(crate) fn start(pipe: &Arc<Pipe>, resolution: Duration) -> std::io::Result<()> {
    let pipe = Arc::downgrade(pipe);
    let run = move || {
        while let Some(pipe) = pipe.upgrade().filter(|pipe| pipe.is_open()) {
            pipe.publish_tick(clock::ticks());
            drop(pipe);
            std::thread::sleep(resolution);
        }
    };
    std::thread::Builder::new().name("trackside-clock".into()).spawn(run).map(drop)
}
