//! What the page is made of, and the answers that it is drawn from.

use crate::batch::{batch, batch_on, nested, reads, write};
use crate::client::{Answer, get, post};
use std::io::{BufRead, BufReader, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};
use trackside_collector::Collector;

fn json(answer: &Answer) -> serde_json::Value {
    assert_eq!((answer.status, answer.header("content-type")), (200, "application/json"), "{}", answer.text());
    serde_json::from_slice(&answer.body).unwrap()
}

/// The overview, once all that is stored is in it.
fn overview(collector: &Collector) -> serde_json::Value {
    let deadline = Instant::now() + Duration::from_secs(60);
    loop {
        let overview = json(&get(&collector.url(), "/api/overview", &[]));
        let analysis = &overview["analysis"];
        if analysis["number"] != 0 && analysis["running"] == false && analysis["outdated"] == false {
            return overview;
        }
        assert!(Instant::now() < deadline, "never analysed: {analysis}");
    }
}

#[test]
fn the_page_and_its_files_are_served_with_a_strict_policy() {
    let collector = Collector::builder().start().unwrap();
    let page = get(&collector.url(), "/", &[]);
    assert_eq!((page.status, page.header("content-type")), (200, "text/html; charset=utf-8"));
    let files: Vec<&str> = page.text().split('"').filter(|part| part.starts_with("/page/")).collect();
    assert!(files.len() >= 3, "{files:?}");
    for path in files.into_iter().chain(["/", "/page/timeline.js"]) {
        let file = get(&collector.url(), path, &[]);
        assert_eq!(file.status, 200, "{path}");
        let policy = file.header("content-security-policy");
        for part in [
            "default-src 'none'",
            "script-src 'self'",
            "base-uri 'none'",
            "form-action 'none'",
            "frame-ancestors 'none'",
        ] {
            assert!(policy.contains(part), "{path}: {policy}");
        }
        assert!(!policy.contains("unsafe") && !policy.contains("http") && !policy.contains('*'), "{path}: {policy}");
        assert_eq!((file.header("x-content-type-options"), file.header("referrer-policy")), ("nosniff", "no-referrer"));
        let again = get(&collector.url(), path, &[("If-None-Match", file.header("etag"))]);
        assert_eq!((again.status, again.body.len()), (304, 0), "{path}");
    }
}

#[test]
fn a_path_leads_to_nothing_that_is_not_served() {
    let collector = Collector::builder().start().unwrap();
    post(&collector.url(), &batch(1, 0, &[write(0), write(1)])).ack();
    overview(&collector);
    for name in [
        "..",
        "../Cargo.toml",
        "%2e%2e%2fCargo.toml",
        "..%2f..%2f..%2fetc%2fpasswd",
        "..%5c..%5cwin.ini",
        "%00",
        "style.css%00.js",
        "/etc/passwd",
        "%2fetc%2fpasswd",
        "index.html",
        "style.css/",
        "Style.css",
        "%ff",
        "",
    ] {
        for folder in ["page", "api/findings", "api/traces"] {
            if name.is_empty() && folder != "page" {
                continue;
            }
            let answer = get(&collector.url(), &format!("/{folder}/{name}"), &[]);
            assert!([400, 404].contains(&answer.status), "/{folder}/{name}: {}", answer.status);
        }
    }
}

#[test]
fn the_overview_lists_what_the_background_analysis_found() {
    let collector = Collector::builder().start().unwrap();
    let url = collector.url();
    assert_eq!(json(&get(&url, "/api/overview", &[]))["findings"], serde_json::json!([]), "before anything came");
    overview(&collector);
    post(&url, &batch(1, 0, &[write(0), write(1), write(2), reads(3, 0, 5)])).ack();
    post(&url, &batch_on("accounts.bob", 1, 1, &[write(5), write(6)])).ack();
    let all = overview(&collector);
    let rows = all["findings"].as_array().unwrap();
    let report = collector.report();
    assert_eq!((rows.len(), &all["findings_total"]), (report.findings.len(), &rows.len().into()));
    assert!(rows.len() > 1, "a list of one can be told in no order");
    assert_eq!(all["summary"], serde_json::to_value(&report.summary).unwrap());
    assert_eq!((&rows[0]["variable"], &rows[0]["places"][0]), (&"accounts.alice".into(), &"src/bank.rs:42".into()));

    let tag = get(&url, "/api/overview", &[]);
    assert_eq!(get(&url, "/api/overview", &[("If-None-Match", tag.header("etag"))]).status, 304);
    let first = json(&get(&url, "/api/overview?limit=1", &[]));
    assert_eq!(first["findings"], serde_json::json!([rows[0]]));
    let rest = json(&get(&url, &format!("/api/overview?after={}", rows[0]["id"].as_str().unwrap()), &[]));
    assert_eq!(rest["findings"].as_array().unwrap(), &rows[1..]);
    for wrong in ["limit=x", "after=0000000000000000", "before=1"] {
        assert!([400, 404].contains(&get(&url, &format!("/api/overview?{wrong}"), &[]).status), "{wrong}");
    }

    // The same findings have the same ids after another analysis.
    post(&url, &batch(1, 2, &[reads(4, 0, 5)])).ack();
    let later = overview(&collector);
    assert_ne!(later["analysis"]["number"], all["analysis"]["number"]);
    let ids = |overview: &serde_json::Value| -> Vec<String> {
        overview["findings"].as_array().unwrap().iter().map(|row| row["id"].as_str().unwrap().to_owned()).collect()
    };
    assert!(ids(&all).iter().all(|id| ids(&later).contains(id)));

    collector.clear();
    assert_eq!(overview(&collector)["findings_total"], 0);
}

#[test]
fn only_the_latest_batches_are_analysed_in_the_background() {
    let batches = [batch(1, 0, &[write(0), write(1)]), batch(2, 0, &[reads(0, 0, 5)])];
    let collector = Collector::builder().max_page_bytes(batches[1].len() as u64).start().unwrap();
    for batch in &batches {
        post(&collector.url(), batch).ack();
    }
    let overview = overview(&collector);
    assert_eq!((&overview["findings_total"], &overview["summary"]["events"]), (&0.into(), &5.into()));
    assert!(overview["analysis"]["left_out_bytes"].as_u64().unwrap() > 0);
    assert!(!collector.report().findings.is_empty(), "the whole is looked at when it is asked for");
}

#[test]
fn a_finding_comes_with_the_events_around_it() {
    let collector = Collector::builder().start().unwrap();
    post(&collector.url(), &batch(1, 0, &[reads(0, 0, 40), write(1)])).ack();
    let id = overview(&collector)["findings"][0]["id"].as_str().unwrap().to_owned();
    let told = json(&get(&collector.url(), &format!("/api/findings/{id}"), &[]));
    assert_eq!(told["finding"], serde_json::to_value(&collector.report().findings[0]).unwrap());
    let timeline = &told["timeline"];
    assert_eq!(timeline["lanes"].as_array().unwrap().len(), 2);
    let events = timeline["events"].as_array().unwrap();
    let marks: Vec<&serde_json::Value> = events.iter().flat_map(|event| event["marks"].as_array().unwrap()).collect();
    assert_eq!(marks.len(), 2, "{marks:?}");
    // Of forty events those a few steps away are shown, and how many are not.
    assert!((3..30).contains(&events.len()), "{} events", events.len());
    let write = events.iter().find(|event| event["kind"] == "Write").unwrap();
    assert_eq!((&write["name"], &write["new"], &write["line"]), (&"accounts.alice".into(), &"100".into(), &42.into()));
}

#[test]
fn locks_come_with_the_orders_in_which_they_are_taken() {
    let collector = Collector::builder().start().unwrap();
    post(&collector.url(), &nested(&["a", "b", "c"], &[[0, 1], [1, 0], [0, 1]])).ack();
    let id = overview(&collector)["findings"][0]["id"].clone();
    let told = json(&get(&collector.url(), "/api/locks", &[]));
    let order = |holds: &str, takes: &str, count: u64| serde_json::json!({ "service": "bank", "holds": holds, "takes": takes, "count": count, "place": "src/bank.rs:42" });
    assert_eq!(told["orders"], serde_json::json!([order("a", "b", 2), order("b", "a", 1)]));
    assert_eq!(told["deadlocks"][0]["id"], id);
    assert_eq!(told["locks"], serde_json::to_value(collector.report().locks).unwrap());
}

#[test]
fn traces_are_listed_and_told_one_by_one() {
    let collector = Collector::builder().start().unwrap();
    post(&collector.url(), &batch(1, 0, &[reads(0, 0, 10), reads(1, 0, 2)])).ack();
    overview(&collector);
    let list = json(&get(&collector.url(), "/api/traces", &[]));
    let row = &list["traces"][0];
    assert_eq!((&row["events"], &row["strands"], &list["total"]), (&12.into(), &2.into(), &1.into()));
    assert_eq!(row["start_unix_ns"], "1700000000000000000");
    let trace = json(&get(&collector.url(), &format!("/api/traces/{}", row["id"].as_str().unwrap()), &[]));
    let strands = trace["strands"].as_array().unwrap();
    assert_eq!(strands.iter().map(|strand| strand["events"].as_u64().unwrap()).collect::<Vec<_>>(), [10, 2]);
}

/// Opens the stream of what comes in.
fn listen(collector: &Collector) -> BufReader<TcpStream> {
    let mut stream = TcpStream::connect(collector.address()).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
    write!(stream, "GET /api/live HTTP/1.1\r\nHost: localhost\r\n\r\n").unwrap();
    BufReader::new(stream)
}

fn next_moment(stream: &mut BufReader<TcpStream>) -> serde_json::Value {
    loop {
        let mut line = String::new();
        assert!(stream.read_line(&mut line).unwrap() > 0, "the stream ended");
        if let Some(data) = line.strip_prefix("data: ") {
            return serde_json::from_str(data).unwrap();
        }
    }
}

#[test]
fn what_comes_in_is_told_as_it_comes() {
    let collector = Collector::builder().start().unwrap();
    let mut stream = listen(&collector);
    assert_eq!(next_moment(&mut stream)["stored"]["events"], 0);
    post(&collector.url(), &batch(1, 3, &[reads(0, 0, 10)])).ack();
    // It may have come a little before a second was over, or a little after.
    let moment = std::iter::repeat_with(|| next_moment(&mut stream)).find(|moment| moment["events"] != 0).unwrap();
    assert_eq!((&moment["events"], &moment["lost"]["ring_full"]), (&10.into(), &3.into()));
    assert_eq!((&moment["services"][0]["service"], &moment["services"][0]["events"]), (&"bank".into(), &10.into()));
    assert_eq!(next_moment(&mut stream)["events"], 0, "that was a second ago");

    // Whoever watches does not hold the collector up.
    let start = Instant::now();
    collector.shutdown();
    assert!(start.elapsed() < Duration::from_millis(900), "{:?}", start.elapsed());
}

#[test]
fn not_everybody_may_watch() {
    let collector = Collector::builder().start().unwrap();
    let mut watching: Vec<_> = (0..16).map(|_| listen(&collector)).collect();
    watching.iter_mut().for_each(|stream| drop(next_moment(stream)));
    assert_eq!(get(&collector.url(), "/api/live", &[]).status, 503);
    assert_eq!(get(&collector.url(), "/health", &[]).status, 200);
    watching.clear();
    let deadline = Instant::now() + Duration::from_secs(30);
    while next_status(&collector) != "HTTP/1.1 200 OK" {
        assert!(Instant::now() < deadline, "those who left keep their places");
    }
}

fn next_status(collector: &Collector) -> String {
    let mut line = String::new();
    listen(collector).read_line(&mut line).unwrap();
    line.trim_end().to_owned()
}

#[test]
fn the_page_is_there_without_a_key_and_nothing_else_is() {
    let collector = Collector::builder().api_key("sesame").start().unwrap();
    for open in ["/", "/page/main.js", "/health"] {
        assert_eq!(get(&collector.url(), open, &[]).status, 200, "{open}");
    }
    let key = [("Authorization", "Bearer sesame")];
    for (path, status) in
        [("/api/overview", 200), ("/api/stats", 200), ("/api/findings", 200), ("/api/findings/1", 404)]
    {
        assert_eq!(get(&collector.url(), path, &[]).status, 401, "{path}");
        let answer = get(&collector.url(), path, &key);
        // The first analysis may still be under way.
        assert!([status, 503].contains(&answer.status), "{path}: {}", answer.status);
    }
    for closed in ["/api/traces", "/api/traces/1", "/api/locks", "/api/live", "/nothing"] {
        assert_eq!(get(&collector.url(), closed, &[]).status, 401, "{closed}");
    }
}

#[test]
fn a_browser_does_not_ask_on_behalf_of_another_site() {
    let collector = Collector::builder().start().unwrap();
    for (site, status) in [("cross-site", 403), ("same-origin", 200), ("none", 200)] {
        assert_eq!(get(&collector.url(), "/api/overview", &[("Sec-Fetch-Site", site)]).status, status, "{site}");
        assert_eq!(get(&collector.url(), "/", &[("Sec-Fetch-Site", site)]).status, 200, "a link to the page is one");
    }
}
