//! The batches that the clients would have sent of a program.

use crate::program::{Event, Lost, Program, V, process};
use std::collections::{BTreeMap, BTreeSet};
use trackside_wire::{BatchHead, Header, Kind, Lane, RunId, Site, Strand, write_head};

impl Program {
    /// The batches, of at most `size` events each in the order in which they ran.
    pub(crate) fn batches(&self, size: usize) -> Vec<Vec<u8>> {
        let kept: Vec<&Event> = self.events.iter().filter(|event| event.lost.is_none()).collect();
        let mut numbers: BTreeMap<u64, u64> = BTreeMap::new();
        let mut batches = Vec::new();
        for chunk in kept.chunks(size) {
            let processes: BTreeSet<u64> = chunk.iter().map(|event| process(event.strand).0).collect();
            for at in processes {
                let events: Vec<&Event> = chunk.iter().filter(|event| process(event.strand).0 == at).copied().collect();
                let number = numbers.entry(at).or_insert(0);
                *number += 1;
                batches.push(Writer::new(self, at).batch(*number, &events));
            }
        }
        batches
    }

    /// How many strands of the process are not sampled.
    fn unsampled(&self, of: u64) -> u64 {
        let unsampled = self.events.iter().filter(|event| event.lost == Some(Lost::Unsampled));
        unsampled.map(|event| event.strand).filter(|strand| process(*strand).0 == of).collect::<BTreeSet<_>>().len()
            as u64
    }
}

impl Event {
    /// Whether it was never meant to be recorded, so that nobody counts it.
    pub(crate) fn is_unknown(&self) -> bool {
        matches!(self.lost, Some(Lost::Unsampled | Lost::Off))
    }
}

/// What of a batch is written so far.
struct Writer<'a> {
    program: &'a Program,
    process: u64,
    strings: Vec<String>,
    sites: Vec<Site>,
    strands: Vec<Strand>,
    lanes: Vec<Lane>,
    /// Per strand, its open lane, ring, and the step and sequence number that go on with it.
    open: BTreeMap<u64, (usize, u16, u64, u64)>,
    rows: Vec<u8>,
    /// Whether the program says that it lost something.
    losses: bool,
}

impl<'a> Writer<'a> {
    fn new(program: &'a Program, process: u64) -> Self {
        let strings = vec!["src/app.rs".to_owned()];
        let (sites, strands, lanes, open, rows) = Default::default();
        let losses = program.events.iter().any(|event| event.lost == Some(Lost::Declared));
        Self { program, process, strings, sites, strands, lanes, open, rows, losses }
    }

    fn batch(mut self, number: u64, events: &[&Event]) -> Vec<u8> {
        events.iter().for_each(|event| self.row(event));
        let own = |event: &&Event| process(event.strand).0 == self.process && !event.is_unknown();
        let recorded = self.program.events.iter().filter(own);
        let lost = recorded.clone().filter(|event| event.lost == Some(Lost::Declared)).count() as u64;
        let (service, instance) = names(self.program, self.process);
        let header = Header {
            run: RunId::new(self.program.run + self.process),
            batch: number,
            service: &service,
            instance: &instance,
            environment: "test",
            pid: 4242,
            tags: Vec::new(),
            base_unix_ns: 1_000_000,
            recorded: recorded.count() as u64,
            lost: if lost > 0 { vec![("ring_full", lost)] } else { Vec::new() },
            unsampled: self.program.unsampled(self.process),
            off: self.program.off.get(&self.process).copied().unwrap_or_default(),
        };
        let mut out = Vec::new();
        let Self { strings, sites, strands, lanes, rows, .. } = &self;
        write_head(&mut out, &BatchHead { header: &header, strings, sites, strands, lanes, events: events.len() });
        out.extend_from_slice(rows);
        out
    }

    fn row(&mut self, event: &Event) {
        let lane = match self.open.get(&event.strand) {
            Some((lane, ring, step, seq))
                if (*ring, *step, *seq) == (event.ring, event.step, event.seq) && event.after.is_empty() =>
            {
                *lane
            }
            _ => self.lane(event),
        };
        let next = (lane, event.ring, event.step.wrapping_add(1), event.seq + 1);
        self.open.insert(event.strand, next);
        rmp::encode::write_array_len(&mut self.rows, 7).unwrap();
        rmp::encode::write_uint(&mut self.rows, lane as u64).unwrap();
        rmp::encode::write_uint(&mut self.rows, u64::from(event.kind.code())).unwrap();
        rmp::encode::write_uint(&mut self.rows, event.time).unwrap();
        match event.line {
            Some(line) => {
                rmp::encode::write_uint(&mut self.rows, self.sites.len() as u64).unwrap();
                self.sites.push(Site { file: 0, line, column: self.program.column });
            }
            None => self.rows.push(0xc0),
        }
        let name = self.string(event.name.clone());
        rmp::encode::write_uint(&mut self.rows, u64::from(name)).unwrap();
        encode(&mut self.rows, &event.a);
        encode(&mut self.rows, &event.b);
    }

    fn lane(&mut self, first: &Event) -> usize {
        let before = |event: &&Event| event.strand == first.strand && event.step < first.step;
        let events = if self.losses { &self.program.events[..] } else { &[] };
        let mut run: Vec<&Event> = events.iter().filter(before).collect();
        run.sort_by_key(|event| std::cmp::Reverse(event.step));
        let lost: Vec<&&Event> = run.iter().take_while(|event| event.lost == Some(Lost::Declared)).collect();
        let mut held = Vec::new();
        if !lost.is_empty() {
            for event in run.iter().rev() {
                let V::Int(id) = event.a else { continue };
                match event.kind {
                    Kind::LockAcquire => held.push(id as u64),
                    Kind::LockRelease => held.retain(|held| *held != id as u64),
                    _ => {}
                }
            }
        }
        // What a lost event came after, the next one that is kept says.
        let after = lost.iter().flat_map(|event| &event.after).chain(&first.after);
        let after = after.map(|(strand, steps)| (process(*strand).1, *steps)).collect();
        let number = process(first.strand).1;
        let thread = self.program.threads.get(&(self.process, first.ring)).cloned();
        let thread = self.string(thread.unwrap_or_else(|| format!("worker-{number}")));
        let strand = self.strand(first.strand);
        self.lanes.push(Lane {
            ring: first.ring,
            first_seq: first.seq,
            strand,
            first_step: first.step,
            lost_before: lost.len() as u64,
            thread: Some(thread),
            held,
            after,
        });
        self.lanes.len() - 1
    }

    fn strand(&mut self, strand: u64) -> u32 {
        let number = process(strand).1;
        if let Some(known) = self.strands.iter().position(|known| known.number == number) {
            return known as u32;
        }
        let context = self.program.contexts.get(&strand).cloned().unwrap_or_default();
        let name = context.name.map(|name| self.string(name));
        let component = |process: &u64| {
            let (service, instance) = names(self.program, *process);
            (self.string(format!("{service}#{instance}")), 1)
        };
        let clock = context.past.iter().map(component).collect();
        let trace = context.trace.max(1);
        let (span, upstream, entry) = (context.span, context.upstream, context.entry);
        self.strands.push(Strand { number, trace, span, upstream, entry, name, clock });
        self.strands.len() as u32 - 1
    }

    fn string(&mut self, text: String) -> u32 {
        self.strings.push(text);
        self.strings.len() as u32 - 1
    }
}

/// Service and instance of a process.
fn names(program: &Program, process: u64) -> (String, String) {
    let name = || if process == 0 { "bank".to_owned() } else { format!("shop-{process}") };
    (program.services.get(&process).cloned().unwrap_or_else(name), "1".to_owned())
}

fn encode(out: &mut Vec<u8>, value: &V) {
    match value {
        V::Nil => out.push(0xc0),
        V::Int(int) => drop(rmp::encode::write_sint(out, *int).unwrap()),
        V::Text(text) => rmp::encode::write_str(out, text).unwrap(),
        V::List(list) => {
            rmp::encode::write_array_len(out, list.len() as u32).unwrap();
            list.iter().for_each(|value| encode(out, value));
        }
    }
}
