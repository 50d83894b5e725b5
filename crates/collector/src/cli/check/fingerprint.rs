//! What a finding is known by, from one run to the next.

use crate::cli::kinds::text_of;
use trackside_analysis::{AccessInfo, Finding};

/// What a finding is known by: its kind, its variable, and for both sides the file and what is done there, whichever of them
/// comes first. Not lines, which any edit above them moves: findings that differ in nothing else have one fingerprint, and
/// are told apart by their number (see `baseline`). Not functions, which the record does not have. Not threads, values,
/// counts or confidence, which are of one run.
///
/// Ids behind the names of locks are of one run too, and are left out.
pub(crate) fn fingerprint(finding: &Finding) -> String {
    let mut sides = [side(&finding.first), side(&finding.second)];
    sides.sort_unstable();
    let steps = finding.orders.len().to_string();
    let (variable, kind) = (without_ids(&finding.variable), text_of(finding.kind).id);
    let mut hash = FNV_OFFSET;
    for part in [kind, &variable, &sides[0].0, &sides[0].1, &sides[1].0, &sides[1].1, &steps] {
        // The length first, so that no two lists of parts are the same bytes.
        let bytes = (part.len() as u64).to_le_bytes().into_iter().chain(part.bytes());
        hash = bytes.fold(hash, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(FNV_PRIME));
    }
    format!("{hash:016x}")
}

/// Fowler, Noll and Vo's hash 1a: it has to be the same in each version of the program, not hard to collide with.
const FNV_OFFSET: u64 = 0xcbf2_9ce4_8422_2325;
const FNV_PRIME: u64 = 0x0100_0000_01b3;

fn side(access: &AccessInfo) -> (String, String) {
    (access.file.clone().unwrap_or_default().replace('\\', "/"), format!("{:?}", access.kind))
}

/// A name without what a report adds where several locks have it: ` (17)`.
fn without_ids(name: &str) -> String {
    let (mut kept, mut rest) = (String::new(), name);
    while let Some((before, after)) = rest.split_once(" (") {
        kept.push_str(before);
        rest = match after.split_once(')') {
            Some((id, behind)) if !id.is_empty() && id.bytes().all(|byte| byte.is_ascii_digit()) => behind,
            _ => {
                kept.push_str(" (");
                after
            }
        };
    }
    kept + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_of_locks_are_left_out() {
        let check = |name: &str, expected: &str| assert_eq!(without_ids(name), expected);
        check("row (17)", "row");
        check("row (17), row (18)", "row, row");
        check("row (left)", "row (left)");
        check("row ()", "row ()");
        check("row (17", "row (17");
        check("row", "row");
    }
}
