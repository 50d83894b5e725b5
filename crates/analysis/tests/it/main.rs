//! The analysis, through its public API: programs written down event by event, and what is found in them.

mod batches;
mod calls;
mod handovers;
mod holes;
mod oracle;
mod orders;
mod partial;
mod program;
mod races;
mod random;
mod strands;
mod texts;
mod traces;
mod updates;
mod world;
