//! What `trackside::sync` and `trackside::thread` record, taken together.

mod model;
mod program;
