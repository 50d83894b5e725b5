//! The formats: the one place, beside `trackside-wire`, that knows them. Records become rows of a native batch; a
//! native batch becomes JSON for a stock Raceway server that takes nothing else.

mod atomic;
mod native;
mod stock;

pub(crate) use native::{LOCK_ROW, Parts, Pointers, ROW_OVERHEAD, is_event, lock_row, row, seal};
pub(crate) use stock::{Converter, Fate};
