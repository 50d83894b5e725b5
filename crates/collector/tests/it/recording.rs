//! Batches of any events, written by hand: for what shows events, which has to be shown more than accesses.

use crate::batch::{file, header, lane, strand};
use trackside_wire::{BatchHead, Header, Kind, Site, write_head};

/// What an event holds.
#[derive(Debug, Clone)]
pub(crate) enum V {
    Nil,
    Int(u64),
    Text(&'static str),
    List(Vec<V>),
}

#[derive(Debug, Clone)]
struct Row {
    strand: u16,
    kind: Kind,
    time_ns: u64,
    line: u32,
    name: &'static str,
    a: V,
    b: V,
}

/// A run's events, in the order in which they are added.
#[derive(Debug, Clone)]
pub(crate) struct Recording {
    run: u64,
    file: &'static str,
    service: &'static str,
    rows: Vec<Row>,
}

impl Recording {
    pub(crate) fn new(run: u64) -> Self {
        Self { run, file: "src/bank.rs", service: "bank", rows: Vec::new() }
    }

    /// The source file of all events.
    pub(crate) fn file(mut self, file: &'static str) -> Self {
        self.file = file;
        self
    }

    pub(crate) fn service(mut self, service: &'static str) -> Self {
        self.service = service;
        self
    }

    /// An event of a strand at a line. Its time is its place among all, in microseconds.
    pub(crate) fn event(mut self, strand: u16, kind: Kind, line: u32, name: &'static str, a: V, b: V) -> Self {
        let time_ns = 1000 * self.rows.len() as u64;
        self.rows.push(Row { strand, kind, time_ns, line, name, a, b });
        self
    }

    /// Sets the time of the latest event.
    pub(crate) fn at(mut self, time_ns: u64) -> Self {
        self.rows.last_mut().unwrap().time_ns = time_ns;
        self
    }

    pub(crate) fn write(self, strand: u16, line: u32, name: &'static str) -> Self {
        self.event(strand, Kind::Write, line, name, V::Nil, V::Int(strand.into()))
    }

    /// An acquisition of the lock of this id, with its number.
    pub(crate) fn acquire(self, strand: u16, name: &'static str, id: u64, number: u64) -> Self {
        let detail = V::List(vec![V::Int(number), V::Text("Mutex")]);
        self.event(strand, Kind::LockAcquire, 7, name, V::Int(id), detail)
    }

    pub(crate) fn release(self, strand: u16, name: &'static str, id: u64, number: u64) -> Self {
        let detail = V::List(vec![V::Int(number), V::Text("Mutex")]);
        self.event(strand, Kind::LockRelease, 8, name, V::Int(id), detail)
    }

    /// All of it as one batch.
    pub(crate) fn batch(&self) -> Vec<u8> {
        let mut strings = vec![self.file];
        let (mut lines, mut strands): (Vec<u32>, Vec<u16>) = (Vec::new(), Vec::new());
        for row in &self.rows {
            place_of(&mut strings, row.name);
            place_of(&mut lines, row.line);
            place_of(&mut strands, row.strand);
        }
        let header = Header { service: self.service, recorded: self.rows.len() as u64, ..header(self.run, 0) };
        let lane = |(at, ring): (u32, &u16)| lane(*ring, 0, at);
        let head = BatchHead {
            header: &header,
            strings: &strings,
            sites: &lines.iter().map(|line| Site { file: 0, line: *line, column: 5 }).collect::<Vec<_>>(),
            strands: &strands.iter().map(|ring| strand(*ring)).collect::<Vec<_>>(),
            lanes: &(0..).zip(&strands).map(lane).collect::<Vec<_>>(),
            events: self.rows.len(),
        };
        let mut out = Vec::new();
        write_head(&mut out, &head);
        for row in &self.rows {
            let name = place_of(&mut strings, row.name);
            let site = place_of(&mut lines, row.line);
            rmp::encode::write_array_len(&mut out, 7).unwrap();
            let lane = place_of(&mut strands, row.strand);
            for value in [lane, u64::from(row.kind.code()), row.time_ns, site, name] {
                rmp::encode::write_uint(&mut out, value).unwrap();
            }
            row.a.encode(&mut out);
            row.b.encode(&mut out);
        }
        out
    }

    /// All of it as a file.
    pub(crate) fn bytes(&self) -> Vec<u8> {
        file(&[self.batch()])
    }
}

impl V {
    fn encode(&self, out: &mut Vec<u8>) {
        match self {
            V::Nil => rmp::encode::write_nil(out).unwrap(),
            V::Int(value) => drop(rmp::encode::write_uint(out, *value).unwrap()),
            V::Text(text) => rmp::encode::write_str(out, text).unwrap(),
            V::List(items) => {
                rmp::encode::write_array_len(out, u32::try_from(items.len()).unwrap()).unwrap();
                items.iter().for_each(|item| item.encode(out));
            }
        }
    }
}

/// Where the item stands in the list, to which it is added if it is not there.
fn place_of<T: PartialEq>(list: &mut Vec<T>, item: T) -> u64 {
    let at = list.iter().position(|known| *known == item);
    let at = at.unwrap_or_else(|| {
        list.push(item);
        list.len() - 1
    });
    at as u64
}
