//! The rows of tracked atomics, whose records have a form of their own.

use super::native::{int, text, uint};
use crate::operation::{self, Operation, Sort};
use crate::record::{Record, Words};
use trackside_wire::Kind;

/// Writes the row's two values, if the record is one of a tracked atomic. Returns whether it was.
#[inline]
pub(super) fn values(out: &mut Vec<u8>, record: &Record<Words<'_>>) -> bool {
    const FIRST: u8 = Kind::AtomicLoad.code();
    const LAST: u8 = Kind::AtomicUpdate.code();
    matches!(record.kind, FIRST..=LAST) && written(out, record)
}

#[inline(never)]
fn written(out: &mut Vec<u8>, record: &Record<Words<'_>>) -> bool {
    let Some((operation, values)) = Operation::read(&record.a, &record.b) else { return false };
    let Operation { id, number, ordering, sort } = operation;
    uint(out, id);
    // Two values at the most, so the length goes into one byte.
    out.push(0x92 + values.len().min(2) as u8);
    uint(out, number);
    text(out, operation::name(ordering));
    for value in values.iter().take(2) {
        match sort {
            Sort::Unsigned => uint(out, *value),
            Sort::Signed => int(out, value.cast_signed()),
            Sort::Bool => out.push(0xc2 + u8::from(*value != 0)),
        }
    }
    true
}
