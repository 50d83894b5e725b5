use super::called::{Called, acquired};
use crate::lock_record::Mode;
use crate::ring::raw_mutex::{MutexWitness, WitnessedMutex};
use crate::ring::witness::Taken;
use crate::sync::turn::{Holding, Turns, about_to_wait, client};
use ::parking_lot::lock_api;

/// [`parking_lot::Mutex`](::parking_lot::Mutex), which also records who held it in which order.
///
/// # Examples
///
/// ```
/// use trackside::parking_lot::{Mutex, MutexGuard};
///
/// let pair = Mutex::new((1, 2));
/// let mut second = MutexGuard::map(pair.lock(), |pair| &mut pair.1);
/// *second += 1;
/// drop(second);
/// assert_eq!(pair.into_inner(), (1, 3));
/// ```
pub type Mutex<T> = lock_api::Mutex<RawMutex, T>;

/// Holds a [`Mutex`] locked; dropping it records the release and unlocks.
pub type MutexGuard<'a, T> = lock_api::MutexGuard<'a, RawMutex, T>;

/// Holds a [`Mutex`] locked, and gives out a part of what it guards.
pub type MappedMutexGuard<'a, T> = lock_api::MappedMutexGuard<'a, RawMutex, T>;

/// The raw mutex of [`Mutex`].
pub type RawMutex = WitnessedMutex<::parking_lot::RawMutex, Mutual>;

/// [`parking_lot::FairMutex`](::parking_lot::FairMutex), which also records who held it in which order.
pub type FairMutex<T> = lock_api::Mutex<RawFairMutex, T>;

/// Holds a [`FairMutex`] locked; dropping it records the release and unlocks.
pub type FairMutexGuard<'a, T> = lock_api::MutexGuard<'a, RawFairMutex, T>;

/// Holds a [`FairMutex`] locked, and gives out a part of what it guards.
pub type MappedFairMutexGuard<'a, T> = lock_api::MappedMutexGuard<'a, RawFairMutex, T>;

/// The raw mutex of [`FairMutex`].
pub type RawFairMutex = WitnessedMutex<::parking_lot::RawFairMutex, Mutual>;

/// An unlocked mutex.
pub const fn const_mutex<T>(val: T) -> Mutex<T> {
    Mutex::new(val)
}

/// An unlocked mutex with a name of its own, of which the first 255 bytes are told.
pub const fn named_mutex<T>(name: &'static str, val: T) -> Mutex<T> {
    Mutex::from_raw(RawMutex::with(Mutual::called(Some(name))), val)
}

/// An unlocked mutex.
pub const fn const_fair_mutex<T>(val: T) -> FairMutex<T> {
    FairMutex::new(val)
}

/// An unlocked mutex with a name of its own, of which the first 255 bytes are told.
pub const fn named_fair_mutex<T>(name: &'static str, val: T) -> FairMutex<T> {
    FairMutex::from_raw(RawFairMutex::with(Mutual::called(Some(name))), val)
}

/// What there is beside a mutex. All of it is the holder's.
#[derive(Debug)]
pub struct Mutual {
    called: Called,
    turns: Turns,
    holding: Option<Holding>,
}

impl Mutual {
    pub(super) const fn called(name: Option<&'static str>) -> Self {
        Self { called: Called::new(name), turns: Turns::new(), holding: None }
    }
}

impl MutexWitness for Mutual {
    const NEW: Self = Self::called(None);

    fn about_to_wait() -> u64 {
        about_to_wait()
    }

    #[inline(always)]
    fn taken(&mut self, taken: Taken) {
        let key = client();
        self.holding = (key != 0).then(|| {
            let mode = if taken.patient { Mode::Mutex } else { Mode::TryMutex };
            acquired(self.called.meta(&taken), mode, (key, self.turns.take(key)), &taken).holding
        });
    }

    #[inline(always)]
    fn given_back(&mut self) {
        if let (Some(holding), Some(meta)) = (&self.holding, self.called.known()) {
            meta.released(Mode::Mutex, self.turns.present(), holding);
        }
    }
}
