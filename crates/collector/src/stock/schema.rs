//! The body of a stock `POST /events`: as the stock server takes it, and a little more.
//!
//! Unknown members are ignored, everywhere. More than the stock server takes, since the stock SDKs send it: a kind
//! `FunctionReturn`; tasks whose ids are no UUIDs; a `stack_trace` that is null; durations with a fraction; a change without
//! its new value. One event that is not one refuses the whole body.

use super::text::{Text, Timestamp, Uuid};
use super::value::Packed;
use serde::Deserialize;
use serde::de::{self, Deserializer, MapAccess, SeqAccess, Visitor};
use std::fmt;
use std::marker::PhantomData;

/// How many elements are kept of a list that has no business being longer.
const LIST_MAX: usize = 64;

/// The events of a body.
#[derive(Debug, Deserialize)]
pub(crate) struct Posted<'a> {
    #[serde(borrow)]
    pub(super) events: Vec<Event<'a>>,
}

impl<'a> Posted<'a> {
    /// Reads a body. If it is not one, the text says where: `events[3].metadata.thread_id: ...`.
    pub(crate) fn read(body: &'a [u8]) -> Result<Self, String> {
        let mut json = serde_json::Deserializer::from_slice(body);
        let posted: Self = serde_path_to_error::deserialize(&mut json).map_err(|error| {
            let what = match error.inner().classify() {
                serde_json::error::Category::Data => "Failed to deserialize the JSON body into the target type",
                _ => "Failed to parse the request body as JSON",
            };
            format!("{what}: {}: {}", error.path(), error.inner())
        })?;
        json.end().map_err(|error| format!("Failed to parse the request body as JSON: {error}"))?;
        Ok(posted)
    }

    /// How many there are.
    pub(crate) fn len(&self) -> usize {
        self.events.len()
    }
}

#[derive(Debug, Deserialize)]
pub(crate) struct Event<'a> {
    pub(super) id: Uuid,
    pub(super) trace_id: Uuid,
    #[serde(default)]
    pub(super) parent_id: Option<Uuid>,
    pub(super) timestamp: Timestamp,
    #[serde(borrow)]
    pub(super) kind: KindOf<'a>,
    #[serde(borrow)]
    pub(super) metadata: Metadata<'a>,
    #[serde(borrow)]
    pub(super) causality_vector: List<(Text<'a>, u64)>,
    #[serde(borrow)]
    pub(super) lock_set: List<Text<'a>>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Metadata<'a> {
    #[serde(borrow)]
    pub(super) thread_id: Text<'a>,
    pub(super) process_id: u32,
    #[serde(borrow)]
    pub(super) service_name: Text<'a>,
    #[serde(borrow)]
    pub(super) environment: Text<'a>,
    #[serde(borrow)]
    pub(super) tags: Pairs<'a>,
    #[serde(default)]
    pub(super) duration_ns: Option<Whole>,
    #[serde(default, borrow)]
    pub(super) instance_id: Option<Text<'a>>,
    #[serde(default, borrow)]
    pub(super) distributed_span_id: Option<Text<'a>>,
    #[serde(default, borrow)]
    pub(super) upstream_span_id: Option<Text<'a>>,
}

/// An object with exactly one member, the variant's name.
#[derive(Debug, Deserialize)]
pub(super) enum KindOf<'a> {
    FunctionCall {
        #[serde(borrow)]
        function_name: Text<'a>,
        #[serde(borrow)]
        module: Text<'a>,
        args: Packed,
        #[serde(borrow)]
        file: Text<'a>,
        line: u32,
    },
    FunctionReturn {
        #[serde(borrow)]
        function_name: Text<'a>,
        #[serde(default)]
        return_value: Packed,
        #[serde(default, borrow)]
        file: Text<'a>,
        #[serde(default)]
        line: u32,
    },
    AsyncSpawn {
        #[serde(borrow)]
        task_id: Text<'a>,
        #[serde(default, borrow)]
        task_name: Text<'a>,
        #[serde(default, borrow, alias = "spawned_at", alias = "location")]
        spawned_by: Text<'a>,
    },
    AsyncAwait {
        #[serde(borrow)]
        future_id: Text<'a>,
        #[serde(default, borrow, alias = "location")]
        awaited_at: Text<'a>,
    },
    StateChange {
        #[serde(borrow)]
        variable: Text<'a>,
        #[serde(default)]
        old_value: Packed,
        #[serde(default)]
        new_value: Packed,
        #[serde(borrow)]
        location: Text<'a>,
        access_type: AccessType,
    },
    LockAcquire {
        #[serde(borrow)]
        lock_id: Text<'a>,
        #[serde(borrow)]
        lock_type: Text<'a>,
        #[serde(borrow)]
        location: Text<'a>,
    },
    LockRelease {
        #[serde(borrow)]
        lock_id: Text<'a>,
        #[serde(borrow)]
        lock_type: Text<'a>,
        #[serde(borrow)]
        location: Text<'a>,
    },
    MemoryFence {
        ordering: Ordering,
        #[serde(borrow)]
        location: Text<'a>,
    },
    HttpRequest {
        #[serde(borrow)]
        method: Text<'a>,
        #[serde(borrow)]
        url: Text<'a>,
        #[serde(borrow)]
        headers: Pairs<'a>,
        #[serde(default)]
        body: Packed,
    },
    HttpResponse {
        status: u16,
        #[serde(borrow)]
        headers: Pairs<'a>,
        #[serde(default)]
        body: Packed,
        duration_ms: Whole,
    },
    DatabaseQuery {
        #[serde(borrow)]
        query: Text<'a>,
        #[serde(borrow)]
        database: Text<'a>,
        duration_ms: Whole,
    },
    DatabaseResult {
        rows_affected: u64,
    },
    Error {
        #[serde(borrow)]
        error_type: Text<'a>,
        #[serde(borrow)]
        message: Text<'a>,
        #[serde(borrow)]
        stack_trace: Option<List<Text<'a>>>,
    },
    Custom {
        #[serde(borrow)]
        name: Text<'a>,
        data: Packed,
    },
}

#[derive(Debug, Clone, Copy, Deserialize)]
pub(super) enum AccessType {
    Read,
    Write,
    AtomicRead,
    AtomicWrite,
    #[serde(rename = "AtomicRMW")]
    AtomicRmw,
}

#[derive(Debug, Clone, Copy, Deserialize)]
pub(super) enum Ordering {
    Relaxed,
    Acquire,
    Release,
    AcqRel,
    SeqCst,
}

/// A list of which no more than the first elements are kept; all have to be right.
#[derive(Debug)]
pub(super) struct List<T>(pub(super) Vec<T>);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for List<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Some<T>(PhantomData<T>);
        impl<'de, T: Deserialize<'de>> Visitor<'de> for Some<T> {
            type Value = List<T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an array")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
                let mut list = Vec::new();
                while let Option::Some(element) = seq.next_element()? {
                    if list.len() < LIST_MAX {
                        list.push(element);
                    }
                }
                Ok(List(list))
            }
        }
        deserializer.deserialize_seq(Some(PhantomData))
    }
}

/// An object of strings, of which no more than the first members are kept.
#[derive(Debug, Default)]
pub(super) struct Pairs<'a>(pub(super) Vec<(Text<'a>, Text<'a>)>);

impl<'de: 'a, 'a> Deserialize<'de> for Pairs<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Some;
        impl<'de> Visitor<'de> for Some {
            type Value = Pairs<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object of strings")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut pairs = Vec::new();
                while let Option::Some(pair) = map.next_entry()? {
                    if pairs.len() < LIST_MAX {
                        pairs.push(pair);
                    }
                }
                Ok(Pairs(pairs))
            }
        }
        deserializer.deserialize_map(Some)
    }
}

/// A number of milliseconds or nanoseconds, rounded if it has a fraction.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Whole(pub(super) u64);

impl<'de> Deserialize<'de> for Whole {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Number;
        impl Visitor<'_> for Number {
            type Value = Whole;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a number that is not negative")
            }

            fn visit_u64<E: de::Error>(self, value: u64) -> Result<Whole, E> {
                Ok(Whole(value))
            }

            fn visit_f64<E: de::Error>(self, value: f64) -> Result<Whole, E> {
                let unexpected = de::Unexpected::Float(value);
                // A cast of a number that is too large gives the largest.
                if value >= 0.0 { Ok(Whole(value.round() as u64)) } else { Err(E::invalid_value(unexpected, &self)) }
            }
        }
        deserializer.deserialize_u64(Number)
    }
}
