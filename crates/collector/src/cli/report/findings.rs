use super::markup::{Markup, times};
use crate::cli::access::{held, place, values, verb};
use crate::cli::kinds::{confidence, heading};
use trackside_analysis::{AccessInfo, Finding, FindingKind};

/// The findings, each with what both strands did.
pub(super) fn findings(findings: &[Finding]) -> Markup {
    let mut section = Markup::default();
    section.raw("<section>\n<h2>Findings</h2>\n");
    if findings.is_empty() {
        section.raw("<p>No data race, no lost update and no misuse of locks was found.</p>\n");
    }
    for (number, finding) in (1..).zip(findings) {
        section.piece(&one(number, finding));
    }
    section.raw("</section>\n");
    section
}

fn one(number: usize, finding: &Finding) -> Markup {
    let sure = confidence(finding.confidence);
    let mut article = Markup::default();
    article
        .within("<article class=\"finding ", sure, "\">\n")
        .within("<h3>", number, ". ")
        .text(heading(finding))
        .within(" on <code>", &finding.variable, "</code></h3>\n")
        .raw("<div class=\"scroll\"><table>\n<thead><tr><th>strand</th><th>did</th><th>value</th>")
        .raw("<th>where</th><th>holds</th></tr></thead>\n<tbody>\n");
    if finding.orders.is_empty() {
        finding.read.iter().chain([&finding.first, &finding.second]).for_each(|access| row(&mut article, access));
    }
    for order in &finding.orders {
        let asks = if finding.kind == FindingKind::Deadlock { "waits for" } else { "asks for" };
        lock_row(&mut article, &order.asked, "holds", &order.holds, order.held.as_ref());
        lock_row(&mut article, &order.asked, asks, &order.asks, Some(&order.asked));
    }
    article.raw("</tbody>\n</table></div>\n").within("<p>", &finding.explanation, "</p>\n<dl>\n");
    let seen = times(finding.count);
    let told = [
        ("<dt>Seen</dt><dd>", Some(&seen)),
        ("<dt>Not certain</dt><dd>", finding.reserve.as_ref()),
        ("<dt>Incomplete</dt><dd>", finding.incomplete.as_ref()),
        ("<dt>What to do</dt><dd>", Some(&finding.advice)),
        ("<dt>Harmless if</dt><dd>", Some(&finding.benign_if)),
    ];
    for (label, text) in told {
        if let Some(text) = text.filter(|text| !text.is_empty()) {
            article.within(label, text, "</dd>\n");
        }
    }
    for (at, count) in finding.discipline.iter().flat_map(|discipline| &discipline.without) {
        let at = place(at.file.as_deref(), at.line, at.column);
        article.within("<dt>Without the lock</dt><dd><code>", at, "</code>, ").text(times(*count)).raw("</dd>\n");
    }
    article.raw("</dl>\n</article>\n");
    article
}

fn row(table: &mut Markup, access: &AccessInfo) {
    strand(table, access);
    table
        .within("<td>", verb(access.kind), "</td>")
        .within("<td class=\"code\">", values(access), "</td>")
        .within("<td class=\"code\">", place_of(access), "</td>")
        .within("<td>", held(access), "</td></tr>\n");
}

/// One of the two acquisitions of a step.
fn lock_row(table: &mut Markup, strand_of: &AccessInfo, verb: &str, lock: &str, at: Option<&AccessInfo>) {
    let (place, held) = at.map_or_else(Default::default, |access| (place_of(access), held(access)));
    strand(table, strand_of);
    table
        .within("<td>", verb, "</td>")
        .within("<td class=\"code\">", lock, "</td>")
        .within("<td class=\"code\">", place, "</td>")
        .within("<td>", held, "</td></tr>\n");
}

fn strand(table: &mut Markup, access: &AccessInfo) {
    let process = format_args!("{}/{}", access.service, access.instance).to_string();
    table.within("<tr><td>", &access.thread, "<br>").within("<span class=\"quiet\">", process, "</span></td>");
}

fn place_of(access: &AccessInfo) -> String {
    place(access.file.as_deref(), access.line, access.column)
}
