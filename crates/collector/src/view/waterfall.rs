//! What happened in a trace, strand by strand.

use super::event::{Link, Shown};
use super::snapshot::{TraceRow, each_batch};
use super::survey::trace_id;
use super::text;
use crate::store::Batches;
use serde::Serialize;
use std::collections::{BTreeMap, HashMap};
use trackside_analysis::{Missing, TraceStrand};
use trackside_wire::{Batch, RunId};

/// How many strands of a trace are shown.
const STRANDS_MAX: usize = 200;
/// How many events of a strand are looked at.
const EVENTS_MAX: usize = 1_000;
/// How many bars and points a strand is drawn with.
const MARKS_MAX: usize = 200;

/// A trace: its strands, each with what it did and when, each below the one that it comes from.
#[derive(Debug, Serialize)]
pub(crate) struct Waterfall {
    id: String,
    processes: Vec<String>,
    /// As text: a browser's numbers have no room for it.
    start_unix_ns: String,
    duration_ns: u64,
    events: u64,
    errors: u64,
    strands_total: u64,
    strands: Vec<Strand>,
    orphans: usize,
}

#[derive(Debug, Serialize)]
struct Strand {
    process: String,
    name: String,
    thread: Option<String>,
    /// How many strands it is below of.
    depth: usize,
    /// How it comes from the one above: `call` or `fork`.
    relation: Option<&'static str>,
    /// What is missing that it comes after.
    missing: Option<String>,
    start_ns: u64,
    end_ns: u64,
    events: u64,
    marks: Vec<Mark>,
    marks_left_out: usize,
}

/// Something that took time, or, without an end, a moment.
#[derive(Debug, Serialize)]
struct Mark {
    at_ns: u64,
    end_ns: Option<u64>,
    #[serde(flatten)]
    shown: Shown,
}

/// What was read of a strand.
#[derive(Debug, Default)]
struct Read {
    process: String,
    name: Option<String>,
    thread: Option<String>,
    start: u64,
    end: u64,
    count: u64,
    /// The first strand that it was told to come after: the one that forked it.
    forked_by: Option<u64>,
    events: BTreeMap<u64, Shown>,
}

type Key = (RunId, u64);

impl Waterfall {
    /// Reads the trace's events from all batches.
    pub(crate) fn read(row: &TraceRow, batches: Batches) -> Self {
        let mut reads = BTreeMap::<Key, Read>::new();
        if let Some(id) = trace_id(&row.trace.id) {
            each_batch(batches, |batch| collect(id, batch, &mut reads));
        }
        let strands_total = reads.len() as u64;
        let start = reads.values().map(|read| read.start).min().unwrap_or(0);
        let end = reads.values().map(|read| read.end).max().unwrap_or(0);
        let strands = strands(row, reads, start);
        Self {
            id: row.trace.id.clone(),
            processes: row.trace.processes.iter().map(|process| text::name(process)).collect(),
            start_unix_ns: start.to_string(),
            duration_ns: end.saturating_sub(start),
            events: row.trace.events,
            errors: row.span.errors,
            strands_total,
            strands,
            orphans: row.trace.orphans.len(),
        }
    }
}

fn collect(trace: u128, batch: &Batch<'_>, reads: &mut BTreeMap<Key, Read>) {
    let ours = |strand: Option<&trackside_wire::Strand>| strand.is_some_and(|strand| strand.trace == trace);
    if !batch.strands.iter().any(|strand| ours(Some(strand))) {
        return;
    }
    let mut begun = vec![false; batch.lanes.len()];
    for event in batch.events() {
        let Some(lane) = batch.lanes.get(event.lane as usize) else { continue };
        let Some(strand) = batch.strands.get(lane.strand as usize).filter(|strand| ours(Some(strand))) else {
            continue;
        };
        let read = reads.entry((batch.header.run, strand.number)).or_insert_with(|| Read {
            process: text::name(&format!("{}#{}", batch.header.service, batch.header.instance)),
            name: strand.name.map(|name| text::name(batch.string(name))),
            start: u64::MAX,
            ..Read::default()
        });
        if !std::mem::replace(&mut begun[event.lane as usize], true) {
            read.thread = read.thread.take().or_else(|| lane.thread.map(|name| text::name(batch.string(name))));
            if event.step == 0 {
                read.forked_by = lane.after.first().map(|(strand, _)| *strand);
            }
        }
        let at = batch.header.base_unix_ns.saturating_add(event.time_ns);
        (read.start, read.end) = (read.start.min(at), read.end.max(at));
        read.count += 1;
        if read.events.len() < EVENTS_MAX {
            read.events.entry(event.step).or_insert_with(|| Shown::new(batch, &event));
        }
    }
}

/// The strands, each behind the one that it comes from and what else came from that before.
fn strands(row: &TraceRow, reads: BTreeMap<Key, Read>, start: u64) -> Vec<Strand> {
    let key = |strand: &TraceStrand| Some((RunId::new(u64::from_str_radix(&strand.run, 16).ok()?), strand.strand));
    let mut parents = HashMap::<Key, (Key, &'static str)>::new();
    for (key, read) in &reads {
        if let Some(parent) = read.forked_by.map(|strand| (key.0, strand)).filter(|parent| reads.contains_key(parent)) {
            parents.insert(*key, (parent, "fork"));
        }
    }
    for call in &row.trace.calls {
        if let (Some(from), Some(to)) = (key(&call.from), key(&call.to)) {
            parents.insert(to, (from, "call"));
        }
    }
    let missing: HashMap<Key, String> =
        row.trace.orphans.iter().filter_map(|orphan| Some((key(&orphan.strand)?, missing(&orphan.missing)))).collect();
    let mut children = HashMap::<Option<Key>, Vec<Key>>::new();
    for key in reads.keys() {
        children.entry(parents.get(key).map(|(parent, _)| *parent)).or_default().push(*key);
    }
    for siblings in children.values_mut() {
        siblings.sort_by_key(|key| std::cmp::Reverse((reads[key].start, *key)));
    }
    let mut reads = reads;
    let mut shown = Vec::new();
    let mut next: Vec<(Key, usize)> =
        children.remove(&None).unwrap_or_default().into_iter().map(|key| (key, 0)).collect();
    while shown.len() < STRANDS_MAX {
        // What a damaged record has going round in a circle comes last.
        let rest = |reads: &BTreeMap<Key, Read>| reads.keys().next().map(|key| (*key, 0));
        let Some((key, depth)) = next.pop().or_else(|| rest(&reads)) else { break };
        let Some(read) = reads.remove(&key) else { continue };
        let relation = parents.get(&key).map(|(_, relation)| *relation);
        shown.push(strand(read, key, start, depth, relation, missing.get(&key).cloned()));
        let below = children.remove(&Some(key)).unwrap_or_default();
        next.extend(below.into_iter().map(|key| (key, depth + 1)));
    }
    shown
}

fn missing(missing: &Missing) -> String {
    match missing {
        Missing::Call { .. } => "the call that it took is not in the record".to_owned(),
        Missing::Events { strand, steps } => format!("event {steps} of strand {strand} is not in the record"),
        _ => "something that it comes after is not in the record".to_owned(),
    }
}

fn strand(
    read: Read,
    key: Key,
    start: u64,
    depth: usize,
    relation: Option<&'static str>,
    missing: Option<String>,
) -> Strand {
    let mut marks = marks(read.events.into_values().collect(), start);
    let marks_left_out = marks.len().saturating_sub(MARKS_MAX);
    marks.truncate(MARKS_MAX);
    let thread = read.thread;
    let request = marks.iter().find(|mark| mark.shown.kind == "HttpRequest").and_then(|mark| mark.shown.request());
    let name = read.name.or(request).or_else(|| thread.clone()).unwrap_or_else(|| format!("strand {}", key.1));
    Strand {
        process: read.process,
        name,
        thread,
        depth,
        relation,
        missing,
        start_ns: read.start - start,
        end_ns: read.end - start,
        events: read.count,
        marks,
        marks_left_out,
    }
}

/// What is worth a mark: what begins and ends, what waited, what went wrong.
fn marks(events: Vec<Shown>, start: u64) -> Vec<Mark> {
    let mut marks = Vec::<Mark>::new();
    let mut open = Vec::<usize>::new();
    for shown in events {
        let at = shown.time_unix_ns.saturating_sub(start);
        let ends = |mark: &Mark| match (mark.shown.kind.as_str(), shown.kind.as_str()) {
            ("FunctionCall", "FunctionReturn") => mark.shown.name == shown.name,
            ("HttpRequest", "HttpResponse") => true,
            ("CallSent", "CallReturned") => match (&mark.shown.link, &shown.link) {
                (Some(Link::Called { span }), Some(Link::Returned { span: other })) => span == other,
                _ => false,
            },
            _ => false,
        };
        if let Some(place) = open.iter().rposition(|mark| ends(&marks[*mark])) {
            let mark = &mut marks[open.remove(place)];
            mark.end_ns = Some(at);
            mark.shown.adopt(&shown);
            continue;
        }
        let (from, until) = match shown.took_ns {
            Some(took) => (at.saturating_sub(took), Some(at)),
            None => (at, None),
        };
        let opens = OPENING.contains(&shown.kind.as_str());
        if opens || until.is_some() || POINTS.contains(&shown.kind.as_str()) {
            if opens {
                open.push(marks.len());
            }
            marks.push(Mark { at_ns: from, end_ns: until, shown });
        }
    }
    marks
}

const OPENING: [&str; 3] = ["FunctionCall", "HttpRequest", "CallSent"];
const POINTS: [&str; 6] = ["Error", "Custom", "Write", "AtomicWrite", "MessageSent", "MessageReceived"];
