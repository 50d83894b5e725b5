//! The reading side of the stock server, in its shapes: `{"success":true,"data":...,"error":null}`.
//!
//! What is counted is counted by [`Census`](trackside_analysis::Census), and what is said to race is what the
//! [`Report`](trackside_analysis::Report) says: there is one analysis. Every list has a bound, and where that was reached the
//! answer says so in a member of its own, `truncated`, which the stock server has not.

mod answer;
mod races;
mod services;
mod traces;

pub(crate) use races::{global, global_races};
pub(crate) use services::{dependencies, edges, hotspots, services, traces_of};
pub(crate) use traces::traces;
