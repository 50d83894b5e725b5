//! The control frame by which a thread says whose events it records from here on.
//!
//! ```text
//! strand | first step | sequence number | that of the strand's last event | its ring: 16, entry: 1, spare, edges: 32
//! | dropped | trace, two words | span | upstream | bytes of the thread's name: 16, of the strand's: 16, clock's words: 32
//! | edges, four words each | the thread's name | the strand's | the clock
//! ```
//!
//! It says all that the flusher has to know of the strand, each time: so the flusher needs to remember nothing of strands
//! that run nowhere, of which there may be any number, and which may never run again.

use crate::ring::frame::{Head, Name};
use crate::ring::spsc::{Slot, words_for};
use crate::ring::stay::Edge;
use crate::ring::thread_ring::ThreadRing;

/// The frame's kind.
pub(crate) const ATTACH: u8 = 62;

/// The longest thread's name that is told whole, in bytes.
pub(crate) const THREAD_NAME_LIMIT: usize = 64;
/// The longest strand's name that is told whole, in bytes.
pub(crate) const NAME_LIMIT: usize = 128;

/// How many words come before what differs in length.
const FIXED: usize = 11;
/// How many words a clock may take; what is beyond is left out of the record.
const CLOCK_WORDS: usize = 352;

/// What is said of a strand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Attach<'a> {
    pub(crate) strand: u64,
    /// How many events it has recorded before, dropped ones included.
    pub(crate) first_step: u64,
    /// How many events have gone through this ring, dropped ones included.
    pub(crate) seq: u64,
    /// The ring of the strand's last event, and how many had gone through that by then: 0 if there was none.
    pub(crate) last: (u16, u64),
    /// How many of the strand's events were dropped just now, because there was no room for this frame.
    pub(crate) dropped: u64,
    pub(crate) about: About<'a>,
    pub(crate) after: &'a [Edge],
    /// The thread's name.
    pub(crate) thread: &'a str,
}

/// What about a strand does not change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct About<'a> {
    pub(crate) trace: u128,
    /// 0 for none.
    pub(crate) span: u64,
    /// 0 for none.
    pub(crate) upstream: u64,
    /// Whether it answers a call from elsewhere.
    pub(crate) entry: bool,
    /// Empty for none.
    pub(crate) name: &'a str,
    /// As [`pack_clock`] made it.
    pub(crate) clock: &'a [u64],
}

impl About<'_> {
    /// What is to be said of a thread's own strand.
    pub(crate) fn background(trace: u128) -> Self {
        Self { trace, span: 0, upstream: 0, entry: false, name: "", clock: &[] }
    }
}

/// A clock's components and their values, as words.
pub(crate) fn pack_clock<'a>(components: impl Iterator<Item = (&'a str, u64)>) -> Box<[u64]> {
    let mut words = Vec::new();
    for (component, value) in components {
        if words.len() + 2 + words_for(component.len()) > CLOCK_WORDS {
            break;
        }
        words.extend([value, component.len() as u64]);
        words.extend(component.as_bytes().chunks(8).map(|bytes| {
            let mut word = [0; 8];
            word.iter_mut().zip(bytes).for_each(|(to, from)| *to = *from);
            u64::from_le_bytes(word)
        }));
    }
    words.into()
}

impl Attach<'_> {
    /// Writes the frame. `false` if there is no room for it.
    pub(crate) fn write(&self, ring: &mut ThreadRing) -> bool {
        let About { trace, span, upstream, entry, name, clock } = self.about;
        let (thread, name) = (cut(self.thread, THREAD_NAME_LIMIT), cut(name, NAME_LIMIT));
        let clock = &clock[..clock.len().min(CLOCK_WORDS)];
        let payload = FIXED + 4 * self.after.len() + words_for(thread.len()) + words_for(name.len()) + clock.len();
        let head = Head { kind: ATTACH, tags: 0, site: None, name: Name::None };
        let Some(mut slot) = ring.reserve_control(&head, payload) else { return false };
        let mut put = |words: &[u64]| words.iter().for_each(|word| slot.put(*word));
        let (last_ring, last_seq) = self.last;
        put(&[self.strand, self.first_step, self.seq, last_seq]);
        put(&[u64::from(last_ring) | (u64::from(entry) << 16) | ((self.after.len() as u64) << 32), self.dropped]);
        put(&[(trace >> 64) as u64, trace as u64, span, upstream]);
        put(&[thread.len() as u64 | ((name.len() as u64) << 16) | ((clock.len() as u64) << 32)]);
        self.after.iter().for_each(|edge| put(&[edge.strand, edge.steps, u64::from(edge.ring), edge.seq]));
        texts(&mut slot, [thread, name]);
        clock.iter().for_each(|word| slot.put(*word));
        slot.commit();
        true
    }
}

fn texts(slot: &mut Slot<'_>, texts: [&str; 2]) {
    texts.iter().for_each(|text| slot.put_bytes(text.as_bytes()));
}

/// At most `limit` bytes of `text`, not ending inside a character.
fn cut(text: &str, limit: usize) -> &str {
    let mut len = text.len().min(limit);
    while !text.is_char_boundary(len) {
        len -= 1;
    }
    &text[..len]
}

/// As [`Attach`], read back.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Attached {
    pub(crate) strand: u64,
    pub(crate) first_step: u64,
    pub(crate) seq: u64,
    pub(crate) last: (u16, u64),
    pub(crate) dropped: u64,
    pub(crate) trace: u128,
    pub(crate) span: u64,
    pub(crate) upstream: u64,
    pub(crate) entry: bool,
    pub(crate) name: Box<str>,
    pub(crate) clock: Vec<(Box<str>, u64)>,
    pub(crate) after: Vec<Edge>,
    pub(crate) thread: Box<str>,
}

impl Attached {
    /// Reads a frame's payload; `None` if it is not one that [`Attach::write`] makes. The words are taken as hostile.
    pub(crate) fn read(payload: &[u64]) -> Option<Self> {
        let mut rest = payload;
        let &[strand, first_step, seq, last_seq, mixed, dropped, high, low, span, upstream, lens] =
            rest.split_off(..FIXED)?
        else {
            return None;
        };
        let edges = rest.split_off(..(mixed >> 32) as usize * 4)?;
        let after = edges.chunks_exact(4).map(edge).collect::<Option<_>>()?;
        let thread = text(&mut rest, lens & 0xffff)?;
        let name = text(&mut rest, (lens >> 16) & 0xffff)?;
        let mut clock_words = rest.split_off(..(lens >> 32) as usize)?;
        let mut clock = Vec::new();
        while let [value, len, components @ ..] = clock_words {
            clock_words = components;
            clock.push((text(&mut clock_words, *len)?, *value));
        }
        let trace = (u128::from(high) << 64) | u128::from(low);
        let (last, entry) = ((mixed as u16, last_seq), mixed & (1 << 16) != 0);
        let attached =
            Self { strand, first_step, seq, last, dropped, trace, span, upstream, entry, name, clock, after, thread };
        (rest.is_empty() && clock_words.is_empty()).then_some(attached)
    }
}

fn edge(words: &[u64]) -> Option<Edge> {
    let &[strand, steps, ring, seq] = words else { return None };
    Some(Edge { strand, steps, ring: u16::try_from(ring).ok()?, seq })
}

fn text(rest: &mut &[u64], len: u64) -> Option<Box<str>> {
    let len = usize::try_from(len).ok()?;
    if len > rest.len() * 8 {
        return None;
    }
    let words = rest.split_off(..words_for(len))?;
    let mut bytes: Vec<u8> = words.iter().flat_map(|word| word.to_le_bytes()).collect();
    bytes.truncate(len);
    Some(String::from_utf8_lossy(&bytes).into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ring::local;
    use crate::ring::pipe::{Background, Identity, Overflow, Pipe, PipeOptions, Whose};
    use proptest::collection::vec;
    use proptest::prelude::*;
    use std::num::NonZeroUsize;

    /// The frame, written into a ring and read out of it again.
    fn through_a_ring(attach: &Attach<'_>) -> Attached {
        let (pipe, _sleeper) = Pipe::new(PipeOptions {
            ring_words: const { NonZeroUsize::new(4096).unwrap() },
            most_rings: 1,
            overflow: Overflow::DropNewest,
            background: Background::Recorded,
            coarse: false,
            clock: crate::clock::ticks,
            announce: |_, _| Whose::Known,
            identity: Identity { run: 1, trace: 1, service: "s".into(), instance: "i".into(), pid: 1 },
        });
        assert_eq!(local::with_ring(&pipe, true, |ring| (attach.write(ring), ring.events())), Some((true, 0)));
        let (mut consumers, mut read) = (Vec::new(), Vec::new());
        pipe.registry.adopt(&mut consumers);
        consumers[0].drain(&mut Vec::new(), |head, payload| {
            assert_eq!(head.kind, ATTACH);
            read.push(Attached::read(payload).expect("it was written by Attach::write"));
            true
        });
        pipe.close();
        read.pop().expect("one frame")
    }

    fn edges() -> impl Strategy<Value = Vec<Edge>> {
        let edge = |(strand, steps, ring, seq)| Edge { strand, steps, ring, seq };
        vec(any::<(u64, u64, u16, u64)>().prop_map(edge), 0..128)
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(
            (strand, first_step, seq, last, dropped) in any::<(u64, u64, u64, (u16, u64), u64)>(),
            (trace, span, upstream, entry) in any::<(u128, u64, u64, bool)>(),
            (thread, name) in (".{0,80}", ".{0,140}"),
            clock in vec((".{0,256}", any::<u64>()), 0..64),
            after in edges(),
        ) {
            let packed = pack_clock(clock.iter().map(|(component, count)| (component.as_str(), *count)));
            let about = About { trace, span, upstream, entry, name: &name, clock: &packed };
            let read = through_a_ring(&Attach { strand, first_step, seq, last, dropped, about, after: &after, thread: &thread });
            prop_assert_eq!((read.strand, read.first_step, read.seq), (strand, first_step, seq));
            prop_assert_eq!((read.last, read.dropped, read.entry), (last, dropped, entry));
            prop_assert_eq!((read.trace, read.span, read.upstream), (trace, span, upstream));
            prop_assert_eq!(read.after, after);
            for (read, written, limit) in [(&read.thread, &thread, THREAD_NAME_LIMIT), (&read.name, &name, NAME_LIMIT)] {
                prop_assert!(written.starts_with(&**read));
                prop_assert!(read.len() == written.len() || (limit - 3..=limit).contains(&read.len()));
            }
            // What does not fit is left out at the end, and nothing else is.
            prop_assert!(read.clock.iter().zip(&clock).all(|(read, written)| (&*read.0, read.1) == (&*written.0, written.1)));
            let room = CLOCK_WORDS - packed.len();
            let next = clock.get(read.clock.len());
            prop_assert!(next.is_none_or(|(component, _)| 2 + words_for(component.len()) > room));
        }

        #[test]
        fn hostile_words_are_read_or_refused(
            mut words in vec(prop_oneof![any::<u64>(), 0..40_u64], 0..200),
            lens in (0..4_u64, 0..64_u64, 0..64_u64, 0..64_u64),
        ) {
            if let [_, _, _, _, mixed, _, _, _, _, _, sizes, ..] = &mut words[..] {
                *mixed = (*mixed & 0xffff_ffff) | (lens.0 << 32);
                *sizes = lens.1 | (lens.2 << 16) | (lens.3 << 32);
            }
            if let Some(read) = Attached::read(&words) {
                prop_assert!(read.after.len() * 4 + read.clock.len() * 2 + FIXED <= words.len());
            }
        }
    }
}
