//! The product's files. The facade is the product's as well, but for the locks: see [`sync`].

#[path = "../../../src/ring/draft.rs"]
pub(crate) mod draft;
#[path = "../../../src/ring/sync.rs"]
mod facade;
#[path = "../../../src/ring/frame.rs"]
pub(crate) mod frame;
#[path = "../../../src/ring/registry.rs"]
pub(crate) mod registry;
#[path = "../../../src/ring/signal.rs"]
pub(crate) mod signal;
#[path = "../../../src/ring/spsc.rs"]
pub(crate) mod spsc;
pub(crate) mod sync;
