//! Tests through the public API, over real sockets on the loopback interface and through the real program.
//!
//! Nothing here waits for time to pass: a test either blocks on what it waits for, or does not wait.

mod batch;
mod check;
mod client;
mod faults;
mod hostile;
mod ingest;
#[cfg(unix)]
mod kills;
mod lifecycle;
#[cfg(unix)]
mod program;
mod queries;
#[cfg(unix)]
mod serve;
mod stock;
mod store;
mod temporary;
