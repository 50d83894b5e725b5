//! What the stock Raceway server takes for an event, as strict as it is: written from its wire format alone, without a
//! look at what we send. One bad event refuses the whole body.

use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;

/// The body of a request. Unknown members are ignored, here and everywhere.
#[derive(Debug, Deserialize)]
struct Body {
    events: Vec<Event>,
}

/// An event as the server keeps and shows it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Event {
    #[serde(deserialize_with = "uuid")]
    pub(crate) id: String,
    #[serde(deserialize_with = "uuid")]
    pub(crate) trace_id: String,
    #[serde(default, deserialize_with = "optional_uuid")]
    pub(crate) parent_id: Option<String>,
    #[serde(deserialize_with = "timestamp")]
    pub(crate) timestamp: String,
    pub(crate) kind: Kind,
    pub(crate) metadata: Metadata,
    pub(crate) causality_vector: Vec<(String, u64)>,
    pub(crate) lock_set: Vec<String>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Metadata {
    pub(crate) thread_id: String,
    pub(crate) process_id: u32,
    pub(crate) service_name: String,
    pub(crate) environment: String,
    pub(crate) tags: BTreeMap<String, String>,
    pub(crate) duration_ns: Option<u64>,
    pub(crate) instance_id: Option<String>,
    pub(crate) distributed_span_id: Option<String>,
    pub(crate) upstream_span_id: Option<String>,
}

/// An object with exactly one member, the variant's name.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) enum Kind {
    FunctionCall {
        function_name: String,
        module: String,
        args: Value,
        file: String,
        line: u32,
    },
    AsyncSpawn {
        #[serde(deserialize_with = "uuid")]
        task_id: String,
        spawned_by: String,
    },
    AsyncAwait {
        #[serde(deserialize_with = "uuid")]
        future_id: String,
        awaited_at: String,
    },
    StateChange {
        variable: String,
        old_value: Option<Value>,
        new_value: Value,
        location: String,
        access_type: AccessType,
    },
    LockAcquire {
        lock_id: String,
        lock_type: String,
        location: String,
    },
    LockRelease {
        lock_id: String,
        lock_type: String,
        location: String,
    },
    MemoryFence {
        ordering: Ordering,
        location: String,
    },
    HttpRequest {
        method: String,
        url: String,
        headers: BTreeMap<String, String>,
        body: Option<Value>,
    },
    HttpResponse {
        status: u16,
        headers: BTreeMap<String, String>,
        body: Option<Value>,
        duration_ms: u64,
    },
    DatabaseQuery {
        query: String,
        database: String,
        duration_ms: u64,
    },
    DatabaseResult {
        rows_affected: u64,
    },
    Error {
        error_type: String,
        message: String,
        stack_trace: Vec<String>,
    },
    Custom {
        name: String,
        data: Value,
    },
}

#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub(crate) enum AccessType {
    Read,
    Write,
    AtomicRead,
    AtomicWrite,
    #[serde(rename = "AtomicRMW")]
    AtomicRmw,
}

#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub(crate) enum Ordering {
    Relaxed,
    Acquire,
    Release,
    AcqRel,
    SeqCst,
}

/// Reads a body; or says with which status and text it is refused.
pub(crate) fn read(body: &[u8]) -> Result<Vec<Event>, (u16, String)> {
    let mut json = serde_json::Deserializer::from_slice(body);
    let bad = |error: &serde_json::Error, path: &str| match error.classify() {
        serde_json::error::Category::Data => {
            (422, format!("Failed to deserialize the JSON body into the target type: {path}: {error}"))
        }
        _ => (400, format!("Failed to parse the request body as JSON: {path}: {error}")),
    };
    let body: Body =
        serde_path_to_error::deserialize(&mut json).map_err(|error| bad(error.inner(), &error.path().to_string()))?;
    json.end().map_err(|error| bad(&error, "."))?;
    Ok(body.events)
}

fn uuid<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    let text = String::deserialize(deserializer)?;
    if is_uuid(&text) { Ok(text) } else { Err(D::Error::custom(format!("UUID parsing failed: {text:?}"))) }
}

fn optional_uuid<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    match Option::<String>::deserialize(deserializer)? {
        Some(text) if !is_uuid(&text) => Err(D::Error::custom(format!("UUID parsing failed: {text:?}"))),
        other => Ok(other),
    }
}

/// The hyphenated form only: the server takes others, but that is the one to send.
fn is_uuid(text: &str) -> bool {
    let groups: Vec<&str> = text.split('-').collect();
    let hex = |group: &&str| group.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    groups.iter().map(|group| group.len()).eq([8, 4, 4, 4, 12]) && groups.iter().all(hex)
}

fn timestamp<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    let text = String::deserialize(deserializer)?;
    if is_rfc_3339(&text) { Ok(text) } else { Err(D::Error::custom(format!("no date and time with a zone: {text:?}"))) }
}

/// RFC 3339, section 5.6, with a zone and up to nine digits of a second's fraction.
fn is_rfc_3339(text: &str) -> bool {
    let bytes = text.as_bytes();
    let digits = |bytes: &[u8]| !bytes.is_empty() && bytes.iter().all(u8::is_ascii_digit);
    let within = |text: &str, low: u32, high: u32| {
        digits(text.as_bytes()) && text.parse::<u32>().is_ok_and(|number| (low..=high).contains(&number))
    };
    if !text.is_ascii() || text.len() < 20 {
        return false;
    }
    let (date, time) = (&text[..10], &text[11..19]);
    let month = date[5..7].parse().unwrap_or(0);
    let leap = date[..4].parse::<u32>().is_ok_and(|year| (year % 4 == 0 && year % 100 != 0) || year % 400 == 0);
    let days = match month {
        2 => 28 + u32::from(leap),
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    };
    let date_is_good = digits(&bytes[..4])
        && (bytes[4], bytes[7]) == (b'-', b'-')
        && within(&date[5..7], 1, 12)
        && within(&date[8..], 1, days);
    let time_is_good = matches!(bytes[10], b'T' | b't' | b' ')
        && (bytes[13], bytes[16]) == (b':', b':')
        && within(&time[..2], 0, 23)
        && within(&time[3..5], 0, 59)
        && within(&time[6..], 0, 60);
    let mut zone = &text[19..];
    if let Some(rest) = zone.strip_prefix('.') {
        let fraction = rest.bytes().take_while(u8::is_ascii_digit).count();
        if !(1..=9).contains(&fraction) {
            return false;
        }
        zone = &rest[fraction..];
    }
    let offset = |zone: &str| {
        zone.len() == 6
            && matches!(zone.as_bytes()[0], b'+' | b'-')
            && zone.as_bytes()[3] == b':'
            && within(&zone[1..3], 0, 23)
            && within(&zone[4..], 0, 59)
    };
    date_is_good && time_is_good && (zone.eq_ignore_ascii_case("z") || offset(zone))
}
