//! What is answered to whom. `router` has the routes; each of the others answers some of them.

mod findings;
mod live;
mod locks;
mod overview;
mod query;
mod respond;
mod router;
mod traces;

pub(crate) use router::{App, router, take_in};
