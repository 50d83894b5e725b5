//! Tracked atomics: which writes a load comes after.
//!
//! The writes of an atomic are numbered in its modification order, and a load says which of them it read. So the record
//! has what the memory model of C++20 and Rust asks for. A write that releases heads a release sequence: itself, and the
//! updates that follow it without a gap. A load that acquires comes after all heads whose sequences hold the write that
//! it read: each update may be a head of its own, so there can be several, but a plain store ends them all.
//!
//! A fence that releases makes a head of each later write of its strand, with what the strand knew at the fence. A fence
//! that acquires makes its strand come after the heads of what it loaded before. So a link goes from the write, or the
//! fence before it, to the load, or the fence after it; and only there does anybody wait. The writes of an atomic are
//! not made to wait for each other: where none of them heads anything, their order is no happens-before.
//!
//! A number that is not in the record is that of a write nobody recorded: of a strand that is not sampled, of a signal
//! handler, or lost. Whether a sequence goes on across it is not known, so what reads a later update of it is a hole
//! point. So is what reads a relaxed write before which its strand may have fenced unrecorded.

use crate::intern::Map;
use crate::links::{Ask, Links, Tell};
use crate::steps::Steps;
use crate::value::Val;

const READ: &str = "the store whose value is read here";
const BEFORE: &str = "a store before the updates whose value is read here";
/// Why a write may be a head although no fence before it is in the record.
pub(crate) const FENCE: &str = "perhaps a fence before the store whose value is read here";
const TWICE: &str = "which of several stores with one number is read here";

/// A tracked atomic.
#[derive(Debug, Default)]
pub(crate) struct Atomic {
    pub(crate) writes: Vec<Write>,
    pub(crate) reads: Vec<Read>,
}

/// A store or an update.
#[derive(Debug, Clone)]
pub(crate) struct Write {
    pub(crate) number: u64,
    pub(crate) strand: u32,
    pub(crate) at: u32,
    pub(crate) update: bool,
    /// The value it left.
    pub(crate) value: Val,
    /// If it heads a release sequence: the record that releases, itself or a fence.
    pub(crate) head: Option<u32>,
    /// Why it may head one nevertheless, or head it with more.
    pub(crate) doubt: Option<&'static str>,
    /// Of a store: the strand's last load, if it has not written since, and the number that was read.
    pub(crate) loaded: Option<(u32, u64)>,
}

/// A load or an update that acquires, by itself or by a fence.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Read {
    pub(crate) number: u64,
    pub(crate) strand: u32,
    /// The record that acquires: itself or a fence.
    pub(crate) at: u32,
}

/// The release sequences that hold a write.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
struct Sequences {
    /// The step of the last head; those of the others are below.
    step: Option<u32>,
    /// What of them is not known.
    doubt: Option<&'static str>,
}

impl Atomic {
    /// Takes note of a read; those of one strand come in their order.
    pub(crate) fn read(&mut self, read: Read) {
        let Read { number, strand, at } = read;
        // Who waits in a loop reads the same again and again.
        let again = |last: &Read| last.strand == strand && last.number == number && last.at <= at;
        if number > 0 && !self.reads.last().is_some_and(again) {
            self.reads.push(read);
        }
    }

    /// Sorts the writes. True if numbers are left out between the first and the last, or some that were read are not
    /// those of a write.
    pub(crate) fn line_up(&mut self) -> bool {
        self.writes.sort_unstable_by_key(|write| (write.number, write.strand, write.at));
        self.writes.dedup_by(|second, first| {
            let same = second.number == first.number;
            first.doubt = if same { Some(TWICE) } else { first.doubt };
            same
        });
        let gap = |pair: &[Write]| pair[1].number > pair[0].number.saturating_add(1);
        self.writes.windows(2).any(gap) || self.reads.iter().any(|read| self.find(read.number).is_none())
    }

    /// The place of the write with this number.
    pub(crate) fn find(&self, number: u64) -> Option<usize> {
        self.writes.binary_search_by_key(&number, |write| write.number).ok()
    }

    /// Links heads to those who read of their sequences; to be called after [`Atomic::line_up`].
    pub(crate) fn link(&self, steps: &mut Steps, links: &mut [Links]) {
        let mut sequences: Vec<Sequences> = Vec::with_capacity(self.writes.len());
        for (at, write) in self.writes.iter().enumerate() {
            let before = at.checked_sub(1).filter(|at| self.writes[*at].number + 1 == write.number);
            let mut now = match before.map(|at| sequences[at]) {
                _ if !write.update || write.number == 1 => Sequences::default(),
                Some(before) => before,
                None => Sequences { step: None, doubt: Some(BEFORE) },
            };
            now.doubt = write.doubt.or(now.doubt);
            if let Some(at) = write.head {
                let step = steps.add(now.step.is_some());
                steps.expect(step);
                links[write.strand as usize].tells.push(Tell { at, step });
                now.step = Some(step);
            }
            sequences.push(now);
        }
        // Per strand, the step that it noticed last, and where.
        let mut last: Map<u32, (u32, Option<u32>)> = Map::default();
        for Read { number, strand, at } in self.reads.iter().copied() {
            let found = self.find(number).map(|at| sequences[at]);
            let now = found.unwrap_or(Sequences { step: None, doubt: Some(READ) });
            let known = last.insert(strand, (at, now.step)).filter(|(before, _)| *before <= at);
            let (step, missing) = (now.step.filter(|_| known.is_none_or(|(_, known)| known != now.step)), now.doubt);
            step.into_iter().for_each(|step| steps.reserve(step));
            if step.is_some() || missing.is_some() {
                links[strand as usize].asks.push(Ask { at, step, missing });
            }
        }
    }
}
