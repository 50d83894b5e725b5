//! Batches that cost next to nothing to make, and senders that cost next to nothing to run.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use trackside_wire::{Ack, Batch, BatchHead, Header, Kind, Kinds, Lane, MEDIA_TYPE, RunId, Site, Strand, write_head};

/// Events in a batch: what the SDK puts into one unless told otherwise.
pub(crate) const EVENTS: u64 = 50_000;

/// Threads that they come from, in turns.
const LANES: u64 = 4;

/// What differs between two batches: numbers of 64 bits, however small they are, so that they can be written over.
const BATCH: u64 = 1 << 40;
const FIRST: u64 = 1 << 41;

/// A batch of writes by a few strands, which becomes the next one by changing a few bytes.
pub(crate) struct Template {
    pub(crate) bytes: Vec<u8>,
    number: u64,
    /// Where the batch's number stands.
    number_at: usize,
    /// Where its lanes' first sequence numbers and first steps stand.
    firsts_at: [usize; 2 * LANES as usize],
}

impl Template {
    pub(crate) fn new(run: u64) -> Self {
        let mut bytes = head(run);
        for at in 0..EVENTS {
            row(&mut bytes, at);
        }
        let [number_at] = places(&bytes, BATCH);
        let firsts_at = places(&bytes, FIRST);
        let decoded = Batch::decode(&bytes).expect("what is sent is a batch");
        assert_eq!(decoded.len() as u64, EVENTS);
        Self { bytes, number: 0, number_at, firsts_at }
    }

    /// The next batch of the run.
    pub(crate) fn next(&mut self) -> &[u8] {
        write_at(&mut self.bytes, self.number_at, BATCH + self.number);
        self.firsts_at.iter().for_each(|at| write_at(&mut self.bytes, *at, FIRST + self.number * EVENTS / LANES));
        self.number += 1;
        &self.bytes
    }
}

fn write_at(bytes: &mut [u8], at: usize, value: u64) {
    bytes[at..at + 8].copy_from_slice(&value.to_be_bytes());
}

/// Where `value` stands in the bytes, as a number of 64 bits.
fn places<const N: usize>(bytes: &[u8], value: u64) -> [usize; N] {
    let value = value.to_be_bytes();
    let found: Vec<usize> = (0..bytes.len()).filter(|at| bytes[*at..].starts_with(&value)).collect();
    found.try_into().expect("a marked number stands where it was written and nowhere else")
}

fn head(run: u64) -> Vec<u8> {
    let header = Header {
        run: RunId::new(run),
        batch: BATCH,
        service: "bench",
        instance: "bench-1",
        environment: "test",
        pid: 7,
        tags: vec![],
        base_unix_ns: 1_700_000_000_000_000_000,
        recorded: 0,
        lost: vec![],
        unsampled: 0,
        off: Kinds::NONE,
    };
    let strand = |number| Strand { number, trace: 1, span: 0, upstream: 0, entry: false, name: None, clock: vec![] };
    let lane = |at: u16| Lane {
        ring: at,
        first_seq: FIRST,
        strand: at.into(),
        first_step: FIRST,
        lost_before: 0,
        thread: None,
        held: vec![],
        after: vec![],
    };
    let head = BatchHead {
        header: &header,
        strings: &["src/bank.rs", "accounts.alice.balance"],
        sites: &[Site { file: 0, line: 42, column: 5 }],
        strands: &(0..LANES).map(strand).collect::<Vec<_>>(),
        lanes: &(0..LANES as u16).map(lane).collect::<Vec<_>>(),
        events: usize::try_from(EVENTS).expect("fits"),
    };
    let mut out = Vec::new();
    write_head(&mut out, &head);
    out
}

/// A write by one of the lanes: some 20 ns after the one before, of a number one up. Takes 19 bytes, as those of the
/// SDK's benchmark do.
fn row(out: &mut Vec<u8>, at: u64) {
    rmp::encode::write_array_len(out, 7).expect("a vector takes everything");
    for value in [at % LANES, u64::from(Kind::Write.code()), at * 20, 0, 1, 100_000 + at, 100_001 + at] {
        rmp::encode::write_uint(out, value).expect("a vector takes everything");
    }
}

/// One connection that sends batch after batch, each once the one before has been acknowledged.
pub(crate) struct Sender {
    stream: BufReader<TcpStream>,
    template: Template,
    head: String,
    pub(crate) acknowledged: u64,
}

impl Sender {
    pub(crate) fn new(address: SocketAddr, template: Template) -> Self {
        let head = format!(
            "POST /events HTTP/1.1\r\nhost: localhost\r\ncontent-type: {MEDIA_TYPE}\r\ncontent-length: {}\r\n\r\n",
            template.bytes.len()
        );
        let stream = TcpStream::connect(address).expect("the collector listens");
        stream.set_nodelay(true).expect("a TCP socket has the option");
        Self { stream: BufReader::new(stream), template, head, acknowledged: 0 }
    }

    pub(crate) fn send(&mut self) {
        let stream = self.stream.get_mut();
        stream.write_all(self.head.as_bytes()).expect("the collector listens");
        stream.write_all(self.template.next()).expect("the collector reads");
        let ack = self.answer();
        assert_eq!((ack.stored, ack.duplicates), (EVENTS, 0));
        self.acknowledged += ack.stored;
    }

    fn answer(&mut self) -> Ack {
        let (mut status, mut line, mut length) = (String::new(), String::new(), 0);
        self.stream.read_line(&mut status).expect("the collector answers");
        while line != "\r\n" {
            line.clear();
            self.stream.read_line(&mut line).expect("the collector answers");
            if let Some(value) = line.strip_prefix("content-length: ") {
                length = value.trim().parse().expect("a length");
            }
        }
        let mut body = vec![0; length];
        self.stream.read_exact(&mut body).expect("the collector answers");
        assert!(status.starts_with("HTTP/1.1 200 "), "{status}{}", String::from_utf8_lossy(&body));
        Ack::decode(&body).expect("the answer is an acknowledgement")
    }
}

/// A directory that is deleted when this is dropped.
pub(crate) struct Temporary(PathBuf);

impl Temporary {
    pub(crate) fn new(name: &str) -> Self {
        Self(std::env::temp_dir().join(format!("trackside-bench-{}-{name}", std::process::id())))
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Temporary {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}
