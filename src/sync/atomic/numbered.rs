//! What the tracked atomics have in common: a name, numbers, and how an operation is recorded with the number that it has.

#![expect(clippy::disallowed_types, reason = "these are the facade's types, which clippy sees through")]

use crate::operation::{Operation, Room, Sort};
use crate::record::{Arg, Bytes, Name, Record};
use crate::ring::section::Section;
use crate::ring::sync::AtomicU64;
use crate::ring::version::{Place, Terms, Version, Writes};
use crate::ring::{gates, pipe, stripes};
use crate::sync::default::Recording;
use std::panic::Location;
use std::sync::atomic::Ordering;
use trackside_wire::Kind;

/// What a word of an atomic is to the record.
pub(super) trait Word: Copy {
    const SORT: Sort;

    fn word(self) -> u64;
}

/// Beside a std atomic.
#[derive(Debug)]
pub(super) struct Numbered {
    version: Version,
    label: Label,
}

/// What an atomic is called: after where it was made, or as it was told. Zeros are nothing of both, since programs that know
/// how std's atomics look make them of zeroed memory.
#[derive(Debug, Clone, Copy)]
struct Label {
    place: Option<Site>,
    name: Option<&'static str>,
}

/// An operation's place in the source.
pub(super) type Site = &'static Location<'static>;

/// How often a load looks, before it takes the lock.
const GLANCES: u32 = 4;

impl Numbered {
    /// Called after the place where it is made.
    pub(super) const fn at(place: Site) -> Self {
        Self::new(Label { place: Some(place), name: None })
    }

    /// Called by a name of its own.
    pub(super) const fn named(name: &'static str) -> Self {
        Self::new(Label { place: None, name: Some(name) })
    }

    const fn new(label: Label) -> Self {
        let version = Version::new(AtomicU64::new(0), AtomicU64::new(0), AtomicU64::new(0));
        Self { version, label }
    }

    /// Does `load`.
    #[inline(always)]
    pub(super) fn load<T: Word>(&self, ordering: Ordering, site: Site, load: impl Fn() -> T) -> T {
        match gates::period() {
            0 => load(),
            period => self.load_in(period, ordering, site, load),
        }
    }

    #[inline(never)]
    fn load_in<T: Word>(&self, period: u64, ordering: Ordering, site: Site, load: impl Fn() -> T) -> T {
        // std panics at any other ordering, and is to do so before anything has begun.
        let recording = if is_of_load(ordering) { Recording::begin(Kind::AtomicLoad.code()) } else { None };
        let Some(recording) = recording else { return load() };
        let stripe = stripes::of(self);
        let seen = (0..GLANCES).find_map(|_| self.version.glance(stripe, period, &load));
        let (value, place) = match seen {
            Some((value, place)) => (value, Some(place)),
            None => self.operate(period, Writes::Never, || (load(), false)),
        };
        self.label.record(recording, Kind::AtomicLoad, place, ordering, T::SORT, &[value.word()], site);
        value
    }

    /// Does `store`, of this value.
    #[inline(always)]
    pub(super) fn store<T: Word>(&self, value: T, ordering: Ordering, site: Site, store: impl FnOnce()) {
        match gates::period() {
            0 => store(),
            period => self.store_in(period, value, ordering, site, store),
        }
    }

    #[inline(never)]
    fn store_in<T: Word>(&self, period: u64, value: T, ordering: Ordering, site: Site, store: impl FnOnce()) {
        if !matches!(ordering, Ordering::Relaxed | Ordering::Release | Ordering::SeqCst) {
            return store();
        }
        let recording = Recording::begin(Kind::AtomicStore.code());
        // From here on, this may be gone at any moment: see `version`.
        let label = self.label;
        let ((), place) = self.operate(period, Writes::Always, || (store(), true));
        if let Some(recording) = recording {
            label.record(recording, Kind::AtomicStore, place, ordering, T::SORT, &[value.word()], site);
        }
    }

    /// Does `update`, which returns the old value; `new` makes the new one of it.
    #[inline(always)]
    pub(super) fn update<T: Word>(
        &self,
        ordering: Ordering,
        site: Site,
        update: impl FnOnce() -> T,
        new: impl FnOnce(T) -> T,
    ) -> T {
        match gates::period() {
            0 => update(),
            period => self.update_in(period, ordering, site, update, new),
        }
    }

    #[inline(never)]
    fn update_in<T: Word>(
        &self,
        period: u64,
        ordering: Ordering,
        site: Site,
        update: impl FnOnce() -> T,
        new: impl FnOnce(T) -> T,
    ) -> T {
        let recording = Recording::begin(Kind::AtomicUpdate.code());
        let label = self.label;
        let (old, place) = self.operate(period, Writes::Always, || (update(), true));
        if let Some(recording) = recording {
            let values = [old.word(), new(old).word()];
            label.record(recording, Kind::AtomicUpdate, place, ordering, T::SORT, &values, site);
        }
        old
    }

    /// Does `exchange`, which returns the old value: an update to `new` if it succeeds, else a load.
    #[inline(always)]
    pub(super) fn exchange<T: Word>(
        &self,
        new: T,
        [success, failure]: [Ordering; 2],
        site: Site,
        exchange: impl FnOnce() -> Result<T, T>,
    ) -> Result<T, T> {
        match gates::period() {
            0 => exchange(),
            period => self.exchange_in(period, new, [success, failure], site, exchange),
        }
    }

    #[inline(never)]
    fn exchange_in<T: Word>(
        &self,
        period: u64,
        new: T,
        [success, failure]: [Ordering; 2],
        site: Site,
        exchange: impl FnOnce() -> Result<T, T>,
    ) -> Result<T, T> {
        if !is_of_load(failure) {
            return exchange();
        }
        let [load, update] = [Kind::AtomicLoad, Kind::AtomicUpdate].map(|kind| gates::gate(kind.code()));
        let recording = Recording::begin_by(if update != 0 { update } else { load });
        let label = self.label;
        let (result, place) = self.operate(period, Writes::Perhaps, || {
            let result = exchange();
            (result, result.is_ok())
        });
        let Some(recording) = recording else { return result };
        match result {
            Ok(old) if update != 0 => {
                label.record(recording, Kind::AtomicUpdate, place, success, T::SORT, &[old.word(), new.word()], site);
            }
            Err(value) if load != 0 => {
                label.record(recording, Kind::AtomicLoad, place, failure, T::SORT, &[value.word()], site);
            }
            _ => {}
        }
        result
    }

    #[inline(always)]
    fn operate<R>(&self, period: u64, writes: Writes, operation: impl FnOnce() -> (R, bool)) -> (R, Option<Place>) {
        let section = Section::begin();
        let terms = Terms { period, patience: section.patience(), new_id: pipe::new_lock_id };
        self.version.operate(stripes::of(self), terms, writes, operation)
    }
}

impl Label {
    #[expect(clippy::too_many_arguments, reason = "they are what there is to be told")]
    #[inline(always)]
    fn record(
        self,
        recording: Recording,
        kind: Kind,
        place: Option<Place>,
        ordering: Ordering,
        sort: Sort,
        values: &[u64],
        site: Site,
    ) {
        let Some(Place { id, number }) = place else { return recording.turn_away() };
        let mut room = Room::default();
        let [a, b] = Operation { id, number, ordering, sort }.arguments(values, &mut room);
        let name = match self {
            Self { name: Some(name), .. } => Name::Static(name),
            Self { place: Some(place), .. } => Name::Location(place),
            Self { .. } => Name::None,
        };
        recording.write(Record { kind: kind.code(), site: Some(site.into()), name, ticks: 0, a, b });
    }
}

/// Whether a load may have this ordering.
#[inline(always)]
fn is_of_load(ordering: Ordering) -> bool {
    matches!(ordering, Ordering::Relaxed | Ordering::Acquire | Ordering::SeqCst)
}

/// Records a fence, and does `fence`.
#[inline(always)]
pub(super) fn fence(ordering: Ordering, site: Site, fence: impl FnOnce()) {
    match gates::gate(Kind::MemoryFence.code()) {
        0 => fence(),
        gate => fence_by(gate, ordering, site, fence),
    }
}

#[inline(never)]
fn fence_by(gate: u64, ordering: Ordering, site: Site, fence: impl FnOnce()) {
    // There is none that is relaxed, says std, and panics.
    let recording = if ordering == Ordering::Relaxed { None } else { Recording::begin_by(gate) };
    fence();
    let Some(recording) = recording else { return };
    let text = crate::operation::name(ordering);
    let a = Arg::Str(Bytes { bytes: text.as_bytes(), cut: false });
    let (kind, name) = (Kind::MemoryFence.code(), Name::None);
    recording.write(Record { kind, site: Some(site.into()), name, ticks: 0, a, b: Arg::Nil });
}
