//! Services made of tower's, as their users meet them.

#[path = "../it/support/events.rs"]
mod events;
mod layers;
mod services;
