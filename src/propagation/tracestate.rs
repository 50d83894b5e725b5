//! The `tracestate` header, which belongs to others and is passed on.

use std::fmt;

/// What other tracing systems sent along, passed on as it came: at most [`TraceState::MAX_BYTES`] of visible ASCII and
/// blanks.
///
/// # Examples
///
/// ```
/// use trackside::propagation::TraceState;
///
/// assert_eq!(TraceState::new("congo=t61rcWkgMzE").unwrap().as_str(), "congo=t61rcWkgMzE");
/// assert_eq!(TraceState::new("a=b\r\nset-cookie: c"), None);
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct TraceState(String);

impl TraceState {
    /// How much of it is kept. From a longer one, members that do not fit are cut off at the end.
    pub const MAX_BYTES: usize = 512;

    /// How many headers are looked at; a list has no more members.
    const MAX_HEADERS: usize = 32;

    /// `None` if it is empty, or contains anything but visible ASCII, blanks and tabs; tabs become blanks.
    pub fn new(text: &str) -> Option<Self> {
        Self::combine([text.as_bytes()])
    }

    /// Of several headers, one list.
    pub(super) fn combine<'a>(values: impl IntoIterator<Item = &'a [u8]>) -> Option<Self> {
        let mut list = String::new();
        for value in values.into_iter().take(Self::MAX_HEADERS).map(<[u8]>::trim_ascii) {
            // What we cannot pass on as a whole may be half of something: none of it is passed on.
            if !value.iter().all(|byte| matches!(byte, b'\t' | b' '..=b'~')) {
                return None;
            }
            if !list.is_empty() && !value.is_empty() {
                list.push(',');
            }
            // One byte more than is kept, to see where a member ends.
            let room = (Self::MAX_BYTES + 1).saturating_sub(list.len()).min(value.len());
            list.extend(value[..room].iter().map(|byte| if *byte == b'\t' { ' ' } else { char::from(*byte) }));
        }
        if list.len() > Self::MAX_BYTES {
            let end = list[..=Self::MAX_BYTES].rfind(',').unwrap_or(0);
            list.truncate(list[..end].trim_ascii_end().len());
        }
        (!list.is_empty()).then_some(Self(list))
    }

    /// The header's value.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for TraceState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(values: &[&str], expect: Option<&str>) {
        let found = TraceState::combine(values.iter().map(|value| value.as_bytes()));
        assert_eq!(found.as_ref().map(TraceState::as_str), expect, "{values:?}");
    }

    #[test]
    fn combined() {
        check(&[], None);
        check(&["", " \t"], None);
        check(&["a=b, c=d"], Some("a=b, c=d"));
        check(&[" a=b,\tc=d\t"], Some("a=b, c=d"));
        check(&["", "a=b", "", "c=d,e=f"], Some("a=b,c=d,e=f"));
    }

    #[test]
    fn what_cannot_be_passed_on() {
        for value in ["a=b\nc", "a=\r", "\0", "a=ü", "a=\u{7f}", "x\u{1b}[0m"] {
            check(&[value], value.trim_ascii().eq("a=").then_some("a="));
            check(&["a=b", value, "c=d"], value.trim_ascii().eq("a=").then_some("a=b,a=,c=d"));
        }
    }

    #[test]
    fn cut_between_members() {
        let member = |len: usize| format!("k={}", "v".repeat(len - 2));
        check(&[&member(512)], Some(&member(512)));
        check(&[&member(513)], None);
        check(&[&member(513), "a=b"], None);
        check(&[&format!("a=b , {}", member(600))], Some("a=b"));
        check(&[&member(511), "a=b"], Some(&member(511)));
        check(&[&member(508), "a=b"], Some(&format!("{},a=b", member(508))));
        check(&[&member(509), "a=b"], Some(&member(509)));
        check(&[&member(512), "a=b"], Some(&member(512)));
        check(&["a=b", &member(600), "c=d"], Some("a=b"));
        check(&[&member(400), &member(400), "x\n!"], None);
        check(&vec!["a=b"; 100], Some(&["a=b"; 32].join(",")));
        check(&vec![&member(101)[..]; 32], Some(&[&member(101)[..]; 5].join(",")));
    }
}
