use std::fmt;

/// One run of one client: 60 random bits, drawn when the client is built.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RunId(u64);

impl RunId {
    /// The largest value a run id can have: 60 bits, what a UUIDv8 leaves beside ring and sequence.
    pub const MAX: u64 = (1 << 60) - 1;

    /// Takes the low 60 bits of `bits`.
    pub const fn new(bits: u64) -> Self {
        Self(bits & Self::MAX)
    }

    /// The id as a number, at most [`RunId::MAX`].
    pub const fn get(self) -> u64 {
        self.0
    }
}

impl fmt::Display for RunId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:015x}", self.0)
    }
}

/// The identity of an event: `(run, ring, sequence)`, the same on every retry, so that a receiver can drop duplicates.
///
/// Displayed as a UUIDv8 (RFC 9562, section 5.8): 60 bits of run, 16 of ring, 46 of sequence.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct EventId {
    /// The run that recorded the event.
    pub run: RunId,
    /// The ring it went through. Rings are reused by later threads; the sequence goes on.
    pub ring: u16,
    /// Its place among all events attempted on that ring, dropped ones included.
    pub seq: u64,
}

impl EventId {
    const SEQ_BITS: u32 = 46;

    /// The 128 bits of the UUID, version and variant set.
    pub const fn to_u128(self) -> u128 {
        let run = self.run.get();
        let custom_a = (run >> 12) as u128;
        let custom_b = (run & 0xfff) as u128;
        let seq = self.seq & ((1 << Self::SEQ_BITS) - 1);
        let custom_c = ((self.ring as u128) << Self::SEQ_BITS) | seq as u128;
        (custom_a << 80) | (8 << 76) | (custom_b << 64) | (0b10 << 62) | custom_c
    }
}

impl fmt::Display for EventId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let bits = self.to_u128();
        write!(
            f,
            "{:08x}-{:04x}-{:04x}-{:04x}-{:012x}",
            bits >> 96,
            (bits >> 80) & 0xffff,
            (bits >> 64) & 0xffff,
            (bits >> 48) & 0xffff,
            bits & 0xffff_ffff_ffff
        )
    }
}

/// What a strand is called where a thread's name is expected: `rust-<process>-<strand>-<run>`.
///
/// The run is part of it because process ids come again: on other machines, in other containers, after a while. Two
/// strands never share a name, be they of two clients in one process.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ThreadId {
    /// The run the strand belongs to.
    pub run: RunId,
    /// The process id.
    pub pid: u32,
    /// The strand's number within the run.
    pub strand: u64,
}

impl fmt::Display for ThreadId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "rust-{}-{}-{}", self.pid, self.strand, self.run)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_id_is_a_uuid_of_version_8() {
        let id = EventId { run: RunId::new(0x0123_4567_89ab_cdef), ring: 0xffff, seq: (1 << 46) - 1 };
        assert_eq!(id.to_string(), "12345678-9abc-8def-bfff-ffffffffffff");
        let id = EventId { run: RunId::new(1), ring: 1, seq: 2 };
        assert_eq!(id.to_string(), "00000000-0000-8001-8000-400000000002");
    }

    #[test]
    fn a_thread_id_names_process_strand_and_run() {
        let id = ThreadId { run: RunId::new(0xabc), pid: 42, strand: 7 };
        assert_eq!(id.to_string(), "rust-42-7-000000000000abc");
    }

    #[test]
    fn ids_differ_when_any_part_differs() {
        let base = EventId { run: RunId::new(7), ring: 3, seq: 9 };
        for other in [EventId { run: RunId::new(8), ..base }, EventId { ring: 4, ..base }, EventId { seq: 10, ..base }]
        {
            assert_ne!(base.to_u128(), other.to_u128());
        }
    }
}
