//! A log of a busy service, made up batch by batch as its clients would have sent it.

use std::collections::BTreeMap;
use trackside_wire::{BatchHead, Header, Kind, Kinds, Lane, RunId, Site, Strand, write_head};

/// How many events a batch has.
const BATCH: usize = 10_000;

/// A lock for so many variables.
const VARIABLES_OF_LOCK: u64 = 8;

/// How the strands of a log go about it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Setup {
    pub(crate) events: u64,
    pub(crate) strands: u64,
    pub(crate) variables: u64,
    /// Whether each variable has a lock, which all but one section of a thousand take.
    pub(crate) locks: bool,
}

/// Batches of a log.
pub(crate) struct Log {
    setup: Setup,
    random: u64,
    batch: u64,
    made: u64,
    strands: Vec<At>,
    /// By the numbers of the locks: how often each was taken, and whether it is held.
    locks: Vec<(u64, bool)>,
    values: Vec<u64>,
    /// The pairs of strand and variable that have met.
    pairs: Vec<bool>,
}

/// Where a strand is: in a section, or before the next.
#[derive(Debug, Clone, Default)]
struct At {
    steps: u64,
    variable: u64,
    /// The number of the lock's acquisition, if it takes it.
    turn: u64,
    locked: bool,
    next: Next,
    read: u64,
}

#[derive(Debug, Clone, Copy, Default, PartialEq)]
enum Next {
    #[default]
    Begin,
    Read,
    Write,
    Release,
}

/// An event before it is written: its kind, which string names it, the place, and the two values.
struct Row {
    kind: Kind,
    name: u64,
    site: u64,
    a: Option<u64>,
    b: Value,
    time: u64,
}

enum Value {
    Int(u64),
    Turn(u64),
}

impl Log {
    pub(crate) fn new(setup: Setup) -> Self {
        let locks = setup.variables / VARIABLES_OF_LOCK + 1;
        Self {
            setup,
            random: 1,
            batch: 0,
            made: 0,
            strands: vec![At::default(); setup.strands as usize],
            locks: vec![(0, false); locks as usize],
            values: vec![0; setup.variables as usize],
            pairs: vec![false; (setup.strands * setup.variables) as usize],
        }
    }

    /// How many pairs of a strand and a variable that it accesses there are so far.
    pub(crate) fn pairs(&self) -> u64 {
        self.pairs.iter().filter(|met| **met).count() as u64
    }

    fn random(&mut self, below: u64) -> u64 {
        self.random = self.random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.random >> 33) % below
    }

    /// Some strand's next event; which strand that is.
    fn event(&mut self) -> (u64, Row) {
        loop {
            let strand = self.random(self.setup.strands);
            if let Some(row) = self.step(strand) {
                self.made += 1;
                return (strand, row);
            }
        }
    }

    /// The strand's next event, unless it has to wait.
    fn step(&mut self, strand: u64) -> Option<Row> {
        let mut at = self.strands[strand as usize].clone();
        if at.next == Next::Begin {
            at.variable = self.random(self.setup.variables);
            at.locked = self.setup.locks && self.random(1000) > 0;
        }
        let (lock, variable) = (at.variable / VARIABLES_OF_LOCK, at.variable);
        let place = variable % 16 * 4;
        let of_lock = self.setup.variables + lock;
        let row = |kind, name, site, a, b| Row { kind, name, site, a, b, time: self.made * 100 };
        let (row, next) = match at.next {
            Next::Begin if at.locked => {
                let (turns, held) = &mut self.locks[lock as usize];
                if std::mem::replace(held, true) {
                    return None;
                }
                *turns += 1;
                at.turn = *turns;
                (row(Kind::LockAcquire, of_lock, place, Some(1 + lock), Value::Turn(at.turn)), Next::Read)
            }
            Next::Begin | Next::Read => {
                at.read = self.values[variable as usize];
                self.pairs[(strand * self.setup.variables + variable) as usize] = true;
                (row(Kind::Read, variable, place + 1, None, Value::Int(at.read)), Next::Write)
            }
            Next::Write => {
                self.values[variable as usize] = at.read + 1;
                let row = row(Kind::Write, variable, place + 2, Some(at.read), Value::Int(at.read + 1));
                (row, if at.locked { Next::Release } else { Next::Begin })
            }
            Next::Release => {
                self.locks[lock as usize].1 = false;
                (row(Kind::LockRelease, of_lock, place + 3, Some(1 + lock), Value::Turn(at.turn)), Next::Begin)
            }
        };
        at.next = next;
        self.strands[strand as usize] = at;
        Some(row)
    }

    fn write(&mut self, rows: &BTreeMap<u64, Vec<Row>>, count: usize) -> Vec<u8> {
        let Setup { variables, .. } = self.setup;
        let mut strings = vec!["src/service.rs".to_owned()];
        let mut named: BTreeMap<u64, u32> = BTreeMap::new();
        for row in rows.values().flatten() {
            named.entry(row.name).or_insert_with(|| {
                let lock = row.name.checked_sub(variables);
                strings.push(lock.map_or_else(|| format!("variable-{}", row.name), |lock| format!("lock-{lock}")));
                strings.len() as u32 - 1
            });
        }
        let sites: Vec<Site> = (0..64).map(|line| Site { file: 0, line: 10 + line, column: 9 }).collect();
        let (mut strands, mut lanes, mut events) = (Vec::new(), Vec::new(), Vec::new());
        for (strand, rows) in rows {
            let (number, at) = (strand + 1, &mut self.strands[*strand as usize]);
            let first_step = at.steps;
            at.steps += rows.len() as u64;
            let index = strands.len() as u32;
            strands.push(Strand {
                number,
                trace: 1,
                span: 0,
                upstream: 0,
                entry: false,
                name: None,
                clock: Vec::new(),
            });
            lanes.push(Lane {
                ring: (strand % 60_000) as u16,
                first_seq: first_step + (strand / 60_000) * 1_000_000,
                strand: index,
                first_step,
                lost_before: 0,
                thread: None,
                held: Vec::new(),
                after: Vec::new(),
            });
            rows.iter().for_each(|row| encode(&mut events, index, row, named[&row.name]));
        }
        let header = Header {
            run: RunId::new(7),
            batch: self.batch,
            service: "bench",
            instance: "1",
            environment: "test",
            pid: 1,
            tags: Vec::new(),
            base_unix_ns: 1_000_000,
            recorded: self.made,
            lost: Vec::new(),
            unsampled: 0,
            off: Kinds::NONE,
        };
        let mut bytes = Vec::new();
        let head = BatchHead {
            header: &header,
            strings: &strings,
            sites: &sites,
            strands: &strands,
            lanes: &lanes,
            events: count,
        };
        write_head(&mut bytes, &head);
        bytes.extend_from_slice(&events);
        bytes
    }
}

impl Iterator for Log {
    type Item = Vec<u8>;

    /// The next batch. As a flusher goes from ring to ring, its rows are in order strand by strand.
    fn next(&mut self) -> Option<Vec<u8>> {
        let count = (self.setup.events - self.made).min(BATCH as u64) as usize;
        if count == 0 {
            return None;
        }
        let mut rows: BTreeMap<u64, Vec<Row>> = BTreeMap::new();
        for _ in 0..count {
            let (strand, row) = self.event();
            rows.entry(strand).or_default().push(row);
        }
        self.batch += 1;
        Some(self.write(&rows, count))
    }
}

fn encode(out: &mut Vec<u8>, lane: u32, row: &Row, name: u32) {
    // Writing into a Vec cannot fail.
    let uint = |out: &mut Vec<u8>, value: u64| drop(rmp::encode::write_uint(out, value));
    let _ = rmp::encode::write_array_len(out, 7);
    for value in [u64::from(lane), u64::from(row.kind.code()), row.time, row.site, u64::from(name)] {
        uint(out, value);
    }
    match row.a {
        Some(value) => uint(out, value),
        None => out.push(0xc0),
    }
    match row.b {
        Value::Int(value) => uint(out, value),
        Value::Turn(turn) => {
            let _ = rmp::encode::write_array_len(out, 2);
            uint(out, turn);
            let _ = rmp::encode::write_str(out, "Mutex");
        }
    }
}
