use super::lines::{Line, LineKey, Lines, Process, Run};
use super::making::TOLD;
use trackside_wire::{Batch, Kind, Lane, RunId, Strand};

/// Learns of a run what is needed to go on with it, from a batch that is stored.
pub(super) fn learn(lines: &mut Lines, run: RunId, batch: &Batch<'_>) {
    let mut known = lines.runs.get(&run).cloned().unwrap_or_else(|| Run::new(Process::of_header(&batch.header)));
    known.next_batch = known.next_batch.max(batch.header.batch.saturating_add(1));
    known.recorded = known.recorded.max(batch.header.recorded);
    for event in batch.events() {
        let lane: Option<&Lane> = batch.lanes.get(event.lane as usize);
        let Some(strand) = lane.and_then(|lane| batch.strands.get(lane.strand as usize)) else { continue };
        known.next_strand = known.next_strand.max(strand.number.saturating_add(1));
        let name = strand.name.map(|name| batch.string(name));
        let key = match name {
            Some(thread) => LineKey::foreign(run, thread, strand.trace, strand.span),
            None => LineKey::own(run, strand.number),
        };
        if lines.lines.get(&key).is_none() {
            lines.lines.put(key, line(strand));
        }
        let steps = event.step.saturating_add(1);
        if let Some(line) = lines.lines.change(&key) {
            line.next_step = line.next_step.max(steps);
            let lock = event.name.map_or("", |name| batch.string(name));
            let is_told = event.b.elements().nth(1).and_then(|kind| kind.as_str()) == Some(TOLD);
            match (event.kind, is_told) {
                (Kind::LockAcquire, false) => line.acquire(lock),
                (Kind::LockAcquire, true) => line.acquire_told(lock),
                (Kind::LockRelease, false) => line.release(lock),
                (Kind::LockRelease, true) => line.release_told(lock),
                _ => {}
            }
        }
        if let Some(thread) = name {
            lines.threads.put(LineKey::thread(run, thread), (strand.number, steps));
        }
        lines.events.put(event.id, (strand.number, event.step));
        lines.entries.put((run, strand.trace, strand.span), ());
    }
    lines.runs.put(run, known);
}

fn line(strand: &Strand) -> Line {
    let &Strand { number, trace, span, upstream, entry, .. } = strand;
    Line { number, trace, span, upstream, entry, ..Line::default() }
}
