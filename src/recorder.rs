//! From names and values to a record in the calling thread's ring: what all the ways to record an event share.

use crate::propagation::{Instance, TraceId};
use crate::record::{Arg, Bytes, Name as RecordName, Record};
#[cfg(feature = "tracing")]
use crate::ring::frame::{Place, Site};
use crate::ring::local;
use crate::ring::pipe::{self, DISABLED, Pipe};
use crate::ring::sync::Arc;
use crate::value::{Name, NameRepr, PackBuf, Value, ValueRepr};
use std::panic::Location;
use trackside_wire::Kind;

/// Whether this build records at all: the feature `tracked`. Where it does not, the ways in below end before they begin, a
/// client starts nothing, and the compiler leaves out what is behind them.
pub(crate) const TRACKED: bool = cfg!(feature = "tracked");

/// Records events into one client's pipe. Unlike a client, it keeps nothing alive that waits for delivery.
#[derive(Debug, Clone)]
pub(crate) struct Recorder {
    pipe: Arc<Pipe>,
    instance: Arc<Instance>,
}

impl Recorder {
    /// Records into `pipe`.
    pub(crate) fn new(pipe: Arc<Pipe>) -> Self {
        let instance = Arc::new(Instance::new(&pipe.identity.service, &pipe.identity.instance));
        Self { pipe, instance }
    }

    /// Records into the client that tracked locks record into, if there is one.
    pub(crate) fn of_default() -> Option<Self> {
        let key = pipe::default_key();
        pipe::default_pipe().filter(|pipe| pipe.key() == key).map(Self::new)
    }

    /// Where it records to.
    #[inline(always)]
    pub(crate) fn pipe(&self) -> &Arc<Pipe> {
        &self.pipe
    }

    /// Who records.
    pub(crate) fn instance(&self) -> &Instance {
        &self.instance
    }

    /// Whether a new trace of this id is to be recorded.
    pub(crate) fn samples(&self, trace: TraceId) -> bool {
        // The last seven bytes are the random ones, whoever made the id: W3C Trace Context, level 2.
        self.pipe.samples((trace.as_u128() as u64) << 8)
    }

    /// Counts a context that records nothing but errors.
    pub(crate) fn count_unsampled(&self) {
        if TRACKED {
            pipe::count(&self.pipe.unsampled);
        }
    }

    /// A number for a new strand or task, unique within the client's run.
    pub(crate) fn next_number(&self) -> u64 {
        self.pipe.next_number()
    }

    /// Whether events of this kind are wanted at all.
    #[inline(always)]
    pub(crate) fn wants(&self, kind: Kind) -> bool {
        TRACKED && self.pipe.gate(kind.code()) != DISABLED
    }

    /// Records an event.
    #[inline(always)]
    pub(crate) fn record(
        &self,
        kind: Kind,
        name: Name<'_>,
        a: Value<'_>,
        b: Value<'_>,
        site: &'static Location<'static>,
    ) {
        if !TRACKED {
            return;
        }
        match (plain(&a), plain(&b)) {
            (Some(a), Some(b)) => self.write(kind, name, a, b, site),
            _ => self.record_objects(kind, name, &a, &b, site),
        }
    }

    /// As [`Recorder::record`], for an event whose place in the source no `Location` tells, but maybe a `Place`.
    #[cfg(feature = "tracing")]
    pub(crate) fn record_at(
        &self,
        kind: Kind,
        name: Name<'_>,
        a: Value<'_>,
        b: Value<'_>,
        place: Option<&'static Place>,
    ) {
        if !self.wants(kind) {
            return;
        }
        let (mut a_bytes, mut b_bytes) = ([0; PACKED_LIMIT], [0; PACKED_LIMIT]);
        let a = plain(&a).unwrap_or_else(|| packed(&mut a_bytes, |buf| buf.push(&a)));
        let b = plain(&b).unwrap_or_else(|| packed(&mut b_bytes, |buf| buf.push(&b)));
        let name = match name.0 {
            NameRepr::None => RecordName::None,
            NameRepr::Static(text) => RecordName::Static(text),
            NameRepr::Dynamic(text) => RecordName::Copied(Bytes::of(text, Name::INLINE_LIMIT)),
        };
        self.put_anyhow(&Record { kind: kind.code(), site: place.map(Site::Place), name, ticks: 0, a, b });
    }

    /// Records an event of which its kind says everything.
    pub(crate) fn record_bare(&self, kind: Kind) {
        let (name, a, b) = (RecordName::None, Arg::Nil, Arg::Nil);
        self.put_anyhow(&Record { kind: kind.code(), site: None, name, ticks: 0, a, b });
    }

    /// Whether the calling thread is one that delivers: what it does is not to be recorded, or there were no end of it.
    #[cfg(feature = "tracing")]
    pub(crate) fn is_delivering() -> bool {
        local::is_flusher()
    }

    #[inline(always)]
    fn write(
        &self,
        kind: Kind,
        name: Name<'_>,
        a: Arg<Bytes<'_>>,
        b: Arg<Bytes<'_>>,
        site: &'static Location<'static>,
    ) {
        let name = match name.0 {
            NameRepr::None => RecordName::None,
            NameRepr::Static(text) => RecordName::Static(text),
            NameRepr::Dynamic(text) if text.len() > Name::INLINE_LIMIT => {
                // Copies made here, or else the arguments would be put into memory for every event.
                let arguments = (a, b);
                return self.write_cut(kind, text, &arguments, site);
            }
            NameRepr::Dynamic(text) => RecordName::Copied(Bytes { bytes: text.as_bytes(), cut: false }),
        };
        self.put(kind, name, a, b, site);
    }

    /// Out of line, so that what is to be done about a name too long costs one that is not a single compare.
    #[cold]
    #[inline(never)]
    fn write_cut(
        &self,
        kind: Kind,
        name: &str,
        (a, b): &(Arg<Bytes<'_>>, Arg<Bytes<'_>>),
        site: &'static Location<'static>,
    ) {
        let name = RecordName::Copied(Bytes::of(name, Name::INLINE_LIMIT));
        self.put_anyhow(&Record { kind: kind.code(), site: Some(site.into()), name, ticks: 0, a: *a, b: *b });
    }

    /// Straight on where all is as it mostly is. For anything else there is one way out, which does not come back, and for
    /// which the record is made anew: what two ways shared would be kept in memory instead of registers.
    #[inline(always)]
    fn put(
        &self,
        kind: Kind,
        name: RecordName<Bytes<'_>>,
        a: Arg<Bytes<'_>>,
        b: Arg<Bytes<'_>>,
        site: &'static Location<'static>,
    ) {
        let gate = self.pipe.gate(kind.code());
        if let Some(mut entered) = local::enter_at_once(gate) {
            let ticks = entered.ring().hot_ticks(gate);
            let record = Record { kind: kind.code(), site: Some(site.into()), name, ticks, a, b };
            if record.write_at_once(entered.ring()) {
                return;
            }
        } else if gate == DISABLED {
            return seldom();
        }
        self.put_anyhow(&Record { kind: kind.code(), site: Some(site.into()), name, ticks: 0, a, b });
    }

    /// Gets a ring, makes room, asks another clock: whatever it takes. Counts the event where nothing helps.
    #[cold]
    #[inline(never)]
    fn put_anyhow(&self, record: &Record<Bytes<'_>>) {
        if !self.pipe.wants(record.kind) {
            return;
        }
        if let Some(mut entered) = local::enter(&self.pipe, record.kind == Kind::Error.code()) {
            let ring = entered.ring();
            Record { ticks: ring.ticks(), ..*record }.write(ring);
        }
    }

    /// Serialises first, outside of the recording, so that a `Serialize` that itself records, or panics, does no harm.
    #[inline(never)]
    fn record_objects(
        &self,
        kind: Kind,
        name: Name<'_>,
        a: &Value<'_>,
        b: &Value<'_>,
        site: &'static Location<'static>,
    ) {
        if !self.wants(kind) {
            return;
        }
        let (mut a_bytes, mut b_bytes) = ([0; PACKED_LIMIT], [0; PACKED_LIMIT]);
        let a = plain(a).unwrap_or_else(|| packed(&mut a_bytes, |buf| buf.push(a)));
        let b = plain(b).unwrap_or_else(|| packed(&mut b_bytes, |buf| buf.push(b)));
        self.write(kind, name, a, b, site);
    }

    /// As [`Recorder::record`], with several values for `b`.
    #[inline(always)]
    pub(crate) fn record_parts(
        &self,
        kind: Kind,
        name: Name<'_>,
        a: Value<'_>,
        parts: &[Value<'_>],
        site: &'static Location<'static>,
    ) {
        if TRACKED {
            self.record_list(kind, name, a, parts, site);
        }
    }

    #[inline(never)]
    fn record_list(
        &self,
        kind: Kind,
        name: Name<'_>,
        a: Value<'_>,
        parts: &[Value<'_>],
        site: &'static Location<'static>,
    ) {
        let fill = |buf: &mut PackBuf<'_>| {
            buf.array(parts.len() as u8);
            parts.iter().for_each(|part| buf.push(part));
        };
        self.record_packed(kind, name, a, fill, site);
    }

    /// As [`Recorder::record`], with what `fill` writes for `b`: one value.
    #[inline]
    pub(crate) fn record_packed(
        &self,
        kind: Kind,
        name: Name<'_>,
        a: Value<'_>,
        fill: impl FnOnce(&mut PackBuf<'_>),
        site: &'static Location<'static>,
    ) {
        if !self.wants(kind) {
            return;
        }
        let mut bytes = [0; PACKED_LIMIT];
        let b = packed(&mut bytes, fill);
        if let Some(a) = plain(&a) {
            self.write(kind, name, a, b, site);
        }
    }
}

/// Marks the way it is called on as one that is seldom taken.
#[cold]
#[inline]
fn seldom() {}

/// The room for a packed value, with some for the marks of what is left out.
const PACKED_LIMIT: usize = Value::INLINE_LIMIT + 64;

/// The value as an argument, unless it must be serialised first.
#[inline(always)]
fn plain<'a>(value: &Value<'a>) -> Option<Arg<Bytes<'a>>> {
    Some(match value.0 {
        ValueRepr::Nil => Arg::Nil,
        ValueRepr::Bool(value) => Arg::Bool(value),
        ValueRepr::Int(value) => Arg::Int(value),
        ValueRepr::UInt(value) => Arg::UInt(value),
        ValueRepr::Float(value) => Arg::Float(value),
        ValueRepr::Str(text) => Arg::Str(Bytes::of(text, Value::INLINE_LIMIT)),
        ValueRepr::Map(_) | ValueRepr::Object(_) => return None,
    })
}

fn packed<'a>(bytes: &'a mut [u8], fill: impl FnOnce(&mut PackBuf<'_>)) -> Arg<Bytes<'a>> {
    let mut buf = PackBuf::new(bytes);
    fill(&mut buf);
    let (bytes, cut) = buf.finish();
    Arg::Packed(Bytes { bytes, cut })
}
