//! Loom models of the ring, its registry and its signal.
//!
//! The files under test are the product's own, included by path; only the module `sync` is replaced. Each model states
//! its promise in a sentence and a floor under its number of executions: a model that loom does not explore, because it
//! is blind to something (as it is to a load of one's own index before a store), would pass whatever the code did. That
//! the models can fail is shown by `ci/ordering-mutants.sh`.
//!
//! ```text
//! cargo run --release                 all models, each with its own bound on preemptions: some fifteen seconds
//! cargo run --release -- ring flush   the models whose names contain one of the words
//! TRACKSIDE_LOOM=full cargo run --release         no bound on preemptions: may take hours
//! LOOM_MAX_PREEMPTIONS=4 cargo run --release      another bound
//! TRACKSIDE_LOOM=mutant cargo run --release       no floors: a mutant must break a promise, not just explore less
//! ```
//!
//! Exit code 0: every model held. 1: the model named last failed.

mod kit;
mod model;
mod models;
mod ring;

use std::process::ExitCode;

fn main() -> ExitCode {
    let wanted: Vec<String> = std::env::args().skip(1).collect();
    model::run_all(models::ALL, &wanted)
}
