//! `trackside::tokio::sync`, beside what it is the counterpart of.

mod kit;
mod locks;
