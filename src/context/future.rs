//! Contexts of futures.

use super::strand::Strand;
use super::{Context, Finished, stack};
use crate::ring::local::guards;
use crate::ring::sync::{Arc, Mutex, lock};
use pin_project_lite::pin_project;
use std::fmt;
use std::pin::Pin;
use std::task::{self, Poll};

/// Gives futures a context. Implemented for all of them.
pub trait InContext: Future + Sized {
    /// Attaches `context` to the future: while it is polled, on whatever thread, by whatever executor, and while it is
    /// dropped. The context ends with the future.
    ///
    /// # Examples
    ///
    /// ```
    /// use trackside::{Client, InContext, MemoryTransport};
    ///
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let client = Client::builder_to(MemoryTransport::new()).service("bank").build()?;
    /// let request = client.context();
    /// let handler = {
    ///     let client = client.clone();
    ///     async move { client.track_read("accounts.alice.balance", 100) }
    /// };
    /// tokio::runtime::Builder::new_current_thread().build()?.block_on(handler.in_context(request));
    /// # Ok(())
    /// # }
    /// ```
    fn in_context(self, context: Context) -> WithContext<Self> {
        WithContext::new(Some(context.0), None, self)
    }
}

impl<F: Future> InContext for F {}

/// Where a context is put when it ends: whoever waits for that has the same.
pub(super) type Done = Arc<Mutex<Option<Finished>>>;

pin_project! {
    /// A future with a context of its own. Made by [`InContext::in_context`].
    #[must_use = "futures do nothing unless you await or poll them"]
    pub struct WithContext<F> {
        strand: Option<Box<Strand>>,
        done: Option<Done>,
        #[pin]
        future: Option<F>,
    }

    impl<F> PinnedDrop for WithContext<F> {
        fn drop(this: Pin<&mut Self>) {
            this.end();
        }
    }
}

impl<F> WithContext<F> {
    pub(super) fn new(strand: Option<Box<Strand>>, done: Option<Done>, future: F) -> Self {
        Self { strand, done, future: Some(future) }
    }

    /// Makes a future in a context that it then has: for what is done before the first poll.
    #[cfg(feature = "tower")]
    pub(crate) fn begin(context: Context, begin: impl FnOnce() -> F) -> Self {
        let mut strand = Some(context.0);
        let future = {
            let _polling = Polling::new(&mut strand);
            begin()
        };
        Self { strand, done: None, future: Some(future) }
    }

    /// Drops what it was attached to, while it still is, and ends the context.
    fn end(self: Pin<&mut Self>) {
        let mut this = self.project();
        if this.future.is_some() {
            let _polling = Polling::new(this.strand);
            this.future.set(None);
        }
        if let (Some(strand), Some(done)) = (this.strand.take(), this.done.take()) {
            *lock(&done) = Some(Context(strand).finish());
        }
    }
}

impl<F: Future> Future for WithContext<F> {
    type Output = F::Output;

    fn poll(mut self: Pin<&mut Self>, context: &mut task::Context<'_>) -> Poll<F::Output> {
        let this = self.as_mut().project();
        let polling = Polling::new(this.strand);
        let future = this.future.as_pin_mut().expect("a future is not polled after its end");
        let polled = future.poll(context);
        if polled.is_pending() {
            polling.suspend();
        }
        drop(polling);
        if polled.is_ready() {
            self.end();
        }
        polled
    }
}

impl<F> fmt::Debug for WithContext<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WithContext").field("strand", &self.strand).finish_non_exhaustive()
    }
}

/// While it lives, the calling thread runs as the strand. That tells nothing of what the thread did before, for somebody
/// else.
pub(super) struct Polling<'a> {
    home: &'a mut Option<Box<Strand>>,
    id: Option<stack::Id>,
    /// How many guards the thread counted, for whoever it runs as otherwise.
    guards: u32,
}

impl<'a> Polling<'a> {
    pub(super) fn new(home: &'a mut Option<Box<Strand>>) -> Self {
        let (mut id, mut guards) = (None, 0);
        if let Some(strand) = home.take() {
            let own = strand.guards;
            match stack::push(strand) {
                Ok(pushed) => (id, guards) = (Some(pushed), guards::swap(own)),
                Err(strand) => *home = Some(strand),
            }
        }
        Self { home, id, guards }
    }

    /// The future is not ready: what the strand holds, it holds across an await.
    fn suspend(&self) {
        if let Some(id) = self.id {
            stack::suspend(id);
        }
    }
}

impl Drop for Polling<'_> {
    fn drop(&mut self) {
        let Some(id) = self.id else { return };
        let guards = guards::swap(self.guards);
        if let Some(strand) = stack::remove(id) {
            let strand = self.home.insert(strand);
            strand.guards = guards;
        }
    }
}
