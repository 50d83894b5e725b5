//! The formats: the one place, beside `trackside-wire`, that knows them. Records become rows of a native batch; a
//! native batch becomes JSON for a stock Raceway server that takes nothing else.

mod atomic;
mod native;
mod stock;

pub(crate) use native::{Parts, Pointers, ROW_OVERHEAD, is_event, row, seal};
pub(crate) use stock::{Converter, Fate};
