//! Findings about locks as text, and the section on contention.

use crate::locking::report::{LockOrder, LockReport, Place, Times};
use crate::report::{AccessInfo, Finding, FindingKind, Summary};
use crate::text::{escape, paragraph, plural, times, write_rows};
use std::fmt;

/// How many locks, and how many waiters of each, the text tells; the rest is in the report's data.
const LOCKS_SHOWN: usize = 8;
const WAITERS_SHOWN: usize = 3;

/// The heights of a histogram's bars.
const BARS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];

/// A finding about locks: what stands between its number and the hints.
pub(crate) fn write_lock_finding(f: &mut fmt::Formatter<'_>, number: usize, finding: &Finding) -> fmt::Result {
    let seen = times(finding.count);
    match finding.kind {
        FindingKind::PotentialDeadlock => {
            let locks: Vec<String> = finding.orders.iter().map(|order| format!("`{}`", escape(&order.holds))).collect();
            let (last, others) = locks.split_last().map_or(("", &[][..]), |(last, others)| (last.as_str(), others));
            writeln!(f, "{number}. potential deadlock on {} and {last} (seen {seen})", others.join(", "))?;
        }
        FindingKind::RecursiveRead => {
            writeln!(f, "{number}. recursive read lock on `{}` (seen {seen})", escape(&finding.variable))?;
        }
        _ => {
            let variable = escape(&finding.variable);
            writeln!(f, "{number}. possible inconsistent locking of `{variable}` (seen {seen})")?;
        }
    }
    let rows: Vec<[String; 4]> = finding.orders.iter().flat_map(order_rows).collect();
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

/// The two acquisitions of a step, one below the other.
fn order_rows(order: &LockOrder) -> [[String; 4]; 2] {
    let held = order.held.as_ref().map_or_else(|| UNKNOWN.to_owned(), place_of);
    let thread = escape(&order.asked.thread);
    [
        [thread, "holds".to_owned(), escape(&order.holds), held],
        [String::new(), "asks for".to_owned(), escape(&order.asks), place_of(&order.asked)],
    ]
}

const UNKNOWN: &str = "at an unknown place";

fn place_of(access: &AccessInfo) -> String {
    let (file, line, column) = (access.file.clone(), access.line, access.column);
    place_text(&Place { file, line, column })
}

fn place_text(place: &Place) -> String {
    match (&place.file, place.line, place.column) {
        (Some(file), Some(line), Some(column)) => format!("{}:{line}:{column}", escape(file)),
        _ => UNKNOWN.to_owned(),
    }
}

/// The locks that somebody waited for, in a table; nothing if there are none.
pub(crate) fn write_locks(f: &mut fmt::Formatter<'_>, locks: &[LockReport], summary: &Summary) -> fmt::Result {
    let waited: Vec<&LockReport> = locks.iter().filter(|lock| lock.wait.count > 0).collect();
    if waited.is_empty() {
        return Ok(());
    }
    writeln!(f, "locks that were waited for, by time:")?;
    let head = ["lock", "taken", "waited", "in all", "at most", "held in all", "at most"].map(str::to_owned);
    let row = |lock: &&LockReport| {
        let place = if summary.runs > 1 { format!("{} ", escape(&lock.process)) } else { String::new() };
        let name = place + &escape(&lock.lock);
        let times = |times: &Times| [duration(times.total_ns), duration(times.max_ns)];
        let ([wait, wait_max], [hold, hold_max]) = (times(&lock.wait), times(&lock.hold));
        [name, lock.acquisitions.to_string(), lock.wait.count.to_string(), wait, wait_max, hold, hold_max]
    };
    let shown = &waited[..waited.len().min(LOCKS_SHOWN)];
    let rows: Vec<[String; 7]> = std::iter::once(head).chain(shown.iter().map(row)).collect();
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
    let widths: Vec<usize> = (0..7).map(width).collect();
    for (at, row) in rows.iter().enumerate() {
        write!(f, "     {:width$}", row[0], width = widths[0])?;
        for (cell, width) in row.iter().zip(&widths).skip(1) {
            write!(f, "  {cell:>width$}")?;
        }
        writeln!(f)?;
        if let Some(lock) = at.checked_sub(1).and_then(|at| shown.get(at)) {
            write_detail(f, lock)?;
        }
    }
    if waited.len() > LOCKS_SHOWN {
        let least = if summary.locks > locks.len() as u64 { "at least " } else { "" };
        writeln!(f, "     and {least}{}", plural((waited.len() - LOCKS_SHOWN) as u64, "more lock"))?;
    }
    Ok(())
}

fn write_detail(f: &mut fmt::Formatter<'_>, lock: &LockReport) -> fmt::Result {
    for (what, times) in [("waited", &lock.wait), ("held", &lock.hold)] {
        if let Some(histogram) = histogram(times) {
            writeln!(f, "       {what:6}  {histogram}")?;
        }
    }
    for waiter in lock.waiters.iter().take(WAITERS_SHOWN) {
        let held = waiter.held_at.as_ref();
        let held = held.map_or_else(String::new, |place| format!(", for what took it at {}", place_text(place)));
        let (thread, place) = (escape(&waiter.thread), place_text(&waiter.place));
        writeln!(f, "       {thread} at {place} waited {}, {}{held}", times(waiter.count), duration(waiter.total_ns))?;
    }
    Ok(())
}

/// A bar for each power of two, between the shortest and the longest.
fn histogram(times: &Times) -> Option<String> {
    let power = |from_ns: u64| u64::BITS - from_ns.leading_zeros();
    let (first, last) = (times.buckets.first()?, times.buckets.last()?);
    let most = times.buckets.iter().map(|bucket| bucket.count).max().unwrap_or(1);
    let bar = |power_at: u32| {
        let count =
            times.buckets.iter().find(|bucket| power(bucket.from_ns) == power_at).map_or(0, |bucket| bucket.count);
        // The lowest bar stands for "few": an empty bucket has none.
        let height = (u128::from(count) * BARS.len() as u128).div_ceil(u128::from(most.max(1))) as usize;
        height.checked_sub(1).map_or(' ', |at| BARS[at])
    };
    let bars: String = (power(first.from_ns)..=power(last.from_ns)).map(bar).collect();
    Some(format!("{} |{bars}| {}", duration(first.from_ns), duration(times.max_ns)))
}

/// A duration in three or four digits.
fn duration(nanos: u64) -> String {
    let scaled = [(1_000_000_000, "s"), (1_000_000, "ms"), (1_000, "us")];
    match scaled.iter().find(|(unit, _)| nanos >= *unit) {
        Some((unit, name)) if nanos / unit < 100 => format!("{}.{} {name}", nanos / unit, nanos % unit * 10 / unit),
        Some((unit, name)) => format!("{} {name}", nanos / unit),
        None => format!("{nanos} ns"),
    }
}
