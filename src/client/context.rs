//! Where contexts come from, and where they go.

use super::Client;
use crate::context::{Context, Current, fork_here};
use crate::error::NoContext;
use crate::propagation::{Extract, Headers, Received, SpanId, TraceId};
use crate::value::{Name, Value};
use std::borrow::Cow;
use std::panic::Location;
use trackside_wire::Kind;

/// Contexts.
impl Client {
    /// A context that begins a trace.
    pub fn context(&self) -> Context {
        self.context_of(Received::default())
    }

    /// A context in a trace that is known by its id alone, as from a job's description.
    pub fn context_in(&self, trace: TraceId) -> Context {
        self.context_of(Received::of_trace(trace))
    }

    /// A context for a request, from its headers: in the caller's trace, with the span that the caller chose, knowing what
    /// the caller knew; or one that begins a trace, if the caller does not take part in any.
    ///
    /// # Examples
    ///
    /// ```
    /// # use trackside::{Client, MemoryTransport};
    /// # let client = Client::builder_to(MemoryTransport::new()).service("doc").build()?;
    /// let headers = [("traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")];
    /// let context = client.extract(&headers);
    /// assert_eq!(context.trace_id().to_string(), "0af76519-16cd-43dd-8448-eb211c80319c");
    /// # Ok::<(), trackside::BuildError>(())
    /// ```
    pub fn extract<C: Extract + ?Sized>(&self, carrier: &C) -> Context {
        self.context_of(Received::parse(carrier))
    }

    fn context_of(&self, received: Received) -> Context {
        Context::from_origin(self.recorder().clone(), received.origin(self.recorder().instance()))
    }

    /// A context for work that goes on beside what the calling thread does: a fork of its context, as by
    /// [`Current::fork`], or, outside of any, one in the background trace. `name` says what it is, for people.
    #[track_caller]
    pub fn fork(&self, name: impl Into<Cow<'static, str>>) -> Context {
        fork_here(&self.recorder, name.into(), Location::caller())
    }

    /// The headers for one call to another service, in this client's context: see [`Current::propagation_headers`].
    ///
    /// # Errors
    /// If no context of this client is attached to the calling thread.
    ///
    /// # Examples
    ///
    /// ```
    /// # use trackside::{Client, MemoryTransport};
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let client = Client::builder_to(MemoryTransport::new()).service("doc").build()?;
    /// let _request = client.context().attach();
    /// let headers = client.propagation_headers()?.with([("X-Custom", "value")]);
    /// for (name, value) in headers {
    ///     println!("{name}: {value}");
    /// }
    /// # Ok(())
    /// # }
    /// ```
    #[track_caller]
    pub fn propagation_headers(&self) -> Result<Headers, NoContext> {
        let site = Location::caller();
        Current::of_client(&self.recorder).map(|current| current.call(site)).ok_or(NoContext)
    }

    /// The reply to a call has come: what the called service did up to its response happens before what is done next here.
    /// The span is the one that the call's headers carried: [`Headers::child`].
    #[inline]
    #[track_caller]
    pub fn track_call_returned(&self, span: SpanId) {
        self.recorder.record(Kind::CallReturned, Name::NONE, span.as_u64().into(), Value::NIL, Location::caller());
    }
}
