//! Writing the parts of a batch that come before its event rows, and rows for whom it may take a moment. The SDK's
//! encoder writes its own: it is the one place where a nanosecond matters.

use crate::{Header, Kind, Lane, Raw, Site, Strand, VERSION};

/// Everything of a batch but its events.
#[derive(Debug)]
pub struct BatchHead<'a, S> {
    /// Who sends, which batch this is, and what was lost so far.
    pub header: &'a Header<'a>,
    /// The strings that sites, lanes and events point into.
    pub strings: &'a [S],
    /// The source locations that events point into.
    pub sites: &'a [Site],
    /// The strands that lanes point into.
    pub strands: &'a [Strand],
    /// The lanes that events point into.
    pub lanes: &'a [Lane],
    /// How many event rows follow.
    pub events: usize,
}

/// Writes the batch up to and including the length of its array of events; the rows are to follow.
pub fn write_head<S: AsRef<str>>(out: &mut Vec<u8>, head: &BatchHead<'_, S>) {
    array(out, 7);
    uint(out, u64::from(VERSION));
    header(out, head.header);
    array(out, head.strings.len());
    for text in head.strings {
        str(out, text.as_ref());
    }
    array(out, head.sites.len());
    for site in head.sites {
        array(out, 3);
        uint(out, u64::from(site.file));
        uint(out, u64::from(site.line));
        uint(out, u64::from(site.column));
    }
    array(out, head.strands.len());
    for entry in head.strands {
        strand(out, entry);
    }
    array(out, head.lanes.len());
    for entry in head.lanes {
        lane(out, entry);
    }
    array(out, head.events);
}

/// One event as it stands in a batch; its id and step follow from its lane.
#[derive(Debug, Clone, Copy)]
pub struct Row<'a> {
    /// Index of its lane.
    pub lane: u32,
    /// What happened.
    pub kind: Kind,
    /// When, in nanoseconds since the header's `base_unix_ns`.
    pub time_ns: u64,
    /// Index of the source location in the batch's sites.
    pub site: Option<u32>,
    /// Index of the name in the batch's strings.
    pub name: Option<u32>,
    /// First value; see [`Kind`].
    pub a: Raw<'a>,
    /// Second value; see [`Kind`].
    pub b: Raw<'a>,
}

/// Appends a row behind what [`write_head`] has written.
pub fn write_row(out: &mut Vec<u8>, row: &Row<'_>) {
    array(out, 7);
    uint(out, u64::from(row.lane));
    uint(out, u64::from(row.kind.code()));
    uint(out, row.time_ns);
    index(out, row.site);
    index(out, row.name);
    out.extend_from_slice(row.a.as_bytes());
    out.extend_from_slice(row.b.as_bytes());
}

fn header(out: &mut Vec<u8>, header: &Header<'_>) {
    array(out, 12);
    uint(out, header.run.get());
    uint(out, header.batch);
    str(out, header.service);
    str(out, header.instance);
    str(out, header.environment);
    uint(out, u64::from(header.pid));
    map(out, header.tags.len());
    for (key, value) in &header.tags {
        str(out, key);
        str(out, value);
    }
    uint(out, header.base_unix_ns);
    uint(out, header.recorded);
    map(out, header.lost.len());
    for (reason, count) in &header.lost {
        str(out, reason);
        uint(out, *count);
    }
    uint(out, header.unsampled);
    uint(out, header.off.bits());
}

fn strand(out: &mut Vec<u8>, strand: &Strand) {
    array(out, 7);
    uint(out, strand.number);
    out.extend_from_slice(&[0xc4, 16]);
    out.extend_from_slice(&strand.trace.to_be_bytes());
    uint(out, strand.span);
    uint(out, strand.upstream);
    out.push(0xc2 + u8::from(strand.entry));
    index(out, strand.name);
    array(out, strand.clock.len());
    for (component, count) in &strand.clock {
        array(out, 2);
        uint(out, u64::from(*component));
        uint(out, *count);
    }
}

fn lane(out: &mut Vec<u8>, lane: &Lane) {
    array(out, 8);
    uint(out, u64::from(lane.ring));
    uint(out, lane.first_seq);
    uint(out, u64::from(lane.strand));
    uint(out, lane.first_step);
    uint(out, lane.lost_before);
    index(out, lane.thread);
    array(out, lane.held.len());
    for lock in &lane.held {
        uint(out, *lock);
    }
    array(out, lane.after.len());
    for (strand, steps) in &lane.after {
        array(out, 2);
        uint(out, *strand);
        uint(out, *steps);
    }
}

fn index(out: &mut Vec<u8>, index: Option<u32>) {
    match index {
        Some(index) => uint(out, u64::from(index)),
        None => out.push(0xc0),
    }
}

// Writing into a Vec cannot fail, so the results of rmp's writers carry no information.

pub(crate) fn array(out: &mut Vec<u8>, len: usize) {
    let _ = rmp::encode::write_array_len(out, u32::try_from(len).unwrap_or(u32::MAX));
}

fn map(out: &mut Vec<u8>, len: usize) {
    let _ = rmp::encode::write_map_len(out, u32::try_from(len).unwrap_or(u32::MAX));
}

pub(crate) fn uint(out: &mut Vec<u8>, value: u64) {
    let _ = rmp::encode::write_uint(out, value);
}

pub(crate) fn str(out: &mut Vec<u8>, text: &str) {
    let _ = rmp::encode::write_str(out, text);
}
