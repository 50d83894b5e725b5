//! The report as text for a terminal, without colours. Whatever came from outside is escaped.

use crate::report::{AccessInfo, Confidence, Finding, FindingKind, Report, Summary};
use crate::value::shorten;
use std::fmt::{self, Write};

/// Longest name in the text, in characters.
const NAME_MAX: usize = 120;

/// Width to which paragraphs are wrapped.
const WIDTH: usize = 100;

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, finding) in self.findings.iter().enumerate() {
            write_finding(f, at + 1, finding)?;
            f.write_char('\n')?;
        }
        write!(f, "{}", self.summary_line())?;
        write_gaps(f, &self.summary)
    }
}

impl Report {
    fn summary_line(&self) -> String {
        let Summary { events, strands, variables, .. } = self.summary;
        let scope = format!("{} of {}", plural(events, "event"), plural(strands, "strand"));
        if self.findings.is_empty() {
            return format!("no data race and no lost update found in {scope}\n");
        }
        let count = |kind| self.findings.iter().filter(|finding| finding.kind == kind).count() as u64;
        let races = plural(count(FindingKind::DataRace), "data race");
        let lost = plural(count(FindingKind::LostUpdate), "lost update");
        format!("{lost} and {races} found in {scope} on {}\n", plural(variables, "variable"))
    }
}

fn write_finding(f: &mut fmt::Formatter<'_>, number: usize, finding: &Finding) -> fmt::Result {
    let kind = match finding.kind {
        FindingKind::DataRace => "data race",
        FindingKind::LostUpdate => "lost update",
    };
    let sure = match finding.confidence {
        Confidence::Confirmed => "",
        Confidence::Likely => "likely ",
        Confidence::Possible => "possible ",
    };
    let times = if finding.count == 1 { "once".to_owned() } else { plural(finding.count, "time") };
    writeln!(f, "{number}. {sure}{kind} on `{}` (seen {times})", escape(&finding.variable))?;
    let accesses: Vec<&AccessInfo> = finding.read.iter().chain([&finding.first, &finding.second]).collect();
    let rows: Vec<[String; 4]> = accesses.iter().map(|access| row(access)).collect();
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
    let (thread, verb, values) = (width(0), width(1), width(2));
    for [a, b, c, place] in &rows {
        let line = format!("     {a:thread$}  {b:verb$}  {c:values$}  {place}");
        writeln!(f, "{}", line.trim_end())?;
    }
    paragraph(f, "", &finding.explanation)?;
    paragraph(f, "locks held: ", &locks(&accesses))?;
    if let Some(reserve) = &finding.reserve {
        paragraph(f, "not certain: ", reserve)?;
    }
    if let Some(incomplete) = &finding.incomplete {
        paragraph(f, "incomplete: ", incomplete)?;
    }
    paragraph(f, "what to do: ", &finding.advice)?;
    paragraph(f, "harmless if: ", &finding.benign_if)
}

fn row(access: &AccessInfo) -> [String; 4] {
    let values = match (&access.old, &access.new) {
        (Some(old), Some(new)) => format!("{old} -> {new}"),
        (None, Some(new)) => new.clone(),
        (Some(old), None) => format!("{old} -> ?"),
        (None, None) => String::new(),
    };
    let place = match (&access.file, access.line, access.column) {
        (Some(file), Some(line), Some(column)) => format!("{}:{line}:{column}", escape(file)),
        _ => "at an unknown place".to_owned(),
    };
    [escape(&access.thread), access.kind.verb().to_owned(), escape_only(&values), place]
}

/// The locks at each access; once, if they are the same.
fn locks(accesses: &[&AccessInfo]) -> String {
    let list = |access: &AccessInfo| match access.locks.as_slice() {
        [] => "none".to_owned(),
        locks => locks.iter().map(|lock| escape(lock)).collect::<Vec<_>>().join(", "),
    };
    let lists: Vec<String> = accesses.iter().map(|access| list(access)).collect();
    match lists.split_first() {
        Some((first, rest)) if rest.iter().all(|list| list == first) => first.clone(),
        _ => {
            let each = accesses.iter().zip(&lists);
            let each = each.map(|(access, list)| format!("{list} ({} {})", escape(&access.thread), access.kind.verb()));
            each.collect::<Vec<_>>().join("; ")
        }
    }
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
    if summary.holes > 0 {
        writeln!(f, "the record has {}:", plural(summary.holes, "hole"))?;
        for hole in summary.first_holes.iter().take(5) {
            writeln!(f, "     {} before step {}: {}", escape(&hole.thread), hole.step, hole.what)?;
        }
        if summary.holes > 5 {
            writeln!(f, "     and {} more", summary.holes - 5)?;
        }
    }
    if summary.variables_bounded > 0 {
        let variables = plural(summary.variables_bounded, "variable");
        writeln!(f, "too busy to keep every access of: {variables}")?;
    }
    if summary.findings_dropped > 0 {
        writeln!(f, "beyond the limit of findings: {}", plural(summary.findings_dropped, "pair"))?;
    }
    if !summary.is_complete() {
        writeln!(f, "so findings may be missing")?;
    }
    Ok(())
}

fn plural(count: u64, what: &str) -> String {
    plural_of(count, what, &format!("{what}s"))
}

fn plural_of(count: u64, one: &str, many: &str) -> String {
    format!("{count} {}", if count == 1 { one } else { many })
}

/// A paragraph, indented and wrapped; later lines are indented under the label.
fn paragraph(f: &mut fmt::Formatter<'_>, label: &str, text: &str) -> fmt::Result {
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
fn escape(text: &str) -> String {
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
