//! The batch being filled: rows, and the tables that rows point into.

use crate::clock::{Anchor, Scale};
use crate::encode::{self, LOCK_ROW, Parts, Pointers, ROW_OVERHEAD};
use crate::lock_record::{LockRecord, Turn, What};
use crate::record::{Arg, Name, Record, Words};
use crate::ring::frame::{self, Head};
use foldhash::{HashMap, HashMapExt};
use std::panic::Location;
use trackside_wire::{Kind, Lane, Site, Strand};

/// A strand, as replay knows it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct StrandInfo<'a> {
    pub(crate) number: u64,
    pub(crate) trace: u128,
    pub(crate) span: u64,
    pub(crate) upstream: u64,
    pub(crate) entry: bool,
    /// Empty for none.
    pub(crate) name: &'a str,
    pub(crate) clock: &'a [(Box<str>, u64)],
}

/// See the module's documentation.
#[derive(Debug)]
pub(crate) struct OpenBatch {
    rows: Vec<u8>,
    count: usize,
    /// What the tables will take, in bytes; an upper bound.
    tables: usize,
    strings: Vec<Box<str>>,
    string_index: HashMap<Box<str>, u32>,
    sites: Vec<Site>,
    site_index: HashMap<Site, u32>,
    strands: Vec<Strand>,
    strand_index: HashMap<u64, u32>,
    lanes: Vec<Lane>,
    known_names: Known,
    known_sites: Known,
    copied: Vec<u8>,
    base: Anchor,
    scale: Scale,
}

impl OpenBatch {
    pub(crate) fn new(scale: Scale) -> Self {
        Self {
            rows: Vec::new(),
            count: 0,
            tables: 0,
            strings: Vec::new(),
            string_index: HashMap::new(),
            sites: Vec::new(),
            site_index: HashMap::new(),
            strands: Vec::new(),
            strand_index: HashMap::new(),
            lanes: Vec::new(),
            known_names: Known::new(),
            known_sites: Known::new(),
            copied: Vec::new(),
            base: Anchor { ticks: 0, unix_ns: 0 },
            scale,
        }
    }

    /// Empties the batch. Times of its events will count from `base`, which none of them may precede.
    pub(crate) fn reset(&mut self, base: Anchor) {
        self.rows.clear();
        self.count = 0;
        self.tables = 0;
        self.strings.clear();
        self.string_index.clear();
        self.sites.clear();
        self.site_index.clear();
        self.strands.clear();
        self.strand_index.clear();
        self.lanes.clear();
        self.known_names.forget();
        self.known_sites.forget();
        self.base = base;
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.count == 0
    }

    pub(crate) fn len(&self) -> usize {
        self.count
    }

    /// At most how many bytes the batch will take, its header left out.
    pub(crate) fn size(&self) -> usize {
        self.rows.len() + self.tables
    }

    /// Unix time from which the events' times count.
    pub(crate) fn base_unix_ns(&self) -> u64 {
        self.base.unix_ns
    }

    pub(crate) fn parts(&self) -> Parts<'_> {
        let Self { rows, count, strings, sites, strands, lanes, .. } = self;
        Parts { rows, count: *count, strings, sites, strands, lanes }
    }

    /// The index of a strand, which is added to the table if it is not there yet.
    pub(crate) fn add_strand(&mut self, strand: &StrandInfo<'_>) -> u32 {
        let StrandInfo { number, trace, span, upstream, entry, name, clock } = *strand;
        if let Some(index) = self.strand_index.get(&number) {
            return *index;
        }
        let name = (!name.is_empty()).then(|| self.intern(name));
        let clock: Vec<_> = clock.iter().map(|(component, count)| (self.intern(component), *count)).collect();
        self.tables += 1 + 9 + 18 + 9 + 9 + 1 + 5 + 5 + (1 + 5 + 9) * clock.len();
        let index = self.strands.len() as u32;
        self.strands.push(Strand { number, trace, span, upstream, entry, name, clock });
        self.strand_index.insert(number, index);
        index
    }

    /// Adds a lane and returns its index.
    pub(crate) fn add_lane(&mut self, mut lane: Lane, thread: &str) -> u32 {
        if !thread.is_empty() {
            lane.thread = Some(self.intern(thread));
        }
        self.tables += 1 + 3 + 9 + 5 + 9 + 9 + 5 + 5 + 9 * lane.held.len() + 5 + (1 + 9 + 9) * lane.after.len();
        self.lanes.push(lane);
        self.lanes.len() as u32 - 1
    }

    /// Adds an event. Returns how many of its texts had been cut.
    #[inline]
    pub(crate) fn add(&mut self, lane: u32, record: &Record<Words<'_>>) -> u64 {
        let site = record.site.map(|site| self.site(site));
        let name = self.name(&record.name);
        self.rows.reserve(ROW_OVERHEAD);
        let time_ns = self.scale.ns_between(self.base.ticks, record.ticks);
        encode::row(&mut self.rows, record, time_ns, Pointers { lane, site, name });
        self.count += 1;
        cuts(record)
    }

    /// Adds what a lock's frame tells: an event, or two.
    #[inline]
    pub(crate) fn add_lock(&mut self, lane: u32, head: &Head, record: &LockRecord) {
        let site = head.site.map(|location| self.site(location));
        let name = match head.name {
            frame::Name::Static(text) => self.name(&Name::Static(text)),
            frame::Name::Location(location) => self.name(&Name::Location(location)),
            frame::Name::None | frame::Name::Inline { .. } => None,
        };
        let to = Pointers { lane, site, name };
        self.rows.reserve(2 * LOCK_ROW);
        // Who has tried for a lock gives back what he holds as any other does, whichever frame tells of it.
        let held = Turn { mode: record.turn.mode.patient(), ..record.turn };
        let mut row = |kind, turn, ticks, waited: Option<u64>| {
            let waited_ns = waited.map(|ticks| self.scale.ns_between(0, ticks));
            let time_ns = self.scale.ns_between(self.base.ticks, ticks);
            encode::lock_row(&mut self.rows, kind, turn, waited_ns, time_ns, to);
            self.count += 1;
        };
        match record.what {
            What::Acquire { waited } => row(Kind::LockAcquire, &record.turn, record.ticks, waited),
            What::Release => row(Kind::LockRelease, &held, record.ticks, None),
            What::Section { released } => {
                row(Kind::LockAcquire, &record.turn, record.ticks, None);
                row(Kind::LockRelease, &held, released, None);
            }
        }
    }

    #[inline]
    fn site(&mut self, site: frame::Site) -> u32 {
        let key = site.key();
        match self.known_sites.get(key) {
            Some(index) => index,
            None => {
                let index = self.intern_site(site);
                self.known_sites.set(key, index);
                index
            }
        }
    }

    #[inline]
    fn name(&mut self, name: &Name<Words<'_>>) -> Option<u32> {
        match name {
            Name::None => None,
            Name::Static(text) => {
                // Two texts may begin at one address; the length tells them apart. It has at most 8 bits.
                let key = text.as_ptr().addr() ^ (text.len() << 48);
                if let Some(index) = self.known_names.get(key) {
                    return Some(index);
                }
                let index = self.intern(text);
                self.known_names.set(key, index);
                Some(index)
            }
            Name::Location(location) => {
                let key = std::ptr::from_ref(*location).addr();
                if let Some(index) = self.known_names.get(key) {
                    return Some(index);
                }
                let index = self.intern(&location_name(location));
                self.known_names.set(key, index);
                Some(index)
            }
            Name::Object(location, number) => {
                let number = u64::from_le_bytes(*number);
                // No address and no text's key has the highest bit, and no two objects have one number.
                let key = (1 << (usize::BITS - 1)) | number as usize;
                if let Some(index) = self.known_names.get(key) {
                    return Some(index);
                }
                let index = self.intern(&format!("{}#{number}", location_name(location)));
                self.known_names.set(key, index);
                Some(index)
            }
            Name::Copied(text) => Some(self.copied_name(text)),
        }
    }

    fn copied_name(&mut self, text: &Words<'_>) -> u32 {
        let mut copied = std::mem::take(&mut self.copied);
        copied.clear();
        text.copy_to(&mut copied);
        if text.cut {
            copied.extend_from_slice("…".as_bytes());
        }
        let index = match std::str::from_utf8(&copied) {
            Ok(text) => self.intern(text),
            Err(_) => self.intern(&String::from_utf8_lossy(&copied)),
        };
        self.copied = copied;
        index
    }

    fn intern(&mut self, text: &str) -> u32 {
        if let Some(index) = self.string_index.get(text) {
            return *index;
        }
        let index = self.strings.len() as u32;
        self.strings.push(text.into());
        self.string_index.insert(text.into(), index);
        self.tables += 5 + text.len();
        index
    }

    #[cold]
    fn intern_site(&mut self, site: frame::Site) -> u32 {
        let (file, line, column) = site.parts();
        let site = Site { file: self.intern(file), line, column };
        let next = self.sites.len() as u32;
        let index = *self.site_index.entry(site).or_insert(next);
        if index == next {
            self.sites.push(site);
            self.tables += 1 + 3 * 5;
        }
        index
    }
}

/// What has no name is called: the place where it was made.
fn location_name(location: &Location<'_>) -> String {
    format!("{}:{}", location.file(), location.line())
}

#[inline(always)]
fn cuts(record: &Record<Words<'_>>) -> u64 {
    let cut = |arg: &Arg<Words<'_>>| matches!(arg, Arg::Str(text) | Arg::Packed(text) if text.cut);
    let name = matches!(record.name, Name::Copied(text) if text.cut);
    u64::from(name) + u64::from(cut(&record.a)) + u64::from(cut(&record.b))
}

/// Remembers which index an address was given in this batch: a direct-mapped cache in front of hashing the text.
#[derive(Debug)]
struct Known {
    entries: Box<[Entry; Known::SIZE]>,
    /// Entries of earlier batches are told by their stamp, so that forgetting costs nothing.
    stamp: u32,
}

#[derive(Debug, Clone, Copy)]
struct Entry {
    key: usize,
    stamp: u32,
    index: u32,
}

impl Known {
    const SIZE: usize = 1024;

    fn new() -> Self {
        Self { entries: Box::new([Entry { key: 0, stamp: 0, index: 0 }; Self::SIZE]), stamp: 1 }
    }

    fn forget(&mut self) {
        self.stamp = self.stamp.wrapping_add(1);
        if self.stamp == 0 {
            *self = Self::new();
        }
    }

    #[inline(always)]
    fn place(key: usize) -> usize {
        // Fibonacci hashing (Knuth, The Art of Computer Programming 3, 6.4): neighbouring addresses land far apart.
        ((key as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 54) as usize % Self::SIZE
    }

    #[inline(always)]
    fn get(&self, key: usize) -> Option<u32> {
        let entry = &self.entries[Self::place(key)];
        (entry.key == key && entry.stamp == self.stamp).then_some(entry.index)
    }

    #[inline(always)]
    fn set(&mut self, key: usize, index: u32) {
        self.entries[Self::place(key)] = Entry { key, stamp: self.stamp, index };
    }
}
