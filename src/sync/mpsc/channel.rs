//! What both ends of a channel share.

use super::{Receiver, Sender, SyncSender};
use crate::record::ObjectType;
use crate::ring::pipe::{self, Group};
use crate::ring::sync::{Arc, AtomicU64, Ordering, fence};
use crate::sync::messages::{Messages, Sent};
use crate::sync::object::{Milestone, Object, Site};
use std::sync::mpsc;
use trackside_wire::Kind;

/// See the module's documentation.
#[derive(Debug)]
pub(crate) struct Channel {
    messages: Messages,
    /// That a sender is gone.
    senders: Milestone,
    /// That the receiver is gone.
    receiver: Milestone,
    room: Option<Room>,
}

/// The room in a bounded channel: how often some was made is counted by the receiver, and is the number of the signal.
#[derive(Debug)]
struct Room {
    object: Object,
    bound: u64,
    /// How many messages are known to have been put in.
    sent: AtomicU64,
    /// How much of that was given back again, for want of a message.
    given_back: AtomicU64,
}

pub(super) fn unbounded<T>(object: Object) -> (Sender<T>, Receiver<T>) {
    let (sender, receiver) = mpsc::channel();
    let channel = Channel::new(object, None);
    (Sender::new(sender, channel.clone()), Receiver::new(receiver, channel))
}

pub(super) fn bounded<T>(object: Object, bound: usize) -> (SyncSender<T>, Receiver<T>) {
    let (sender, receiver) = mpsc::sync_channel(bound);
    let channel = Channel::new(object, Some(bound));
    (SyncSender::new(sender, channel.clone()), Receiver::new(receiver, channel))
}

impl Channel {
    pub(crate) fn new(object: Object, bound: Option<usize>) -> Arc<Self> {
        let room = bound.map(|bound| Room {
            object: object.beside(ObjectType::MpscRoom),
            bound: bound as u64,
            sent: AtomicU64::new(0),
            given_back: AtomicU64::new(0),
        });
        let receiver = Milestone::new(object.beside(ObjectType::MpscReceiver));
        let senders = Milestone::new(object.alike());
        Arc::new(Self { messages: Messages::new(object), senders, receiver, room })
    }

    /// A message is about to be sent.
    #[inline]
    pub(crate) fn send<T>(&self, value: T, site: Site) -> Sent<T> {
        self.messages.send(value, site)
    }

    /// A message has been received.
    #[inline]
    pub(crate) fn received<T>(&self, sent: Sent<T>, site: Site) -> T {
        self.messages.received(sent, site)
    }

    /// A sender is about to be dropped. All have one number: who finds them gone comes after each.
    pub(crate) fn sender_goes(&self, site: Site) {
        self.senders.release(1, site);
    }

    /// The receiver has found all senders gone.
    pub(crate) fn senders_gone(&self, site: Site) {
        // Acquire: std marks the channel as disconnected by a SeqCst operation, behind the AcqRel one with which each sender
        // counts itself out; but it may find the mark by a relaxed load. The fence makes of that what is recorded here.
        fence(Ordering::Acquire);
        self.senders.acquire(site);
    }

    /// The receiver is about to be dropped.
    pub(crate) fn receiver_goes(&self, site: Site) {
        self.receiver.release(1, site);
    }

    /// A sender has found the receiver gone.
    pub(crate) fn receiver_gone(&self, site: Site) {
        // Acquire: as in `senders_gone`.
        fence(Ordering::Acquire);
        self.receiver.acquire(site);
    }

    /// How many messages are known to be in front of one that is about to be sent.
    #[inline]
    pub(crate) fn before(&self) -> u64 {
        // Acquire: pairs with the Release in `has_room`. What was put in before is in front in the channel's order as well.
        self.room.as_ref().map_or(0, |room| room.sent.load(Ordering::Acquire))
    }

    /// So many messages have been put in, or room for them was reserved, with at least so many in front.
    #[inline]
    pub(crate) fn had_room(&self, before: u64, count: u64, site: Site) {
        let key = pipe::default_key_of(Group::Signals);
        let Some(room) = &self.room else { return };
        if key == 0 {
            return;
        }
        // Release: pairs with the Acquire in `before`. What is not counted, while there is no client, makes too little of
        // what is in front: still certain.
        room.sent.fetch_add(count, Ordering::Release);
        // Acquire: pairs with the Release in `room_goes_back`. What went back before now may be what this one got.
        let given_back = room.given_back.load(Ordering::Acquire);
        // All but the last `bound` of these, and these, have been taken out, or have gone back.
        if let Some(taken @ 1..) = (before + count).checked_sub(room.bound + given_back) {
            room.object.acquire(key, taken, site);
        }
    }

    /// Room for so many messages, which was reserved, is about to go back.
    #[cfg(feature = "tokio")]
    pub(crate) fn room_goes_back(&self, count: u64) {
        if let Some(room) = &self.room {
            // Release: pairs with the Acquire in `had_room`.
            room.given_back.fetch_add(count, Ordering::Release);
        }
    }

    /// The receiver has taken a message out: in all, so many.
    #[inline]
    pub(crate) fn makes_room(&self, taken: u64, site: Site) {
        let key = pipe::default_key_of(Group::Signals);
        if let Some(room) = &self.room
            && key != 0
        {
            room.object.record(Kind::SyncRelease, key, taken, site);
        }
    }
}
