//! Cutting a batch in two: what a sender does when a receiver finds it too large, or one of its events bad.

use crate::cursor::Cursor;
use crate::read::{Limits, row};
use crate::{Batch, BatchHead, Lane, write_head};
use std::ops::Range;

impl Batch<'_> {
    /// A batch of its own, numbered `batch`, with the events in `range` (counted from 0, cut to what there is).
    ///
    /// The events keep their ids and steps. The tables are taken over whole; what a lane says of the time before its
    /// first event (what was lost, which locks were held, what it comes after) is told by the slice that has this
    /// event, and by no other.
    pub fn slice(&self, range: Range<usize>, batch: u64) -> Vec<u8> {
        let end = range.end.min(self.rows.count);
        let start = range.start.min(end);
        let mut lanes = self.lanes.clone();
        let mut cursor = Cursor::new(self.rows.bytes);

        self.pass(&mut cursor, start, |lane| {
            if let Some(lane) = lanes.get_mut(lane) {
                // The lane now begins behind this event.
                lane.first_seq = lane.first_seq.wrapping_add(1);
                lane.first_step = lane.first_step.wrapping_add(1);
                forget_before(lane);
            }
        });
        let from = cursor.offset();
        let mut used = vec![false; lanes.len()];
        self.pass(&mut cursor, end - start, |lane| {
            if let Some(used) = used.get_mut(lane) {
                *used = true;
            }
        });
        lanes.iter_mut().zip(used).filter(|(_, used)| !used).for_each(|(lane, _)| forget_before(lane));
        let rows = &self.rows.bytes[from..cursor.offset()];

        let header = crate::Header { batch, ..self.header.clone() };
        let Batch { strings, sites, strands, .. } = self;
        let mut out = Vec::with_capacity(rows.len() + 1024);
        let events = end - start;
        write_head(&mut out, &BatchHead { header: &header, strings, sites, strands, lanes: &lanes, events });
        out.extend_from_slice(rows);
        out
    }

    /// Passes over `count` rows, and tells the lane of each.
    fn pass(&self, cursor: &mut Cursor<'_>, count: usize, mut lane_of: impl FnMut(usize)) {
        let limits = Limits { lanes: self.lanes.len(), sites: usize::MAX, strings: usize::MAX };
        for _ in 0..count {
            // Batch::decode has checked every row, so none can fail to read here.
            let Ok(row) = row(cursor, &limits) else { break };
            lane_of(row.lane as usize);
        }
    }
}

fn forget_before(lane: &mut Lane) {
    lane.lost_before = 0;
    lane.held.clear();
    lane.after.clear();
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{EventId, Header, Kinds, RunId, Strand};

    fn lane(ring: u16, first_seq: u64) -> Lane {
        let after = vec![(u64::from(ring), 3)];
        Lane { ring, first_seq, strand: 0, first_step: 0, lost_before: 5, thread: None, held: vec![1], after }
    }

    #[test]
    fn what_came_before_a_lane_is_told_once_and_ids_stay() {
        let header = Header {
            run: RunId::new(1),
            batch: 0,
            service: "s",
            instance: "i",
            environment: "e",
            pid: 1,
            tags: vec![],
            base_unix_ns: 0,
            recorded: 4,
            lost: vec![],
            unsampled: 0,
            off: Kinds::NONE,
        };
        let lanes = [lane(0, u64::MAX), lane(1, 7)];
        let mut whole = Vec::new();
        let tables: (&[&str], &[crate::Site]) = (&[], &[]);
        let strands =
            &[Strand { number: 9, trace: 1, span: 2, upstream: 3, entry: true, name: None, clock: Vec::new() }];
        let (strings, sites) = tables;
        let head = BatchHead { header: &header, strings, sites, strands, lanes: &lanes, events: 4 };
        write_head(&mut whole, &head);
        for lane in [0, 0, 1, 1] {
            whole.extend_from_slice(&[0x97, lane, 19, 0, 0xc0, 0xc0, 0xc0, 0xc0]);
        }
        let whole = Batch::decode(&whole).unwrap();
        let told = |bytes: &[u8]| {
            let batch = Batch::decode(bytes).unwrap();
            let ids: Vec<EventId> = batch.events().map(|event| event.id).collect();
            assert_eq!(batch.strands, whole.strands);
            for lane in &batch.lanes {
                let first = lane.lost_before > 0;
                assert_eq!((lane.held.len(), lane.after.len()), (usize::from(first), usize::from(first)));
            }
            (batch.lanes.iter().map(|lane| lane.lost_before).collect::<Vec<_>>(), ids)
        };
        let ids: Vec<EventId> = whole.events().map(|event| event.id).collect();
        assert_eq!(told(&whole.slice(0..2, 1)), (vec![5, 0], ids[..2].to_vec()));
        assert_eq!(told(&whole.slice(1..3, 2)), (vec![0, 5], ids[1..3].to_vec()));
        assert_eq!(told(&whole.slice(3..9, 3)), (vec![0, 0], ids[3..].to_vec()));
        assert_eq!(told(&whole.slice(9..12, 4)), (vec![0, 0], vec![]));
    }
}
