//! How a trace goes from one service to the next: ids, vector clocks, and the headers that carry them.
//!
//! Three headers are read and written: `traceparent` and `tracestate` of
//! [W3C Trace Context](https://www.w3.org/TR/trace-context/), and `raceway-clock`, which adds the caller's vector clock
//! and is understood by Raceway's other SDKs. Everything here is a function of its arguments: no client is needed, and
//! nothing is recorded.
//!
//! What comes in is written by somebody else. [`Received::parse`] never fails and never panics; what it cannot use it
//! leaves out, so that a malformed header costs a link between two traces and never a request. It looks at no header
//! longer than [`MAX_HEADER_BYTES`], and at no more of a clock than [`VectorClock`] has room for. What goes out is
//! visible ASCII by construction, whatever the names in it are.
//!
//! # Examples
//!
//! ```
//! use std::collections::HashMap;
//! use trackside::propagation::{Instance, Outgoing, Received, SpanId, TraceId, VectorClock};
//!
//! // The caller.
//! let shop = Instance::new("shop", "shop-1");
//! let (trace, span) = (TraceId::random(), SpanId::random());
//! let mut clock = VectorClock::new();
//! clock.advance(shop.component());
//! let headers = Outgoing::new(trace, span, &shop, &clock).headers();
//!
//! // Whatever carries headers can carry these.
//! let request: HashMap<&str, String> = headers.into_iter().collect();
//!
//! // The service that is called.
//! let received = Received::parse(&request);
//! assert_eq!(received.trace, Some(trace));
//! assert_eq!(received.upstream, Some(span));
//! let bank = Instance::new("bank", "bank-7");
//! let origin = received.origin(&bank);
//! assert_eq!(origin.clock.value("shop#shop-1"), 1);
//! assert_eq!(origin.clock.value("bank#bank-7"), 0);
//! ```

mod carrier;
mod clock_header;
mod id;
mod instance;
mod lenient;
mod outgoing;
mod random;
mod received;
#[cfg(test)]
mod tests;
mod traceparent;
mod tracestate;
mod vector_clock;

pub use carrier::{Extract, Inject};
pub use clock_header::MAX_CLOCK_BYTES;
pub use id::{ParseIdError, SpanId, TraceId};
pub use instance::Instance;
pub use outgoing::{Headers, Outgoing};
pub use received::{MAX_HEADER_BYTES, Origin, Received};
pub use tracestate::TraceState;
pub use vector_clock::VectorClock;

/// The header with trace, span and sampling of W3C Trace Context.
pub const TRACEPARENT: &str = "traceparent";

/// The header in which tracing systems keep what is theirs; passed on as it came.
pub const TRACESTATE: &str = "tracestate";

/// The header with the caller's ids and vector clock.
pub const RACEWAY_CLOCK: &str = "raceway-clock";
