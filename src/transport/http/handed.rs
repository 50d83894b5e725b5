//! Whether what was last written has left our hands: only then can the receiver have it.

use std::sync::{Arc, Mutex, PoisonError};
use ureq::unversioned::transport::{Buffers, ConnectionDetails, Connector, NextTimeout, Transport};

/// Shared by a transport and its connections, of which one is in use at a time.
#[derive(Debug, Clone, Default)]
pub(super) struct Handed(Arc<Mutex<bool>>);

impl Handed {
    /// Whether the last write ended well.
    pub(super) fn over(&self) -> bool {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn set(&self, over: bool) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = over;
    }
}

/// A link of the chain that makes connections.
impl<In: Transport> Connector<In> for Handed {
    type Out = Watched<In>;

    fn connect(&self, _: &ConnectionDetails<'_>, chained: Option<In>) -> Result<Option<Self::Out>, ureq::Error> {
        Ok(chained.map(|inner| Watched { inner, handed: self.clone() }))
    }
}

/// A connection that tells how its writes end.
#[derive(Debug)]
pub(super) struct Watched<T> {
    inner: T,
    handed: Handed,
}

impl<T: Transport> Transport for Watched<T> {
    fn buffers(&mut self) -> &mut dyn Buffers {
        self.inner.buffers()
    }

    fn transmit_output(&mut self, amount: usize, timeout: NextTimeout) -> Result<(), ureq::Error> {
        self.handed.set(false);
        self.inner.transmit_output(amount, timeout)?;
        self.handed.set(true);
        Ok(())
    }

    fn await_input(&mut self, timeout: NextTimeout) -> Result<bool, ureq::Error> {
        self.inner.await_input(timeout)
    }

    fn is_open(&mut self) -> bool {
        self.inner.is_open()
    }

    fn is_tls(&self) -> bool {
        self.inner.is_tls()
    }
}
