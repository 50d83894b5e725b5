use crate::intern::Map;
use foldhash::fast::FixedState;
use std::collections::{BTreeMap, BTreeSet, HashSet};
use trackside_wire::{Access, Batch, EventId, Kind, RunId};

/// How many traces and strands are told apart of one variable.
const TOLD_APART: usize = 1000;

/// Counts what is in a record, batch by batch. Events that come twice count once, if batches are cut as they were sent.
///
/// # Examples
/// ```
/// use trackside_analysis::Census;
///
/// let census = Census::default();
/// // census.ingest(&trackside_wire::Batch::decode(&bytes)?) for each batch there is
/// assert_eq!((census.traces().len(), census.services().len()), (0, 0));
/// ```
#[derive(Debug, Default)]
pub struct Census {
    traces: BTreeMap<u128, TraceTally>,
    variables: BTreeMap<String, VariableTally>,
    /// Which trace a strand belongs to.
    strands: Map<(RunId, u64), u128>,
    seen: HashSet<(EventId, u64), FixedState>,
}

/// What there is of one trace.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TraceTally {
    /// Its id.
    pub trace: u128,
    /// How many events it has.
    pub events: u64,
    /// When the first one was recorded, in Unix nanoseconds.
    pub first_unix_ns: u64,
    /// When the last one was.
    pub last_unix_ns: u64,
    /// The services with events in it, and how many those are.
    pub services: BTreeMap<String, u64>,
}

/// What there is of one service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServiceTally {
    /// Its name.
    pub name: String,
    /// How many events it has recorded.
    pub events: u64,
    /// In how many traces.
    pub traces: u64,
}

/// What there is of one variable; those of several processes with one name count as one.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct VariableTally {
    /// How often it was accessed.
    pub accesses: u64,
    /// In which ways.
    pub kinds: BTreeSet<&'static str>,
    /// By which services.
    pub services: BTreeSet<String>,
    /// In which traces, up to 1,000 of them.
    pub traces: BTreeSet<u128>,
    /// By which strands, likewise, of which runs.
    pub strands: BTreeSet<(RunId, u64)>,
    /// Whether there are more traces or strands than are told apart.
    pub bounded: bool,
}

impl Census {
    /// Takes a batch in.
    pub fn ingest(&mut self, batch: &Batch<'_>) {
        let header = &batch.header;
        for event in batch.events() {
            let lane = batch.lanes.get(event.lane as usize);
            let Some(strand) = lane.and_then(|lane| batch.strands.get(lane.strand as usize)) else { continue };
            if !self.seen.insert((event.id, event.step)) {
                continue;
            }
            let key = (header.run, strand.number);
            self.strands.insert(key, strand.trace);
            let time = header.base_unix_ns.saturating_add(event.time_ns);
            let fresh = || TraceTally {
                trace: strand.trace,
                events: 0,
                first_unix_ns: time,
                last_unix_ns: time,
                services: BTreeMap::new(),
            };
            let trace = self.traces.entry(strand.trace).or_insert_with(fresh);
            trace.events += 1;
            trace.first_unix_ns = trace.first_unix_ns.min(time);
            trace.last_unix_ns = trace.last_unix_ns.max(time);
            *at(&mut trace.services, header.service) += 1;
            if let Some((access, name)) = access(event.kind).zip(event.name) {
                at(&mut self.variables, batch.string(name)).count(access, header.service, strand.trace, key);
            }
        }
    }

    /// The traces, by id.
    pub fn traces(&self) -> impl ExactSizeIterator<Item = &TraceTally> {
        self.traces.values()
    }

    /// The services, by name.
    pub fn services(&self) -> Vec<ServiceTally> {
        let mut services: BTreeMap<&str, (u64, u64)> = BTreeMap::new();
        for (name, events) in self.traces.values().flat_map(|trace| &trace.services) {
            let service = services.entry(name).or_default();
            (service.0, service.1) = (service.0 + events, service.1 + 1);
        }
        let tally =
            |(name, (events, traces)): (&str, (u64, u64))| ServiceTally { name: name.to_owned(), events, traces };
        services.into_iter().map(tally).collect()
    }

    /// The variables, by name.
    pub fn variables(&self) -> impl ExactSizeIterator<Item = (&str, &VariableTally)> {
        self.variables.iter().map(|(name, tally)| (name.as_str(), tally))
    }

    /// What there is of one variable.
    pub fn variable(&self, name: &str) -> Option<&VariableTally> {
        self.variables.get(name)
    }

    /// The trace that a strand belongs to.
    pub fn trace_of(&self, run: RunId, strand: u64) -> Option<u128> {
        self.strands.get(&(run, strand)).copied()
    }
}

impl VariableTally {
    fn count(&mut self, access: &'static str, service: &str, trace: u128, strand: (RunId, u64)) {
        self.accesses += 1;
        self.kinds.insert(access);
        if !self.services.contains(service) {
            self.services.insert(service.to_owned());
        }
        self.bounded |= !put(&mut self.traces, trace) | !put(&mut self.strands, strand);
    }
}

/// The entry of that name, made if it is not there.
fn at<'a, V: Default>(map: &'a mut BTreeMap<String, V>, name: &str) -> &'a mut V {
    map.entry(name.to_owned()).or_default()
}

/// Puts something into a set, if it is there already or the set is not full.
fn put<T: Ord>(set: &mut BTreeSet<T>, element: T) -> bool {
    let has_room = set.len() < TOLD_APART || set.contains(&element);
    if has_room {
        set.insert(element);
    }
    has_room
}

/// How an event accesses a variable, in the words of the stock server.
fn access(kind: Kind) -> Option<&'static str> {
    match kind {
        Kind::AtomicLoad => Some("AtomicRead"),
        Kind::AtomicStore => Some("AtomicWrite"),
        Kind::AtomicUpdate => Some("AtomicRMW"),
        _ => Some(match kind.access()? {
            Access::Read => "Read",
            Access::Write => "Write",
            Access::AtomicRead => "AtomicRead",
            Access::AtomicWrite => "AtomicWrite",
            _ => "AtomicRMW",
        }),
    }
}
