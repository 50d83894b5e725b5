//! Tests of the format through the crate's public API.

mod amplification;
mod common;
mod golden;
mod indices;
mod properties;
