//! The JSON of the trace event format, written as it comes.

use crate::cli::failure::Failure;
use crate::cli::output::Document;
use serde::Serialize;
use serde_json::{Value, json};

/// A moment on a strand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Moment {
    pub(super) pid: u32,
    pub(super) tid: u32,
    pub(super) ns: u64,
}

/// Writes events into an object that [`finish`](TraceWriter::finish) closes.
pub(super) struct TraceWriter {
    document: Document,
    is_first: bool,
    /// What times are counted from, once it is known.
    origin_ns: Option<u64>,
}

/// Nanoseconds in a day.
const DAY: u64 = 86_400_000_000_000;

#[derive(Serialize)]
struct Entry<'a> {
    ph: &'a str,
    pid: u32,
    tid: u32,
    /// In microseconds.
    ts: f64,
    name: &'a str,
    cat: &'a str,
    #[serde(flatten)]
    more: &'a Value,
}

impl TraceWriter {
    pub(super) fn new(mut document: Document) -> Result<Self, Failure> {
        document.write("{\"displayTimeUnit\":\"ns\",\"traceEvents\":[")?;
        Ok(Self { document, is_first: true, origin_ns: None })
    }

    /// Something with a beginning and an end. Those of one strand must be one within the other, or apart.
    pub(super) fn span(&mut self, at: Moment, end_ns: u64, cat: &str, name: &str, args: Value) -> Result<(), Failure> {
        // One without a length is nothing that an arrow could be tied to.
        let dur = micros(end_ns.saturating_sub(at.ns).max(1));
        self.write("X", at, cat, name, &json!({ "dur": dur, "args": args }))
    }

    /// As a span, wherever the others of its strand are.
    pub(super) fn apart(&mut self, at: Moment, end_ns: u64, cat: &str, name: &str, id: u64) -> Result<(), Failure> {
        let id = json!({ "id": format!("span-{id}") });
        self.write("b", at, cat, name, &id)?;
        self.write("e", Moment { ns: end_ns.max(at.ns), ..at }, cat, name, &id)
    }

    pub(super) fn instant(&mut self, at: Moment, cat: &str, name: &str, args: Value) -> Result<(), Failure> {
        self.write("i", at, cat, name, &json!({ "s": "t", "args": args }))
    }

    /// An arrow. Both ends have to be in spans.
    pub(super) fn arrow(&mut self, from: Moment, to: Moment, cat: &str, id: u64) -> Result<(), Failure> {
        self.write("s", from, cat, cat, &json!({ "id": id }))?;
        self.write("f", to, cat, cat, &json!({ "id": id, "bp": "e" }))
    }

    pub(super) fn process(&mut self, pid: u32, name: &str) -> Result<(), Failure> {
        self.entry(&json!({ "ph": "M", "pid": pid, "tid": 0, "name": "process_name", "args": { "name": name } }))
    }

    pub(super) fn thread(&mut self, pid: u32, tid: u32, name: &str) -> Result<(), Failure> {
        self.entry(&json!({ "ph": "M", "pid": pid, "tid": tid, "name": "thread_name", "args": { "name": name } }))?;
        let order = json!({ "sort_index": tid });
        self.entry(&json!({ "ph": "M", "pid": pid, "tid": tid, "name": "thread_sort_index", "args": order }))
    }

    /// Closes the JSON.
    pub(super) fn finish(mut self) -> Result<(), Failure> {
        let origin = self.origin_ns.unwrap_or(0).to_string();
        let other = json!({ "origin_unix_ns": origin, "writer": concat!("trackside ", env!("CARGO_PKG_VERSION")) });
        self.document.write(&format!("\n],\"otherData\":{other}}}\n"))?;
        self.document.flush()
    }

    fn write(&mut self, ph: &str, at: Moment, cat: &str, name: &str, more: &Value) -> Result<(), Failure> {
        // Microseconds since 1970 have no room for fractions in a reader's numbers. The first event is at most a day in, as an
        // earlier one may follow.
        let origin = *self.origin_ns.get_or_insert(at.ns.saturating_sub(DAY));
        let ts = micros(at.ns.saturating_sub(origin));
        self.entry(&Entry { ph, pid: at.pid, tid: at.tid, ts, name, cat, more })
    }

    fn entry(&mut self, entry: &impl Serialize) -> Result<(), Failure> {
        let text = serde_json::to_string(entry).map_err(|error| Failure {
            what: "cannot write an event as JSON".into(),
            source: Some(error.into()),
            advice: "this is a bug in trackside",
        })?;
        self.document.write(if std::mem::take(&mut self.is_first) { "\n" } else { ",\n" })?;
        self.document.write(&text)
    }
}

fn micros(ns: u64) -> f64 {
    ns as f64 / 1000.0
}
