//! The analysis, through its public API: programs written down event by event, and what is found in them.

mod batches;
mod calls;
mod deadlocks;
mod discipline;
mod holes;
mod lock_costs;
mod lock_oracle;
mod lock_random;
mod lock_scale;
mod oracle;
mod orders;
mod program;
mod races;
mod random;
mod recursive_reads;
mod strands;
mod texts;
mod traces;
mod updates;
mod world;
