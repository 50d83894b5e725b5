//! An operation on a tracked atomic, as a record: more than the two arguments that a record has. The first is the atomic's
//! id with what tells how to read the second, which holds the number and the values, a word each.

use crate::record::{Arg, Bytes, Words};
use std::sync::atomic::Ordering;

/// What an atomic's words are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sort {
    Unsigned,
    Signed,
    Bool,
}

/// An operation that has got a place.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Operation {
    pub(crate) id: u64,
    pub(crate) number: u64,
    pub(crate) ordering: Ordering,
    pub(crate) sort: Sort,
}

/// Room for the second argument.
pub(crate) type Room = [u8; 3 * 8];

/// The ordering and the sort take the first argument's lowest bits.
const ORDERING_BITS: u32 = 3;
const SORT_BITS: u32 = 2;

impl Operation {
    /// The two arguments for an operation with one value, or two: the old and the new one.
    #[inline(always)]
    pub(crate) fn arguments<'a>(&self, values: &[u64], room: &'a mut Room) -> [Arg<Bytes<'a>>; 2] {
        let sort = match self.sort {
            Sort::Unsigned => 0,
            Sort::Signed => 1,
            Sort::Bool => 2,
        };
        let a = (((self.id << SORT_BITS) | sort) << ORDERING_BITS) | code(self.ordering);
        let words = room.as_chunks_mut::<8>().0;
        words
            .iter_mut()
            .zip([&self.number].into_iter().chain(values))
            .for_each(|(room, word)| *room = word.to_le_bytes());
        let len = 8 + 8 * values.len().min(2);
        [Arg::UInt(a), Arg::Packed(Bytes { bytes: &room[..len], cut: false })]
    }

    /// Reads the arguments back, with the values' words. `None` if they are none of [`Operation::arguments`].
    #[inline]
    pub(crate) fn read<'a>(a: &Arg<Words<'_>>, b: &Arg<Words<'a>>) -> Option<(Self, &'a [u64])> {
        let (Arg::UInt(a), Arg::Packed(Words { words: [number, values @ ..], .. })) = (a, b) else { return None };
        let sort = match (a >> ORDERING_BITS) & ((1 << SORT_BITS) - 1) {
            0 => Sort::Unsigned,
            1 => Sort::Signed,
            2 => Sort::Bool,
            _ => return None,
        };
        let ordering = ordering(a & ((1 << ORDERING_BITS) - 1))?;
        Some((Self { id: a >> (ORDERING_BITS + SORT_BITS), number: *number, ordering, sort }, values))
    }
}

#[inline(always)]
fn code(ordering: Ordering) -> u64 {
    match ordering {
        Ordering::Relaxed => 0,
        Ordering::Acquire => 1,
        Ordering::Release => 2,
        Ordering::AcqRel => 3,
        _ => 4,
    }
}

fn ordering(code: u64) -> Option<Ordering> {
    Some(match code {
        0 => Ordering::Relaxed,
        1 => Ordering::Acquire,
        2 => Ordering::Release,
        3 => Ordering::AcqRel,
        4 => Ordering::SeqCst,
        _ => return None,
    })
}

/// What the ordering is called in a record.
pub(crate) fn name(ordering: Ordering) -> &'static str {
    match ordering {
        Ordering::Relaxed => "Relaxed",
        Ordering::Acquire => "Acquire",
        Ordering::Release => "Release",
        Ordering::AcqRel => "AcqRel",
        _ => "SeqCst",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_back() {
        use Ordering::{AcqRel, Acquire, Relaxed, Release, SeqCst};
        for ordering in [Relaxed, Acquire, Release, AcqRel, SeqCst] {
            for sort in [Sort::Unsigned, Sort::Signed, Sort::Bool] {
                for values in [&[7][..], &[u64::MAX, 1]] {
                    let operation = Operation { id: (1 << 59) - 1, number: u64::MAX, ordering, sort };
                    let mut room = Room::default();
                    let [Arg::UInt(a), Arg::Packed(bytes)] = operation.arguments(values, &mut room) else { panic!() };
                    let words: Vec<_> =
                        bytes.bytes.as_chunks().0.iter().map(|word| u64::from_le_bytes(*word)).collect();
                    let b = Arg::Packed(Words { words: &words, len: bytes.bytes.len(), cut: false });
                    let (read, read_values) = Operation::read(&Arg::UInt(a), &b).unwrap();
                    let Operation { id, number, .. } = read;
                    assert_eq!((id, number, read_values), (operation.id, operation.number, values));
                    assert_eq!((read.ordering, read.sort), (ordering, sort));
                }
            }
        }
    }

    #[test]
    fn what_nobody_wrote_is_refused() {
        let packed = |words| Arg::Packed(Words { words, len: 8, cut: false });
        assert!(Operation::read(&Arg::UInt(0), &packed(&[1])).is_some());
        for (a, b) in [
            (Arg::UInt(0), packed(&[])),
            (Arg::UInt(0), Arg::Nil),
            (Arg::Int(0), packed(&[1])),
            (Arg::UInt(5), packed(&[1])),
            (Arg::UInt(3 << ORDERING_BITS), packed(&[1])),
        ] {
            assert!(Operation::read(&a, &b).is_none(), "{a:?} {b:?}");
        }
    }
}
