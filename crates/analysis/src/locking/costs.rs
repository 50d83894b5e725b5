//! The section on contention: a table of the locks that were waited for, histograms, and who waited where for whom.
//!
//! The lock that cost most is told in full; of the others, what fits on two lines.

use crate::locking::report::{LockReport, LockSite, LockWaiter, Times};
use crate::locking::text::place_text;
use crate::report::Summary;
use crate::text::{escape, plural, times};
use std::fmt;

/// How many locks, and how many places and waiters of each, the text tells; the rest is in the report's data.
const LOCKS_SHOWN: usize = 8;
const SITES_SHOWN: usize = 4;
const WAITERS_SHOWN: usize = 3;

/// The heights of a small histogram's bars, and the lengths of a large one's ends.
const HEIGHTS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
const LENGTHS: [char; 8] = ['▏', '▎', '▍', '▌', '▋', '▊', '▉', '█'];

/// How long a large histogram's longest bar is, and how many rows it has at most.
const BAR: usize = 20;
const ROWS_MAX: u32 = 12;

/// The locks that somebody waited for; nothing if there are none.
pub(crate) fn write_locks(f: &mut fmt::Formatter<'_>, locks: &[LockReport], summary: &Summary) -> fmt::Result {
    let waited: Vec<&LockReport> = locks.iter().filter(|lock| lock.wait.count > 0).collect();
    if waited.is_empty() {
        return Ok(());
    }
    writeln!(f, "locks that were waited for, by time:")?;
    let head = ["lock", "taken", "waited", "in all", "at most", "held in all", "at most"].map(str::to_owned);
    let name = |lock: &LockReport| {
        let place = if summary.runs > 1 { format!("{} ", escape(&lock.process)) } else { String::new() };
        place + &escape(&lock.lock)
    };
    let row = |lock: &&LockReport| {
        let times = |times: &Times| [duration(times.total_ns), duration(times.max_ns)];
        let ([wait, wait_max], [hold, hold_max]) = (times(&lock.wait), times(&lock.hold));
        [name(lock), lock.acquisitions.to_string(), lock.wait.count.to_string(), wait, wait_max, hold, hold_max]
    };
    let shown = &waited[..waited.len().min(LOCKS_SHOWN)];
    write_table(f, 5, 1, &std::iter::once(head).chain(shown.iter().map(row)).collect::<Vec<_>>())?;
    if waited.len() > LOCKS_SHOWN {
        let least = if summary.locks > locks.len() as u64 { "at least " } else { "" };
        writeln!(f, "     and {least}{}", plural((waited.len() - LOCKS_SHOWN) as u64, "more lock"))?;
    }
    for (at, lock) in shown.iter().enumerate() {
        writeln!(f, "   {}:", name(lock))?;
        if at == 0 {
            write_histogram(f, &lock.wait, &lock.hold)?;
            write_sites(f, &lock.sites)?;
            write_waiters(f, &lock.waiters)?;
        } else {
            write_small_histograms(f, &lock.wait, &lock.hold)?;
        }
        if lock.across_awaits.count > 0 {
            let Times { count, total_ns, max_ns, .. } = lock.across_awaits;
            let (total, most) = (duration(total_ns), duration(max_ns));
            writeln!(f, "     held across an await {}, {total} in all, {most} at most", times(count))?;
        }
    }
    Ok(())
}

/// Rows with their cells one below the other: from column `right` on, they end there; before it, they begin there.
fn write_table<const N: usize>(
    f: &mut fmt::Formatter<'_>,
    indent: usize,
    right: usize,
    rows: &[[String; N]],
) -> fmt::Result {
    let widths: [usize; N] =
        std::array::from_fn(|column| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0));
    for row in rows {
        let mut line = " ".repeat(indent);
        for (column, (cell, width)) in row.iter().zip(widths).enumerate() {
            let gap = if column == 0 { "" } else { "  " };
            line += &if column < right { format!("{gap}{cell:width$}") } else { format!("{gap}{cell:>width$}") };
        }
        writeln!(f, "{}", line.trim_end())?;
    }
    Ok(())
}

/// A range of durations: how many waited so long, and how many held so long.
struct Bucket {
    from_ns: u64,
    below_ns: u64,
    counts: [u64; 2],
}

/// The power of two below which a bucket ends.
fn power(from_ns: u64) -> u32 {
    u64::BITS - from_ns.leading_zeros()
}

/// Both distributions over the same ranges, from the shortest duration to the longest, in at most so many of them.
fn buckets(wait: &Times, hold: &Times, most: u32) -> Vec<Bucket> {
    let both = [wait, hold];
    let powers = || both.iter().flat_map(|times| &times.buckets).map(|bucket| power(bucket.from_ns));
    let (Some(first), Some(last)) = (powers().min(), powers().max()) else { return Vec::new() };
    // So many powers of two to a range.
    let width = (last - first + 1).div_ceil(most).max(1);
    let starts = (first..=last).step_by(width as usize);
    let below = |power: u32| 1_u64.checked_shl(power).unwrap_or(u64::MAX);
    let bucket = |start: u32| Bucket {
        from_ns: if start == 0 { 0 } else { below(start - 1) },
        below_ns: below(start + width - 1),
        counts: both.map(|times| {
            let within = times.buckets.iter().filter(|bucket| (start..start + width).contains(&power(bucket.from_ns)));
            within.map(|bucket| bucket.count).sum()
        }),
    };
    starts.map(bucket).collect()
}

/// So many of `most`, in eighths of a full bar that is `full` long, rounded up: only what is empty has none.
fn eighths(count: u64, most: u64, full: usize) -> usize {
    (u128::from(count) * 8 * full as u128).div_ceil(u128::from(most.max(1))) as usize
}

/// A row for each range, and a bar for each distribution.
fn write_histogram(f: &mut fmt::Formatter<'_>, wait: &Times, hold: &Times) -> fmt::Result {
    let buckets = buckets(wait, hold, ROWS_MAX);
    let most = [0, 1].map(|side| buckets.iter().map(|bucket| bucket.counts[side]).max().unwrap_or(0));
    let bar = |count: u64, most: u64| {
        let eighths = eighths(count, most, BAR);
        let end = (eighths % 8).checked_sub(1).map(|end| LENGTHS[end]);
        LENGTHS[7].to_string().repeat(eighths / 8) + &end.map_or(String::new(), String::from)
    };
    let count = |count: u64| if count == 0 { String::new() } else { count.to_string() };
    let head = ["from", "below", "waited", "", "held", ""].map(str::to_owned);
    let row = |bucket: &Bucket| {
        let [waited, held] = bucket.counts;
        let bars = [bar(waited, most[0]), bar(held, most[1])];
        let [waited_bar, held_bar] = bars.map(|bar| format!("{bar:BAR$}"));
        [duration(bucket.from_ns), duration(bucket.below_ns), count(waited), waited_bar, count(held), held_bar]
    };
    write_table(f, 5, 0, &std::iter::once(head).chain(buckets.iter().map(row)).collect::<Vec<_>>())
}

/// A column for each range, and a line for each distribution.
fn write_small_histograms(f: &mut fmt::Formatter<'_>, wait: &Times, hold: &Times) -> fmt::Result {
    let buckets = buckets(wait, hold, u32::MAX);
    let (from, below) =
        (buckets.first().map_or(0, |first| first.from_ns), buckets.last().map_or(0, |last| last.below_ns));
    for (side, what) in ["waited", "held"].into_iter().enumerate() {
        let most = buckets.iter().map(|bucket| bucket.counts[side]).max().unwrap_or(0);
        let bar = |bucket: &Bucket| eighths(bucket.counts[side], most, 1).checked_sub(1).map_or(' ', |at| HEIGHTS[at]);
        let bars: String = buckets.iter().map(bar).collect();
        writeln!(f, "     {what:6}  {} |{bars}| {}", duration(from), duration(below))?;
    }
    Ok(())
}

/// The places that take a lock.
fn write_sites(f: &mut fmt::Formatter<'_>, sites: &[LockSite]) -> fmt::Result {
    let head = ["taken at", "times", "waited", "in all", "held in all", "at most"].map(str::to_owned);
    let row = |site: &LockSite| {
        let shared = if site.shared { " (shared)" } else { "" };
        let place = place_text(&site.place) + shared;
        let LockSite { acquisitions, wait, hold, .. } = site;
        let [waited, held, held_max] = [wait.total_ns, hold.total_ns, hold.max_ns].map(duration);
        [place, acquisitions.to_string(), wait.count.to_string(), waited, held, held_max]
    };
    write_table(f, 5, 1, &std::iter::once(head).chain(sites.iter().take(SITES_SHOWN).map(row)).collect::<Vec<_>>())?;
    write_more(f, sites.len(), SITES_SHOWN, "place")
}

/// Who waited, the longest in all first.
fn write_waiters(f: &mut fmt::Formatter<'_>, waiters: &[LockWaiter]) -> fmt::Result {
    let head = ["who waited", "at", "for what was taken at", "times", "in all", "at most"].map(str::to_owned);
    let row = |waiter: &LockWaiter| {
        let held = waiter.held_at.as_ref().map_or_else(|| "?".to_owned(), place_text);
        let (total, max) = (duration(waiter.total_ns), duration(waiter.max_ns));
        [escape(&waiter.thread), place_text(&waiter.place), held, waiter.count.to_string(), total, max]
    };
    let rows = std::iter::once(head).chain(waiters.iter().take(WAITERS_SHOWN).map(row));
    write_table(f, 5, 3, &rows.collect::<Vec<_>>())?;
    write_more(f, waiters.len(), WAITERS_SHOWN, "waiter")
}

/// That some were not told.
fn write_more(f: &mut fmt::Formatter<'_>, all: usize, shown: usize, what: &str) -> fmt::Result {
    match all.saturating_sub(shown) {
        0 => Ok(()),
        more => writeln!(f, "     and {}", plural(more as u64, &format!("more {what}"))),
    }
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
