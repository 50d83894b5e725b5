//! The product's files, with loom's twin of their facade beside them.
//!
//! `local`, `pipe` and `fork` are left out: they hold thread-locals of the real kind and relaxed statistics. The models
//! do by hand what `local` does around a producer, see [`crate::kit`].

#[path = "../../src/ring/draft.rs"]
pub(crate) mod draft;
#[path = "../../src/ring/frame.rs"]
pub(crate) mod frame;
#[path = "../../src/ring/registry.rs"]
pub(crate) mod registry;
#[path = "../../src/ring/signal.rs"]
pub(crate) mod signal;
#[path = "../../src/ring/spsc.rs"]
pub(crate) mod spsc;
#[path = "../../src/ring/sticky.rs"]
pub(crate) mod sticky;
pub(crate) mod sync;
#[path = "../../src/ring/version.rs"]
pub(crate) mod version;
