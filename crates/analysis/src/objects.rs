//! All channels, signals and tracked atomics: gathered strand by strand, then linked.

use crate::atomics::{Atomic, FENCE, Read, Write};
use crate::intern::Map;
use crate::links::Links;
use crate::log::{Op, StrandLog};
use crate::numbered::{AtomicOp, Numbered};
use crate::overwrites::Overwrites;
use crate::roster::Roster;
use crate::signals::{Place, Signal};
use crate::steps::Steps;
use crate::value::Val;

/// What the strands that were looked at did with them.
#[derive(Debug, Default)]
pub(crate) struct Objects {
    /// By the run and the object.
    numbers: Map<(u32, u32), usize>,
    /// Each with its run.
    signals: Vec<(u32, Signal)>,
    atomics: Vec<(u32, Atomic)>,
}

/// What has been met of one strand so far.
#[derive(Debug, Default)]
struct Scan {
    /// The last fence that releases, and whether another one may be missing after it.
    fence: Option<u32>,
    hidden: bool,
    /// Per atomic, what was loaded and not yet written: the load and its number.
    loads: Map<usize, (u32, u64)>,
    /// Fences that acquire, the next one last.
    acquiring: Vec<u32>,
}

impl Objects {
    /// How many atomics were met.
    pub(crate) fn atomics(&self) -> u64 {
        self.atomics.len() as u64
    }

    /// Takes note of what a strand did.
    pub(crate) fn look_at(&mut self, strand: u32, run: u32, log: &StrandLog) {
        let acquires = |op: &Op| matches!(op, Op::Fence(order) if order.acquires);
        let fences = (0..).zip(&log.records).filter(|(_, record)| acquires(&record.op));
        let mut scan = Scan { acquiring: fences.map(|(at, _)| at).collect(), ..Scan::default() };
        scan.acquiring.reverse();
        for ((at, record), gap) in (0..).zip(&log.records).zip(log.gaps()) {
            if gap {
                scan.hidden = true;
                scan.loads.clear();
            }
            match record.op {
                Op::Fence(order) if order.releases => (scan.fence, scan.hidden) = (Some(at), false),
                Op::Tell(told) => self.signal(run, told).tells.push(Place { number: told.number, strand, at }),
                Op::Notice(told) => self.signal(run, told).notices.push(Place { number: told.number, strand, at }),
                Op::Atomic { op, new, .. } => self.atomic(run, op, new, (strand, at), &mut scan),
                _ => {}
            }
        }
    }

    /// Links all of them. `whole` says of each run whether nothing of it is known to be missing; numbers that are left
    /// out say that something is.
    pub(crate) fn link(mut self, roster: &Roster<'_>, whole: &mut [bool]) -> (Steps, Vec<Links>, Overwrites) {
        for (run, signal) in &mut self.signals {
            whole[*run as usize] &= !signal.line_up();
        }
        for (run, atomic) in &mut self.atomics {
            whole[*run as usize] &= !atomic.line_up();
        }
        let (mut steps, mut overwrites) = (Steps::default(), Overwrites::default());
        let mut links: Vec<Links> = roster.strands.iter().map(|_| Links::default()).collect();
        for (run, signal) in &self.signals {
            signal.link(whole[*run as usize], &mut steps, &mut links);
        }
        for (_, atomic) in &self.atomics {
            atomic.link(&mut steps, &mut links);
            overwrites.look_at(atomic, roster);
        }
        overwrites.settle();
        links.iter_mut().for_each(Links::sort);
        (steps, links, overwrites)
    }

    fn atomic(&mut self, run: u32, op: AtomicOp, value: Val, (strand, at): (u32, u32), scan: &mut Scan) {
        let next = self.atomics.len();
        let number = *self.numbers.entry((run, op.object)).or_insert(next);
        if number == next {
            self.atomics.push((run, Atomic::default()));
        }
        let atomic = &mut self.atomics[number].1;
        if op.access.read {
            let acquires = if op.order.acquires { Some(at) } else { scan.acquires_after(at) };
            let read = op.number - u64::from(op.access.write);
            acquires.into_iter().for_each(|at| atomic.read(Read { number: read, strand, at }));
        }
        if !op.access.write {
            scan.loads.insert(number, (at, op.number));
            return;
        }
        let releases = op.order.releases;
        atomic.writes.push(Write {
            number: op.number,
            strand,
            at,
            update: op.access.read,
            value,
            head: if releases { Some(at) } else { scan.fence },
            doubt: (scan.hidden && !releases).then_some(FENCE),
            loaded: scan.loads.remove(&number).filter(|_| !op.access.read),
        });
    }

    fn signal(&mut self, run: u32, told: Numbered) -> &mut Signal {
        let next = self.signals.len();
        let number = *self.numbers.entry((run, told.object)).or_insert(next);
        if number == next {
            self.signals.push((run, Signal { cumulative: told.cumulative, ..Signal::default() }));
        }
        let signal = &mut self.signals[number].1;
        signal.shared |= told.shared;
        signal
    }
}

impl Scan {
    /// The first fence that acquires after the record; records are asked for in their order.
    fn acquires_after(&mut self, at: u32) -> Option<u32> {
        while self.acquiring.last().is_some_and(|fence| *fence < at) {
            self.acquiring.pop();
        }
        self.acquiring.last().copied()
    }
}
