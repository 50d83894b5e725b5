//! Tables of what is in a record: who took part, how often, and when. Nothing here judges; that is what a
//! [`Report`](crate::Report) does.

mod calls;
mod census;

pub use calls::{ServiceCalls, service_calls};
pub use census::{Census, ServiceTally, TraceTally, VariableTally};
