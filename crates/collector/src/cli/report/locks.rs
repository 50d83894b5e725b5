use super::markup::{Markup, times};
use crate::cli::access::place;
use crate::cli::units::nanoseconds;
use trackside_analysis::{LockReport, LockSite, Times};

/// What locks cost, those that were waited for longest first, beside bars of how long that was.
pub(super) fn locks(locks: &[LockReport]) -> Markup {
    let mut section = Markup::default();
    if locks.is_empty() {
        return section;
    }
    section.raw("<section>\n<h2>Locks</h2>\n<p class=\"quiet\">What they cost; nothing here is a finding. ");
    section.raw("The bars compare waiting times.</p>\n");
    let longest = locks.iter().map(|lock| lock.wait.total_ns).max().unwrap_or(0);
    for lock in locks {
        section.piece(&one(lock, longest));
    }
    section.raw("</section>\n");
    section
}

fn one(lock: &LockReport, longest: u64) -> Markup {
    let mut article = Markup::default();
    article.within("<article class=\"lock\">\n<h3><code>", &lock.lock, "</code> ").within(
        "<span class=\"quiet\">",
        &lock.process,
        "</span></h3>\n",
    );
    bar(&mut article, lock.wait.total_ns, longest);
    article.raw("<dl>\n").within("<dt>Taken</dt><dd>", times(lock.acquisitions), "</dd>\n");
    for (label, spent) in [
        ("<dt>Waited for</dt><dd>", &lock.wait),
        ("<dt>Held</dt><dd>", &lock.hold),
        ("<dt>Held across awaits</dt><dd>", &lock.across_awaits),
    ] {
        if spent.count > 0 {
            article.within(label, spent_text(spent), "</dd>\n");
        }
    }
    article.raw("</dl>\n");
    if !lock.sites.is_empty() {
        article.raw("<div class=\"scroll\"><table>\n<thead><tr><th>taken at</th><th class=\"number\">times</th>");
        article.raw(
            "<th class=\"number\">waited</th><th class=\"number\">held</th><th>waiting</th></tr></thead>\n<tbody>\n",
        );
        let longest = lock.sites.iter().map(|site| site.wait.total_ns).max().unwrap_or(0);
        lock.sites.iter().for_each(|site| site_row(&mut article, site, longest));
        article.raw("</tbody>\n</table></div>\n");
    }
    for waiter in &lock.waiters {
        let at = |of: &trackside_analysis::Place| place(of.file.as_deref(), of.line, of.column);
        let holder =
            waiter.held_at.as_ref().map_or("somebody unknown".to_owned(), |of| format!("who took it at {}", at(of)));
        let text = format_args!(
            "{} waited {} at {}, {} in all and {} at most, for {holder}",
            waiter.thread,
            times(waiter.count),
            at(&waiter.place),
            nanoseconds(waiter.total_ns),
            nanoseconds(waiter.max_ns),
        )
        .to_string();
        article.within("<p>", text, "</p>\n");
    }
    article.raw("</article>\n");
    article
}

fn site_row(table: &mut Markup, site: &LockSite, longest: u64) {
    let shared = if site.shared { " (shared)" } else { "" };
    let at = place(site.place.file.as_deref(), site.place.line, site.place.column);
    table
        .within("<tr><td class=\"code\">", at + shared, "</td>")
        .within("<td class=\"number\">", site.acquisitions, "</td>")
        .within("<td class=\"number\">", nanoseconds(site.wait.total_ns), "</td>")
        .within("<td class=\"number\">", nanoseconds(site.hold.total_ns), "</td><td>");
    bar(table, site.wait.total_ns, longest);
    table.raw("</td></tr>\n");
}

fn bar(into: &mut Markup, value: u64, longest: u64) {
    if longest > 0 {
        into.within("<meter min=\"0\" max=\"", longest, "\" value=\"").within("", value, "\">");
        into.text(nanoseconds(value)).raw("</meter>\n");
    }
}

fn spent_text(spent: &Times) -> String {
    let [total, most] = [spent.total_ns, spent.max_ns].map(nanoseconds);
    format!("{}, {total} in all and {most} at most", times(spent.count))
}
