//! The calling thread's ring.
//!
//! A thread-local slot without a destructor holds the ring that the thread uses now, so it can be reached at any moment
//! of the thread's life, and reaching it costs no check. Its `owner` word is at once the lock against re-entrance and
//! the proof that the ring belongs to the caller's client: it holds the client's key while the slot is idle, and 0 while
//! an event is being recorded. A signal handler, an allocator or a destructor that records meanwhile finds 0, and is
//! turned away and counted. Where the time cannot be read as the hot path does, it holds the key with a mark instead
//! ([`NO_COUNTER`]), which is nobody's key: so the one compare of the hot path also says how to tell the time. With another
//! mark ([`DRAFT`]) it says that the ring has a frame that is not published yet: whoever comes next does that first, or adds
//! to it. And where the thread has begun to run as another strand it holds [`STALE`], so that its next event finds out whose
//! it is.
//!
//! A second thread-local, the [`shelf`], has a destructor, which closes the rings when the thread exits.

#![expect(unsafe_code, reason = "the ring is the crate's one home of unsafe code")]

use super::draft::Draft;
use super::frame::HeadWords;
use super::held::LockPlace;
use super::pipe::{self, Pipe, Whose, count, key_is_coarse, key_is_foreign};
use super::shelf;
use super::sync::{Arc, Ordering};
use super::thread_ring::ThreadRing;
use super::tsc;
use std::cell::{Cell, UnsafeCell};
use std::mem::ManuallyDrop;
use std::sync::atomic::compiler_fence;

#[derive(Debug)]
struct ThreadSlot {
    owner: Cell<u64>,
    phase: Cell<Phase>,
    /// The client that had no ring for this thread, and how many events to turn away before asking it again.
    no_ring: Cell<(u64, u32)>,
    /// The client for which this thread records nothing but what is always recorded; 0 if that is not known.
    quiet: Cell<u64>,
    /// Set on flusher threads: they must never wait for a flusher.
    is_flusher: Cell<bool>,
    /// See [`guards`].
    guards: Cell<u32>,
    ring: UnsafeCell<ManuallyDrop<Option<ThreadRing>>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    /// No ring yet.
    Empty,
    /// A ring is being got; nothing may be recorded.
    Opening,
    /// There is a ring: `owner` is its client's key, marked or not, or [`STALE`], or 0 while it is in use.
    Ready,
    /// The thread is exiting and its rings are closed.
    Dead,
    /// The ring belongs to the process that this one was forked from.
    Forked,
}

/// The owner of a slot whose thread runs as another strand than the ring's last event says, or may do so; no pipe's key.
const STALE: u64 = 1;

/// Marks an owner whose ring has a draft. Keys have this bit and the next at 0.
const DRAFT: u64 = 1 << 62;

/// Marks an owner on a machine whose time-stamp counter is not used.
const NO_COUNTER: u64 = 1 << 61;

/// How many events a thread without a ring turns away before it asks for one again: asking takes a lock.
const WAIT_FOR_RING: u32 = 255;

thread_local! {
    // No destructor: ManuallyDrop keeps the ring from having one. It is dropped by the shelf, or leaks in a forked child.
    static SLOT: ThreadSlot = const {
        ThreadSlot {
            owner: Cell::new(0),
            phase: Cell::new(Phase::Empty),
            no_ring: Cell::new((0, 0)),
            quiet: Cell::new(0),
            is_flusher: Cell::new(false),
            guards: Cell::new(0),
            ring: UnsafeCell::new(ManuallyDrop::new(None)),
        }
    };
}

/// The calling thread's ring, in use. While this lives, whoever else wants to record on this thread is turned away.
#[derive(Debug)]
pub(crate) struct Entered<'a> {
    slot: &'a ThreadSlot,
    /// What `owner` is to be when this goes.
    idle: u64,
}

/// Enters the calling thread's ring of the pipe with this key ([`Pipe::gate`], or the default pipe's), where that takes
/// but a look, and the time is what [`tsc::counter`] tells. `None`, and nothing counted, where it takes more: then
/// [`enter`] or [`enter_default`] has the answer.
///
/// While the result lives, no foreign code may be called: what it records would be turned away.
#[inline(always)]
pub(crate) fn enter_at_once<'a>(key: u64) -> Option<Entered<'a>> {
    let slot = slot();
    // A signal handler between the look and the store (as between the two halves of the `replace` in `enter`) leaves
    // `owner` as it was, unless it records for another client: then that client's ring is here, and gets what is meant
    // for this one, until that client's next event on this thread. No memory is in danger: the ring is this thread's.
    if slot.owner.get() != key {
        return None;
    }
    slot.owner.set(0);
    compiler_fence(Ordering::SeqCst);
    Some(Entered { slot, idle: key })
}

/// Enters the calling thread's ring of `pipe`. `None`, and counted, if that cannot be; or `None` because what this thread
/// does is not to be recorded, unless `always` says that the event is.
///
/// While the result lives, no foreign code may be called: what it records would be turned away.
pub(crate) fn enter<'a>(pipe: &Arc<Pipe>, always: bool) -> Option<Entered<'a>> {
    let slot = slot();
    if slot.quiet.get() == pipe.key() && !always {
        return None;
    }
    open(slot, take(slot), pipe, always)
}

/// As [`enter`], for the pipe that tracked locks record into, if it is the one with this key, which is not 0. `None`,
/// uncounted, if there is another by now, or none.
pub(crate) fn enter_default<'a>(key: u64) -> Option<Entered<'a>> {
    let slot = slot();
    if slot.quiet.get() == key {
        return None;
    }
    open_default(slot, take(slot), key)
}

/// Drafts a frame in the calling thread's ring of the pipe with this key, where that takes but a look, as in
/// [`enter_at_once`]. It tells that the lock at this place was taken. Until it is completed, anything else that is recorded
/// publishes it first.
#[inline(always)]
pub(crate) fn draft_at_once<const WORDS: usize>(
    key: u64,
    head: HeadWords,
    payload: impl FnOnce(&ThreadRing) -> [u64; WORDS],
    place: LockPlace,
) -> Draft {
    let Some(mut entered) = enter_at_once(key) else { return Draft::NONE };
    let ring = entered.ring();
    let payload = payload(ring);
    let draft = ring.draft(head, payload, place);
    if draft.is_some() {
        entered.idle = key | DRAFT;
    }
    draft
}

/// Completes a draft of so many words with one word more. `false` if something was recorded since, and the draft is a frame
/// of its own by that.
#[inline(always)]
pub(crate) fn complete_at_once<const WORDS: usize>(
    key: u64,
    draft: Draft,
    word: impl FnOnce(&ThreadRing) -> u64,
) -> bool {
    let slot = slot();
    if slot.owner.get() != key | DRAFT {
        return false;
    }
    slot.owner.set(0);
    compiler_fence(Ordering::SeqCst);
    let mut entered = Entered { slot, idle: key | DRAFT };
    let ring = entered.ring();
    if ring.open_draft() != draft {
        // It was published, and what is open is another one; unless that was a signal handler's doing just now.
        if !ring.open_draft().is_some() {
            entered.idle = STALE;
        }
        return false;
    }
    let word = word(ring);
    // SAFETY: it is open, so it is the caller's, with `WORDS` words; and since then nobody has opened a frame: whoever enters
    // the ring where it is marked publishes the draft (`take`), and it was marked when it was made.
    unsafe { ring.publish_longer::<WORDS>(word) };
    entered.idle = key;
    true
}

/// Takes an idle slot: its owner is 0 from now on. Returns what it was, less a mark for a draft: that is published.
fn take(slot: &ThreadSlot) -> u64 {
    let owner = slot.owner.replace(0);
    if owner & DRAFT == 0 {
        return owner;
    }
    compiler_fence(Ordering::SeqCst);
    // A mark is a reason to look, and no proof: a signal handler that comes between the two halves of the `replace`, and
    // records, has published the draft by then. What the owner was after that is not known.
    if (Entered { slot, idle: 0 }).ring().publish_draft() { owner & !DRAFT } else { STALE }
}

/// Whether what the calling thread does now is not to be recorded by the client with this key.
pub(crate) fn is_quiet(key: u64) -> bool {
    slot().quiet.get() == key
}

/// Publishes what the calling thread has drafted, if anything: it is about to wait, who knows how long, and what it holds
/// meanwhile is to be known.
#[cold]
pub(crate) fn publish_draft() {
    let slot = slot();
    if slot.owner.get() & DRAFT != 0 {
        let owner = take(slot);
        slot.owner.set(owner);
    }
}

/// The lock of this number was given back, and that is not recorded: nor is it to be told as held after a gap.
#[cold]
pub(crate) fn forget_held(key: u64, lock: u64) {
    look(key, |ring| ring.held.remove(lock));
}

/// Looks at the calling thread's ring of the pipe with this key, wherever it is. `None` if there is none, or it is in use.
fn look<R>(key: u64, look: impl FnOnce(&mut ThreadRing) -> R) -> Option<R> {
    let slot = slot();
    let owner = take(slot);
    if slot.phase.get() == Phase::Ready && owner != 0 {
        let mut entered = Entered { slot, idle: owner };
        let ring = entered.ring();
        if ring.pipe().key() == key {
            return Some(look(ring));
        }
    }
    slot.owner.set(owner);
    shelf::look(key, look)
}

/// The owner of an idle slot with a ring of the pipe with this key.
fn idle(key: u64) -> u64 {
    idle_where(tsc::is_used(), key)
}

/// As [`idle`], where the time-stamp counter is used, or not: coarse time is read without it.
fn idle_where(counter_is_used: bool, key: u64) -> u64 {
    if counter_is_used || key_is_coarse(key) { key } else { key | NO_COUNTER }
}

/// The calling thread is about to run as another strand, or has ceased to. `false`, and nothing done, if it is just
/// recording an event: then it cannot.
pub(crate) fn turn() -> bool {
    let slot = slot();
    match slot.phase.get() {
        Phase::Opening => return false,
        Phase::Ready if take(slot) == 0 => return false,
        Phase::Ready => slot.owner.set(STALE),
        Phase::Empty | Phase::Dead | Phase::Forked => {}
    }
    slot.quiet.set(0);
    true
}

/// Looks at the calling thread's ring of `pipe`, or gets one if `lease` says so. The next event asks anew whose it is.
/// `None` if there is none, or it is in use.
pub(crate) fn with_ring<R>(pipe: &Arc<Pipe>, lease: bool, look: impl FnOnce(&mut ThreadRing) -> R) -> Option<R> {
    let slot = slot();
    let owner = take(slot);
    match slot.phase.get() {
        Phase::Ready if owner == 0 => return None,
        Phase::Opening | Phase::Dead => return None,
        Phase::Ready if slot.has_ring_of(pipe) => {
            let result = look(Entered { slot, idle: STALE }.ring());
            return Some(result);
        }
        Phase::Empty | Phase::Ready | Phase::Forked => {}
    }
    if lease && pipe.is_open() && !key_is_foreign(pipe.key()) {
        hold(slot, owner, pipe).ok()?;
        return Some(look(Entered { slot, idle: STALE }.ring()));
    }
    slot.owner.set(owner);
    shelf::look(pipe.key(), look)
}

/// The thread is exiting: its ring is given up, unless it is in use, half open, or a parent process's. Nothing is recorded by
/// the thread any more.
pub(super) fn exit() -> Option<ThreadRing> {
    let slot = slot();
    let (owner, phase) = (take(slot), slot.phase.replace(Phase::Dead));
    if phase == Phase::Ready && owner != 0 { slot.swap(None) } else { None }
}

impl Entered<'_> {
    /// The ring.
    #[inline(always)]
    pub(crate) fn ring(&mut self) -> &mut ThreadRing {
        // SAFETY: `owner` was not 0 when this guard's maker replaced it by 0, and everyone who reaches `ring` does that
        // first, so this is the only reference on this thread; other threads have slots of their own.
        let ring = unsafe { &mut *self.slot.ring.get() };
        // SAFETY: `owner` held what only this guard's drop sets, and so after a ring was put in; or `open` has just put one
        // in.
        unsafe { ring.as_mut().unwrap_unchecked() }
    }
}

impl Drop for Entered<'_> {
    #[inline(always)]
    fn drop(&mut self) {
        // The compiler may not move the recording behind the moment at which a signal handler may record again.
        compiler_fence(Ordering::SeqCst);
        self.slot.owner.set(self.idle);
    }
}

/// The calling thread's slot.
#[inline(always)]
fn slot<'a>() -> &'a ThreadSlot {
    // A closure that does no more than this is inlined into every caller. One that recorded would not be, and all that
    // is known about a record at compile time would be lost on the way: it cost 10 ns an event.
    let slot = plain_address(SLOT.with(std::ptr::from_ref));
    // SAFETY: a thread-local without a destructor is valid for as long as its thread runs code, and the reference cannot
    // leave the thread, because a ThreadSlot is not Sync.
    unsafe { &*slot }
}

/// The pointer, of which the compiler no longer knows that it points to a thread-local. Otherwise it reaches each field
/// by its own offset to the thread's segment; such accesses are slow next to a read of the time-stamp counter.
#[cfg(all(target_arch = "x86_64", not(miri)))]
#[expect(clippy::pointers_in_nomem_asm_block, reason = "the pointer is not followed")]
#[inline(always)]
fn plain_address<T>(mut pointer: *const T) -> *const T {
    // SAFETY: an empty text executes nothing, so the register holds afterwards what it held before.
    unsafe { std::arch::asm!("/* {0} */", inout(reg) pointer, options(pure, nomem, nostack, preserves_flags)) };
    pointer
}

#[cfg(not(all(target_arch = "x86_64", not(miri))))]
#[inline(always)]
fn plain_address<T>(pointer: *const T) -> *const T {
    pointer
}

/// Marks the calling thread as one that must never wait for room.
pub(crate) fn mark_flusher() {
    slot().is_flusher.set(true);
}

/// Whether the calling thread is a flusher.
pub(crate) fn is_flusher() -> bool {
    slot().is_flusher.get()
}

/// Turns the forking thread's slot into one that records nothing for its old client. Only stores: it runs in a fork
/// handler.
pub(crate) fn close_after_fork() {
    let slot = slot();
    slot.owner.set(0);
    slot.phase.set(Phase::Forked);
}

impl ThreadSlot {
    /// Puts a ring, or none, in place of the present one, which is returned.
    fn swap(&self, ring: Option<ThreadRing>) -> Option<ThreadRing> {
        // SAFETY: called only while `owner` is 0 and `phase` is Opening or Dead, when no other reference exists: see
        // `Entered::ring`, and `open`, which turns everybody away in these phases.
        let place = unsafe { &mut *self.ring.get() };
        ManuallyDrop::into_inner(std::mem::replace(place, ManuallyDrop::new(ring)))
    }

    /// Whether there is a ring of `pipe` in it. To be asked while `owner` is 0 and `phase` is Ready.
    fn has_ring_of(&self, pipe: &Pipe) -> bool {
        // SAFETY: as in `swap`: `owner` was not 0 when the caller replaced it by 0, so there is no other reference.
        let ring = unsafe { &*self.ring.get() };
        ring.as_ref().is_some_and(|ring| ring.pipe().key() == pipe.key())
    }
}

#[cold]
#[inline(never)]
fn open_default<'a>(slot: &'a ThreadSlot, owner: u64, key: u64) -> Option<Entered<'a>> {
    match pipe::default_pipe() {
        Some(pipe) if pipe.key() == key => open(slot, owner, &pipe, false),
        // The default has changed since its key was read: the operation is not recorded, by either.
        _ => {
            slot.owner.set(owner);
            None
        }
    }
}

/// Sees to it that the slot holds a ring of `pipe`, and that the flusher knows whose events it takes. `owner` is what the
/// slot's owner was; it is 0 now. `None`, and the owner set again, if no event may go in.
#[cold]
#[inline(never)]
fn open<'a>(slot: &'a ThreadSlot, owner: u64, pipe: &Arc<Pipe>, always: bool) -> Option<Entered<'a>> {
    let away = &pipe.turned_away;
    compiler_fence(Ordering::SeqCst);
    let refuse = |counter| {
        slot.owner.set(owner);
        count(counter);
        None
    };
    if key_is_foreign(pipe.key()) {
        return refuse(&away.forked);
    }
    if !pipe.is_open() {
        return refuse(&away.after_shutdown);
    }
    match slot.phase.get() {
        Phase::Ready if owner == 0 => return refuse(&away.reentrant),
        Phase::Opening => return refuse(&away.reentrant),
        Phase::Dead => return refuse(&away.thread_exit),
        // The ring is the right one, and it is known whose events it takes; only the hot path must not be taken.
        Phase::Ready if owner == idle(pipe.key()) => return Some(Entered { slot, idle: owner }),
        Phase::Ready if slot.has_ring_of(pipe) => {}
        Phase::Empty | Phase::Ready | Phase::Forked => {
            if let (key, left @ 1..) = slot.no_ring.get()
                && key == pipe.key()
            {
                slot.no_ring.set((key, left - 1));
                return refuse(&away.no_ring);
            }
            if let Err(reason) = hold(slot, owner, pipe) {
                count(reason);
                return None;
            }
        }
    }
    // The owner is 0, and the ring is there. Unless it is found out whose the events are, the next one has to ask again.
    let mut entered = Entered { slot, idle: STALE };
    match (pipe.announce)(entered.ring(), always) {
        Whose::Known => {
            entered.idle = idle(pipe.key());
            Some(entered)
        }
        Whose::Exception => Some(entered),
        Whose::Nobodys => {
            slot.quiet.set(pipe.key());
            None
        }
        Whose::Dropped => None,
        Whose::Busy => {
            count(&away.reentrant);
            None
        }
    }
}

/// Puts a ring of `pipe` into the slot, in place of another client's. If there is none to be had, the slot is as it was,
/// and the reason is returned.
fn hold<'a>(slot: &ThreadSlot, owner: u64, pipe: &'a Arc<Pipe>) -> Result<(), &'a super::sync::AtomicU64> {
    let before = slot.phase.replace(Phase::Opening);
    match shelf::lease(pipe) {
        Ok(ring) => {
            let old = slot.swap(Some(ring));
            match before {
                // A ring of the parent's: dropping it would tell a flusher that is not there.
                Phase::Forked => std::mem::forget(old),
                _ => shelf::put(old),
            }
            slot.phase.set(Phase::Ready);
            Ok(())
        }
        Err(reason) => {
            slot.no_ring.set((pipe.key(), WAIT_FOR_RING));
            slot.phase.set(before);
            slot.owner.set(owner);
            Err(reason)
        }
    }
}

pub(crate) mod guards;
#[cfg(test)]
mod tests;
