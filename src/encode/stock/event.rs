//! One event as the stock server wants it. The types mirror its schema, so that what they serialise to is of it.

use super::text::{Headers, Json, Place, Span, Spawn, Text, Timestamp, Uuid};
use crate::ring::sync::Arc;
use serde::Serialize;
use serde::ser::{SerializeMap, SerializeSeq, Serializer};
use trackside_wire::{Access, Batch, Event, Header, Kind, Raw, RunId, Strand, ThreadId};

/// An event. Serialised in one go, with everything borrowed.
#[derive(Debug, Serialize)]
pub(super) struct EventJson<'a> {
    pub(super) id: Uuid,
    pub(super) trace_id: Uuid,
    pub(super) parent_id: Option<Uuid>,
    pub(super) timestamp: Timestamp,
    pub(super) kind: KindJson<'a>,
    pub(super) metadata: Metadata<'a>,
    pub(super) causality_vector: Vector<'a>,
    #[serde(serialize_with = "texts")]
    pub(super) lock_set: &'a [Arc<str>],
}

/// Who and where.
#[derive(Debug, Serialize)]
pub(super) struct Metadata<'a> {
    #[serde(serialize_with = "as_text")]
    thread_id: ThreadId,
    process_id: u32,
    service_name: &'a str,
    environment: &'a str,
    #[serde(serialize_with = "tags")]
    tags: &'a [(&'a str, &'a str)],
    #[serde(skip_serializing_if = "Option::is_none")]
    duration_ns: Option<u64>,
    instance_id: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    distributed_span_id: Option<Span>,
    #[serde(skip_serializing_if = "Option::is_none")]
    upstream_span_id: Option<Span>,
}

impl<'a> Metadata<'a> {
    pub(super) fn new(header: &'a Header<'a>, strand: &Strand, duration_ns: Option<u64>) -> Self {
        let span = |id: u64| (id != 0).then_some(Span(id));
        Self {
            thread_id: ThreadId { run: header.run, pid: header.pid, strand: strand.number },
            process_id: header.pid,
            service_name: header.service,
            environment: header.environment,
            tags: &header.tags,
            duration_ns,
            instance_id: header.instance,
            distributed_span_id: span(strand.span),
            upstream_span_id: span(strand.upstream),
        }
    }
}

/// The vector clock of an event.
#[derive(Debug)]
pub(super) struct Vector<'a> {
    pub(super) batch: &'a Batch<'a>,
    pub(super) strand: &'a Strand,
    /// The component that the strand's own steps advance.
    pub(super) own: &'a str,
    pub(super) step: u64,
}

impl Serialize for Vector<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut seq = serializer.serialize_seq(None)?;
        let after = |begun: u64| begun.saturating_add(self.step).saturating_add(1);
        let mut own = Some(after(0));
        for (component, begun) in &self.strand.clock {
            let component = self.batch.string(*component);
            let is_own = component == self.own && own.take().is_some();
            seq.serialize_element(&(component, if is_own { after(*begun) } else { *begun }))?;
        }
        own.iter().try_for_each(|value| seq.serialize_element(&(self.own, value)))?;
        seq.end()
    }
}

/// The tag that says which SDK an event comes from, as every SDK writes it.
const LANGUAGE: (&str, &str) = ("sdk_language", "rust");

fn as_text<S: Serializer>(text: &impl std::fmt::Display, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(text)
}

fn texts<S: Serializer>(texts: &[Arc<str>], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_seq(texts.iter().map(|text| &**text))
}

fn tags<S: Serializer>(tags: &[(&str, &str)], serializer: S) -> Result<S::Ok, S::Error> {
    let mut map = serializer.serialize_map(None)?;
    let own = tags.iter().filter(|(key, _)| *key != LANGUAGE.0);
    own.chain([&LANGUAGE]).try_for_each(|(key, value)| map.serialize_entry(key, value))?;
    map.end()
}

/// What happened: an object whose one member has the variant's name.
#[derive(Debug, Serialize)]
pub(super) enum KindJson<'a> {
    FunctionCall {
        function_name: &'a str,
        module: Text<'a>,
        args: Json<'a>,
        file: &'a str,
        line: u32,
    },
    AsyncSpawn {
        task_id: Uuid,
        spawned_by: Spawn<'a>,
    },
    AsyncAwait {
        future_id: Uuid,
        awaited_at: Place<'a>,
    },
    StateChange {
        variable: &'a str,
        #[serde(skip_serializing_if = "Option::is_none")]
        old_value: Option<Json<'a>>,
        new_value: Json<'a>,
        location: Place<'a>,
        access_type: &'static str,
    },
    LockAcquire {
        lock_id: &'a str,
        lock_type: Text<'a>,
        location: Place<'a>,
    },
    LockRelease {
        lock_id: &'a str,
        lock_type: Text<'a>,
        location: Place<'a>,
    },
    MemoryFence {
        ordering: &'a str,
        location: Place<'a>,
    },
    HttpRequest {
        method: &'a str,
        url: Text<'a>,
        headers: Headers<'a>,
        #[serde(skip_serializing_if = "Option::is_none")]
        body: Option<Json<'a>>,
    },
    HttpResponse {
        status: u16,
        headers: Headers<'a>,
        #[serde(skip_serializing_if = "Option::is_none")]
        body: Option<Json<'a>>,
        duration_ms: u64,
    },
    DatabaseQuery {
        query: Text<'a>,
        database: Text<'a>,
        duration_ms: u64,
    },
    DatabaseResult {
        rows_affected: u64,
    },
    Error {
        error_type: &'a str,
        message: Text<'a>,
        stack_trace: Stack<'a>,
    },
    Custom {
        name: &'a str,
        data: Data<'a>,
    },
}

/// What an event of our own kinds, which the server has not, says as `Custom`.
#[derive(Debug, Serialize)]
#[serde(untagged)]
pub(super) enum Data<'a> {
    Any(Json<'a>),
    Task {
        task_id: Uuid,
        location: Place<'a>,
    },
    Call {
        span_id: Span,
        location: Place<'a>,
    },
    /// `[number, type]` of something that synchronises.
    Sync {
        object: &'a str,
        id: Json<'a>,
        number: Json<'a>,
        object_type: Text<'a>,
        location: Place<'a>,
    },
    Wait {
        lock_type: Text<'a>,
        location: Place<'a>,
    },
    Return {
        function_name: &'a str,
        return_value: Json<'a>,
        #[serde(skip_serializing_if = "Option::is_none")]
        duration_ns: Option<u64>,
        location: Place<'a>,
    },
}

/// What is recorded of an error's stack. If that is no frame, but only what caused it, the place where it was recorded is
/// the one frame that is known; the server takes an error's place nowhere else.
#[derive(Debug)]
pub(super) struct Stack<'a> {
    recorded: Raw<'a>,
    location: Place<'a>,
}

impl Serialize for Stack<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let is_cause = |line: Raw<'_>| line.as_str().is_some_and(|line| line.starts_with("caused by: "));
        let is_placed = self.location.0.is_some() && self.recorded.elements().all(is_cause);
        let mut list = serializer.serialize_seq(None)?;
        self.recorded.elements().try_for_each(|line| list.serialize_element(&Text(line)))?;
        if is_placed {
            list.serialize_element(&self.location)?;
        }
        list.end()
    }
}

impl<'a> KindJson<'a> {
    /// What `event` says. A lock is called `lock`.
    pub(super) fn new(batch: &Batch<'a>, event: &Event<'a>, lock: &'a str) -> Self {
        let name = event.name.map_or("", |name| batch.string(name));
        let site = event.site.and_then(|site| batch.sites.get(site as usize));
        let site = site.map(|site| (batch.string(site.file), site.line));
        let location = Place(site);
        let b = |at: usize| part(event, at);
        let body = |value: Raw<'a>| (!value.is_nil()).then_some(Json(value));
        match event.kind {
            Kind::FunctionCall => {
                let (file, line) = site.unwrap_or_default();
                Self::FunctionCall { function_name: name, module: Text(event.a), args: Json(event.b), file, line }
            }
            Kind::HttpRequest => {
                Self::HttpRequest { method: name, url: Text(event.a), headers: Headers(b(0)), body: body(b(1)) }
            }
            Kind::HttpResponse => Self::HttpResponse {
                status: event.a.as_u64().and_then(|status| u16::try_from(status).ok()).unwrap_or(0),
                headers: Headers(b(0)),
                body: body(b(1)),
                duration_ms: millis(event),
            },
            Kind::AsyncSpawn => {
                Self::AsyncSpawn { task_id: task_id(event), spawned_by: Spawn { location, task: name } }
            }
            Kind::AsyncAwait => Self::AsyncAwait { future_id: task_id(event), awaited_at: location },
            Kind::LockAcquire => Self::LockAcquire { lock_id: lock, lock_type: Text(b(1)), location },
            Kind::LockRelease => Self::LockRelease { lock_id: lock, lock_type: Text(b(1)), location },
            Kind::MemoryFence => match event.a.as_str() {
                Some(ordering @ ("Relaxed" | "Acquire" | "Release" | "AcqRel" | "SeqCst")) => {
                    Self::MemoryFence { ordering, location }
                }
                _ => Self::Custom { name: "MemoryFence", data: Data::Any(Json(event.a)) },
            },
            Kind::DatabaseQuery => {
                Self::DatabaseQuery { query: Text(event.a), database: Text(b(0)), duration_ms: millis(event) }
            }
            Kind::DatabaseResult => Self::DatabaseResult { rows_affected: event.a.as_u64().unwrap_or(0) },
            Kind::Error => Self::Error {
                error_type: name,
                message: Text(event.a),
                stack_trace: Stack { recorded: event.b, location },
            },
            Kind::Custom => Self::Custom { name, data: Data::Any(Json(event.a)) },
            Kind::AtomicLoad => Self::atomic(name, Raw::NIL, b(2), location, Access::AtomicRead),
            Kind::AtomicStore => Self::atomic(name, Raw::NIL, b(2), location, Access::AtomicWrite),
            Kind::AtomicUpdate => Self::atomic(name, b(2), b(3), location, Access::AtomicRmw),
            kind => match kind.access() {
                Some(access) => Self::StateChange {
                    variable: name,
                    old_value: body(event.a),
                    new_value: Json(event.b),
                    location,
                    access_type: access_type(access),
                },
                None => own_kind(event, name, location),
            },
        }
    }

    fn atomic(variable: &'a str, old: Raw<'a>, new: Raw<'a>, location: Place<'a>, access: Access) -> Self {
        let old_value = (!old.is_nil()).then_some(Json(old));
        Self::StateChange { variable, old_value, new_value: Json(new), location, access_type: access_type(access) }
    }
}

/// The kinds that the server has no variant for.
///
/// A return is no second `FunctionCall`: that would show a call that never was, and count it. As `Custom` it says what
/// it is, and its duration stands where the server looks for durations, in the metadata.
fn own_kind<'a>(event: &Event<'a>, function_name: &'a str, location: Place<'a>) -> KindJson<'a> {
    let (name, data) = match event.kind {
        Kind::FunctionReturn => {
            let duration_ns = duration_ns(event);
            ("FunctionReturn", Data::Return { function_name, return_value: Json(event.a), duration_ns, location })
        }
        Kind::TaskBegin => ("TaskBegin", Data::Task { task_id: task_id(event), location }),
        Kind::TaskEnd => ("TaskEnd", Data::Task { task_id: task_id(event), location }),
        Kind::CallSent => ("CallSent", Data::Call { span_id: Span(event.a.as_u64().unwrap_or(0)), location }),
        Kind::CallReturned => ("CallReturned", Data::Call { span_id: Span(event.a.as_u64().unwrap_or(0)), location }),
        Kind::MessageSent => ("MessageSent", sync(event, function_name, location)),
        Kind::MessageReceived => ("MessageReceived", sync(event, function_name, location)),
        Kind::SyncRelease => ("SyncRelease", sync(event, function_name, location)),
        Kind::SyncAcquire => ("SyncAcquire", sync(event, function_name, location)),
        Kind::Suspended => ("Suspended", Data::Any(Json(event.a))),
        Kind::LockWait => ("LockWait", Data::Wait { lock_type: Text(part(event, 1)), location }),
        // Only a kind that this file has not been told of comes here.
        _ => (function_name, Data::Any(Json(event.a))),
    };
    KindJson::Custom { name, data }
}

fn sync<'a>(event: &Event<'a>, object: &'a str, location: Place<'a>) -> Data<'a> {
    let (number, object_type) = (Json(part(event, 0)), Text(part(event, 1)));
    Data::Sync { object, id: Json(event.a), number, object_type, location }
}

fn access_type(access: Access) -> &'static str {
    match access {
        Access::Read => "Read",
        Access::Write => "Write",
        Access::AtomicRead => "AtomicRead",
        Access::AtomicWrite => "AtomicWrite",
        _ => "AtomicRMW",
    }
}

/// How long what the event tells of took, if it says so.
pub(super) fn duration_ns(event: &Event<'_>) -> Option<u64> {
    match event.kind {
        Kind::FunctionReturn => event.b.as_u64(),
        Kind::HttpResponse => part(event, 2).as_u64(),
        Kind::DatabaseQuery => part(event, 1).as_u64(),
        _ => None,
    }
}

/// The whole milliseconds of it: the server takes no fraction.
fn millis(event: &Event<'_>) -> u64 {
    duration_ns(event).unwrap_or(0) / 1_000_000
}

/// A part of `b`, where that is packed.
fn part<'a>(event: &Event<'a>, at: usize) -> Raw<'a> {
    event.b.elements().nth(at).unwrap_or(Raw::NIL)
}

/// A task's number as a UUIDv8, the same wherever it is met. The run's bits are turned over: no event has such an id.
fn task_id(event: &Event<'_>) -> Uuid {
    let run = u128::from(RunId::new(!event.id.run.get()).get());
    let number = u128::from(event.a.as_u64().unwrap_or(0)) & ((1 << 62) - 1);
    Uuid((run >> 12 << 80) | (8 << 76) | ((run & 0xfff) << 64) | (0b10 << 62) | number)
}
