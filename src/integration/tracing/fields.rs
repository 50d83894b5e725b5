//! The fields of spans and events: kept with their types, and within bounds whatever they hold.

use crate::value::Value;
use serde::ser::{Serialize, SerializeMap, Serializer};
use std::error::Error;
use std::fmt::{self, Write};
use tracing_core::Event;
use tracing_core::field::{Field, Visit};

/// How many bytes all fields of one span or event may take together, so that they fit into one value: the mark of what
/// was left out, and the head of the map, have to fit as well.
const ROOM: usize = Value::INLINE_LIMIT - 32;
/// What a field takes at most beside its name and its text.
const OVERHEAD: usize = 12;
/// What stands for the fields that there was no room for.
const LEFT_OUT: &str = "…";

/// The value of a field, copied.
#[derive(Debug, Clone)]
pub(super) enum Owned {
    Bool(bool),
    Int(i64),
    UInt(u64),
    Float(f64),
    Text(String),
}

impl Owned {
    /// As it is recorded.
    pub(super) fn value(&self) -> Value<'_> {
        match self {
            Self::Bool(value) => (*value).into(),
            Self::Int(value) => (*value).into(),
            Self::UInt(value) => (*value).into(),
            Self::Float(value) => (*value).into(),
            Self::Text(text) => text.into(),
        }
    }

    /// As text, whatever it is.
    pub(super) fn to_text(&self) -> String {
        match self {
            Self::Bool(value) => value.to_string(),
            Self::Int(value) => value.to_string(),
            Self::UInt(value) => value.to_string(),
            Self::Float(value) => value.to_string(),
            Self::Text(text) => text.clone(),
        }
    }

    /// The text that it is, if it is one.
    pub(super) fn text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }
}

impl Serialize for Owned {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Bool(value) => serializer.serialize_bool(*value),
            Self::Int(value) => serializer.serialize_i64(*value),
            Self::UInt(value) => serializer.serialize_u64(*value),
            Self::Float(value) => serializer.serialize_f64(*value),
            Self::Text(text) => serializer.serialize_str(text),
        }
    }
}

/// A map of fields. Serialises as one, within [`Value::INLINE_LIMIT`].
#[derive(Debug, Default)]
pub(super) struct Fields {
    list: Vec<(&'static str, Owned)>,
    taken: usize,
    left_out: bool,
}

impl Fields {
    pub(super) fn is_empty(&self) -> bool {
        self.list.is_empty() && !self.left_out
    }

    fn push(&mut self, name: &'static str, value: impl FnOnce(usize) -> Owned) {
        let room = ROOM.saturating_sub(self.taken + name.len() + OVERHEAD);
        if room == 0 {
            self.left_out = true;
            return;
        }
        let value = value(room);
        self.taken += name.len() + OVERHEAD + value.text().map_or(0, str::len);
        self.list.push((name, value));
    }
}

impl Serialize for Fields {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.list.len() + usize::from(self.left_out)))?;
        for (name, value) in &self.list {
            map.serialize_entry(name, value)?;
        }
        if self.left_out {
            map.serialize_entry(LEFT_OUT, &true)?;
        }
        map.end()
    }
}

macro_rules! visit {
    ($put:ident) => {
        fn record_bool(&mut self, field: &Field, value: bool) {
            self.$put(field, |_| Owned::Bool(value));
        }
        fn record_i64(&mut self, field: &Field, value: i64) {
            self.$put(field, |_| Owned::Int(value));
        }
        fn record_u64(&mut self, field: &Field, value: u64) {
            self.$put(field, |_| Owned::UInt(value));
        }
        fn record_f64(&mut self, field: &Field, value: f64) {
            self.$put(field, |_| Owned::Float(value));
        }
        fn record_str(&mut self, field: &Field, value: &str) {
            self.$put(field, |room| Owned::Text(bounded(&value, room)));
        }
        fn record_error(&mut self, field: &Field, value: &(dyn Error + 'static)) {
            self.$put(field, |room| Owned::Text(bounded(&value, room)));
        }
        fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
            self.$put(field, |room| Owned::Text(bounded(&format_args!("{value:?}"), room)));
        }
    };
}

/// The fields of a span, but for the mark that is meant for us.
#[derive(Debug, Default)]
pub(super) struct OfSpan {
    pub(super) fields: Fields,
    /// What `trackside.context` says.
    pub(super) context: Option<bool>,
}

impl OfSpan {
    pub(super) fn new(fields: Fields) -> Self {
        Self { fields, context: None }
    }

    fn put(&mut self, field: &Field, value: impl FnOnce(usize) -> Owned) {
        if field.name() != "trackside.context" {
            self.fields.push(field.name(), value);
        } else if let Owned::Bool(context) = value(ROOM) {
            self.context = Some(context);
        }
    }
}

impl Visit for OfSpan {
    visit!(put);
}

/// The fields of an event, those apart that have a meaning here.
#[derive(Debug, Default)]
pub(super) struct OfEvent {
    pub(super) message: Option<Owned>,
    pub(super) error: Option<Owned>,
    pub(super) variable: Option<Owned>,
    pub(super) access: Option<Owned>,
    pub(super) old: Option<Owned>,
    pub(super) new: Option<Owned>,
    /// What the event's target was, where it came through the `log` crate.
    pub(super) log_target: Option<Owned>,
}

impl OfEvent {
    pub(super) fn of(event: &Event<'_>) -> Self {
        let mut fields = Self::default();
        event.record(&mut fields);
        fields
    }

    fn put(&mut self, field: &Field, value: impl FnOnce(usize) -> Owned) {
        let place = match field.name() {
            "message" => &mut self.message,
            "error" | "err" => &mut self.error,
            "variable" => &mut self.variable,
            "access" => &mut self.access,
            "old" => &mut self.old,
            "new" => &mut self.new,
            "log.target" => &mut self.log_target,
            _ => return,
        };
        // One more than fits, so that it is seen to be cut when it is recorded.
        *place = Some(value(Value::INLINE_LIMIT + 1));
    }
}

impl Visit for OfEvent {
    visit!(put);
}

/// The text of `value`, of at most `room` bytes; what does not fit is not even written.
pub(super) fn bounded(value: &dyn fmt::Display, room: usize) -> String {
    let mut text = Bounded { text: String::new(), room };
    // An error says that the room is used up, or that the value cannot say what it is: either way, this is its text.
    let _ = write!(text, "{value}");
    text.text
}

struct Bounded {
    text: String,
    room: usize,
}

impl Write for Bounded {
    fn write_str(&mut self, part: &str) -> fmt::Result {
        let left = self.room - self.text.len();
        let fits = (0..=left.min(part.len())).rev().find(|at| part.is_char_boundary(*at)).unwrap_or(0);
        self.text.push_str(&part[..fits]);
        if fits == part.len() { Ok(()) } else { Err(fmt::Error) }
    }
}
