//! Made-up sources that break each rule, and some that only seem to.

use super::*;

#[test]
fn a_forbidden_import_is_found_in_every_spelling() {
    let text = "use crate::client::Client;
        use super::super::config;
        use crate::{ring::spsc, clock::{self, Clock}, flusher as worker};
        fn f(_: &crate::stats::Stats) { <u8 as crate::context::T>::g() }
        mod inner { use super::super::super::sync::Lock; use super::encode::f; }
        pub(in crate::record) struct S;
        use crate::Batch;";
    // Three paths in line 3, two in line 4, one in each other.
    let found = [1, 2, 3, 3, 3, 4, 4, 5, 7].map(|line| format!("src/record/decode.rs:{line}"));
    let expected = found.each_ref().map(String::as_str);
    assert_finds(imports_run_one_way, &[("src/record/decode.rs", text)], &expected);
}

#[test]
fn comments_literals_tests_and_own_modules_are_no_imports() {
    let text = r##"//! [crate::client]
        /* crate::client::A /* nested */ crate::client::B */
        const A: &str = "crate::client::A \" crate::client::B";
        const B: &str = r#"crate::client::A " crate::client::B"#;
        fn f<'a>(_: &'a str) -> (char, u8, &'a [u8]) { ('"', b'\'', b"crate::client::A") }
        use super::frame::Head;
        #[cfg(test)]
        use crate::client::Client;
        #[cfg(test)]
        mod tests { use crate::client::Client; use super::super::super::client; }"##;
    let testing = "use crate::client::Client;";
    let texts = [
        ("src/ring/spsc.rs", text),
        ("src/ring/mod.rs", "#[cfg(test)]\npub(crate) mod testing;\nmod spsc;"),
        ("src/ring/testing.rs", testing),
        ("src/lib.rs", "mod client; pub use client::Client; pub use crate::ring::Overflow;"),
    ];
    assert_finds(imports_run_one_way, &texts, &[]);
    // The same lines outside of test code are found.
    let texts = [("src/ring/mod.rs", "mod testing;"), ("src/ring/testing.rs", testing)];
    assert_finds(imports_run_one_way, &texts, &["src/ring/testing.rs:1"]);
    let after = "#[cfg(test)]\nmod tests { fn f() {} }\nuse crate::client::Client;";
    assert_finds(imports_run_one_way, &[("src/ring/a.rs", after)], &["src/ring/a.rs:3"]);
    let negated = "#[cfg(not(test))]\nuse crate::client::Client;";
    assert_finds(imports_run_one_way, &[("src/ring/a.rs", negated)], &["src/ring/a.rs:2"]);
}

#[test]
fn a_module_without_a_row_in_the_table_is_found() {
    assert_finds(imports_run_one_way, &[("src/novelty.rs", "")], &["src/novelty.rs:1"]);
}

#[test]
fn knowledge_of_the_format_is_found() {
    let texts = [
        ("src/encode/native.rs", "use trackside_wire::{Lane, write_head};"),
        ("src/transport/http.rs", "use trackside_wire::{Ack,\nLane};"),
        ("src/stats.rs", "fn f(_: trackside_wire::Kind) { trackside_wire::Ack::decode(&[]); }"),
    ];
    assert_finds(only_encode_knows_the_format, &texts, &["src/transport/http.rs:2", "src/stats.rs:1"]);
}

#[test]
fn messagepack_elsewhere_is_found() {
    let texts = [
        ("src/flusher/mod.rs", "use rmp::encode;"),
        ("crates/collector/src/body.rs", "fn f() { rmp_serde::from_slice(); }"),
        ("src/encode/native.rs", "use rmp::encode;"),
        ("crates/wire/tests/it/main.rs", "use rmp::encode;"),
    ];
    assert_finds(messagepack_stays_in_its_place, &texts, &["src/flusher/mod.rs:1", "crates/collector/src/body.rs:1"]);
}

#[test]
fn a_dependency_on_the_sdk_is_found() {
    let manifest = "[package]\nname = \"trackside-collector\"\n[dependencies]\ntrackside-wire.workspace = true
        trackside.workspace = true\nsdk = { package = \"trackside\", path = \"../..\" }
        [target.'cfg(unix)'.dependencies]\ntrackside = \"1\"\n[build-dependencies.trackside]\nversion = \"1\"
        [dev-dependencies]\ntrackside.workspace = true";
    let manifests = BTreeMap::from([("crates/collector/Cargo.toml".to_owned(), manifest.to_owned())]);
    let broken = crates_keep_off_the_sdk(&manifests);
    let lines: Vec<&str> = broken.iter().filter_map(|text| text.split(':').nth(1)).collect();
    assert_eq!(lines, ["5", "6", "8", "9"], "{broken:#?}");
    let manifests = BTreeMap::from([("crates/novelty/Cargo.toml".to_owned(), String::new())]);
    assert_eq!(crates_keep_off_the_sdk(&manifests).len(), 1);
}

#[test]
fn the_outside_world_in_a_pure_crate_is_found() {
    let text = "use std::time::Duration;\nuse std::{fmt, fs::File};\nfn f() { std::time::Instant::now(); }";
    let path = "crates/analysis/src/race.rs";
    let found = ["crates/analysis/src/race.rs:2", "crates/analysis/src/race.rs:3"];
    assert_finds(pure_crates_do_nothing_else, &[(path, text)], &found);
    assert_finds(pure_crates_do_nothing_else, &[("crates/collector/src/server.rs", text)], &[]);
}

#[test]
fn unsafe_elsewhere_is_found() {
    let text = "#![expect(unsafe_code)]\n// unsafe\nconst A: &str = \"unsafe\";\nfn f() { unsafe {} }";
    let texts = [("src/ring/spsc.rs", text), ("src/sync/mutex.rs", text), ("tests/it/main.rs", text)];
    assert_finds(unsafe_lives_in_the_ring, &texts, &["src/sync/mutex.rs:4", "tests/it/main.rs:4"]);
}

#[test]
fn atomics_past_the_facade_are_found() {
    let text = "use std::sync::{Arc, atomic::{AtomicU64, Ordering}};
use std::sync::atomic::compiler_fence;
fn f() { core::sync::atomic::fence(x); }
use super::sync::AtomicBool;
#[cfg(test)]
mod tests { use std::sync::atomic::AtomicU64; }";
    let allowed = ["src/ring/sync.rs", "src/sync/atomic/integer.rs", "crates/collector/src/a.rs"];
    let texts = [(allowed[0], text), (allowed[1], text), ("src/sync/mutex.rs", text), (allowed[2], text)];
    let found = ["src/sync/mutex.rs:1", "src/sync/mutex.rs:3"];
    assert_finds(atomics_come_through_the_facade, &texts, &found);
}

#[test]
fn loom_in_product_code_is_found() {
    let text = "// loom\n#[cfg(loom)]\nuse loom::sync;";
    let texts = [("src/ring/sync.rs", text), ("loom-tests/src/sync.rs", text), ("fuzz/a.rs", text)];
    assert_finds(loom_stays_outside, &texts, &["src/ring/sync.rs:2", "src/ring/sync.rs:3"]);
}

#[test]
fn printing_is_found() {
    let text = "/// println!(\"x\");\nfn f() {\nprintln!(\"{}\", 1);\neprintln !(); dbg!(1); }\nfn print() {}";
    let texts = [("src/client.rs", text), ("crates/collector/src/cli.rs", text)];
    let found = ["src/client.rs:3", "src/client.rs:4", "src/client.rs:4"];
    assert_finds(libraries_print_nothing, &texts, &found);
    let stream = "fn f() { std::io::stderr().write_all(b\"\"); }";
    let streams = [("src/client.rs", stream), ("src/flusher/submission.rs", stream)];
    assert_finds(libraries_print_nothing, &streams, &["src/client.rs:1"]);
    let in_test = [("src/client.rs", "#[cfg(test)]\nmod tests { fn f() { println!(); } }")];
    assert_finds(libraries_print_nothing, &in_test, &[]);
}

#[test]
fn a_long_file_is_found() {
    let (full, long) = ("\n".repeat(MOST_LINES), "\n".repeat(MOST_LINES + 1));
    let texts = [("src/client.rs", long.as_str()), ("crates/wire/tests/it/a.rs", &full), ("tests/layering.rs", &long)];
    assert_finds(files_stay_short, &texts, &["src/client.rs:501"]);
}
