use super::findings::findings;
use super::locks::locks;
use super::markup::Markup;
use super::summary::summary;
use trackside_analysis::Report;

/// The whole document: no script, nothing loaded from anywhere, and a policy that says so to the browser.
pub(super) fn page(title: &str, report: &Report) -> String {
    let mut page = Markup::default();
    page.raw("<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n")
        .raw(
            "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n",
        )
        .raw("<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n")
        .raw("<meta name=\"color-scheme\" content=\"light dark\">\n")
        .within("<title>", title, "</title>\n<style>\n")
        .raw(include_str!("style.css"))
        .raw("</style>\n</head>\n<body>\n")
        .within("<header>\n<h1>", title, "</h1>\n")
        .piece(&summary(&report.summary, report.findings.len()))
        .raw("</header>\n<main>\n")
        .piece(&findings(&report.findings))
        .piece(&locks(&report.locks))
        .within("</main>\n<footer>Written by trackside ", env!("CARGO_PKG_VERSION"), ".</footer>\n</body>\n</html>\n");
    page.into_string()
}
