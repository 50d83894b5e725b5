//! `trackside report`: a document that stands alone. `page` is its frame, `findings`, `locks` and `summary` its sections,
//! `markup` how anything gets into it.

mod command;
mod findings;
mod locks;
mod markup;
mod page;
mod summary;

pub(super) use command::WriteReport;
