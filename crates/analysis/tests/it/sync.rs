//! Messages, signals and tracked atomics in programs: written down one by one, and at random.

use crate::program::{Program, V, process};
use crate::world::Setup;
use std::collections::BTreeMap;
use trackside_wire::Kind;

impl Program {
    /// Sends the message with this number.
    pub(crate) fn send(&mut self, strand: u64, channel: &str, number: u64) -> &mut Self {
        self.numbered(strand, Kind::MessageSent, channel, number, "mpsc")
    }

    pub(crate) fn receive(&mut self, strand: u64, channel: &str, number: u64) -> &mut Self {
        self.numbered(strand, Kind::MessageReceived, channel, number, "mpsc")
    }

    /// Releases a signal; what is called "barrier" is one.
    pub(crate) fn release(&mut self, strand: u64, signal: &str, number: u64) -> &mut Self {
        self.numbered(strand, Kind::SyncRelease, signal, number, signal)
    }

    pub(crate) fn acquire(&mut self, strand: u64, signal: &str, number: u64) -> &mut Self {
        self.numbered(strand, Kind::SyncAcquire, signal, number, signal)
    }

    fn numbered(&mut self, strand: u64, kind: Kind, object: &str, number: u64, detail: &str) -> &mut Self {
        let detail = V::List(vec![V::Int(number as i64), detail.into()]);
        let messages = matches!(kind, Kind::MessageSent | Kind::MessageReceived);
        let id = self.id_of(if messages { "channel" } else { "signal" }, object);
        self.event(strand, kind, object, id, detail)
    }

    /// Loads the value that a tracked atomic has.
    pub(crate) fn load(&mut self, strand: u64, atomic: &str, ordering: &str) -> &mut Self {
        let last = self.values_of(strand, atomic).len() as u64 - 1;
        self.load_old(strand, atomic, ordering, last)
    }

    /// Loads the value that the write with this number left.
    pub(crate) fn load_old(&mut self, strand: u64, atomic: &str, ordering: &str, number: u64) -> &mut Self {
        let value = self.values_of(strand, atomic)[number as usize].clone();
        let detail = vec![V::Int(number as i64), ordering.into(), value];
        self.atomic(strand, Kind::AtomicLoad, atomic, detail)
    }

    pub(crate) fn store(&mut self, strand: u64, atomic: &str, ordering: &str, value: impl Into<V>) -> &mut Self {
        let (value, values) = (value.into(), self.values_of(strand, atomic));
        values.push(value.clone());
        let detail = vec![V::Int(values.len() as i64 - 1), ordering.into(), value];
        self.atomic(strand, Kind::AtomicStore, atomic, detail)
    }

    pub(crate) fn update(&mut self, strand: u64, atomic: &str, ordering: &str, new: impl Into<V>) -> &mut Self {
        let (new, values) = (new.into(), self.values_of(strand, atomic));
        let old = values.last().expect("the first value").clone();
        values.push(new.clone());
        let detail = vec![V::Int(values.len() as i64 - 1), ordering.into(), old, new];
        self.atomic(strand, Kind::AtomicUpdate, atomic, detail)
    }

    fn atomic(&mut self, strand: u64, kind: Kind, atomic: &str, detail: Vec<V>) -> &mut Self {
        let id = self.id_of("atomic", atomic);
        self.event(strand, kind, atomic, id, V::List(detail))
    }

    pub(crate) fn fence(&mut self, strand: u64, ordering: &str) -> &mut Self {
        self.event(strand, Kind::MemoryFence, "", ordering.into(), V::Nil)
    }

    fn values_of(&mut self, strand: u64, atomic: &str) -> &mut Vec<V> {
        self.values.entry((process(strand).0, atomic.to_owned())).or_insert_with(|| vec![V::Int(0)])
    }
}

/// One more than the highest choice there is for a strand, those of [`Traffic`] included.
pub(crate) const CHOICES: u8 = 31 + 16;

const ATOMICS: [&str; 2] = ["flag", "count!"];
const SIGNALS: [&str; 2] = ["token", "barrier"];

/// Kinds of events that order nothing, beside what they do to a strand's steps.
const OTHERS: [Kind; 8] = [
    Kind::FunctionCall,
    Kind::FunctionReturn,
    Kind::HttpRequest,
    Kind::DatabaseQuery,
    Kind::DatabaseResult,
    Kind::Error,
    Kind::Custom,
    Kind::Suspended,
];

/// What went through the channels and signals of a random program, each of a process.
#[derive(Debug, Default)]
pub(crate) struct Traffic {
    /// The last message of each channel.
    sent: BTreeMap<(u64, &'static str), u64>,
    /// The highest number of each signal that was released, and that was noticed.
    signals: BTreeMap<(u64, &'static str), (u64, u64)>,
}

impl Traffic {
    pub(crate) fn step(&mut self, p: &mut Program, strand: u64, what: u8, which: usize, line: u32, setup: Setup) {
        let (atomic, choice) = (ATOMICS[which % 2], which / 2);
        let now = p.values.get(&(process(strand).0, atomic.to_owned())).and_then(|values| values.last());
        let now = now.map_or(0, |now| if let V::Int(now) = now { *now } else { 0 });
        let shown = |value: i64| if setup.values { V::Int(value) } else { V::Nil };
        p.at(line);
        match what {
            0..=2 => drop(p.load(strand, atomic, ["Relaxed", "Acquire", "SeqCst", "Acquire"][choice])),
            // Some stores put an old value back.
            3 | 4 => {
                let value = if line == 1 { 0 } else { now + 1 };
                p.store(strand, atomic, ["Relaxed", "Release", "SeqCst", "Release"][choice], shown(value));
            }
            5..=7 => {
                p.update(strand, atomic, ["Relaxed", "Acquire", "Release", "AcqRel"][choice], shown(now + 1));
            }
            8 => drop(p.fence(strand, ["Acquire", "Release", "AcqRel", "SeqCst"][choice])),
            9 => {
                let sent = self.sent.entry((process(strand).0, "mail")).or_default();
                *sent += 1;
                p.send(strand, "mail", *sent);
            }
            10 | 11 => {
                let sent = self.sent.get(&(process(strand).0, "mail")).copied().unwrap_or(0);
                if let Some(back) = (which as u64 % 3 < sent).then_some(which as u64 % 3) {
                    p.receive(strand, "mail", sent - back);
                }
            }
            12 | 13 => {
                let signal = SIGNALS[which % 2];
                let (released, noticed) = self.signals.entry((process(strand).0, signal)).or_default();
                // Nothing is released any more that somebody who noticed it did not come after.
                let again = signal == "barrier" && setup.barriers && *released > *noticed && choice > 1;
                *released += u64::from(!again);
                p.release(strand, signal, *released);
            }
            14 => drop(p.event(strand, OTHERS[which % OTHERS.len()], "", V::Nil, V::Nil)),
            _ => {
                let signal = SIGNALS[which % 2];
                let (released, noticed) = self.signals.entry((process(strand).0, signal)).or_default();
                let number = released.saturating_sub(choice as u64 % 2);
                *noticed = number.max(*noticed);
                p.acquire(strand, signal, number);
            }
        }
    }
}
