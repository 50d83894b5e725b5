//! Contexts for those who cannot be handed one: whose only link to the code that had it is a key, such as a tracing span.

use super::strand::{Shared, Strand};
use super::{Context, stack};
use crate::propagation::Received;
use crate::recorder::Recorder;
use crate::ring::stay::Edge;
use crate::ring::sync::Arc;
use trackside_wire::ThreadId;

/// What a context leaves behind when it goes to run somewhere: enough to make another one beside it.
#[derive(Debug, Clone)]
pub(crate) struct Kin {
    recorder: Recorder,
    shared: Arc<Shared>,
}

impl Kin {
    /// A context in the same trace and span. Of what was done in the other it comes after nothing, unless that is said.
    pub(crate) fn sibling(&self) -> Context {
        Context(Strand::sibling(&self.recorder, &self.shared))
    }
}

/// All that the calling thread had done at some moment.
#[derive(Debug, Clone)]
pub(crate) struct Moment(Vec<Edge>);

impl Moment {
    /// The present one.
    pub(crate) fn now(recorder: &Recorder) -> Self {
        Self(stack::so_far(recorder))
    }

    /// What the calling thread does from now on comes after it.
    pub(crate) fn before_this(&self, recorder: &Recorder) {
        stack::follow(recorder, &self.0);
    }
}

impl Context {
    /// A context that begins a trace.
    pub(crate) fn begin(recorder: &Recorder) -> Self {
        Self::from_origin(recorder.clone(), Received::default().origin(recorder.instance()))
    }

    /// See [`Kin`].
    pub(crate) fn kin(&self) -> Kin {
        Kin { recorder: self.0.recorder.clone(), shared: self.0.shared.clone() }
    }

    /// What is done here from now on comes after all that was done in `other`, which runs nowhere.
    pub(crate) fn follow(&mut self, other: &Context) {
        self.0.progress.follow(&other.0.progress.so_far());
    }

    /// What the calling thread runs as for this client, if it is a context.
    pub(crate) fn current_id(recorder: &Recorder) -> Option<ThreadId> {
        stack::with_innermost(recorder.pipe().key(), |strand| strand.map(|strand| strand.thread_id()))?
    }
}
