//! What is under way on a strand.

/// What a span is of: its end says the same.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum SpanOf {
    /// A lock, and the number of the acquisition if it has one.
    Lock(Vec<u8>, Option<u64>),
    Call(String),
    Request,
    Query,
}

/// A span that has begun.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Open {
    pub(super) of: SpanOf,
    pub(super) name: String,
    pub(super) start_ns: u64,
    pub(super) args: serde_json::Value,
}

/// The spans that are under way on one strand, the innermost last.
#[derive(Debug, Default)]
pub(super) struct Spans {
    open: Vec<Open>,
}

impl Spans {
    /// A strand in which more is under way is one whose ends are not recorded.
    const MOST: usize = 1024;

    pub(super) fn begin(&mut self, open: Open) {
        if self.open.len() < Self::MOST {
            self.open.push(open);
        }
    }

    /// The innermost span that this ends, and whether it was the innermost of all.
    pub(super) fn end(&mut self, of: &SpanOf) -> Option<(Open, bool)> {
        let at = self.open.iter().rposition(|open| open.of == *of)?;
        let is_innermost = at + 1 == self.open.len();
        Some((self.open.remove(at), is_innermost))
    }

    /// What is under way at the end, the innermost first.
    pub(super) fn unfinished(self) -> impl Iterator<Item = Open> {
        self.open.into_iter().rev()
    }
}

impl SpanOf {
    pub(super) fn cat(&self) -> &'static str {
        match self {
            SpanOf::Lock(..) => "lock",
            SpanOf::Call(_) => "call",
            SpanOf::Request => "request",
            SpanOf::Query => "query",
        }
    }
}
