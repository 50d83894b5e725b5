use crate::collect::Collector;
use crate::engine::Engine;
use crate::log::{LaneStart, LockOp, Log, NONE, Names, Op, Record, RunMeta, SiteId, StrandInfo};
use crate::numbered::{Order, numbered};
use crate::report::{Report, Summary};
use crate::roster::Roster;
use crate::traces::{Trace, traces};
use crate::value::Val;
use trackside_wire::{Batch, Event, Header, Kind, Raw, Strand};

/// Takes batches in, in any order, and tells what went wrong in them.
///
/// # Examples
/// ```
/// let analyzer = trackside_analysis::Analyzer::new();
/// // analyzer.ingest(&trackside_wire::Batch::decode(&bytes)?) for each batch there is
/// let report = analyzer.finish();
/// assert!(report.findings.is_empty());
/// ```
#[derive(Debug, Default)]
pub struct Analyzer {
    log: Log,
}

impl Analyzer {
    /// An analyzer that has seen nothing.
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes a batch in. Copies what it needs of it; events that neither access nor order anything cost a few words.
    ///
    /// Batches may come in any order, more than once, or cut in other ways: events are told apart by their ids.
    pub fn ingest(&mut self, batch: &Batch<'_>) {
        let Log { names, runs, .. } = &mut self.log;
        let run = runs.entry(batch.header.run).or_default();
        run.batches.insert(batch.header.batch);
        run.partial.note(&batch.header);
        let meta = meta(&batch.header);
        if run.meta < meta {
            run.meta = meta;
        }
        let texts: Vec<u32> = batch.strings.iter().map(|text| names.texts.intern(text)).collect();
        let sites: Vec<u32> = batch
            .sites
            .iter()
            .map(|site| {
                let file = texts.get(site.file as usize).copied().unwrap_or(NONE);
                names.site(SiteId { file, line: site.line, column: site.column })
            })
            .collect();
        let mut started = vec![false; batch.lanes.len()];
        for event in batch.events() {
            let Some(lane) = batch.lanes.get(event.lane as usize) else { continue };
            let Some(told) = batch.strands.get(lane.strand as usize) else { continue };
            let strand = run.strands.entry(told.number).or_default();
            if !std::mem::replace(&mut started[event.lane as usize], true) {
                let thread = lane.thread.map(|index| batch.string(index).to_owned());
                let (lost_before, held, after) = (lane.lost_before, lane.held.clone(), lane.after.clone());
                strand.describe(info(told, &texts), names);
                strand.lanes.push(LaneStart { step: event.step, lost_before, held, after, thread });
            }
            if let Some(waited) = waited(&event) {
                let known = strand.waits.entry(event.step).or_insert(waited);
                *known = waited.max(*known);
            }
            if let Some(circle) = circle(&event) {
                strand.circles.entry(event.step).or_insert(circle);
            }
            let name = lookup(&texts, event.name);
            let op = numbered(&event, name, names).unwrap_or_else(|| op(&event, names));
            let named = matches!(op, Op::Access { .. } | Op::Acquire(_) | Op::Release(_) | Op::Atomic { .. });
            strand.records.push(Record {
                step: event.step,
                ring: event.id.ring,
                seq: event.id.seq,
                op,
                name: if named { name } else { NONE },
                site: lookup(&sites, event.site),
                time_unix_ns: batch.header.base_unix_ns.saturating_add(event.time_ns),
            });
        }
    }

    /// The traces that were taken in so far, by id: who took part, how they called each other, and what is missing. More
    /// batches may come afterwards.
    pub fn traces(&mut self) -> Vec<Trace> {
        self.log.settle();
        traces(&Roster::new(&self.log.runs), &self.log.names)
    }

    /// Analyses all that was taken in.
    pub fn finish(mut self) -> Report {
        self.log.settle();
        let Log { names, runs, duplicates } = &self.log;
        let mut summary = Summary { runs: runs.len() as u64, duplicates: *duplicates, ..Summary::default() };
        runs.values().for_each(|run| summary.count_run(run));
        let mut collector = Collector::default();
        let locks = Engine::new(runs, names).run(&mut collector, &mut summary);
        Report { findings: collector.into_findings(&mut summary), locks, summary }
    }
}

fn info(strand: &Strand, texts: &[u32]) -> StrandInfo {
    let &Strand { trace, span, upstream, entry, .. } = strand;
    let past = strand.clock.iter().map(|(component, _)| lookup(texts, Some(*component))).collect();
    StrandInfo { trace, span, upstream, entry, name: lookup(texts, strand.name), past }
}

fn lookup(numbers: &[u32], index: Option<u32>) -> u32 {
    index.and_then(|index| numbers.get(index as usize).copied()).unwrap_or(NONE)
}

fn meta(header: &Header<'_>) -> RunMeta {
    RunMeta {
        batch: header.batch,
        recorded: header.recorded,
        lost: header.lost.iter().map(|(reason, count)| ((*reason).to_owned(), *count)).collect(),
        service: header.service.to_owned(),
        instance: header.instance.to_owned(),
        pid: header.pid,
    }
}

fn op(event: &Event<'_>, names: &mut Names) -> Op {
    let mut val = |raw: Raw<'_>| Val::new(raw, &mut names.values);
    if let Some(access) = event.kind.access() {
        return Op::Access { kind: access.into(), old: val(event.a), new: val(event.b) };
    }
    match event.kind {
        Kind::AsyncSpawn => Op::Spawn(val(event.a)),
        Kind::TaskBegin => Op::Begin(val(event.a)),
        Kind::TaskEnd => Op::End(val(event.a)),
        Kind::AsyncAwait => Op::Await(val(event.a)),
        Kind::LockAcquire => Op::Acquire(lock_op(val(event.a), event.b)),
        Kind::LockRelease => Op::Release(lock_op(val(event.a), event.b)),
        Kind::MemoryFence => Op::Fence(Order::new(event.a)),
        Kind::HttpResponse => Op::Respond,
        Kind::Suspended => Op::Suspend,
        Kind::LockWait => Op::Wait,
        Kind::CallSent => event.a.as_u64().map_or(Op::Other, Op::Sent),
        Kind::CallReturned => event.a.as_u64().map_or(Op::Other, Op::Returned),
        _ => Op::Other,
    }
}

fn lock_op(id: Val, detail: Raw<'_>) -> LockOp {
    let mut detail = detail.elements();
    let seq = detail.next().and_then(Raw::as_u64);
    let kind = detail.next().and_then(Raw::as_str).unwrap_or("");
    let travels = kind.starts_with("tokio-");
    let (kind, tried) = without_tail(kind, "-try").map_or((kind, false), |kind| (kind, true));
    LockOp { id, seq, shared: without_tail(kind, "read").is_some(), travels, tried }
}

/// The text before this ending, whatever its case is; nothing if it ends otherwise.
fn without_tail<'a>(text: &'a str, tail: &str) -> Option<&'a str> {
    let (head, end) = text.split_at_checked(text.len().checked_sub(tail.len())?)?;
    end.eq_ignore_ascii_case(tail).then_some(head)
}

/// The strands of the circle that a wait closes, if it closes one, and the lock that each waits for.
fn circle(event: &Event<'_>) -> Option<Vec<(u64, u64)>> {
    if event.kind != Kind::LockWait {
        return None;
    }
    let pair = |pair: Raw<'_>| {
        let mut elements = pair.elements().map(Raw::as_u64);
        elements.next().flatten().zip(elements.next().flatten())
    };
    let steps: Option<Vec<(u64, u64)>> = event.b.elements().nth(2)?.elements().map(pair).collect();
    steps.filter(|steps| !steps.is_empty())
}

/// For how long an acquisition had to wait, if it had to.
fn waited(event: &Event<'_>) -> Option<u64> {
    if event.kind != Kind::LockAcquire {
        return None;
    }
    event.b.elements().nth(2).and_then(Raw::as_u64)
}
