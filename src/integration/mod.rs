//! Other people's types and libraries, each behind a feature of its own.

#[cfg(feature = "http")]
mod http;
#[cfg(feature = "parking_lot")]
#[cfg_attr(not(feature = "tracked"), path = "parking_lot/plain.rs")]
pub mod parking_lot;
#[cfg(feature = "tokio")]
pub mod tokio;
#[cfg(feature = "tower")]
pub mod tower;
#[cfg(feature = "tracing")]
pub mod tracing;
