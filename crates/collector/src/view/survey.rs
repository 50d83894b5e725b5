use serde::Serialize;
use std::collections::HashMap;
use trackside_wire::{Batch, Kind};

/// When a trace was, and how much of it is errors.
#[derive(Debug, Clone, Copy, Serialize)]
pub(crate) struct TraceSpan {
    #[serde(skip)]
    pub(crate) start_unix_ns: u64,
    #[serde(skip)]
    pub(crate) end_unix_ns: u64,
    pub(crate) errors: u64,
}

impl TraceSpan {
    const NOTHING: Self = Self { start_unix_ns: u64::MAX, end_unix_ns: 0, errors: 0 };

    fn add(&mut self, other: &Self) {
        self.start_unix_ns = self.start_unix_ns.min(other.start_unix_ns);
        self.end_unix_ns = self.end_unix_ns.max(other.end_unix_ns);
        self.errors += other.errors;
    }

    pub(crate) fn duration_ns(&self) -> u64 {
        self.end_unix_ns.saturating_sub(self.start_unix_ns)
    }
}

/// When each trace was. An error that came in twice counts twice: this is for people.
#[derive(Debug, Default)]
pub(super) struct Survey {
    traces: HashMap<u128, TraceSpan>,
}

impl Survey {
    pub(super) fn take_in(&mut self, batch: &Batch<'_>) {
        let mut lanes = vec![TraceSpan::NOTHING; batch.lanes.len()];
        for event in batch.events() {
            let at = batch.header.base_unix_ns.saturating_add(event.time_ns);
            let errors = u64::from(event.kind == Kind::Error);
            if let Some(lane) = lanes.get_mut(event.lane as usize) {
                lane.add(&TraceSpan { start_unix_ns: at, end_unix_ns: at, errors });
            }
        }
        for (lane, span) in batch.lanes.iter().zip(&lanes) {
            if let Some(strand) = batch.strands.get(lane.strand as usize) {
                self.traces.entry(strand.trace).or_insert(TraceSpan::NOTHING).add(span);
            }
        }
    }

    /// Of the trace with this id, a UUID.
    pub(super) fn of(&self, id: &str) -> TraceSpan {
        trace_id(id).and_then(|id| self.traces.get(&id)).copied().unwrap_or(TraceSpan::NOTHING)
    }
}

/// The number that a trace's id stands for; nothing if it is none.
pub(super) fn trace_id(uuid: &str) -> Option<u128> {
    let digits: String = uuid.chars().filter(|char| *char != '-').collect();
    let well_formed = uuid.len() == 36 && digits.len() == 32 && digits.bytes().all(|byte| byte.is_ascii_hexdigit());
    well_formed.then(|| u128::from_str_radix(&digits, 16).ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_uuids_and_nothing_else() {
        assert_eq!(trace_id("00000000-0000-0000-0000-00000000002a"), Some(42));
        for wrong in [
            "",
            "2a",
            "../../etc/passwd",
            "00000000-0000-0000-0000-00000000002",
            "+0000000-0000-0000-0000-00000000002a",
        ] {
            assert_eq!(trace_id(wrong), None, "{wrong}");
        }
    }
}
