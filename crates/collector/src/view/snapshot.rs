use super::id::{ids, kind_name};
use super::orders::{OrderEdge, Orders};
use super::survey::{Survey, TraceSpan};
use super::text;
use crate::store::Batches;
use bytes::Bytes;
use serde::Serialize;
use std::cmp::Reverse;
use std::collections::HashMap;
use std::time::{Duration, Instant};
use trackside_analysis::{AccessInfo, Analyzer, Confidence, Finding, Report, Trace};
use trackside_wire::Batch;

/// How many traces a snapshot has: the latest ones.
const TRACES_MAX: usize = 10_000;

/// How much of what is stored is analysed in the background: an analysis takes several times the memory of the batches.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Window {
    pub(crate) max_bytes: u64,
}

impl Window {
    /// How many bytes of the oldest batches to leave out, of so many that are stored.
    pub(super) fn skip(self, stored: u64) -> u64 {
        stored.saturating_sub(self.max_bytes)
    }
}

/// What was found in all that was stored at one moment.
#[derive(Debug)]
pub(crate) struct Snapshot {
    /// Snapshots are numbered from 1.
    pub(crate) number: u64,
    /// The change of the store that it takes into account.
    pub(super) revision: u64,
    pub(crate) made: Instant,
    pub(crate) took: Duration,
    /// Bytes of the oldest batches that were left out.
    pub(crate) left_out: u64,
    pub(crate) report: Report,
    /// Of the findings, in their order.
    ids: Vec<String>,
    places: HashMap<String, usize>,
    /// The latest first.
    pub(crate) traces: Vec<TraceRow>,
    /// How many traces there are.
    pub(crate) traces_total: u64,
    pub(crate) orders: Vec<OrderEdge>,
    pub(crate) orders_left_out: u64,
}

/// A trace, and when it was.
#[derive(Debug)]
pub(crate) struct TraceRow {
    pub(crate) trace: Trace,
    pub(crate) span: TraceSpan,
}

/// A finding in a list: what tells it from others.
#[derive(Debug, Serialize)]
pub(crate) struct FindingRow<'a> {
    id: &'a str,
    kind: &'static str,
    confidence: Confidence,
    variable: String,
    count: u64,
    places: [Option<String>; 2],
    services: [String; 2],
    lost: Option<String>,
    incomplete: bool,
}

impl Snapshot {
    /// Analyses the batches, the oldest of which are left out until `skip` bytes have been.
    pub(super) fn make(batches: Batches, skip: u64, number: u64, revision: u64) -> Self {
        let start = Instant::now();
        let mut left_out = 0;
        let mut analyzer = Analyzer::new();
        let (mut survey, mut orders) = (Survey::default(), Orders::default());
        for bytes in batches {
            if left_out < skip {
                left_out += bytes.len() as u64;
                continue;
            }
            // They were checked when they were stored.
            let Ok(batch) = Batch::decode(&bytes) else { continue };
            survey.take_in(&batch);
            orders.take_in(&batch);
            analyzer.ingest(&batch);
        }
        let traces = analyzer.traces();
        let traces_total = traces.len() as u64;
        let mut traces: Vec<TraceRow> =
            traces.into_iter().map(|trace| TraceRow { span: survey.of(&trace.id), trace }).collect();
        traces.sort_by_key(|row| Reverse(row.span.start_unix_ns));
        traces.truncate(TRACES_MAX);
        let report = analyzer.finish();
        let ids = ids(&report.findings);
        let places = ids.iter().cloned().zip(0..).collect();
        let (orders, orders_left_out) = orders.finish();
        let (made, took) = (Instant::now(), start.elapsed());
        Self {
            number,
            revision,
            made,
            took,
            left_out,
            report,
            ids,
            places,
            traces,
            traces_total,
            orders,
            orders_left_out,
        }
    }

    /// The findings from `from` on, as rows of a list.
    pub(crate) fn rows(&self, from: usize, limit: usize) -> impl Iterator<Item = FindingRow<'_>> {
        self.report.findings.iter().zip(&self.ids).skip(from).take(limit).map(|(finding, id)| row(finding, id))
    }

    /// The findings, each with its id.
    pub(crate) fn findings(&self) -> impl Iterator<Item = (&str, &Finding)> {
        self.ids.iter().map(String::as_str).zip(&self.report.findings)
    }

    pub(crate) fn findings_total(&self) -> usize {
        self.ids.len()
    }

    /// Where the finding with this id stands in the list.
    pub(crate) fn place(&self, id: &str) -> Option<usize> {
        self.places.get(id).copied()
    }

    /// The finding with this id.
    pub(crate) fn finding(&self, id: &str) -> Option<&Finding> {
        self.report.findings.get(self.place(id)?)
    }

    /// The trace with this id, if it is among those that the snapshot has.
    pub(crate) fn trace(&self, id: &str) -> Option<&TraceRow> {
        self.traces.iter().find(|row| row.trace.id == id)
    }
}

fn row<'a>(finding: &Finding, id: &'a str) -> FindingRow<'a> {
    FindingRow {
        id,
        kind: kind_name(finding.kind),
        confidence: finding.confidence,
        variable: text::name(&finding.variable),
        count: finding.count,
        places: [&finding.first, &finding.second].map(place),
        services: [&finding.first, &finding.second].map(|access| text::name(&access.service)),
        lost: finding.lost.as_deref().map(text::name),
        incomplete: finding.incomplete.is_some(),
    }
}

fn place(access: &AccessInfo) -> Option<String> {
    let (file, line) = (access.file.as_ref()?, access.line?);
    Some(format!("{}:{line}", text::name(file)))
}

/// Reads all batches once more, for what is only looked at one by one.
pub(super) fn each_batch(batches: impl Iterator<Item = Bytes>, mut take: impl FnMut(&Batch<'_>)) {
    for bytes in batches {
        if let Ok(batch) = Batch::decode(&bytes) {
            take(&batch);
        }
    }
}
