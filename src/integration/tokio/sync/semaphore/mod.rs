//! The semaphore, and its permits.

mod counter;
mod owned;
mod permit;

pub use counter::Semaphore;
pub use owned::OwnedSemaphorePermit;
pub use permit::SemaphorePermit;
