use super::markup::Markup;
use trackside_analysis::Summary;

/// What was looked at, and what was not there to look at.
pub(super) fn summary(summary: &Summary, findings: usize) -> Markup {
    let mut section = Markup::default();
    let counts = [
        (findings as u64, "finding", "findings"),
        (summary.events, "event", "events"),
        (summary.strands, "strand", "strands"),
        (summary.variables, "variable", "variables"),
        (summary.locks, "lock", "locks"),
        (summary.runs, "process", "processes"),
    ];
    let counts = counts.map(|(count, one, many)| format!("{count} {}", if count == 1 { one } else { many }));
    section.within("<p>", counts.join(" · "), "</p>\n");
    let missing = missing(summary);
    if missing.is_empty() {
        section.raw("<p class=\"quiet\">The record is complete.</p>\n");
    } else {
        section.raw("<div class=\"missing\">\n<h3>What is missing in the record</h3>\n");
        section.raw("<p>Findings may be missing for it; one that it could overturn says so.</p>\n<dl>\n");
        section.piece(&missing).raw("</dl>\n</div>\n");
    }
    section
}

fn missing(summary: &Summary) -> Markup {
    let mut list = Markup::default();
    for (reason, count) in &summary.lost {
        list.within("<dt>Lost: ", reason, "</dt>").within("<dd>", events(*count), "</dd>\n");
    }
    let counts = [
        ("<dt>Recorded, but not here</dt><dd>", summary.not_arrived, "events"),
        ("<dt>Missing</dt><dd>", summary.batches_missing, "batches"),
        ("<dt>Not sampled</dt><dd>", summary.unsampled, "contexts"),
        ("<dt>Holes</dt><dd>", summary.holes, "places"),
        ("<dt>Too busy to keep every access</dt><dd>", summary.variables_bounded, "variables"),
        ("<dt>Too often met to keep every way</dt><dd>", summary.lock_orders_bounded, "orders of locks"),
        ("<dt>Too entangled to look at every cycle</dt><dd>", summary.lock_cycles_bounded, "groups of locks"),
        ("<dt>Too many ways of use to tell their lock</dt><dd>", summary.disciplines_bounded, "variables"),
        ("<dt>Beyond the limit of findings</dt><dd>", summary.findings_dropped, "pairs"),
    ];
    for (label, count, what) in counts.into_iter().filter(|(_, count, _)| *count > 0) {
        list.within(label, format_args!("{count} {what}"), "</dd>\n");
    }
    if !summary.kinds_off.is_empty() {
        let kinds: Vec<&str> = summary.kinds_off.iter().map(String::as_str).collect();
        list.within("<dt>Not recorded all the time</dt><dd>", kinds.join(", "), "</dd>\n");
    }
    for hole in &summary.first_holes {
        let place = format!("{} {}", hole.place, hole.thread);
        list.within("<dt>", place, "</dt>").within("<dd>before step ", hole.step, ": ").text(&hole.what).raw("</dd>\n");
    }
    list
}

fn events(count: u64) -> String {
    if count == 1 { "1 event".to_owned() } else { format!("{count} events") }
}
