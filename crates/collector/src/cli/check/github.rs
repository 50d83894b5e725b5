//! Findings as workflow commands of GitHub Actions, which shows them at their lines.

use crate::cli::access::step;
use crate::cli::kinds::{headline, level};
use crate::cli::output::visible;
use std::fmt::Write as _;
use trackside_analysis::{AccessInfo, Finding, Report};

pub(super) fn render(report: &Report) -> String {
    let mut text: String = report.findings.iter().map(command).collect();
    if !report.summary.is_complete() {
        let message = "something is missing in the record, so findings may be missing; `trackside check` says what";
        let _ = writeln!(text, "::notice title={}::{}", property("trackside"), data(message));
    }
    text
}

fn command(finding: &Finding) -> String {
    let title = format!("title={}", property(&visible(&headline(finding))));
    // A finding at an unknown place is one of the whole run.
    let told = [&finding.first, &finding.second].into_iter().find(|access| access.file.is_some());
    let place = told.map(|access| format!("{},", place(access))).unwrap_or_default();
    let mut message = visible(&finding.explanation);
    for access in [&finding.first, &finding.second] {
        let _ = write!(message, "\n{}", visible(&step(access)));
    }
    let _ = write!(message, "\n{}", visible(&finding.advice));
    format!("::{} {place}{title}::{}\n", level(finding), data(&message))
}

fn place(access: &AccessInfo) -> String {
    let mut place = format!("file={}", property(&visible(access.file.as_deref().unwrap_or(""))));
    for (name, value) in [("line", access.line), ("col", access.column)] {
        if let Some(value) = value.filter(|value| *value > 0) {
            let _ = write!(place, ",{name}={value}");
        }
    }
    place
}

/// A command's message: one line, whatever is in it.
fn data(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

/// The value of a property, in which a comma would begin the next one.
fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_ends_a_command_or_a_property_early() {
        assert_eq!(property("50%,\r\n::error file=x"), "50%25%2C%0D%0A%3A%3Aerror file=x");
        assert_eq!(data("50%\n::error::x"), "50%25%0A::error::x");
    }
}
