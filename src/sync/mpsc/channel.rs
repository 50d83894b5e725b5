//! What both ends of a channel share.

use super::{Receiver, Sender, SyncSender};
use crate::record::ObjectType;
use crate::ring::pipe::{self, Group};
use crate::ring::sync::{Arc, AtomicU64, Ordering, fence};
use crate::sync::object::{Milestone, Object, Site};
use std::sync::mpsc;
use trackside_wire::Kind;

/// See the module's documentation.
#[derive(Debug)]
pub(super) struct Channel {
    /// How many messages have been given a number.
    numbered: AtomicU64,
    /// The channel; and as a milestone, that a sender is gone.
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
}

/// A message, on its way.
#[derive(Debug)]
pub(super) struct Sent<T> {
    /// The key of the client that has in its record that it was sent; 0 for none.
    key: u64,
    number: u64,
    pub(super) value: T,
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
    fn new(object: Object, bound: Option<usize>) -> Arc<Self> {
        let room = bound.map(|bound| Room {
            object: object.beside(ObjectType::MpscRoom),
            bound: bound as u64,
            sent: AtomicU64::new(0),
        });
        let receiver = Milestone::new(object.beside(ObjectType::MpscReceiver));
        Arc::new(Self { numbered: AtomicU64::new(0), senders: Milestone::new(object), receiver, room })
    }

    /// A message is about to be sent.
    #[inline]
    pub(super) fn send<T>(&self, value: T, site: Site) -> Sent<T> {
        let key = pipe::default_key_of(Group::Messages);
        if key == 0 {
            return Sent { key, number: 0, value };
        }
        // Relaxed: which number it is does not matter, as long as it is no other's.
        let number = self.numbered.fetch_add(1, Ordering::Relaxed) + 1;
        let recorded = self.senders.object().record(Kind::MessageSent, key, number, site);
        Sent { key: if recorded { key } else { 0 }, number, value }
    }

    /// A message has been received.
    #[inline]
    pub(super) fn received<T>(&self, sent: Sent<T>, site: Site) -> T {
        if sent.key != 0 && sent.key == pipe::default_key_of(Group::Messages) {
            self.senders.object().record(Kind::MessageReceived, sent.key, sent.number, site);
        }
        sent.value
    }

    /// A sender is about to be dropped. All have one number: who finds them gone comes after each.
    pub(super) fn sender_goes(&self, site: Site) {
        self.senders.release(1, site);
    }

    /// The receiver has found all senders gone.
    pub(super) fn senders_gone(&self, site: Site) {
        // Acquire: std marks the channel as disconnected by a SeqCst operation, behind the AcqRel one with which each sender
        // counts itself out; but it may find the mark by a relaxed load. The fence makes of that what is recorded here.
        fence(Ordering::Acquire);
        self.senders.acquire(site);
    }

    /// The receiver is about to be dropped.
    pub(super) fn receiver_goes(&self, site: Site) {
        self.receiver.release(1, site);
    }

    /// A sender has found the receiver gone.
    pub(super) fn receiver_gone(&self, site: Site) {
        // Acquire: as in `senders_gone`.
        fence(Ordering::Acquire);
        self.receiver.acquire(site);
    }

    /// How many messages are known to be in front of one that is about to be sent.
    #[inline]
    pub(super) fn before(&self) -> u64 {
        // Acquire: pairs with the Release in `has_room`. What was put in before is in front in the channel's order as well.
        self.room.as_ref().map_or(0, |room| room.sent.load(Ordering::Acquire))
    }

    /// A message has been put in, with at least so many in front.
    #[inline]
    pub(super) fn had_room(&self, before: u64, site: Site) {
        let key = pipe::default_key_of(Group::Signals);
        let Some(room) = &self.room else { return };
        if key == 0 {
            return;
        }
        // Release: pairs with the Acquire in `before`. What is not counted, while there is no client, makes too little of
        // what is in front: still certain.
        room.sent.fetch_add(1, Ordering::Release);
        // All but the last `bound` of these, and this one, have been taken out.
        if let Some(taken @ 1..) = (before + 1).checked_sub(room.bound) {
            room.object.acquire(key, taken, site);
        }
    }

    /// The receiver has taken a message out: in all, so many.
    #[inline]
    pub(super) fn makes_room(&self, taken: u64, site: Site) {
        let key = pipe::default_key_of(Group::Signals);
        if let Some(room) = &self.room
            && key != 0
        {
            room.object.record(Kind::SyncRelease, key, taken, site);
        }
    }
}
