//! The events around a finding: on each of its strands, those a few steps before and after what the finding is about.

use super::arrows::{Arrow, arrows};
use super::event::Shown;
use super::snapshot::each_batch;
use crate::store::Batches;
use serde::Serialize;
use std::collections::BTreeMap;
use std::ops::RangeInclusive;
use trackside_analysis::{AccessInfo, Finding, FindingKind};
use trackside_wire::{Batch, RunId};

/// How many steps before and after each access are shown.
const AROUND: u64 = 8;
/// How many strands are shown: a deadlock may have many.
const LANES_MAX: usize = 6;

/// The strands of a finding, side by side.
#[derive(Debug, Serialize)]
pub(crate) struct Timeline {
    lanes: Vec<Lane>,
    /// In the order of their timestamps, as far as program order and the arrows let them be.
    events: Vec<Row>,
    arrows: Vec<Arrow>,
    /// Strands for which there was no room.
    lanes_left_out: usize,
}

/// A strand.
#[derive(Debug, Serialize)]
pub(super) struct Lane {
    #[serde(skip)]
    pub(super) run: RunId,
    #[serde(skip)]
    pub(super) strand: u64,
    #[serde(skip)]
    steps: Vec<RangeInclusive<u64>>,
    /// Of an entry strand: the trace and the span of the call that it took.
    #[serde(skip)]
    pub(super) entry: Option<(u128, u64)>,
    #[serde(skip)]
    pub(super) trace: u128,
    thread: String,
    service: String,
    instance: String,
}

/// An event of one of them.
#[derive(Debug, Serialize)]
pub(super) struct Row {
    pub(super) lane: usize,
    #[serde(flatten)]
    pub(super) shown: Shown,
    /// How much later than the first one it was.
    at_ns: u64,
    /// What part it has in the finding.
    marks: Vec<String>,
    /// The locks that the analysis knows to be held here; only where it says so.
    locks: Option<Vec<String>>,
    /// How many events of the strand are before it and not shown.
    skipped: u64,
    /// How many events of the strand were lost just before it.
    lost_before: u64,
    /// The strands that it comes after, and how many of their steps, where those are not shown.
    #[serde(skip)]
    pub(super) after: Vec<(u64, u64)>,
}

/// An event that the finding names.
struct Anchor<'a> {
    lane: usize,
    mark: String,
    access: &'a AccessInfo,
}

impl Timeline {
    /// Reads the events around `finding` from all batches.
    pub(crate) fn read(finding: &Finding, batches: Batches) -> Self {
        let mut lanes = Vec::new();
        let mut lanes_left_out = 0;
        let mut anchors = Vec::new();
        for (mark, access) in marks(finding) {
            match lane_of(&mut lanes, access) {
                Some(lane) => anchors.push(Anchor { lane, mark, access }),
                None => lanes_left_out += 1,
            }
        }
        let mut found = BTreeMap::new();
        each_batch(batches, |batch| collect(batch, &mut lanes, &mut found));
        let rows = found.into_values().map(|row| mark(row, &anchors)).collect();
        let (events, arrows) = in_order(&lanes, rows);
        Self { lanes, events, arrows, lanes_left_out }
    }
}

/// What the finding names, each with the part it has.
fn marks(finding: &Finding) -> Vec<(String, &AccessInfo)> {
    if !finding.orders.is_empty() {
        let both = finding.orders.iter().enumerate().flat_map(|(at, order)| {
            let held = order.held.as_ref().map(|held| (format!("holds {}", at + 1), held));
            held.into_iter().chain([(format!("asks {}", at + 1), &order.asked)])
        });
        return both.collect();
    }
    let names = match finding.kind {
        FindingKind::LostUpdate => ["lost", "overwrites"],
        FindingKind::InconsistentLocking => ["without", "with"],
        FindingKind::HeldAcrossAwait => ["acquired", "next"],
        _ => ["first", "second"],
    };
    // The first strand is the lane on the left; the read belongs to the other one.
    let read = finding.read.as_ref().map(|read| ("read", read));
    let first = (names[0], &finding.first);
    let all = [first].into_iter().chain(read).chain([(names[1], &finding.second)]);
    all.map(|(mark, access)| (mark.to_owned(), access)).collect()
}

/// The lane of the strand that `access` is of, which is added if there is room; with the steps around it.
fn lane_of(lanes: &mut Vec<Lane>, access: &AccessInfo) -> Option<usize> {
    let run = RunId::new(u64::from_str_radix(&access.run, 16).ok()?);
    let strand = access.thread_id.rsplit('-').next()?.parse().ok()?;
    let known = lanes.iter().position(|lane| (lane.run, lane.strand) == (run, strand));
    let at = match known {
        Some(at) => at,
        None if lanes.len() == LANES_MAX => return None,
        None => {
            let AccessInfo { thread, service, instance, .. } = access.clone();
            lanes.push(Lane { run, strand, steps: Vec::new(), entry: None, trace: 0, thread, service, instance });
            lanes.len() - 1
        }
    };
    lanes[at].steps.push(access.step.saturating_sub(AROUND)..=access.step.saturating_add(AROUND));
    Some(at)
}

fn collect(batch: &Batch<'_>, lanes: &mut [Lane], found: &mut BTreeMap<(usize, u64), Row>) {
    let strand = |lane: &trackside_wire::Lane| batch.strands.get(lane.strand as usize);
    let wanted = |lane: &trackside_wire::Lane| {
        let number = strand(lane)?.number;
        lanes.iter().position(|wanted| (wanted.run, wanted.strand) == (batch.header.run, number))
    };
    let wanted: Vec<Option<usize>> = batch.lanes.iter().map(wanted).collect();
    if wanted.iter().all(Option::is_none) {
        return;
    }
    for (told, at) in batch.lanes.iter().zip(&wanted) {
        if let (Some(strand), Some(at)) = (strand(told), at) {
            lanes[*at].trace = strand.trace;
            lanes[*at].entry = strand.entry.then_some((strand.trace, strand.span));
        }
    }
    let mut begun = vec![false; batch.lanes.len()];
    for event in batch.events() {
        let Some(Some(lane)) = wanted.get(event.lane as usize).copied() else { continue };
        let begins = !std::mem::replace(&mut begun[event.lane as usize], true);
        if !lanes[lane].steps.iter().any(|steps| steps.contains(&event.step)) {
            continue;
        }
        let told = begins.then(|| &batch.lanes[event.lane as usize]);
        let row = Row {
            lane,
            shown: Shown::new(batch, &event),
            at_ns: 0,
            marks: Vec::new(),
            locks: None,
            skipped: 0,
            lost_before: told.map_or(0, |told| told.lost_before),
            after: told.map_or_else(Vec::new, |told| told.after.clone()),
        };
        found.entry((lane, event.step)).or_insert(row);
    }
}

fn mark(mut row: Row, anchors: &[Anchor<'_>]) -> Row {
    for anchor in anchors.iter().filter(|anchor| (anchor.lane, anchor.access.step) == (row.lane, row.shown.step)) {
        row.marks.push(anchor.mark.clone());
        row.locks = Some(anchor.access.locks.clone());
    }
    row
}

/// The rows of all lanes, which come by lane and step, as they were in time; but none before what it comes after.
fn in_order(lanes: &[Lane], mut rows: Vec<Row>) -> (Vec<Row>, Vec<Arrow>) {
    let start = rows.iter().map(|row| row.shown.time_unix_ns).min().unwrap_or(0);
    let mut expected = vec![0; lanes.len()];
    for row in &mut rows {
        row.at_ns = row.shown.time_unix_ns - start;
        row.skipped = row.shown.step.saturating_sub(expected[row.lane]).saturating_sub(row.lost_before);
        expected[row.lane] = row.shown.step.saturating_add(1);
    }
    let arrows = arrows(lanes, &rows);
    let mut left: Vec<std::iter::Peekable<_>> = (0..lanes.len())
        .map(|lane| rows.iter().enumerate().filter(move |(_, row)| row.lane == lane).map(|(at, _)| at).peekable())
        .collect();
    let mut order = Vec::with_capacity(rows.len());
    let mut placed = vec![false; rows.len()];
    loop {
        let next: Vec<usize> = left.iter_mut().filter_map(|lane| lane.peek().copied()).collect();
        let time = |at: &&usize| rows[**at].shown.time_unix_ns;
        let free = |at: &&usize| arrows.iter().all(|arrow| arrow.to != **at || placed[arrow.from]);
        // What a damaged record says may go round in a circle.
        let Some(at) = next.iter().filter(free).min_by_key(time).or_else(|| next.iter().min_by_key(time)) else {
            break;
        };
        placed[*at] = true;
        order.push(*at);
        left[rows[*at].lane].next();
    }
    drop(left);
    let mut places = vec![0; rows.len()];
    order.iter().enumerate().for_each(|(place, at)| places[*at] = place);
    let moved = arrows.into_iter().map(|arrow| Arrow { from: places[arrow.from], to: places[arrow.to], ..arrow });
    let moved = moved.collect();
    let mut taken: Vec<Option<Row>> = rows.into_iter().map(Some).collect();
    (order.into_iter().filter_map(|at| taken[at].take()).collect(), moved)
}
