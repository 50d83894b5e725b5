use std::collections::BTreeMap;
use std::fmt;
use std::ops::Range;
use trackside_wire::{Batch, DecodeError, Header, RunId};

/// A batch that has been read and checked, reduced to what the store needs to know of it.
#[derive(Debug)]
pub(crate) struct Received {
    pub(crate) run: RunId,
    pub(crate) batch: u64,
    /// How many events it holds.
    pub(crate) events: u64,
    /// The ids of its events: for each lane that has any, its ring and their sequence numbers.
    pub(crate) spans: Vec<(u16, Range<u64>)>,
    pub(crate) summary: Summary,
}

/// What a batch's header says about its run, cut to a bounded size.
#[derive(Debug, Default)]
pub(crate) struct Summary {
    pub(crate) service: String,
    pub(crate) recorded: u64,
    pub(crate) lost: BTreeMap<String, u64>,
}

impl Received {
    /// Reads a batch.
    pub(crate) fn decode(bytes: &[u8]) -> Result<Self, ReceiveError> {
        let batch = Batch::decode(bytes)?;
        let spans = spans(&batch)?;
        let Header { run, batch: number, .. } = batch.header;
        let (events, summary) = (batch.len() as u64, Summary::new(&batch.header));
        Ok(Self { run, batch: number, events, spans, summary })
    }
}

fn spans(batch: &Batch<'_>) -> Result<Vec<(u16, Range<u64>)>, ReceiveError> {
    let counts = counts(batch);
    let used = batch.lanes.iter().zip(counts).filter(|(_, count)| *count > 0);
    used.map(|(lane, count)| {
        let end = lane.first_seq.checked_add(count).ok_or(ReceiveError::SequenceOverflow)?;
        Ok((lane.ring, lane.first_seq..end))
    })
    .collect()
}

/// How many events each lane has.
fn counts(batch: &Batch<'_>) -> Vec<u64> {
    if batch.lanes.len() == 1 {
        return vec![batch.len() as u64];
    }
    let mut counts = vec![0; batch.lanes.len()];
    for event in batch.events() {
        counts[event.lane as usize] += 1;
    }
    counts
}

impl Summary {
    /// What one summary can take up in memory, generously.
    pub(crate) const MAX_BYTES: u64 = 4096;
    const MAX_SERVICE: usize = 256;
    const MAX_REASON: usize = 64;
    const MAX_REASONS: usize = 32;

    fn new(header: &Header<'_>) -> Self {
        let reasons = header.lost.iter().take(Self::MAX_REASONS);
        Self {
            service: cut(header.service, Self::MAX_SERVICE).to_owned(),
            recorded: header.recorded,
            lost: reasons.map(|(reason, count)| (cut(reason, Self::MAX_REASON).to_owned(), *count)).collect(),
        }
    }
}

/// `text` up to the last character that ends within `max` bytes.
fn cut(text: &str, max: usize) -> &str {
    let end = (0..=max.min(text.len())).rev().find(|end| text.is_char_boundary(*end));
    &text[..end.unwrap_or(0)]
}

/// Why a body is not a batch that can be stored.
#[derive(Debug)]
pub(crate) enum ReceiveError {
    Decode(DecodeError),
    SequenceOverflow,
}

impl fmt::Display for ReceiveError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ReceiveError::Decode(error) => error.fmt(f),
            ReceiveError::SequenceOverflow => f.write_str("a lane's sequence numbers do not fit 64 bits"),
        }
    }
}

impl From<DecodeError> for ReceiveError {
    fn from(error: DecodeError) -> Self {
        Self::Decode(error)
    }
}
