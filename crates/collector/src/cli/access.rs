//! One side of a finding, in words.

use trackside_analysis::{AccessInfo, AccessKind};

/// What a strand did, in a line: names and values are as they are.
pub(super) fn step(access: &AccessInfo) -> String {
    let (values, held) = (values(access), held(access));
    let values = if values.is_empty() { values } else { format!(" {values}") };
    format!("{} {}{values} (holds {held})", access.thread, verb(access.kind))
}

/// The value before and after, as far as they are known.
pub(super) fn values(access: &AccessInfo) -> String {
    match (&access.old, &access.new) {
        (Some(old), Some(new)) => format!("{old} -> {new}"),
        (None, Some(new)) => new.clone(),
        (Some(old), None) => format!("{old} -> ?"),
        (None, None) => String::new(),
    }
}

/// The locks that it holds.
pub(super) fn held(access: &AccessInfo) -> String {
    if access.locks.is_empty() { "no lock".to_owned() } else { access.locks.join(", ") }
}

/// Where it is, as `file:line:column`.
pub(super) fn place(file: Option<&str>, line: Option<u32>, column: Option<u32>) -> String {
    match (file, line, column) {
        (Some(file), Some(line), Some(column)) => format!("{file}:{line}:{column}"),
        (Some(file), Some(line), None) => format!("{file}:{line}"),
        (Some(file), ..) => file.to_owned(),
        _ => "at an unknown place".to_owned(),
    }
}

pub(super) fn verb(kind: AccessKind) -> &'static str {
    match kind {
        AccessKind::Read => "read",
        AccessKind::Write => "wrote",
        AccessKind::AtomicRead => "loaded",
        AccessKind::AtomicWrite => "stored",
        AccessKind::AtomicRmw => "updated",
        AccessKind::Acquire => "took the lock",
        AccessKind::AcquireShared => "took the lock to share it",
        AccessKind::Waiting => "waited for the lock",
        AccessKind::Suspended => "awaited",
        _ => "went on",
    }
}
