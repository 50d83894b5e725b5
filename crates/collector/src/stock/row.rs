//! What an event says happened, in the words of a batch.

use super::schema::{AccessType, Event, KindOf, Ordering, Pairs, Whole};
use super::text::{Text, place};
use super::value::Packed;
use trackside_wire::{Access, Kind, Packer, Raw};

/// A row, but for what a batch numbers.
#[derive(Debug)]
pub(super) struct Said<'a> {
    pub(super) kind: Kind,
    pub(super) name: Option<&'a str>,
    pub(super) place: Option<(&'a str, u32, u32)>,
    pub(super) a: Cell<'a>,
    pub(super) b: Cell<'a>,
}

/// A value of a row.
#[derive(Debug)]
pub(super) enum Cell<'a> {
    Nil,
    Posted(&'a Packed),
    Made(Packer),
}

impl Cell<'_> {
    pub(super) fn raw(&self) -> Raw<'_> {
        match self {
            Cell::Nil => Raw::NIL,
            Cell::Posted(value) => value.raw(),
            Cell::Made(packer) => packer.raw(),
        }
    }
}

impl<'a> Said<'a> {
    pub(super) fn new(event: &'a Event<'_>) -> Self {
        let said = |kind: Kind, name: &'a str, location: &'a str, a, b| Said {
            kind,
            name: Some(name),
            place: place(location),
            a,
            b,
        };
        let duration = event.metadata.duration_ns.map(|Whole(nanos)| nanos);
        let took = |millis: &Whole| duration.unwrap_or_else(|| millis.0.saturating_mul(1_000_000));
        match &event.kind {
            KindOf::FunctionCall { function_name, module, args, file, line } => Said {
                place: lines(file, *line),
                ..said(Kind::FunctionCall, function_name, "", text(module), Cell::Posted(args))
            },
            KindOf::FunctionReturn { function_name, return_value, file, line } => {
                let took = duration.map_or(Cell::Nil, |nanos| made(|packer| packer.uint(nanos)));
                let said = said(Kind::FunctionReturn, function_name, "", Cell::Posted(return_value), took);
                Said { place: lines(file, *line), ..said }
            }
            KindOf::AsyncSpawn { task_id, task_name, spawned_by } => {
                let name = Some(&**task_name).filter(|name| !name.is_empty()).or_else(|| in_brackets(spawned_by));
                Said { name, ..said(Kind::AsyncSpawn, "", spawned_by, text(task_id), Cell::Nil) }
            }
            // That it waited for no event of the task is all that can be said: which strand it was is not told.
            KindOf::AsyncAwait { future_id, awaited_at } => {
                let none = made(|packer| packer.uint(0));
                Said { name: None, ..said(Kind::AsyncAwait, "", awaited_at, text(future_id), none) }
            }
            KindOf::StateChange { variable, old_value, new_value, location, access_type } => {
                let access = access(*access_type);
                // A read has no value before.
                let old = if access.is_write() { Cell::Posted(old_value) } else { Cell::Nil };
                said(access.kind(), variable, location, old, Cell::Posted(new_value))
            }
            KindOf::LockAcquire { lock_id, lock_type, location } => {
                said(Kind::LockAcquire, lock_id, location, Cell::Nil, lock(lock_type))
            }
            KindOf::LockRelease { lock_id, lock_type, location } => {
                said(Kind::LockRelease, lock_id, location, Cell::Nil, lock(lock_type))
            }
            KindOf::MemoryFence { ordering, location } => {
                let ordering = made(|packer| packer.str(ordering_name(*ordering)));
                Said { name: None, ..said(Kind::MemoryFence, "", location, ordering, Cell::Nil) }
            }
            KindOf::HttpRequest { method, url, headers, body } => {
                let detail = list(|packer| {
                    headers_into(packer, headers);
                    packer.raw_value(body.raw());
                    2
                });
                said(Kind::HttpRequest, method, "", text(url), detail)
            }
            KindOf::HttpResponse { status, headers, body, duration_ms } => {
                let detail = list(|packer| {
                    headers_into(packer, headers);
                    packer.raw_value(body.raw());
                    packer.uint(took(duration_ms));
                    3
                });
                let status = made(|packer| packer.uint(u64::from(*status)));
                Said { name: None, ..said(Kind::HttpResponse, "", "", status, detail) }
            }
            KindOf::DatabaseQuery { query, database, duration_ms } => {
                let detail = list(|packer| {
                    packer.str(database);
                    packer.uint(took(duration_ms));
                    2
                });
                Said { name: None, ..said(Kind::DatabaseQuery, "", "", text(query), detail) }
            }
            KindOf::DatabaseResult { rows_affected } => {
                let rows = made(|packer| packer.uint(*rows_affected));
                Said { name: None, ..said(Kind::DatabaseResult, "", "", rows, Cell::Nil) }
            }
            KindOf::Error { error_type, message, stack_trace } => {
                let stack = stack_trace.as_ref().filter(|stack| !stack.0.is_empty());
                let frames = stack.map_or(Cell::Nil, |stack| {
                    list(|packer| {
                        stack.0.iter().for_each(|frame| packer.str(frame));
                        stack.0.len() as u32
                    })
                });
                said(Kind::Error, error_type, "", text(message), frames)
            }
            KindOf::Custom { name, data } => said(Kind::Custom, name, "", Cell::Posted(data), Cell::Nil),
        }
    }
}

pub(super) fn made(write: impl FnOnce(&mut Packer)) -> Cell<'static> {
    let mut packer = Packer::default();
    write(&mut packer);
    Cell::Made(packer)
}

/// A list; `write` says how many elements it has written.
pub(super) fn list(write: impl FnOnce(&mut Packer) -> u32) -> Cell<'static> {
    made(|packer| {
        let open = packer.begin_array();
        let len = write(packer);
        packer.end(open, len);
    })
}

/// What stands beside a lock: the number of the acquisition, which is not known, and its type.
pub(super) fn lock(lock_type: &str) -> Cell<'static> {
    list(|packer| {
        packer.nil();
        packer.str(lock_type);
        2
    })
}

fn text(text: &Text<'_>) -> Cell<'static> {
    made(|packer| packer.str(text))
}

fn headers_into(packer: &mut Packer, headers: &Pairs<'_>) {
    let open = packer.begin_map();
    for (key, value) in &headers.0 {
        packer.str(key);
        packer.str(value);
    }
    packer.end(open, headers.0.len() as u32);
}

fn lines(file: &str, line: u32) -> Option<(&str, u32, u32)> {
    (!file.is_empty()).then_some((file, line, 0))
}

/// The name of the task in `src/bank.rs:12 (checkout)`.
fn in_brackets(spawned_by: &str) -> Option<&str> {
    spawned_by.strip_suffix(')')?.split_once(" (").map(|(_, task)| task)
}

fn access(access: AccessType) -> Access {
    match access {
        AccessType::Read => Access::Read,
        AccessType::Write => Access::Write,
        AccessType::AtomicRead => Access::AtomicRead,
        AccessType::AtomicWrite => Access::AtomicWrite,
        AccessType::AtomicRmw => Access::AtomicRmw,
    }
}

fn ordering_name(ordering: Ordering) -> &'static str {
    match ordering {
        Ordering::Relaxed => "Relaxed",
        Ordering::Acquire => "Acquire",
        Ordering::Release => "Release",
        Ordering::AcqRel => "AcqRel",
        Ordering::SeqCst => "SeqCst",
    }
}
