//! Other people's types, each behind a feature of its own.

#[cfg(feature = "http")]
mod http;
#[cfg(feature = "tower")]
pub mod tower;
