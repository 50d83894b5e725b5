//! `trackside::tokio::sync`, beside what it is the counterpart of.

mod channels;
mod kit;
mod locks;
mod races;
mod signals;
