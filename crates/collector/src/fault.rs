use std::fmt;
use std::sync::Mutex;

/// A failure for the collector to produce on purpose: a testing aid for whoever sends to it.
///
/// See [`CollectorBuilder::fault`](crate::CollectorBuilder::fault).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Fault {
    /// Stores nothing and answers with this status and a text body. With 200 that is what a captive portal does: it
    /// looks like success but acknowledges nothing.
    Status(u16),
    /// Stores nothing and closes the connection without an answer.
    Close,
    /// Stores the batch, then answers with this status instead of the acknowledgement.
    StoreThenStatus(u16),
    /// Stores the batch, then closes the connection without an answer.
    StoreThenClose,
}

impl Fault {
    /// Whether the request is to be failed before it is even read.
    pub(crate) fn is_before_storing(self) -> bool {
        matches!(self, Fault::Status(_) | Fault::Close)
    }
}

/// The hook, and the number of the next request.
#[derive(Default)]
pub(crate) struct FaultPlan {
    hook: Option<Box<Hook>>,
    next: Mutex<u64>,
}

type Hook = dyn Fn(u64) -> Option<Fault> + Send + Sync;

impl FaultPlan {
    pub(crate) fn new(hook: impl Fn(u64) -> Option<Fault> + Send + Sync + 'static) -> Self {
        Self { hook: Some(Box::new(hook)), next: Mutex::default() }
    }

    /// Counts a request and asks the hook what to do with it.
    pub(crate) fn next(&self) -> Option<Fault> {
        let hook = self.hook.as_ref()?;
        let number = {
            let mut next = crate::sync::lock(&self.next);
            *next += 1;
            *next - 1
        };
        hook(number)
    }
}

impl fmt::Debug for FaultPlan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FaultPlan").field("hook", &self.hook.is_some()).finish_non_exhaustive()
    }
}
