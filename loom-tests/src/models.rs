//! The models, the quick ones first.

mod draft;
mod flush;
mod registry;
mod ring;
mod shutdown;
mod sticky;
mod version;
mod wake;

use crate::model::Model;

/// All models.
pub(crate) const ALL: &[Model] = &[
    sticky::NAMED,
    wake::HALF_FULL,
    version::HANDLER_BEFORE,
    version::HANDLER_AFTER,
    version::WRITES,
    version::LOADS,
    version::EXCHANGES,
    version::PERIODS,
    version::STRAYS,
    ring::WHOLE_FRAMES,
    draft::PUBLISHED,
    ring::LAST_PUBLISH,
    ring::GAPS,
    ring::SLOT_REUSE,
    draft::FULL,
    registry::THREAD_EXIT,
    registry::LEASE_RACE,
    wake::FULL_RING,
    flush::OWN_FRAMES,
    flush::FRAMES_OF_ANOTHER,
    flush::FRAMES_BEFORE_JOIN,
    shutdown::LATE_PRODUCER,
    flush::TWO_AND_STOP,
];
