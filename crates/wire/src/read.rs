//! Reading a batch: everything is checked once, up front; afterwards iteration borrows and cannot fail.

use crate::cursor::Cursor;
use crate::model::Rows;
use crate::{Batch, DecodeError, Event, EventId, Events, Header, Kind, Kinds, Lane, Raw, RunId, Site, Strand, VERSION};

type Result<T> = std::result::Result<T, DecodeError>;

impl<'a> Batch<'a> {
    /// Reads and checks a whole batch, without copying strings or values.
    ///
    /// # Errors
    /// If `bytes` are not exactly one batch of version [`VERSION`]: the error names the first offending byte.
    pub fn decode(bytes: &'a [u8]) -> Result<Self> {
        let mut cursor = Cursor::new(bytes);
        cursor.array_of(7, "a batch is an array of seven elements")?;
        let version_at = cursor.offset();
        if cursor.uint()? != u64::from(VERSION) {
            return Err(DecodeError { offset: version_at, problem: "a batch of another format version" });
        }
        let header = header(&mut cursor)?;
        let strings = list(&mut cursor, 1, |cursor| cursor.str())?;
        let sites = list(&mut cursor, 4, |cursor| site(cursor, strings.len()))?;
        let strands = list(&mut cursor, STRAND_MIN, |cursor| strand(cursor, strings.len()))?;
        let lanes = list(&mut cursor, LANE_MIN, |cursor| lane(cursor, strands.len(), strings.len()))?;
        let count = cursor.array(ROW_MIN)?;
        let start = cursor.offset();
        let limits = Limits { lanes: lanes.len(), sites: sites.len(), strings: strings.len() };
        for _ in 0..count {
            row(&mut cursor, &limits)?;
        }
        let rows = Rows { bytes: cursor.since(start), count };
        if !cursor.is_empty() {
            return cursor.fail("something follows the batch");
        }
        Ok(Batch { header, strings, sites, strands, lanes, rows })
    }

    /// How many events the batch holds.
    pub fn len(&self) -> usize {
        self.rows.count
    }

    /// Whether the batch holds no event.
    pub fn is_empty(&self) -> bool {
        self.rows.count == 0
    }

    /// The events.
    pub fn events(&self) -> Events<'a> {
        let next = |lane: &Lane| {
            let id = EventId { run: self.header.run, ring: lane.ring, seq: lane.first_seq };
            (id, lane.first_step)
        };
        Events {
            cursor: Cursor::new(self.rows.bytes),
            left: self.rows.count,
            next: self.lanes.iter().map(next).collect(),
        }
    }

    /// The string with this index; empty for an index that the batch does not have.
    pub fn string(&self, index: u32) -> &'a str {
        self.strings.get(index as usize).copied().unwrap_or("")
    }
}

impl<'a> Iterator for Events<'a> {
    type Item = Event<'a>;

    #[inline]
    fn next(&mut self) -> Option<Event<'a>> {
        self.left = self.left.checked_sub(1)?;
        // The rows were checked by Batch::decode with these very limits, except for names and sites, whose tables are
        // not at hand here; usize::MAX stands in for their lengths.
        let limits = Limits { lanes: self.next.len(), sites: usize::MAX, strings: usize::MAX };
        let row = row(&mut self.cursor, &limits).ok()?;
        let (next_id, next_step) = &mut self.next[row.lane as usize];
        let (id, step) = (*next_id, *next_step);
        next_id.seq = next_id.seq.wrapping_add(1);
        *next_step = next_step.wrapping_add(1);
        let Row { lane, kind, time_ns, site, name, a, b } = row;
        Some(Event { lane, id, step, kind, time_ns, site, name, a, b })
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.left, Some(self.left))
    }
}

impl ExactSizeIterator for Events<'_> {}

/// Six elements of at least a byte, the trace's 18, and the strand's own marker.
const STRAND_MIN: usize = 25;

/// Eight elements of at least a byte, and the lane's own marker.
const LANE_MIN: usize = 9;

/// Two elements of at least a byte, and the pair's own marker.
const PAIR_MIN: usize = 3;

/// Seven elements of at least a byte, and the row's own marker.
const ROW_MIN: usize = 8;

pub(crate) struct Limits {
    pub(crate) lanes: usize,
    pub(crate) sites: usize,
    pub(crate) strings: usize,
}

pub(crate) struct Row<'a> {
    pub(crate) lane: u32,
    kind: Kind,
    time_ns: u64,
    site: Option<u32>,
    name: Option<u32>,
    a: Raw<'a>,
    b: Raw<'a>,
}

#[inline]
pub(crate) fn row<'a>(cursor: &mut Cursor<'a>, limits: &Limits) -> Result<Row<'a>> {
    cursor.array_of(7, "an event is an array of seven elements")?;
    let lane = cursor.index(limits.lanes, "an event points to a lane that the batch does not have")?;
    let kind_at = cursor.offset();
    let kind = u8::try_from(cursor.uint()?).ok().and_then(Kind::from_code);
    let kind = kind.ok_or(DecodeError { offset: kind_at, problem: "an event of an unknown kind" })?;
    Ok(Row {
        lane,
        kind,
        time_ns: cursor.uint()?,
        site: cursor.index_or_nil(limits.sites, "an event points to a site that the batch does not have")?,
        name: cursor.index_or_nil(limits.strings, "an event points to a string that the batch does not have")?,
        a: Raw::checked(cursor.value()?),
        b: Raw::checked(cursor.value()?),
    })
}

fn list<'a, T>(
    cursor: &mut Cursor<'a>,
    least: usize,
    mut element: impl FnMut(&mut Cursor<'a>) -> Result<T>,
) -> Result<Vec<T>> {
    let len = cursor.array(least)?;
    // `len` elements of `least` bytes do fit the input, so this reserves no more than a constant factor of it.
    let mut list = Vec::with_capacity(len);
    for _ in 0..len {
        list.push(element(cursor)?);
    }
    Ok(list)
}

fn header<'a>(cursor: &mut Cursor<'a>) -> Result<Header<'a>> {
    cursor.array_of(12, "a header is an array of twelve elements")?;
    Ok(Header {
        run: RunId::new(cursor.uint_up_to(RunId::MAX, "a run id has 60 bits")?),
        batch: cursor.uint()?,
        service: cursor.str()?,
        instance: cursor.str()?,
        environment: cursor.str()?,
        pid: cursor.uint_up_to(u64::from(u32::MAX), "a process id has 32 bits")? as u32,
        tags: entries(cursor, |cursor| cursor.str())?,
        base_unix_ns: cursor.uint()?,
        recorded: cursor.uint()?,
        lost: entries(cursor, |cursor| cursor.uint())?,
        unsampled: cursor.uint()?,
        off: kinds(cursor)?,
    })
}

fn kinds(cursor: &mut Cursor<'_>) -> Result<Kinds> {
    let offset = cursor.offset();
    Kinds::from_bits(cursor.uint()?).ok_or(DecodeError { offset, problem: "a set of kinds has one that is unknown" })
}

fn entries<'a, T>(
    cursor: &mut Cursor<'a>,
    mut value: impl FnMut(&mut Cursor<'a>) -> Result<T>,
) -> Result<Vec<(&'a str, T)>> {
    let len = cursor.map()?;
    let mut entries = Vec::with_capacity(len);
    for _ in 0..len {
        entries.push((cursor.str()?, value(cursor)?));
    }
    Ok(entries)
}

fn site(cursor: &mut Cursor<'_>, strings: usize) -> Result<Site> {
    cursor.array_of(3, "a site is an array of three elements")?;
    Ok(Site {
        file: cursor.index(strings, "a site points to a string that the batch does not have")?,
        line: cursor.uint_up_to(u64::from(u32::MAX), "a line number has 32 bits")? as u32,
        column: cursor.uint_up_to(u64::from(u32::MAX), "a column number has 32 bits")? as u32,
    })
}

fn strand(cursor: &mut Cursor<'_>, strings: usize) -> Result<Strand> {
    cursor.array_of(7, "a strand is an array of seven elements")?;
    let number = cursor.uint()?;
    let trace_at = cursor.offset();
    let trace = <[u8; 16]>::try_from(cursor.bin()?)
        .map_err(|_| DecodeError { offset: trace_at, problem: "a trace id has 16 bytes" })?;
    Ok(Strand {
        number,
        trace: u128::from_be_bytes(trace),
        span: cursor.uint()?,
        upstream: cursor.uint()?,
        entry: cursor.bool()?,
        name: cursor.index_or_nil(strings, "a strand points to a string that the batch does not have")?,
        clock: list(cursor, PAIR_MIN, |cursor| {
            cursor.array_of(2, "a component of a clock is an array of two elements")?;
            Ok((cursor.index(strings, "a clock points to a string that the batch does not have")?, cursor.uint()?))
        })?,
    })
}

fn lane(cursor: &mut Cursor<'_>, strands: usize, strings: usize) -> Result<Lane> {
    cursor.array_of(8, "a lane is an array of eight elements")?;
    let ring = cursor.uint_up_to(u64::from(u16::MAX), "a ring number has 16 bits")? as u16;
    Ok(Lane {
        ring,
        first_seq: cursor.uint()?,
        strand: cursor.index(strands, "a lane points to a strand that the batch does not have")?,
        first_step: cursor.uint()?,
        lost_before: cursor.uint()?,
        thread: cursor.index_or_nil(strings, "a lane points to a string that the batch does not have")?,
        held: list(cursor, 1, |cursor| cursor.uint())?,
        after: list(cursor, PAIR_MIN, |cursor| {
            cursor.array_of(2, "what a lane comes after is an array of two elements")?;
            Ok((cursor.uint()?, cursor.uint()?))
        })?,
    })
}
