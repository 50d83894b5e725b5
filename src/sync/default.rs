//! Records into the default client: the one that was built last, if it takes what is recorded.

use crate::record::{Bytes, Record};
use crate::ring::local::{self, Entered};
use crate::ring::{gates, pipe};

/// The calling thread's ring of the default client. While this lives, no foreign code may be called.
#[derive(Debug)]
pub(super) struct Recording(Entered<'static>);

impl Recording {
    /// Begins to record an event of this kind. `None` if there is no client that takes it; and where there is, but not from
    /// here and now, it has been counted.
    #[inline(always)]
    pub(super) fn begin(kind: u8) -> Option<Self> {
        Self::begin_by(gates::gate(kind))
    }

    /// As [`Recording::begin`], by what the kind's gate said.
    #[inline(always)]
    pub(super) fn begin_by(gate: u64) -> Option<Self> {
        if gate == 0 {
            return None;
        }
        local::enter_at_once(gate).or_else(|| local::enter_default(gate)).map(Self)
    }

    /// Writes the record, with the present time, or counts it where there is no room.
    #[inline(always)]
    pub(super) fn write(mut self, record: Record<Bytes<'_>>) {
        let ring = self.0.ring();
        let record = Record { ticks: ring.ticks(), ..record };
        if !record.write_at_once(ring) {
            make_room_and_write(self, &record);
        }
    }

    /// Nothing is written, because what would be told is not known for certain; that is counted.
    #[cold]
    pub(super) fn turn_away(mut self) {
        pipe::count(&self.0.ring().pipe().turned_away.reentrant);
    }
}

#[cold]
#[inline(never)]
fn make_room_and_write(mut recording: Recording, record: &Record<Bytes<'_>>) {
    record.write(recording.0.ring());
}
