//! The JSON of the stock SDKs: what is stored of it, what is found in it, and what it is refused for.

mod events;
mod findings;
mod reading;
mod refusals;
mod restarts;
