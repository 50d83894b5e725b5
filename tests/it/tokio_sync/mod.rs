//! `trackside::tokio::sync`, beside what it is the counterpart of.

mod awaits;
mod channels;
mod kit;
mod locks;
mod races;
mod signals;
