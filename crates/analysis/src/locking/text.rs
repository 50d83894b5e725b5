//! Findings about locks as text.

use crate::locking::report::{LockOrder, Place};
use crate::report::{AccessInfo, AccessKind, Finding, FindingKind};
use crate::text::{escape, paragraph, times, write_rows};
use std::fmt;

/// A finding about locks: what stands between its number and the hints.
pub(crate) fn write_lock_finding(f: &mut fmt::Formatter<'_>, number: usize, finding: &Finding) -> fmt::Result {
    let seen = times(finding.count);
    match finding.kind {
        FindingKind::PotentialDeadlock => {
            writeln!(f, "{number}. potential deadlock on {} (seen {seen})", locks_of(finding))?;
        }
        FindingKind::Deadlock => writeln!(f, "{number}. deadlock on {} (it happened)", locks_of(finding))?,
        FindingKind::RecursiveRead => {
            writeln!(f, "{number}. recursive read lock on `{}` (seen {seen})", escape(&finding.variable))?;
        }
        FindingKind::HeldAcrossAwait => {
            writeln!(f, "{number}. lock held across an await: `{}` (seen {seen})", escape(&finding.variable))?;
            let Finding { first, second, .. } = finding;
            let (went_on, place) = match second.kind {
                AccessKind::Suspended => ("awaited", "and did not go on in this record".to_owned()),
                _ => ("went on", place_of(second)),
            };
            let rows = [
                [escape(&first.thread), "took".to_owned(), escape(&finding.variable), place_of(first)],
                [String::new(), went_on.to_owned(), String::new(), place],
            ];
            write_rows(f, &rows)?;
        }
        _ => {
            let variable = escape(&finding.variable);
            writeln!(f, "{number}. possible inconsistent locking of `{variable}` (seen {seen})")?;
        }
    }
    let asks = if finding.kind == FindingKind::Deadlock { "waits for" } else { "asks for" };
    let rows: Vec<[String; 4]> = finding.orders.iter().flat_map(|order| order_rows(order, asks)).collect();
    write_rows(f, &rows)?;
    if let Some(discipline) = &finding.discipline {
        let row = |access: &AccessInfo, locks: &str| {
            [escape(&access.thread), access.kind.verb().to_owned(), locks.to_owned(), place_of(access)]
        };
        let lock = escape(&discipline.lock);
        let rows = [row(&finding.first, &format!("without {lock}")), row(&finding.second, &format!("with {lock}"))];
        write_rows(f, &rows)?;
    }
    paragraph(f, "", &finding.explanation)?;
    let gates = finding.orders.iter().filter(|order| order.asked.locks.len() > 1);
    let gates = gates.map(|order| format!("{} ({})", order.asked.locks.join(", "), order.asked.thread));
    let gates: Vec<String> = gates.collect();
    if !gates.is_empty() {
        paragraph(f, "locks held meanwhile: ", &gates.join("; "))?;
    }
    let without = finding.discipline.iter().flat_map(|discipline| &discipline.without);
    let without: Vec<String> =
        without.map(|(place, count)| format!("{} ({})", place_text(place), times(*count))).collect();
    if without.len() > 1 {
        paragraph(f, "without the lock: ", &without.join(", "))?;
    }
    let told = [("not certain: ", &finding.reserve), ("incomplete: ", &finding.incomplete)];
    told.iter().try_for_each(|(label, text)| text.as_ref().map_or(Ok(()), |text| paragraph(f, label, text)))
}

/// The locks of a circle.
fn locks_of(finding: &Finding) -> String {
    let locks: Vec<String> = finding.orders.iter().map(|order| format!("`{}`", escape(&order.holds))).collect();
    match locks.split_last() {
        Some((last, [])) => last.clone(),
        Some((last, others)) => format!("{} and {last}", others.join(", ")),
        None => String::new(),
    }
}

/// The two acquisitions of a step, one below the other.
fn order_rows(order: &LockOrder, asks: &str) -> [[String; 4]; 2] {
    let held = order.held.as_ref().map_or_else(|| UNKNOWN.to_owned(), place_of);
    let thread = escape(&order.asked.thread);
    [
        [thread, "holds".to_owned(), escape(&order.holds), held],
        [String::new(), asks.to_owned(), escape(&order.asks), place_of(&order.asked)],
    ]
}

const UNKNOWN: &str = "at an unknown place";

fn place_of(access: &AccessInfo) -> String {
    let (file, line, column) = (access.file.clone(), access.line, access.column);
    place_text(&Place { file, line, column })
}

/// A place as `file:line:column`.
pub(super) fn place_text(place: &Place) -> String {
    match (&place.file, place.line, place.column) {
        (Some(file), Some(line), Some(column)) => format!("{}:{line}:{column}", escape(file)),
        _ => UNKNOWN.to_owned(),
    }
}
