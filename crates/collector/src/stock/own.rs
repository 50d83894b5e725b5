//! Events of our own SDK, which speaks JSON to a server that it takes for a stock one.
//!
//! Their ids are those that they would have in a batch, so they are the same events, however they come. Their threads are
//! strands, the tasks that are awaited among them; their clocks count a strand's steps, lost events included; and what the
//! stock format has no kind for comes as `Custom`.

use super::row::{Cell, Said, list, lock, made};
use super::schema::{Event, KindOf};
use super::text::{Uuid, place, span};
use trackside_wire::{EventId, Kind, Raw, RunId};

/// Where an event of our own SDK belongs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Own {
    pub(super) id: EventId,
    pub(super) strand: u64,
}

impl Own {
    /// Nothing if the event comes from anyone else.
    pub(super) fn of(event: &Event<'_>) -> Option<Self> {
        let mut parts = event.metadata.thread_id.strip_prefix("rust-")?.splitn(3, '-');
        let (pid, strand, run) = (parts.next()?, parts.next()?, parts.next()?);
        let id = event_id(event.id)?;
        let fits = run == id.run.to_string() && pid.parse() == Ok(event.metadata.process_id);
        Some(Self { id, strand: strand.parse().ok().filter(|_| fits)? })
    }
}

/// The id that is displayed so, if it is one of ours: a UUID of version 8.
pub(super) fn event_id(uuid: Uuid) -> Option<EventId> {
    let bits = uuid.0;
    let run = RunId::new(((bits >> 80) as u64) << 12 | (bits >> 64) as u64 & 0xfff);
    let id = EventId { run, ring: (bits >> 46) as u16, seq: bits as u64 & ((1 << 46) - 1) };
    (id.to_u128() == bits).then_some(id)
}

/// The number of a task of this run: its UUID is like an event's, of a run with all bits turned over.
pub(super) fn task(text: &str, run: RunId) -> Option<u64> {
    let bits = Uuid::parse(text)?.0;
    let id = event_id(Uuid(bits))?;
    (id.run == RunId::new(!run.get())).then_some(bits as u64 & ((1 << 62) - 1))
}

/// What the event says happened; what it says as `Custom` is what it was before.
pub(super) fn said<'a>(event: &'a Event<'_>, run: RunId) -> Said<'a> {
    let mut said = Said::new(event);
    match &event.kind {
        KindOf::AsyncSpawn { task_id, .. } | KindOf::AsyncAwait { future_id: task_id, .. } => {
            if let Some(number) = task(task_id, run) {
                (said.a, said.b) = (made(|packer| packer.uint(number)), Cell::Nil);
            }
        }
        KindOf::Custom { name, data } => {
            if let Some(own) = custom(name, data.raw(), run) {
                return own;
            }
        }
        _ => {}
    }
    said
}

/// A kind of our own. Nothing if it is none, or does not have the members that it has: an event of the user's.
fn custom<'a>(name: &str, data: Raw<'a>, run: RunId) -> Option<Said<'a>> {
    let kind = [
        Kind::FunctionReturn,
        Kind::TaskBegin,
        Kind::TaskEnd,
        Kind::CallSent,
        Kind::CallReturned,
        Kind::MessageSent,
        Kind::MessageReceived,
        Kind::SyncRelease,
        Kind::SyncAcquire,
        Kind::Suspended,
        Kind::LockWait,
    ];
    let kind = kind.into_iter().find(|kind| format!("{kind:?}") == name)?;
    let member = |key: &str| data.entries().find(|(name, _)| name.as_str() == Some(key)).map(|(_, value)| value);
    let text = |key: &str| member(key)?.as_str();
    let copy = |value: Raw<'_>| made(|packer| packer.raw_value(value));
    let said = |name, a, b| {
        let place = text("location").and_then(place);
        Some(Said { kind, name, place, a, b })
    };
    match kind {
        Kind::Suspended => data.is_nil().then_some(Said { kind, name: None, place: None, a: Cell::Nil, b: Cell::Nil }),
        Kind::FunctionReturn => {
            let took = member("duration_ns").map_or(Cell::Nil, copy);
            said(Some(text("function_name")?), copy(member("return_value")?), took)
        }
        Kind::TaskBegin | Kind::TaskEnd => {
            let number = task(text("task_id")?, run)?;
            said(None, made(|packer| packer.uint(number)), Cell::Nil)
        }
        Kind::CallSent | Kind::CallReturned => {
            let number = span(Some(text("span_id")?));
            said(None, made(|packer| packer.uint(number)), Cell::Nil)
        }
        Kind::LockWait => said(Some(text("lock_id")?), Cell::Nil, lock(text("lock_type")?)),
        _ => {
            let (number, object_type) = (member("number")?, text("object_type")?);
            let detail = list(|packer| {
                packer.raw_value(number);
                packer.str(object_type);
                2
            });
            said(Some(text("object")?), copy(member("id")?), detail)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_read_as_they_are_shown() {
        let id = EventId { run: RunId::new(0x0123_4567_89ab_cdef), ring: 7, seq: 99 };
        assert_eq!(event_id(Uuid::parse(&id.to_string()).unwrap()), Some(id));
        assert_eq!(event_id(Uuid(0x0af7_6519_16cd_43dd_8448_eb21_1c80_319c)), None);
    }

    #[test]
    fn tasks_are_of_one_run() {
        let run = RunId::new(0x0123_4567_89ab_cdef);
        assert_eq!(task("edcba987-6543-8210-8000-000000000009", run), Some(9));
        assert_eq!(task("edcba987-6543-8210-8000-000000000009", RunId::new(1)), None);
        assert_eq!(task("task-9", run), None);
    }
}
