//! The `raceway-clock` header: `v1;` and a JSON object in base64, of the alphabet for URLs and without padding.
//!
//! ```json
//! {"trace_id": "<UUID>", "span_id": "<16 digits>", "parent_span_id": "<16 digits>", "service": "shop",
//!  "instance": "shop-1", "clock": [["shop#shop-1", 5]]}
//! ```
//!
//! It is read as a stream into a bounded clock. Members that are not known are skipped, those of another type than
//! expected count as absent, so that one odd member does not cost the rest.

use super::id::{SpanId, TraceId};
use super::instance::Instance;
use super::lenient::{Expect, Lenient};
use super::vector_clock::VectorClock;
use base64::Engine;
use base64::alphabet::{STANDARD, URL_SAFE};
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use serde::de::{IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt::{self, Display};
use std::io;

/// The longest `raceway-clock` that is written; components that do not fit are left out of it.
pub const MAX_CLOCK_BYTES: usize = 4 << 10;

const PREFIX: &str = "v1;";

/// As much JSON as fits into [`MAX_CLOCK_BYTES`].
const MAX_JSON: usize = (MAX_CLOCK_BYTES - PREFIX.len()) / 4 * 3;

/// Some SDKs of others pad.
const CONFIG: GeneralPurposeConfig =
    GeneralPurposeConfig::new().with_encode_padding(false).with_decode_padding_mode(DecodePaddingMode::Indifferent);
const URL: GeneralPurpose = GeneralPurpose::new(&URL_SAFE, CONFIG);
const PLAIN: GeneralPurpose = GeneralPurpose::new(&STANDARD, CONFIG);

/// What a received header says.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Payload {
    pub(super) trace: Option<TraceId>,
    pub(super) span: Option<SpanId>,
    pub(super) upstream: Option<SpanId>,
    pub(super) clock: VectorClock,
}

impl Payload {
    /// `None` if it is not an object in base64 of version 1. The caller bounds the value's length.
    pub(super) fn parse(value: &[u8]) -> Option<Self> {
        let text = value.strip_prefix(PREFIX.as_bytes())?.trim_ascii_end();
        let plain = text.iter().any(|byte| matches!(byte, b'+' | b'/'));
        let json = if plain { PLAIN.decode(text) } else { URL.decode(text) };
        serde_json::from_slice(&json.ok()?).ok()
    }
}

#[derive(Deserialize)]
#[serde(field_identifier, rename_all = "snake_case")]
enum Member {
    TraceId,
    SpanId,
    ParentSpanId,
    Clock,
    #[serde(other)]
    Other,
}

impl<'de> Deserialize<'de> for Payload {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Members;

        impl<'de> Visitor<'de> for Members {
            type Value = Payload;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Payload, A::Error> {
                let mut payload = Payload::default();
                while let Some(member) = map.next_key()? {
                    match member {
                        Member::TraceId => payload.trace = next(&mut map)?.or(payload.trace),
                        Member::SpanId => payload.span = next(&mut map)?.or(payload.span),
                        Member::ParentSpanId => payload.upstream = next(&mut map)?.or(payload.upstream),
                        // Of two clocks, neither is allowed to hide what the other one knows.
                        Member::Clock => payload.clock.merge(&next(&mut map)?.unwrap_or_default()),
                        Member::Other => drop(map.next_value::<IgnoredAny>()?),
                    }
                }
                Ok(payload)
            }
        }
        deserializer.deserialize_map(Members)
    }
}

fn next<'de, A: MapAccess<'de>, T: Expect>(map: &mut A) -> Result<Option<T>, A::Error> {
    map.next_value().map(|Lenient(value)| value)
}

impl Expect for TraceId {
    fn text(text: &str) -> Option<Self> {
        text.parse().ok()
    }
}

impl Expect for SpanId {
    fn text(text: &str) -> Option<Self> {
        text.parse().ok()
    }
}

/// A list of entries; what is none is skipped.
impl Expect for VectorClock {
    fn list<'de, A: SeqAccess<'de>>(list: &mut A) -> Result<Option<Self>, A::Error> {
        let mut clock = Self::new();
        while let Some(Lenient(entry)) = list.next_element()? {
            if let Some(Entry { component, count }) = entry {
                clock.observe(&component, count);
            }
        }
        Ok(Some(clock))
    }
}

/// A list of just two: component and count.
struct Entry {
    component: String,
    count: u64,
}

impl Expect for Entry {
    fn list<'de, A: SeqAccess<'de>>(list: &mut A) -> Result<Option<Self>, A::Error> {
        let component = list.next_element::<Lenient<String>>()?.and_then(|Lenient(component)| component);
        let count = list.next_element::<Lenient<u64>>()?.and_then(|Lenient(count)| count);
        let more = list.next_element::<IgnoredAny>()?.is_some();
        Ok(component.zip(count).filter(|_| !more).map(|(component, count)| Entry { component, count }))
    }
}

/// What is written. The clock's components are in the order of their arrival.
#[derive(Serialize)]
struct Written<'a> {
    trace_id: Text<TraceId>,
    span_id: Text<SpanId>,
    parent_span_id: Text<SpanId>,
    service: &'a str,
    instance: &'a str,
    clock: Vec<(&'a str, u64)>,
}

/// Serialises as it is shown.
struct Text<T>(T);

impl<T: Display> Serialize for Text<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}

/// The header for a call, and how many components of the clock it leaves out.
///
/// Our own component is always in it; of the others, as many as there is room for, in the order of their arrival, and
/// one less than a clock can hold, so that the receiver takes them all.
pub(super) fn write(
    trace: TraceId,
    [span, child]: [SpanId; 2],
    instance: &Instance,
    clock: &VectorClock,
) -> (String, usize) {
    let mut written = Written {
        trace_id: Text(trace),
        span_id: Text(child),
        parent_span_id: Text(span),
        service: instance.service(),
        instance: instance.name(),
        clock: Vec::new(),
    };
    let is_own = |entry: &(&str, u64)| entry.0 == instance.component();
    let own = clock.iter().find(is_own);
    // The names in an Instance are bounded, so that these two take less than a half.
    let mut bytes = MAX_JSON.saturating_sub(json_len(&written) + own.as_ref().map_or(0, json_len));
    let mut places = VectorClock::MAX_COMPONENTS - 1 - usize::from(own.is_some());
    written.clock.extend(clock.iter().filter(|entry| {
        // With the comma before it.
        let len = 1 + json_len(entry);
        let fits = is_own(entry) || (places > 0 && len <= bytes);
        if fits && !is_own(entry) {
            places -= 1;
            bytes -= len;
        }
        fits
    }));
    let left_out = clock.len() - written.clock.len();
    // Writing text and numbers into memory does not fail.
    let json = serde_json::to_vec(&written).unwrap_or_default();
    let mut header = String::from(PREFIX);
    URL.encode_string(json, &mut header);
    (header, left_out)
}

fn json_len(value: &impl Serialize) -> usize {
    struct Count(usize);

    impl io::Write for Count {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0 += bytes.len();
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    let mut count = Count(0);
    // Neither counting nor serialising text fails; if it did, there would be no room for the value.
    serde_json::to_writer(&mut count, value).map_or(MAX_JSON, |()| count.0)
}
