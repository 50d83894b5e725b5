//! The analysis, through its public API: programs written down event by event, and what is found in them.

mod atomics;
mod awaits;
mod batches;
mod calls;
mod deadlocks;
mod discipline;
mod handovers;
mod holes;
mod lock_costs;
mod lock_oracle;
mod lock_random;
mod memory_model;
mod oracle;
mod orders;
mod partial;
mod program;
mod races;
mod random;
mod recursive_reads;
mod signals;
mod strands;
mod sync;
mod texts;
mod traces;
mod updates;
mod world;
