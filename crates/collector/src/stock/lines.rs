//! What is remembered of processes and their strands.

use super::hash::hash;
use super::remembered::Remembered;
use super::schema::Event;
use std::sync::Arc;
use trackside_wire::{EventId, Header, Kinds, RunId, Strand};

/// How many strands one is known to come after.
const AFTER_MAX: usize = 16;

/// How many locks a strand is believed to hold.
const LOCKS_MAX: usize = 64;

/// What a process calls itself.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Process {
    pub(super) service: Box<str>,
    pub(super) instance: Box<str>,
    pub(super) environment: Box<str>,
    pub(super) pid: u32,
    /// What it is called in clocks.
    pub(super) component: Box<str>,
}

impl Process {
    pub(super) fn of(event: &Event<'_>) -> Self {
        let at = &event.metadata;
        Self::new(&at.service_name, at.instance_id.as_deref().unwrap_or(""), &at.environment, at.process_id)
    }

    pub(super) fn of_header(header: &Header<'_>) -> Self {
        Self::new(header.service, header.instance, header.environment, header.pid)
    }

    fn new(service: &str, instance: &str, environment: &str, pid: u32) -> Self {
        let component = format!("{service}#{instance}").into();
        Self { service: service.into(), instance: instance.into(), environment: environment.into(), pid, component }
    }
}

/// A run of a process, as far as it has come.
#[derive(Debug, Clone)]
pub(super) struct Run {
    pub(super) process: Arc<Process>,
    pub(super) next_strand: u64,
    pub(super) next_batch: u64,
    pub(super) recorded: u64,
}

impl Run {
    pub(super) fn new(process: Process) -> Self {
        Self { process: Arc::new(process), next_strand: 0, next_batch: 0, recorded: 0 }
    }

    /// Closes the run's next batch, with so many events.
    pub(super) fn seal(&mut self, events: usize) {
        self.next_batch = self.next_batch.saturating_add(1);
        self.recorded = self.recorded.saturating_add(events as u64);
    }

    /// The header of the batch that was sealed last.
    pub(super) fn header<'a>(
        &'a self,
        run: RunId,
        tags: Vec<(&'a str, &'a str)>,
        base_unix_ns: u64,
        off: Kinds,
    ) -> Header<'a> {
        let Process { service, instance, environment, pid, .. } = &*self.process;
        Header {
            run,
            batch: self.next_batch.saturating_sub(1),
            service,
            instance,
            environment,
            pid: *pid,
            tags,
            base_unix_ns,
            recorded: self.recorded,
            lost: Vec::new(),
            unsampled: 0,
            off,
        }
    }
}

/// A strand.
#[derive(Debug, Clone, Default)]
pub(super) struct Line {
    pub(super) number: u64,
    pub(super) trace: u128,
    pub(super) span: u64,
    pub(super) upstream: u64,
    pub(super) entry: bool,
    pub(super) next_step: u64,
    /// Of our own SDK: the value of its clock at step 0, once it is known.
    pub(super) base: Option<u64>,
    /// What it comes after: other strands, and how many steps of them.
    pub(super) after: Vec<(u64, u64)>,
    /// The locks that its events have acquired, and those that only its lock sets tell of.
    pub(super) held: Vec<Box<str>>,
    pub(super) told: Vec<Box<str>>,
}

impl Line {
    pub(super) fn strand(&self, name: Option<u32>) -> Strand {
        let &Line { number, trace, span, upstream, entry, .. } = self;
        Strand { number, trace, span, upstream, entry, name, clock: Vec::new() }
    }

    /// Takes note that what follows comes after the first `steps` events of another strand. Whether that is news.
    pub(super) fn follow(&mut self, strand: u64, steps: u64) -> bool {
        if strand == self.number {
            return false;
        }
        if let Some((_, known)) = self.after.iter_mut().find(|(other, _)| *other == strand) {
            let is_news = steps > *known;
            *known = steps.max(*known);
            return is_news;
        }
        if self.after.len() == AFTER_MAX {
            self.after.remove(0);
        }
        self.after.push((strand, steps));
        true
    }

    pub(super) fn acquire(&mut self, lock: &str) {
        push(&mut self.held, lock);
    }

    pub(super) fn release(&mut self, lock: &str) {
        remove(&mut self.held, lock);
    }

    pub(super) fn acquire_told(&mut self, lock: &str) {
        push(&mut self.told, lock);
    }

    pub(super) fn release_told(&mut self, lock: &str) {
        remove(&mut self.told, lock);
    }
}

fn push(locks: &mut Vec<Box<str>>, lock: &str) {
    if locks.len() == LOCKS_MAX {
        locks.remove(0);
    }
    locks.push(lock.into());
}

fn remove(locks: &mut Vec<Box<str>>, lock: &str) {
    if let Some(at) = locks.iter().rposition(|held| **held == *lock) {
        locks.remove(at);
    }
}

/// What tells a strand apart from others of its run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct LineKey(RunId, u64);

impl LineKey {
    pub(super) fn own(run: RunId, strand: u64) -> Self {
        Self(run, hash(&[&b"own"[..], &strand.to_be_bytes()]))
    }

    pub(super) fn foreign(run: RunId, thread: &str, trace: u128, span: u64) -> Self {
        Self(run, hash(&[thread.as_bytes(), &trace.to_be_bytes(), &span.to_be_bytes()]))
    }

    pub(super) fn thread(run: RunId, thread: &str) -> Self {
        Self(run, hash(&[thread]))
    }
}

/// All of it.
#[derive(Debug)]
pub(super) struct Lines {
    pub(super) runs: Remembered<RunId, Run>,
    pub(super) lines: Remembered<LineKey, Line>,
    /// Of a thread, the strand that ran there last, and how far it had come.
    pub(super) threads: Remembered<LineKey, (u64, u64)>,
    /// Where an event stands: strand and step.
    pub(super) events: Remembered<EventId, (u64, u64)>,
    /// The contexts that began in a process, by trace and span.
    pub(super) entries: Remembered<(RunId, u128, u64), ()>,
}

impl Lines {
    /// Remembers where so many events stand, or twice as many.
    pub(super) fn new(events: usize) -> Self {
        Self {
            runs: Remembered::new(4096),
            lines: Remembered::new(32_768),
            threads: Remembered::new(32_768),
            events: Remembered::new(events),
            entries: Remembered::new(32_768),
        }
    }

    pub(super) fn settle(&mut self, keep: bool) {
        self.runs.settle(keep);
        self.lines.settle(keep);
        self.threads.settle(keep);
        self.events.settle(keep);
        self.entries.settle(keep);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_said_is_not_said_again() {
        let mut line = Line { number: 1, ..Line::default() };
        assert!(!line.follow(1, 5), "its own steps");
        assert!(line.follow(2, 5) && !line.follow(2, 5) && !line.follow(2, 4) && line.follow(2, 6));
        (3..100).for_each(|strand| assert!(line.follow(strand, 1)));
        assert!(line.follow(2, 6), "long forgotten, so said again");
    }
}
