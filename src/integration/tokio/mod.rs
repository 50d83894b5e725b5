//! [`tokio`], as far as it makes an order between what tasks do (feature `tokio`): change `use tokio::task` and
//! `use tokio::sync` to `use trackside::tokio::task` and `use trackside::tokio::sync`, and that order is recorded.

pub mod sync;
#[cfg_attr(not(feature = "tracked"), path = "task/plain.rs")]
pub mod task;
