//! Tests through the public API, over real sockets on the loopback interface and through the real program.
//!
//! Nothing here waits for time to pass: a test either blocks on what it waits for, or does not wait.

mod baseline;
mod batch;
mod check;
mod client;
mod command;
mod commands;
mod export;
mod faults;
mod formats;
mod hostile;
mod ingest;
#[cfg(unix)]
mod kills;
mod lifecycle;
#[cfg(unix)]
mod program;
mod queries;
mod recording;
mod report;
#[cfg(unix)]
mod serve;
mod store;
#[cfg(unix)]
mod tail;
mod temporary;
