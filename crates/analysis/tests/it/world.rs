//! What strands do in random programs: they share variables and locks, start and follow each other, and make calls.

use crate::program::{Program, V, process, remote};
use crate::sync::Traffic;
use std::collections::{BTreeMap, BTreeSet};
use trackside_wire::Kind;

/// Strands of a process.
pub(crate) const STRANDS: u64 = 5;

/// What a strand could do next: the strand, what, to which of several, and on which line.
pub(crate) type Choice = (u64, u8, u8, u32);

const VARIABLES: [&str; 4] = ["x", "y", "shared:row", "z"];
const LOCKS: [(&str, bool); 3] = [("m", true), ("n", true), ("plain", false)];

/// What may happen in a program.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Setup {
    pub(crate) processes: u64,
    /// Whether values are recorded.
    pub(crate) values: bool,
    /// Whether a call may be taken by two strands.
    pub(crate) tried_again: bool,
    /// Whether several releases of a signal may have one number.
    pub(crate) barriers: bool,
}

/// Runs the choices one after the other, passing over those that cannot be made.
pub(crate) fn run(choices: &[Choice], setup: Setup) -> Program {
    let mut p = Program::new();
    let mut world = World { running: (0..setup.processes).map(|at| remote(at, 1)).collect(), ..World::default() };
    for (strand, what, which, line) in choices {
        let strand = remote(strand / STRANDS % setup.processes, 1 + strand % STRANDS);
        if world.running.contains(&strand) {
            world.step(&mut p, strand, *what, usize::from(*which), *line, setup);
        }
    }
    p
}

#[derive(Default)]
struct World {
    running: BTreeSet<u64>,
    used: BTreeSet<u64>,
    /// Who holds each lock of each process, and whether exclusively.
    held: BTreeMap<(u64, &'static str), Vec<(u64, bool)>>,
    /// By the process, if it is not shared by all.
    memory: BTreeMap<(Option<u64>, &'static str), i64>,
    /// What each strand last read or wrote.
    registers: BTreeMap<(u64, &'static str), i64>,
    /// Calls that have not returned: the caller, the span, and those that took it.
    calls: Vec<(u64, u64, Vec<u64>)>,
    spans: u64,
    traffic: Traffic,
    /// Strands that answered the call they took.
    answered: BTreeSet<u64>,
}

impl World {
    fn step(&mut self, p: &mut Program, strand: u64, what: u8, which: usize, line: u32, setup: Setup) {
        let variable = VARIABLES[which % VARIABLES.len()];
        let lock = LOCKS[which % LOCKS.len()];
        let place = ((!variable.starts_with("shared:")).then_some(process(strand).0), variable);
        let now = self.memory.get(&place).copied().unwrap_or(0);
        let shown = |value: i64| if setup.values { V::Int(value) } else { V::Nil };
        let other = remote(process(strand).0, 1 + which as u64 % STRANDS);
        match what {
            0..=5 => {
                self.registers.insert((strand, variable), now);
                let kind = if what == 0 { Kind::AtomicRead } else { Kind::Read };
                p.at(line).event(strand, kind, variable, V::Nil, shown(now));
            }
            6..=10 => {
                let old = self.registers.remove(&(strand, variable)).unwrap_or(now);
                let new = if which < 4 { old + 1 } else { old - 1 };
                self.memory.insert(place, new);
                let kind = if what == 6 { Kind::AtomicWrite } else { Kind::Write };
                p.at(line).event(strand, kind, variable, shown(old), shown(new));
            }
            11 => {
                self.memory.insert(place, now + 1);
                self.registers.remove(&(strand, variable));
                p.at(line).event(strand, Kind::AtomicRmw, variable, shown(now), shown(now + 1));
            }
            12 | 13 => self.acquire(p, strand, lock, what == 12),
            14..=16 => self.release(p, strand, lock),
            17 if self.begin(other) => drop(p.spawn(strand, other)),
            18 if self.end(strand, other) => drop(p.join(strand, other)),
            19 if self.begin(other) => drop(p.follow(other, strand)),
            20 if self.end(strand, other) => {
                if line.is_multiple_of(2) {
                    p.join_strand(strand, other);
                } else {
                    p.follow(strand, other);
                }
            }
            21 if other != strand => drop(p.follow(strand, other)),
            22 => drop(p.on(strand, which as u16)),
            23 | 24 => self.call(p, strand, which as u64, line, setup),
            25 | 26 => self.answer(p, which),
            27 | 28 => self.finish(p, which),
            29 | 30 => self.hand_over(p, strand, other, lock, what == 29),
            31.. => self.traffic.step(p, strand, what - 31, which, line, setup),
            _ => {}
        }
    }

    /// Begins a strand, if it can begin.
    fn begin(&mut self, strand: u64) -> bool {
        let begins = process(strand).1 != 1 && self.used.insert(strand);
        begins && self.running.insert(strand)
    }

    /// Ends a strand for another one, if it may end.
    fn end(&mut self, by: u64, strand: u64) -> bool {
        let holds = self.held.values().flatten().any(|(holder, _)| *holder == strand);
        strand != by && process(strand).1 != 1 && !holds && self.running.remove(&strand)
    }

    fn call(&mut self, p: &mut Program, strand: u64, which: u64, line: u32, setup: Setup) {
        let there = (process(strand).0 + 1 + u64::from(line) % 2) % setup.processes;
        let takers = if setup.tried_again && which.is_multiple_of(2) { 2 } else { 1 };
        let free = (2..=STRANDS).map(|number| remote(there, number)).filter(|entry| !self.used.contains(entry));
        let entries: Vec<u64> = free.take(takers).collect();
        if there == process(strand).0 || entries.is_empty() {
            return;
        }
        for entry in &entries {
            self.begin(*entry);
        }
        self.spans += 1;
        p.call(strand, self.spans, &entries);
        self.calls.push((strand, self.spans, entries));
    }

    /// One of the strands that took a call answers it, once: whichever strand's turn it is, as few could.
    fn answer(&mut self, p: &mut Program, which: usize) {
        let entries = self.calls.iter().flat_map(|(_, _, entries)| entries);
        let open = |entry: &&u64| self.running.contains(*entry) && !self.answered.contains(*entry);
        let open: Vec<u64> = entries.filter(open).copied().collect();
        if let Some(strand) = open.get(which % open.len().max(1)) {
            self.answered.insert(*strand);
            p.respond(*strand);
        }
    }

    /// One of the calls that were answered returns.
    fn finish(&mut self, p: &mut Program, which: usize) {
        let answered =
            |entries: &[u64]| entries.iter().copied().filter(|entry| self.answered.contains(entry)).collect();
        let returning = |(at, (caller, _, entries)): (usize, &(u64, u64, Vec<u64>))| {
            let answers: Vec<u64> = answered(entries);
            (self.running.contains(caller) && !answers.is_empty()).then(|| (at, answers[which % answers.len()]))
        };
        let open: Vec<(usize, u64)> = self.calls.iter().enumerate().filter_map(returning).collect();
        if let Some((at, answered_by)) = open.get(which % open.len().max(1)) {
            let (caller, span, _) = self.calls.remove(*at);
            p.returned(caller, span, *answered_by);
        }
    }

    fn acquire(&mut self, p: &mut Program, strand: u64, (lock, counted): (&'static str, bool), exclusive: bool) {
        let holders = self.held.entry((process(strand).0, lock)).or_default();
        let mine = holders.iter().any(|(holder, _)| *holder == strand);
        let free = if exclusive { holders.is_empty() } else { holders.iter().all(|(_, exclusive)| !exclusive) };
        if mine || !free {
            if !mine {
                // It would have waited, and was let down.
                p.wait(strand, lock, &[]);
            }
            return;
        }
        holders.push((strand, exclusive));
        let kind = if exclusive { "RwLock-Write" } else { "RwLock-Read" };
        if counted {
            p.counted(strand, lock, kind)
        } else {
            p.plain_lock(strand, lock, kind)
        };
    }

    /// Sends the guard of a counted lock to another strand, in a way that the record has or not.
    fn hand_over(&mut self, p: &mut Program, from: u64, to: u64, lock: (&'static str, bool), recorded: bool) {
        let holders = self.held.entry((process(from).0, lock.0)).or_default();
        let holds = |strand: u64| holders.iter().position(|(holder, _)| *holder == strand);
        let (Some(at), None, true, true) = (holds(from), holds(to), lock.1, self.running.contains(&to)) else { return };
        holders[at].0 = to;
        p.hand_over(from, to, lock.0);
        if recorded {
            p.follow(to, from);
        }
    }

    fn release(&mut self, p: &mut Program, strand: u64, (lock, counted): (&'static str, bool)) {
        let holders = self.held.entry((process(strand).0, lock)).or_default();
        let Some(at) = holders.iter().position(|(holder, _)| *holder == strand) else { return };
        let (_, exclusive) = holders.remove(at);
        let kind = if exclusive { "RwLock-Write" } else { "RwLock-Read" };
        if counted {
            p.uncount(strand, lock, kind)
        } else {
            p.plain_unlock(strand, lock, kind)
        };
    }
}
