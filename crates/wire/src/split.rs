//! Cutting a batch in two: what a sender does when a receiver finds it too large, or one of its events bad.

use crate::cursor::Cursor;
use crate::read::{Limits, row};
use crate::{Batch, BatchHead, write_head};
use std::ops::Range;

impl Batch<'_> {
    /// A batch of its own, numbered `batch`, with the events in `range` (counted from 0, cut to what there is).
    ///
    /// The events keep their ids and steps. The tables are taken over whole.
    pub fn slice(&self, range: Range<usize>, batch: u64) -> Vec<u8> {
        let end = range.end.min(self.rows.count);
        let start = range.start.min(end);
        let mut lanes = self.lanes.clone();
        let mut cursor = Cursor::new(self.rows.bytes);
        let limits = Limits { lanes: lanes.len(), sites: usize::MAX, strings: usize::MAX };
        let mut skip = |count: usize, mut passed: Option<&mut Vec<crate::Lane>>| {
            for _ in 0..count {
                // Batch::decode has checked every row, so none can fail to read here.
                let Ok(row) = row(&mut cursor, &limits) else { break };
                if let Some(lane) = passed.as_mut().and_then(|lanes| lanes.get_mut(row.lane as usize)) {
                    // The lane now begins behind this event; the loss before it is told by the batch that has it.
                    lane.first_seq = lane.first_seq.wrapping_add(1);
                    lane.first_step = lane.first_step.wrapping_add(1);
                    lane.lost_before = 0;
                    lane.held.clear();
                }
            }
            cursor.offset()
        };
        let from = skip(start, Some(&mut lanes));
        let to = skip(end - start, None);
        let rows = &self.rows.bytes[from..to];

        let header = crate::Header { batch, ..self.header.clone() };
        let mut out = Vec::with_capacity(rows.len() + 1024);
        write_head(
            &mut out,
            &BatchHead {
                header: &header,
                strings: &self.strings,
                sites: &self.sites,
                lanes: &lanes,
                events: end - start,
            },
        );
        out.extend_from_slice(rows);
        out
    }
}
