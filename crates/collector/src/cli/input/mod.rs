//! Where events come from: files, directories of a collector, and collectors that run.
//!
//! `frames` reads batches out of a stream of bytes, `collector` asks for one, `source` reads any of the three.

mod collector;
mod frames;
mod source;

pub(super) use collector::key_from;
pub(super) use source::{Inputs, follow};
