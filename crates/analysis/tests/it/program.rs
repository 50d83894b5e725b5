//! A recorded program, written down as it ran, and the batches a client would have sent of it.

use std::collections::BTreeMap;
use trackside_analysis::{Analyzer, FindingKind, Report};
use trackside_wire::{Batch, BatchHead, Header, Kind, Lane, RunId, Site, Strand, write_head};

/// A value in an event.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum V {
    Nil,
    Int(i64),
    Text(String),
    List(Vec<V>),
}

impl From<i64> for V {
    fn from(int: i64) -> Self {
        V::Int(int)
    }
}

impl From<&str> for V {
    fn from(text: &str) -> Self {
        V::Text(text.to_owned())
    }
}

impl<T: Into<V>> From<Option<T>> for V {
    fn from(value: Option<T>) -> Self {
        value.map_or(V::Nil, Into::into)
    }
}

/// One event, as it ran.
#[derive(Debug, Clone)]
pub(crate) struct Event {
    pub(crate) strand: u64,
    pub(crate) kind: Kind,
    pub(crate) line: Option<u32>,
    pub(crate) name: String,
    pub(crate) a: V,
    pub(crate) b: V,
    /// Its step; counted when the event is added.
    step: u64,
    time: u64,
    lost: Option<Lost>,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Lost {
    /// The client says so.
    Declared,
    /// Its batch never came.
    Silently,
}

/// A program in the making. Strands are numbered; locks and variables are named.
#[derive(Debug, Clone)]
pub(crate) struct Program {
    pub(crate) events: Vec<Event>,
    pub(crate) run: u64,
    steps: BTreeMap<u64, u64>,
    turns: BTreeMap<String, u64>,
    held: BTreeMap<(u64, String), u64>,
    line: Option<u32>,
}

impl Program {
    pub(crate) fn new() -> Self {
        let (steps, turns, held) = Default::default();
        Self { events: Vec::new(), run: 7, steps, turns, held, line: None }
    }

    /// The line of the next event. Without it, an event has a line of its own.
    pub(crate) fn at(&mut self, line: u32) -> &mut Self {
        self.line = Some(line);
        self
    }

    pub(crate) fn event(&mut self, strand: u64, kind: Kind, name: &str, a: V, b: V) -> &mut Self {
        let step = self.steps.entry(strand).or_default();
        let line = self.line.take().or(Some(1000 + self.events.len() as u32));
        let (name, time) = (name.to_owned(), 100 * self.events.len() as u64);
        self.events.push(Event { strand, kind, line, name, a, b, step: *step, time, lost: None });
        *step = step.wrapping_add(1);
        self
    }

    pub(crate) fn read(&mut self, strand: u64, name: &str, value: impl Into<V>) -> &mut Self {
        self.event(strand, Kind::Read, name, V::Nil, value.into())
    }

    pub(crate) fn write(&mut self, strand: u64, name: &str, old: impl Into<V>, new: impl Into<V>) -> &mut Self {
        self.event(strand, Kind::Write, name, old.into(), new.into())
    }

    pub(crate) fn access(&mut self, strand: u64, kind: Kind, name: &str) -> &mut Self {
        self.event(strand, kind, name, V::Nil, V::Nil)
    }

    pub(crate) fn spawn(&mut self, parent: u64, child: u64) -> &mut Self {
        self.event(parent, Kind::AsyncSpawn, "task", V::Int(child as i64), V::Nil);
        self.event(child, Kind::TaskBegin, "task", V::Int(child as i64), V::Nil)
    }

    pub(crate) fn join(&mut self, parent: u64, child: u64) -> &mut Self {
        self.event(child, Kind::TaskEnd, "task", V::Int(child as i64), V::Nil);
        self.event(parent, Kind::AsyncAwait, "task", V::Int(child as i64), V::Nil)
    }

    /// Takes a lock that counts its acquisitions.
    pub(crate) fn lock(&mut self, strand: u64, lock: &str) -> &mut Self {
        self.counted(strand, lock, "Mutex")
    }

    pub(crate) fn counted(&mut self, strand: u64, lock: &str, kind: &str) -> &mut Self {
        let turn = self.turns.entry(lock.to_owned()).or_default();
        *turn += 1;
        let turn = *turn;
        self.held.insert((strand, lock.to_owned()), turn);
        let detail = V::List(vec![V::Int(turn as i64), kind.into()]);
        self.event(strand, Kind::LockAcquire, lock, id(lock), detail)
    }

    pub(crate) fn unlock(&mut self, strand: u64, lock: &str) -> &mut Self {
        self.uncount(strand, lock, "Mutex")
    }

    pub(crate) fn uncount(&mut self, strand: u64, lock: &str, kind: &str) -> &mut Self {
        let turn = self.held.remove(&(strand, lock.to_owned())).expect("the strand holds the lock");
        let detail = V::List(vec![V::Int(turn as i64), kind.into()]);
        self.event(strand, Kind::LockRelease, lock, id(lock), detail)
    }

    /// Takes a lock that is known by its name alone.
    pub(crate) fn plain_lock(&mut self, strand: u64, lock: &str, kind: &str) -> &mut Self {
        self.event(strand, Kind::LockAcquire, lock, V::Nil, V::List(vec![V::Nil, kind.into()]))
    }

    pub(crate) fn plain_unlock(&mut self, strand: u64, lock: &str, kind: &str) -> &mut Self {
        self.event(strand, Kind::LockRelease, lock, V::Nil, V::List(vec![V::Nil, kind.into()]))
    }

    /// The last event is lost, and the client says so.
    pub(crate) fn lost(&mut self) -> &mut Self {
        self.events.last_mut().expect("an event").lost = Some(Lost::Declared);
        self
    }

    /// The last event is in a batch that never came.
    pub(crate) fn gone(&mut self) -> &mut Self {
        self.events.last_mut().expect("an event").lost = Some(Lost::Silently);
        self
    }

    /// The strand's first event has this step.
    pub(crate) fn begin_at(&mut self, strand: u64, step: u64) {
        self.steps.insert(strand, step);
    }

    /// The events at these places are lost, declared or not.
    pub(crate) fn lose(&mut self, losses: &[(usize, bool)]) {
        for (at, declared) in losses {
            if let Some(event) = self.events.get_mut(*at) {
                event.lost = Some(if *declared { Lost::Declared } else { Lost::Silently });
            }
        }
    }

    /// Gives the events these timestamps, the first again after the last; they need not say the truth.
    pub(crate) fn retime(&mut self, times: &[u64]) {
        self.events.iter_mut().zip(times.iter().cycle()).for_each(|(event, time)| event.time = *time);
    }

    /// The batches, of at most `size` events each in the order in which they ran.
    pub(crate) fn batches(&self, size: usize) -> Vec<Vec<u8>> {
        let lost = self.events.iter().filter(|event| event.lost == Some(Lost::Declared)).count() as u64;
        let kept: Vec<&Event> = self.events.iter().filter(|event| event.lost.is_none()).collect();
        let chunks = kept.chunks(size).enumerate();
        chunks.map(|(number, events)| self.batch(number as u64 + 1, events, lost)).collect()
    }

    /// The report on all events, in one batch.
    pub(crate) fn report(&self) -> Report {
        report(&self.batches(usize::MAX))
    }

    /// Kind, variable and lines of each finding, sorted; `kind` is the finding's kind, "race" or "lost".
    pub(crate) fn found(&self) -> Vec<String> {
        found(&self.report())
    }

    fn batch(&self, number: u64, events: &[&Event], lost: u64) -> Vec<u8> {
        let mut strings = vec!["src/app.rs".to_owned()];
        let mut sites = Vec::new();
        let mut strands: Vec<Strand> = Vec::new();
        let mut lanes: Vec<Lane> = Vec::new();
        let mut open: BTreeMap<u64, (usize, u64)> = BTreeMap::new();
        let mut rows = Vec::new();
        for event in events {
            let lane = match open.get(&event.strand) {
                Some((lane, next)) if *next == event.step => *lane,
                _ => {
                    let strand = strands.iter().position(|strand| strand.number == event.strand);
                    let strand = strand.unwrap_or_else(|| {
                        let (number, clock) = (event.strand, Vec::new());
                        strands.push(Strand {
                            number,
                            trace: 1,
                            span: 0,
                            upstream: 0,
                            entry: false,
                            name: None,
                            clock,
                        });
                        strands.len() - 1
                    });
                    lanes.push(self.lane(event, strand as u32, &mut strings));
                    lanes.len() - 1
                }
            };
            open.insert(event.strand, (lane, event.step.wrapping_add(1)));
            rmp::encode::write_array_len(&mut rows, 7).unwrap();
            rmp::encode::write_uint(&mut rows, lane as u64).unwrap();
            rmp::encode::write_uint(&mut rows, u64::from(event.kind.code())).unwrap();
            rmp::encode::write_uint(&mut rows, event.time).unwrap();
            match event.line {
                Some(line) => {
                    rmp::encode::write_uint(&mut rows, sites.len() as u64).unwrap();
                    sites.push(Site { file: 0, line, column: 9 });
                }
                None => rows.push(0xc0),
            }
            rmp::encode::write_uint(&mut rows, strings.len() as u64).unwrap();
            strings.push(event.name.clone());
            encode(&mut rows, &event.a);
            encode(&mut rows, &event.b);
        }
        let header = Header {
            run: RunId::new(self.run),
            batch: number,
            service: "bank",
            instance: "1",
            environment: "test",
            pid: 4242,
            tags: Vec::new(),
            base_unix_ns: 1_000_000,
            recorded: self.events.len() as u64,
            lost: if lost > 0 { vec![("ring_full", lost)] } else { Vec::new() },
        };
        let mut out = Vec::new();
        let (strings, sites, strands, lanes) = (&strings, &sites, &strands, &lanes);
        let head = BatchHead { header: &header, strings, sites, strands, lanes, events: events.len() };
        write_head(&mut out, &head);
        out.extend_from_slice(&rows);
        out
    }

    fn lane(&self, first: &Event, strand: u32, strings: &mut Vec<String>) -> Lane {
        let before = |event: &&Event| event.strand == first.strand && event.step < first.step;
        let mut run: Vec<&Event> = self.events.iter().filter(before).collect();
        run.sort_by_key(|event| std::cmp::Reverse(event.step));
        let lost = run.iter().take_while(|event| event.lost == Some(Lost::Declared)).count() as u64;
        let mut held = Vec::new();
        if lost > 0 {
            for event in run.iter().rev() {
                let V::Int(id) = event.a else { continue };
                match event.kind {
                    Kind::LockAcquire => held.push(id as u64),
                    Kind::LockRelease => held.retain(|held| *held != id as u64),
                    _ => {}
                }
            }
        }
        strings.push(format!("worker-{}", first.strand));
        Lane {
            ring: first.strand as u16,
            first_seq: first.step,
            strand,
            first_step: first.step,
            lost_before: lost,
            thread: Some(strings.len() as u32 - 1),
            held,
            after: Vec::new(),
        }
    }
}

/// The report on these batches.
pub(crate) fn report(batches: &[Vec<u8>]) -> Report {
    let mut analyzer = Analyzer::new();
    for bytes in batches {
        analyzer.ingest(&Batch::decode(bytes).expect("a batch"));
    }
    analyzer.finish()
}

pub(crate) fn found(report: &Report) -> Vec<String> {
    let line = |line: Option<u32>| line.map_or("?".to_owned(), |line| line.to_string());
    let mut found: Vec<String> = report
        .findings
        .iter()
        .map(|finding| {
            let kind = if finding.kind == FindingKind::DataRace { "race" } else { "lost" };
            let (first, second) = (line(finding.first.line), line(finding.second.line));
            let read = finding.read.as_ref().map_or(String::new(), |read| format!("{}..", line(read.line)));
            let incomplete = if finding.incomplete.is_some() { " incomplete" } else { "" };
            format!("{kind} {} {first} {read}{second} {:?}{incomplete}", finding.variable, finding.confidence)
        })
        .collect();
    found.sort();
    found
}

/// A lock's id, made of its name.
fn id(lock: &str) -> V {
    V::Int(lock.bytes().fold(100, |id, byte| id * 31 % 65_521 + i64::from(byte)))
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
