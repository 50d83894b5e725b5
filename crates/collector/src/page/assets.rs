use crate::refusal::Refusal;
use axum::extract::Path;
use axum::http::{HeaderMap, HeaderName, StatusCode, header};
use axum::response::{IntoResponse, Response};
use std::sync::LazyLock;

/// A file of the page.
struct Asset {
    name: &'static str,
    media_type: &'static str,
    text: &'static str,
}

const HTML: &str = "text/html; charset=utf-8";
const CSS: &str = "text/css; charset=utf-8";
const SCRIPT: &str = "text/javascript; charset=utf-8";

const INDEX: Asset = Asset { name: "index.html", media_type: HTML, text: include_str!("web/index.html") };

/// All there is: what is asked for is looked up here, and nowhere in a file system.
const ASSETS: &[Asset] = &[
    Asset { name: "style.css", media_type: CSS, text: include_str!("web/style.css") },
    Asset { name: "views.css", media_type: CSS, text: include_str!("web/views.css") },
    Asset { name: "icon.svg", media_type: "image/svg+xml", text: include_str!("web/icon.svg") },
    Asset { name: "main.js", media_type: SCRIPT, text: include_str!("web/main.js") },
    Asset { name: "api.js", media_type: SCRIPT, text: include_str!("web/api.js") },
    Asset { name: "dom.js", media_type: SCRIPT, text: include_str!("web/dom.js") },
    Asset { name: "format.js", media_type: SCRIPT, text: include_str!("web/format.js") },
    Asset { name: "theme.js", media_type: SCRIPT, text: include_str!("web/theme.js") },
    Asset { name: "keys.js", media_type: SCRIPT, text: include_str!("web/keys.js") },
    Asset { name: "states.js", media_type: SCRIPT, text: include_str!("web/states.js") },
    Asset { name: "findings.js", media_type: SCRIPT, text: include_str!("web/findings.js") },
    Asset { name: "finding.js", media_type: SCRIPT, text: include_str!("web/finding.js") },
    Asset { name: "timeline.js", media_type: SCRIPT, text: include_str!("web/timeline.js") },
    Asset { name: "traces.js", media_type: SCRIPT, text: include_str!("web/traces.js") },
    Asset { name: "trace.js", media_type: SCRIPT, text: include_str!("web/trace.js") },
    Asset { name: "locks.js", media_type: SCRIPT, text: include_str!("web/locks.js") },
    Asset { name: "graph.js", media_type: SCRIPT, text: include_str!("web/graph.js") },
    Asset { name: "live.js", media_type: SCRIPT, text: include_str!("web/live.js") },
];

/// What browsers may do. No script but our files; nothing from elsewhere, and nothing sent there; no frame around it.
const POLICY: [(HeaderName, &str); 6] = [
    (
        header::CONTENT_SECURITY_POLICY,
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self'; \
         base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; \
         trusted-types 'none'",
    ),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::X_FRAME_OPTIONS, "DENY"),
    (header::REFERRER_POLICY, "no-referrer"),
    (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
    (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
];

/// The same for all files of a build: they belong together.
static TAG: LazyLock<String> = LazyLock::new(|| {
    let mut sum = crc32fast::Hasher::new();
    [INDEX].iter().chain(ASSETS).for_each(|asset| sum.update(asset.text.as_bytes()));
    format!("\"{:08x}\"", sum.finalize())
});

/// The page.
pub(crate) async fn index(headers: HeaderMap) -> Response {
    answer(&INDEX, &headers)
}

/// One of the files that it is made of.
pub(crate) async fn file(Path(name): Path<String>, headers: HeaderMap) -> Result<Response, Refusal> {
    let asset = ASSETS.iter().find(|asset| asset.name == name).ok_or(Refusal::NotFound)?;
    Ok(answer(asset, &headers))
}

fn answer(asset: &Asset, headers: &HeaderMap) -> Response {
    // The browser may keep it, and asks each time whether it is still right: a new collector has a new page.
    let kept = [(header::CACHE_CONTROL, "no-cache"), (header::ETAG, TAG.as_str())];
    if headers.get(header::IF_NONE_MATCH).is_some_and(|known| known == TAG.as_str()) {
        return (StatusCode::NOT_MODIFIED, POLICY, kept).into_response();
    }
    (POLICY, kept, [(header::CONTENT_TYPE, asset.media_type)], asset.text).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_is_made_of_its_files_and_of_nothing_from_elsewhere() {
        for asset in [INDEX].iter().chain(ASSETS) {
            for foreign in [
                "http:",
                "https:",
                "//cdn",
                "url(",
                "eval(",
                "innerHTML",
                "outerHTML",
                "insertAdjacent",
                "document.write",
            ] {
                let allowed = foreign == "http:"
                    && asset.text.matches(foreign).count() == asset.text.matches("http://www.w3.org/").count();
                assert!(allowed || !asset.text.contains(foreign), "{foreign} in {}", asset.name);
            }
        }
        assert!(!INDEX.text.contains("<script>") && !INDEX.text.contains("<style") && !INDEX.text.contains("style="));
    }

    #[test]
    fn each_import_is_served() {
        for asset in ASSETS.iter().filter(|asset| asset.media_type == SCRIPT) {
            for import in asset.text.lines().filter(|line| line.starts_with("import ")) {
                let name =
                    import.split("\"./").nth(1).and_then(|rest| rest.split('"').next()).expect("a relative import");
                assert!(ASSETS.iter().any(|asset| asset.name == name), "{name}, imported by {}", asset.name);
            }
        }
    }
}
