//! The report as text for a terminal, without colours. Whatever came from outside is escaped.
//!
//! Several findings should fit on a screen, so what is said of a whole kind of findings is said below the first of them,
//! and again only where it differs. Each finding in [`Report::findings`] has all of it.

use crate::locking::{write_lock_finding, write_locks};
use crate::report::{AccessInfo, Confidence, Finding, FindingKind, Report, Summary};
use crate::value::shorten;
use std::fmt::{self, Write};

/// Longest name in the text, in characters.
const NAME_MAX: usize = 120;

/// Width to which paragraphs are wrapped.
const WIDTH: usize = 100;

/// What a data race means; the rest of its explanation is in the lines of its accesses.
const RACE: &str = "nothing that was recorded orders the two: no lock, no message, no signal, no start and no end of a task. \
                    They may happen at the same moment, or in the other order next time";

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut said = Said::default();
        for (at, finding) in self.findings.iter().enumerate() {
            write_finding(f, at, &self.findings)?;
            said.write_hints(f, at, finding)?;
            f.write_char('\n')?;
        }
        write_locks(f, &self.locks, &self.summary)?;
        write!(f, "{}", self.summary_line())?;
        write_gaps(f, &self.summary)
    }
}

impl Report {
    fn summary_line(&self) -> String {
        let Summary { events, strands, variables, .. } = self.summary;
        let scope = format!("{} of {}", plural(events, "event"), plural(strands, "strand"));
        if self.findings.is_empty() {
            return format!("no data race, no lost update and no misuse of locks found in {scope}\n");
        }
        let count = |kind| self.findings.iter().filter(|finding| finding.kind == kind).count() as u64;
        let found = [
            plural(count(FindingKind::LostUpdate), "lost update"),
            plural(count(FindingKind::DataRace), "data race"),
            plural(count(FindingKind::Deadlock), "deadlock"),
            plural(count(FindingKind::PotentialDeadlock), "potential deadlock"),
            plural(count(FindingKind::RecursiveRead), "recursive read lock"),
            plural_of(count(FindingKind::HeldAcrossAwait), "lock held across an await", "locks held across awaits"),
            plural_of(count(FindingKind::InconsistentLocking), "inconsistent lock", "inconsistent locks"),
        ];
        // The first two are always told, what is wrong with locks only where something is.
        let told: Vec<&str> = found
            .iter()
            .map(String::as_str)
            .enumerate()
            .filter(|(at, text)| *at < 2 || !text.starts_with("0 "))
            .map(|(_, text)| text)
            .collect();
        let (last, others) = told.split_last().unwrap_or((&"", &[]));
        format!("{} and {last} found in {scope} on {}\n", others.join(", "), plural(variables, "variable"))
    }
}

fn write_finding(f: &mut fmt::Formatter<'_>, at: usize, findings: &[Finding]) -> fmt::Result {
    let finding = &findings[at];
    let kind = match finding.kind {
        FindingKind::DataRace => "data race",
        FindingKind::LostUpdate => "lost update",
        _ => return write_lock_finding(f, at + 1, finding),
    };
    let sure = match finding.confidence {
        Confidence::Confirmed => "",
        Confidence::Likely => "likely ",
        Confidence::Possible => "possible ",
    };
    let accesses: Vec<&AccessInfo> = finding.read.iter().chain([&finding.first, &finding.second]).collect();
    let held = locks(&accesses);
    let mut notes = format!("seen {}", times(finding.count));
    if held.is_none() {
        notes.push_str("; no locks held");
    }
    if let Some(lost_update) = findings[..at].iter().position(|other| covers(other, finding)) {
        notes.push_str(&format!("; same lines as {}", lost_update + 1));
    }
    writeln!(f, "{}. {sure}{kind} on `{}` ({notes})", at + 1, escape(&finding.variable))?;
    let across = accesses.iter().any(|access| access.run != accesses[0].run);
    let rows: Vec<[String; 4]> = accesses.iter().map(|access| row(access, across)).collect();
    write_rows(f, &rows)?;
    if finding.kind == FindingKind::LostUpdate {
        paragraph(f, "", &finding.explanation)?;
    }
    let told = [("locks held: ", &held), ("not certain: ", &finding.reserve), ("incomplete: ", &finding.incomplete)];
    told.iter().try_for_each(|(label, text)| text.as_ref().map_or(Ok(()), |text| paragraph(f, label, text)))
}

/// What a strand did, to what, and where: one below the other.
pub(crate) fn write_rows(f: &mut fmt::Formatter<'_>, rows: &[[String; 4]]) -> fmt::Result {
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
    let (thread, verb, what) = (width(0), width(1), width(2));
    for [a, b, c, place] in rows {
        let line = format!("     {a:thread$}  {b:verb$}  {c:what$}  {place}");
        writeln!(f, "{}", line.trim_end())?;
    }
    Ok(())
}

/// The hints that were printed, and below which findings. There are only a few different ones.
#[derive(Default)]
struct Said<'a> {
    hints: Vec<(usize, &'a Finding)>,
    /// Which of them is in force: that of the finding above.
    last: usize,
}

impl<'a> Said<'a> {
    /// What is said of a whole kind of findings, or where that was said, if it is not what holds for the one above.
    fn write_hints(&mut self, f: &mut fmt::Formatter<'_>, at: usize, finding: &'a Finding) -> fmt::Result {
        let alike = |(_, other): &(usize, &Finding)| {
            (other.kind, &other.advice, &other.benign_if) == (finding.kind, &finding.advice, &finding.benign_if)
        };
        if let Some(known) = self.hints.iter().position(alike) {
            if std::mem::replace(&mut self.last, known) != known {
                writeln!(f, "   what to do: as in {}", self.hints[known].0 + 1)?;
            }
            return Ok(());
        }
        let new_kind = self.hints.iter().all(|(_, other)| other.kind != finding.kind);
        self.last = self.hints.len();
        self.hints.push((at, finding));
        if finding.kind == FindingKind::DataRace && new_kind {
            paragraph(f, "what it means: ", RACE)?;
        }
        paragraph(f, "what to do: ", &finding.advice)?;
        paragraph(f, "harmless if: ", &finding.benign_if)
    }
}

/// Whether a lost update has both places of a data race.
fn covers(lost_update: &Finding, race: &Finding) -> bool {
    let Finding { first, second, read, .. } = lost_update;
    let has = |access: &AccessInfo| {
        access.line.is_some() && read.iter().chain([first, second]).any(|other| same_place(other, access))
    };
    (lost_update.kind, race.kind) == (FindingKind::LostUpdate, FindingKind::DataRace)
        && lost_update.variable == race.variable
        && has(&race.first)
        && has(&race.second)
}

fn same_place(a: &AccessInfo, b: &AccessInfo) -> bool {
    (a.line, a.column, &a.file, &a.service) == (b.line, b.column, &b.file, &b.service)
}

/// An access as a line; `across` says that the finding's accesses are not all of one run.
fn row(access: &AccessInfo, across: bool) -> [String; 4] {
    let values = match (&access.old, &access.new) {
        (Some(old), Some(new)) => format!("{old} -> {new}"),
        (None, Some(new)) => new.clone(),
        (Some(old), None) => format!("{old} -> ?"),
        (None, None) => String::new(),
    };
    let place = match (&access.file, access.line, access.column) {
        (Some(file), Some(line), Some(column)) => format!("{}:{line}:{column}", escape(file)),
        (Some(file), Some(line), None) => format!("{}:{line}", escape(file)),
        _ => "at an unknown place".to_owned(),
    };
    let thread = if across { access.thread_in_place() } else { access.thread.clone() };
    [escape(&thread), access.kind.verb().to_owned(), escape_only(&values), place]
}

/// The locks at each access; once, if they are the same, and nothing if there are none.
fn locks(accesses: &[&AccessInfo]) -> Option<String> {
    if accesses.iter().all(|access| access.locks.is_empty()) {
        return None;
    }
    let list = |access: &AccessInfo| match access.locks.as_slice() {
        [] => "none".to_owned(),
        locks => locks.iter().map(|lock| escape(lock)).collect::<Vec<_>>().join(", "),
    };
    let lists: Vec<String> = accesses.iter().map(|access| list(access)).collect();
    if lists.iter().all(|list| *list == lists[0]) {
        return lists.into_iter().next();
    }
    let each = accesses.iter().zip(&lists);
    let each = each.map(|(access, list)| format!("{list} ({} {})", escape(&access.thread), access.kind.verb()));
    Some(each.collect::<Vec<_>>().join("; "))
}

fn write_gaps(f: &mut fmt::Formatter<'_>, summary: &Summary) -> fmt::Result {
    if summary.duplicates > 0 {
        writeln!(f, "{} came more than once and counted once", plural(summary.duplicates, "event"))?;
    }
    let lost = summary.lost_total();
    if lost > 0 {
        let reasons: Vec<String> =
            summary.lost.iter().map(|(reason, count)| format!("{} {count}", escape(reason))).collect();
        writeln!(f, "lost before they got here: {} ({})", plural(lost, "event"), reasons.join(", "))?;
    }
    if summary.not_arrived > 0 {
        writeln!(f, "recorded, but not here (yet): {}", plural(summary.not_arrived, "event"))?;
    }
    if summary.batches_missing > 0 {
        writeln!(f, "missing: {}", plural_of(summary.batches_missing, "batch", "batches"))?;
    }
    if summary.unsampled > 0 {
        writeln!(f, "not sampled, so recorded for their errors alone: {}", plural(summary.unsampled, "context"))?;
    }
    if !summary.kinds_off.is_empty() {
        let kinds: Vec<&str> = summary.kinds_off.iter().map(String::as_str).collect();
        writeln!(f, "not recorded all the time: {}", kinds.join(", "))?;
    }
    if summary.holes > 0 {
        writeln!(f, "the record has {}:", plural(summary.holes, "hole"))?;
        for hole in summary.first_holes.iter().take(5) {
            let place = if summary.runs > 1 { escape(&hole.place) + " " } else { String::new() };
            writeln!(f, "     {place}{} before step {}: {}", escape(&hole.thread), hole.step, hole.what)?;
        }
        if summary.holes > 5 {
            writeln!(f, "     and {} more", summary.holes - 5)?;
        }
    }
    if summary.variables_bounded > 0 {
        let variables = plural(summary.variables_bounded, "variable");
        writeln!(f, "too busy to keep every access of: {variables}")?;
    }
    let bounded = [
        (summary.lock_orders_bounded, "order of locks", "orders of locks", "too often met to keep every way it was: "),
        (summary.lock_cycles_bounded, "group of locks", "groups of locks", "too entangled to look at every cycle of: "),
        (summary.disciplines_bounded, "variable", "variables", "too many ways of use to say which lock protects: "),
    ];
    for (count, one, many, what) in bounded.into_iter().filter(|(count, ..)| *count > 0) {
        writeln!(f, "{what}{}", plural_of(count, one, many))?;
    }
    if summary.findings_dropped > 0 {
        writeln!(f, "beyond the limit of findings: {}", plural(summary.findings_dropped, "pair"))?;
    }
    if !summary.is_complete() {
        writeln!(f, "so findings may be missing")?;
    }
    Ok(())
}

/// How many times something was seen.
pub(crate) fn times(count: u64) -> String {
    if count == 1 { "once".to_owned() } else { format!("{count} times") }
}

pub(crate) fn plural(count: u64, what: &str) -> String {
    plural_of(count, what, &format!("{what}s"))
}

fn plural_of(count: u64, one: &str, many: &str) -> String {
    format!("{count} {}", if count == 1 { one } else { many })
}

/// A paragraph, indented and wrapped; later lines are indented under the label.
pub(crate) fn paragraph(f: &mut fmt::Formatter<'_>, label: &str, text: &str) -> fmt::Result {
    let mut line = format!("   {label}");
    let mut empty = true;
    for word in escape_only(text).split(' ') {
        if !empty && line.chars().count() + 1 + word.chars().count() > WIDTH {
            writeln!(f, "{line}")?;
            line = " ".repeat(3 + label.len());
            empty = true;
        }
        if !empty {
            line.push(' ');
        }
        line.push_str(word);
        empty = false;
    }
    writeln!(f, "{line}")
}

/// A name, cut to a bearable length, with everything escaped that could forge terminal output.
pub(crate) fn escape(text: &str) -> String {
    shorten(escape_only(text), NAME_MAX)
}

/// Escapes what Rust's own debug output escapes, except for quotes and backslashes.
fn escape_only(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for char in text.chars() {
        match char {
            '"' | '\'' | '\\' => escaped.push(char),
            char => escaped.extend(char.escape_debug()),
        }
    }
    escaped
}
