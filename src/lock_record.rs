//! The in-ring form of what tracked locks record.
//!
//! ```text
//! acquisition                      ticks | mode: 8, lock's id: 56 | sequence
//! acquisition that had to wait     ticks | mode: 8, lock's id: 56 | sequence | ticks waited
//! section                          ticks | mode: 8, lock's id: 56 | sequence | ticks of the release
//! release                          ticks | mode: 8, lock's id: 56 | sequence
//! ```
//!
//! A section is an acquisition and its release with nothing recorded in between: two events in one frame. The frame's head
//! has the lock's name, and the place of the acquisition.

/// The kind of an acquisition's frame.
pub(crate) const ACQUIRE: u8 = 59;
/// The kind of a section's frame: what an acquisition's becomes when a word is added to its draft.
pub(crate) const SECTION: u8 = ACQUIRE + 1;
/// The kind of a release's frame.
pub(crate) const RELEASE: u8 = 61;

/// How many words an acquisition's payload has, if it did not have to wait.
pub(crate) const WORDS: usize = 3;

/// The sequence of a release of which it is not known what acquisition it ends.
pub(crate) const UNKNOWN: u64 = 0;

/// How many bits a lock's id has, in the second word of what a lock writes.
pub(crate) const ID_BITS: u32 = 56;

/// How a lock is held. The number goes through the ring, the text onto the wire.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Mode {
    Mutex,
    TryMutex,
    Read,
    TryRead,
    Write,
    TryWrite,
    /// The right to go from reading to writing, which one reader at a time may have: a lock of its own.
    Upgradable,
    TryUpgradable,
    /// Of a lock of tokio's, as all that follow: their guards may go from strand to strand.
    TokioMutex,
    TryTokioMutex,
    TokioRead,
    TryTokioRead,
    TokioWrite,
    TryTokioWrite,
}

impl Mode {
    const ALL: [Mode; 14] = [
        Mode::Mutex,
        Mode::TryMutex,
        Mode::Read,
        Mode::TryRead,
        Mode::Write,
        Mode::TryWrite,
        Mode::Upgradable,
        Mode::TryUpgradable,
        Mode::TokioMutex,
        Mode::TryTokioMutex,
        Mode::TokioRead,
        Mode::TryTokioRead,
        Mode::TokioWrite,
        Mode::TryTokioWrite,
    ];

    /// The same of who would have waited: what is held is held in no other way for having been tried for.
    #[inline]
    pub(crate) fn patient(self) -> Self {
        match self {
            Mode::TryMutex => Mode::Mutex,
            Mode::TryRead => Mode::Read,
            Mode::TryWrite => Mode::Write,
            Mode::TryUpgradable => Mode::Upgradable,
            Mode::TryTokioMutex => Mode::TokioMutex,
            Mode::TryTokioRead => Mode::TokioRead,
            Mode::TryTokioWrite => Mode::TokioWrite,
            patient => patient,
        }
    }

    /// Whether others may hold the lock too.
    #[inline(always)]
    pub(crate) fn is_shared(self) -> bool {
        matches!(self, Mode::Read | Mode::TryRead | Mode::TokioRead | Mode::TryTokioRead)
    }

    /// The type of lock that an event tells: see [`trackside_wire::Kind::LockAcquire`].
    pub(crate) fn text(self) -> &'static str {
        match self {
            Mode::Mutex => "Mutex",
            Mode::TryMutex => "Mutex-Try",
            Mode::Read => "RwLock-Read",
            Mode::TryRead => "RwLock-Read-Try",
            Mode::Write => "RwLock-Write",
            Mode::TryWrite => "RwLock-Write-Try",
            Mode::Upgradable => "RwLock-Upgradable",
            Mode::TryUpgradable => "RwLock-Upgradable-Try",
            Mode::TokioMutex => "tokio-Mutex",
            Mode::TryTokioMutex => "tokio-Mutex-Try",
            Mode::TokioRead => "tokio-RwLock-Read",
            Mode::TryTokioRead => "tokio-RwLock-Read-Try",
            Mode::TokioWrite => "tokio-RwLock-Write",
            Mode::TryTokioWrite => "tokio-RwLock-Write-Try",
        }
    }
}

/// Which lock, how it is held, and which turn it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Turn {
    pub(crate) id: u64,
    pub(crate) mode: Mode,
    pub(crate) sequence: u64,
}

impl Turn {
    /// The payload of an acquisition or release at this time.
    #[inline(always)]
    pub(crate) fn words(&self, ticks: u64) -> [u64; WORDS] {
        [ticks, ((self.mode as u64) << ID_BITS) | self.id, self.sequence]
    }
}

/// A frame, read back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct LockRecord {
    pub(crate) turn: Turn,
    pub(crate) ticks: u64,
    pub(crate) what: What,
}

/// What happened to the lock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum What {
    /// It was acquired, after so many ticks if it had to be waited for.
    Acquire { waited: Option<u64> },
    /// It was acquired, and released at this time.
    Section { released: u64 },
    /// It was released.
    Release,
}

/// Whether frames of this kind are a lock's.
#[inline(always)]
pub(crate) fn is_lock(kind: u8) -> bool {
    matches!(kind, ACQUIRE..=RELEASE)
}

/// How many events a frame of this kind is, whatever its payload.
pub(crate) fn events(kind: u8) -> u64 {
    if kind == SECTION { 2 } else { 1 }
}

/// Reads a frame's payload, whose words are taken as hostile. `None` if it is not one that a lock writes.
#[inline]
pub(crate) fn decode(kind: u8, payload: &[u64]) -> Option<LockRecord> {
    let (&[ticks, mixed, sequence], rest) = payload.split_first_chunk()?;
    let what = match (kind, rest) {
        (ACQUIRE, []) => What::Acquire { waited: None },
        (ACQUIRE, [waited]) => What::Acquire { waited: Some(*waited) },
        (SECTION, [released]) => What::Section { released: *released },
        (RELEASE, []) => What::Release,
        _ => return None,
    };
    let mode = *Mode::ALL.get((mixed >> ID_BITS) as usize)?;
    Some(LockRecord { turn: Turn { id: mixed & ((1 << ID_BITS) - 1), mode, sequence }, ticks, what })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_back() {
        for mode in Mode::ALL {
            let turn = Turn { id: (1 << ID_BITS) - 1, mode, sequence: u64::MAX };
            let words = turn.words(7);
            let longer = [words[0], words[1], words[2], 9];
            let read = |kind, words: &[u64]| decode(kind, words).map(|record| (record.turn, record.ticks, record.what));
            assert_eq!(read(ACQUIRE, &words), Some((turn, 7, What::Acquire { waited: None })));
            assert_eq!(read(ACQUIRE, &longer), Some((turn, 7, What::Acquire { waited: Some(9) })));
            assert_eq!(read(SECTION, &longer), Some((turn, 7, What::Section { released: 9 })));
            assert_eq!(read(RELEASE, &words), Some((turn, 7, What::Release)));
        }
    }

    #[test]
    fn what_no_lock_writes_is_refused() {
        let words = Turn { id: 1, mode: Mode::Mutex, sequence: 2 }.words(3);
        let longer = [words[0], words[1], words[2], 9];
        assert_eq!(decode(SECTION, &words), None);
        assert_eq!(decode(RELEASE, &longer), None);
        assert_eq!(decode(ACQUIRE - 1, &words), None);
        assert_eq!(decode(ACQUIRE, &words[..2]), None);
        assert_eq!(decode(ACQUIRE, &[0, (Mode::ALL.len() as u64) << ID_BITS, 0]), None);
        assert_eq!(decode(ACQUIRE, &[]), None);
    }

    #[test]
    fn modes_are_numbered_as_they_stand() {
        for (at, mode) in Mode::ALL.iter().enumerate() {
            assert_eq!(*mode as usize, at);
        }
    }
}
