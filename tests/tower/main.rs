//! Services made of tower's, as their users meet them.

#![expect(clippy::disallowed_types, reason = "tests count with plain atomics; loom looks at src/ring")]

#[path = "../it/support/events.rs"]
mod events;
mod layers;
mod services;
