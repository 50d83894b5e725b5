//! How long a future was waited for.

use crate::sync::hold::start;
use pin_project_lite::pin_project;
use std::pin::Pin;
use std::task::{Context, Poll};

pin_project! {
    /// A future that also tells when it began to be waited for, in ticks; `None` if it was ready at once.
    pub(super) struct Timed<F> {
        #[pin]
        future: F,
        polled: bool,
        start: Option<u64>,
    }
}

/// See [`Timed`].
pub(super) fn timed<F: Future>(future: F) -> Timed<F> {
    Timed { future, polled: false, start: None }
}

impl<F: Future> Future for Timed<F> {
    type Output = (F::Output, Option<u64>);

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        if let Poll::Ready(output) = this.future.poll(context) {
            return Poll::Ready((output, *this.start));
        }
        if !std::mem::replace(this.polled, true) {
            *this.start = start();
        }
        Poll::Pending
    }
}

/// Panics where tokio does not let a thread block, as tokio does.
#[track_caller]
pub(super) fn assert_may_block() {
    drop(tokio::sync::Mutex::const_new(()).blocking_lock());
}
