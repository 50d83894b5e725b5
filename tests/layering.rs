//! The rules about what may import what, and where some things may not occur at all, as tests: each rule reads the
//! sources, and each has a counterpart that shows it a violation, because a check that cannot fail is worth nothing.
//!
//! Where a rule stands in the way of something good, change the rule here, in a commit of its own that says why.

#[path = "layering/samples.rs"]
mod each_rule_can_fail;
#[path = "layering/readme.rs"]
mod readme;
#[path = "layering/source.rs"]
mod source;

use source::{File, PathUse, Tree};
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::sync::OnceLock;

/// The modules of the SDK, each with the others that its product code may import. Lower ones come first, and a module
/// imports only from above its own line, so that the table cannot hold a cycle.
const EDGES: &[(&str, &[&str])] = &[
    ("ring", &[]),
    // Reading the time-stamp counter is an unsafe instruction, and those live in the ring.
    ("clock", &["ring"]),
    ("error", &[]),
    // Functions of their arguments, for anyone to use; nothing of the pipeline is in them.
    ("propagation", &[]),
    ("record", &["ring"]),
    // What is done to an atomic, as the two arguments of a record: written by `sync`, read by `encode`.
    ("operation", &["record"]),
    ("attach", &["ring"]),
    ("lock_record", &["ring"]),
    // Who waits for whom, as what the ring knows of held locks says: told by `sync`, and to whom a configuration says.
    ("deadlock", &["ring"]),
    ("value", &["ring", "record"]),
    ("stats", &["ring"]),
    ("transport", &["error"]),
    ("recorder", &["ring", "clock", "propagation", "record", "value"]),
    ("encode", &["ring", "clock", "record", "lock_record", "operation", "stats"]),
    ("flusher", &["ring", "clock", "error", "record", "lock_record", "attach", "stats", "transport", "encode"]),
    // A configuration says how the parts below are set up; building a client out of it is the client's business.
    ("config", &["ring", "error", "record", "deadlock", "transport", "flusher"]),
    ("context", &["ring", "clock", "error", "attach", "record", "value", "recorder", "propagation"]),
    ("sync", &["ring", "clock", "record", "operation", "lock_record", "deadlock", "value", "context"]),
    // Threads run in contexts; std's scopes are extended in the ring, because that is unsafe. A thread's token is an object
    // that synchronises.
    ("thread", &["ring", "record", "context", "sync"]),
    (
        "client",
        &[
            "ring",
            "clock",
            "error",
            "operation",
            "value",
            "recorder",
            "stats",
            "transport",
            "config",
            "flusher",
            "context",
            "propagation",
            // A client is begun and ended for the watchdog as it is for the ring.
            "sync",
        ],
    ),
    // A client in memory, and the analysis behind it.
    ("testing", &["ring", "transport", "client"]),
    // What is recorded for other people's types is recorded as for the client's own methods, at a place that they name.
    // A span of `tracing` is a guard that several threads may hold at once: ticks, and a lock on the contexts it has.
    // Tokio's locks and channels record as std's do.
    (
        "integration",
        &["ring", "clock", "record", "lock_record", "propagation", "value", "recorder", "context", "client", "sync"],
    ),
];

/// The words that events are spoken of in: every module of the SDK may take them from `trackside_wire`.
const VOCABULARY: &[&str] = &["Access", "EventId", "Kind", "Kinds", "RunId", "ThreadId"];

/// What else each module may take from there; an empty list stands for everything.
const FORMAT: &[(&str, &[&str])] = &[
    ("encode", &[]),
    // What answers a batch, and the frame around it in a file.
    ("transport", &["Ack", "FILE_MAGIC", "MEDIA_TYPE", "frame_len"]),
    // The tables that replay fills in; and cutting up a batch that the receiver refuses, without a look at its rows.
    ("flusher", &["Batch", "Header", "Lane", "Site", "Strand"]),
    // What the analysis takes.
    ("testing", &["Batch"]),
    // A user's value is checked to be one value of the format, or replaced by the mark for one that was left out.
    ("value", &["CUT_EXT", "Raw"]),
];

/// Where MessagePack may be read or written by hand: the format's own crate, the encoder, and the bounded buffer that
/// takes a user's `Serialize` value.
const MESSAGEPACK: &[&str] = &["crates/wire/src/", "src/encode", "src/value"];

/// Where `unsafe` may stand outside of the ring: tests that need an allocator, a fork or a hand-made ring to be tests.
const UNSAFE: &[&str] = &[
    "src/ring/",
    "loom-tests/",
    "ci/tsan-stress/",
    // Code before `main`, which is to be called unsafe where it is asked for.
    "ci/drop-in/",
    "fuzz/fuzz_targets/",
    "tests/no_alloc.rs",
    "tests/propagation_memory.rs",
    "tests/allocator.rs",
    "tests/raw_memory.rs",
    "tests/signal/",
    "tests/process/",
];

/// Where std's atomics may be named: the facade, and the types that are std's own with a record beside it. What these keep
/// their numbers in is a protocol, and so in the ring.
const ATOMICS: &[&str] = &["src/ring/sync.rs", "src/sync/atomic/"];

/// Where a standard stream may be written to: debug mode, which somebody has turned on to see its lines.
const PRINTS: &[&str] = &["src/flusher/submission.rs"];

const MOST_LINES: usize = 500;

// ---- imports of the SDK ----

/// The SDK's modules import along the table only.
fn imports_run_one_way(tree: &Tree) -> Vec<String> {
    let mut broken = Vec::new();
    for file in tree.below("src") {
        // lib.rs declares and re-exports; it may name everything, and nothing may import from it.
        let Some(area) = file.area() else { continue };
        let Some((_, allowed)) = EDGES.iter().find(|(module, _)| *module == area) else {
            broken.push(format!(
                "{}:1: `{area}` is not in the table EDGES of tests/layering.rs: add it there",
                file.path
            ));
            continue;
        };
        for PathUse { line, segments, .. } in product_paths(file).filter(|path| path.local) {
            let target = segments.first().map_or("", String::as_str);
            if !EDGES.iter().any(|(module, _)| *module == target) {
                broken.push(format!(
                    "{}:{line}: `crate::{}` comes from the crate's root, which hides whose it is: \
                     name the module that defines it",
                    file.path,
                    segments.join("::")
                ));
            } else if target != area && !allowed.contains(&target) {
                broken.push(format!(
                    "{}:{line}: `{area}` may not import `{target}` (crate::{}): pass what is needed in as an argument, \
                     or move it down to a module that both may import",
                    file.path,
                    segments.join("::")
                ));
            }
        }
    }
    broken
}

/// Only `encode` knows how a batch is laid out; others may take a few named things from the format's crate.
fn only_encode_knows_the_format(tree: &Tree) -> Vec<String> {
    let mut broken = Vec::new();
    for file in tree.below("src") {
        let Some(area) = file.area() else { continue };
        let allowed = FORMAT.iter().find(|(module, _)| *module == area).map(|(_, items)| *items);
        if allowed.is_some_and(<[&str]>::is_empty) {
            continue;
        }
        for PathUse { line, segments, .. } in product_paths(file).filter(|path| !path.local) {
            let [first, item, ..] = &segments[..] else { continue };
            let granted = [VOCABULARY, allowed.unwrap_or(&[])].concat();
            if first == "trackside_wire" && !granted.contains(&item.as_str()) {
                broken.push(format!(
                    "{}:{line}: `{area}` takes `{item}` from trackside_wire: what depends on the format belongs in \
                     `encode`; what does not look into batches belongs in the table FORMAT",
                    file.path
                ));
            }
        }
    }
    broken
}

/// MessagePack is written and read by hand in few places.
fn messagepack_stays_in_its_place(tree: &Tree) -> Vec<String> {
    let product = tree.files.iter().filter(|file| is_product(file));
    let elsewhere = product.filter(|file| !MESSAGEPACK.iter().any(|place| file.path.starts_with(place)));
    elsewhere
        .flat_map(|file| {
            product_paths(file)
                .filter(|path| !path.local && ["rmp", "rmp_serde"].contains(&path.segments[0].as_str()))
                .map(|path| {
                    format!(
                        "{}:{}: `{}` outside of encode, value and crates/wire: let one of them write or read it",
                        file.path,
                        path.line,
                        path.segments.join("::")
                    )
                })
        })
        .collect()
}

// ---- crates ----

/// The collector and the crates below it do not depend on the SDK, nor on what stands above them.
fn crates_keep_off_the_sdk(manifests: &BTreeMap<String, String>) -> Vec<String> {
    let mut broken = Vec::new();
    for (path, text) in manifests {
        let allowed: &[&str] = match path.as_str() {
            "crates/wire/Cargo.toml" => &[],
            "crates/analysis/Cargo.toml" => &["trackside-wire"],
            "crates/collector/Cargo.toml" => &["trackside-wire", "trackside-analysis"],
            _ => {
                broken.push(format!("{path}:1: an unknown crate: say in tests/layering.rs what it may depend on"));
                continue;
            }
        };
        for (line, name) in dependencies(text) {
            if name.starts_with("trackside") && !allowed.contains(&name.as_str()) {
                broken.push(format!(
                    "{path}:{line}: depends on `{name}`: the collector's side shares only trackside-wire with the SDK; \
                     move what both need there, or make it a dev-dependency if a test needs it"
                ));
            }
        }
    }
    broken
}

/// The names in a manifest's dependency tables, development ones left out, each with its line. Knows as much of TOML as
/// our manifests use: tables, `name.workspace = true`, `name = ...`, `package = "..."`.
fn dependencies(manifest: &str) -> Vec<(usize, String)> {
    let (mut found, mut inside) = (Vec::new(), false);
    for (line, text) in (1..).zip(manifest.lines().map(str::trim)) {
        if let Some(table) = text.strip_prefix('[') {
            let table = table.trim_end_matches(']');
            inside = table.ends_with("dependencies") && !table.ends_with("dev-dependencies");
            // [dependencies.name]
            if let Some((above, name)) = table.rsplit_once('.')
                && above.ends_with("dependencies")
                && !above.ends_with("dev-dependencies")
            {
                found.push((line, name.to_owned()));
            }
        } else if inside && let Some((key, value)) = text.split_once('=') {
            let renamed = value.split_once("package").and_then(|(_, rest)| rest.split('"').nth(1));
            let name = renamed.unwrap_or(key.trim().split('.').next().unwrap_or(""));
            found.push((line, name.trim_matches('"').to_owned()));
        }
    }
    found
}

/// `wire` and `analysis` are functions of their arguments: no files, network, threads, environment or clock.
fn pure_crates_do_nothing_else(tree: &Tree) -> Vec<String> {
    const WORLD: &[&str] = &["env", "fs", "net", "os", "process", "thread"];
    let mut broken = Vec::new();
    for file in tree.below("crates/wire/src").chain(tree.below("crates/analysis/src")) {
        for PathUse { line, segments, .. } in product_paths(file).filter(|path| !path.local) {
            let [first, module, rest @ ..] = &segments[..] else { continue };
            let clock = module == "time" && rest.first().is_some_and(|item| item != "Duration");
            if first == "std" && (clock || WORLD.contains(&module.as_str())) {
                broken.push(format!(
                    "{}:{line}: `{}` in a crate without I/O, clock and threads: let the caller pass in what it yields",
                    file.path,
                    segments.join("::")
                ));
            }
        }
    }
    broken
}

// ---- words ----

/// `unsafe` is written in the ring, and in the few tests that cannot do without.
fn unsafe_lives_in_the_ring(tree: &Tree) -> Vec<String> {
    let elsewhere = tree.files.iter().filter(|file| !UNSAFE.iter().any(|place| file.path.starts_with(place)));
    elsewhere
        .flat_map(|file| {
            words(file, &["unsafe"], true).map(|(line, _)| {
                format!("{}:{line}: `unsafe` outside of src/ring: use or extend the ring's safe interface", file.path)
            })
        })
        .collect()
}

/// Atomics come out of the ring's facade, where loom can replace them; clippy cannot tell by which way a type came.
fn atomics_come_through_the_facade(tree: &Tree) -> Vec<String> {
    let mut broken = Vec::new();
    let allowed = |file: &&File| ATOMICS.iter().any(|place| file.path.starts_with(place));
    for file in tree.below("src").filter(|file| !allowed(file)) {
        for PathUse { line, segments, .. } in product_paths(file).filter(|path| !path.local) {
            let [krate, sync, atomic, rest @ ..] = &segments[..] else { continue };
            let is_atomic = ["std", "core"].contains(&krate.as_str()) && sync == "sync" && atomic == "atomic";
            // An ordering is a word; a compiler fence orders a thread with its own signal handlers, of which loom has none.
            let harmless = rest.first().is_some_and(|item| ["Ordering", "compiler_fence"].contains(&item.as_str()));
            if is_atomic && !harmless {
                broken.push(format!(
                    "{}:{line}: `{}` past the facade: take it from crate::ring::sync",
                    file.path,
                    segments.join("::")
                ));
            }
        }
    }
    broken
}

/// Product code does not know that loom exists.
fn loom_stays_outside(tree: &Tree) -> Vec<String> {
    let product = tree.files.iter().filter(|file| is_product(file));
    product
        .flat_map(|file| {
            words(file, &["loom"], true).map(|(line, _)| {
                format!(
                    "{}:{line}: `loom` in product code: loom-tests includes src/ring by path and supplies its own `sync`",
                    file.path
                )
            })
        })
        .collect()
}

/// A library does not write to its host's terminal, unless that is what it is asked for.
fn libraries_print_nothing(tree: &Tree) -> Vec<String> {
    let libraries = ["src", "crates/wire/src", "crates/analysis/src"];
    let streams = |file: &File| !PRINTS.contains(&file.path.as_str());
    libraries
        .iter()
        .flat_map(|folder| tree.below(folder))
        .flat_map(|file| {
            let macros = words(file, &["print", "println", "eprint", "eprintln", "dbg"], false);
            let handles = words(file, &["stdout", "stderr"], false).filter(move |_| streams(file));
            macros.filter(|(_, called)| *called == "!").chain(handles.filter(|(_, called)| *called == "(")).map(
                |(line, _)| {
                    format!(
                        "{}:{line}: prints: report through the `log` facade, a result or the stats instead",
                        file.path
                    )
                },
            )
        })
        .collect()
}

/// A file that is too long is two files.
fn files_stay_short(tree: &Tree) -> Vec<String> {
    let long = tree.below("src").chain(tree.below("crates")).filter(|file| file.lines > MOST_LINES);
    long.map(|file| {
        format!(
            "{}:{}: {} lines: split it before {MOST_LINES}, along what can be understood alone",
            file.path,
            MOST_LINES + 1,
            file.lines
        )
    })
    .collect()
}

// ---- helpers ----

/// Whether the file is part of what is shipped. Unit tests inside of it are told apart token by token.
fn is_product(file: &File) -> bool {
    file.path.starts_with("src/") || (file.path.starts_with("crates/") && file.path.contains("/src/"))
}

fn product_paths(file: &File) -> impl Iterator<Item = PathUse> {
    file.paths().into_iter().filter(|path| !path.test)
}

/// Where one of `wanted` stands in the code, and the token that follows it.
fn words<'a>(file: &'a File, wanted: &'a [&str], tests_too: bool) -> impl Iterator<Item = (usize, &'a str)> {
    file.tokens.iter().enumerate().filter(move |(_, token)| wanted.contains(&token.text.as_str())).filter_map(
        move |(at, token)| {
            let next = file.tokens.get(at + 1).map_or("", |token| token.text.as_str());
            (tests_too || !token.test).then_some((token.line, next))
        },
    )
}

fn workspace() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn whole_tree() -> &'static Tree {
    static TREE: OnceLock<Tree> = OnceLock::new();
    TREE.get_or_init(|| {
        let folders = ["src", "crates", "tests", "examples", "benches", "fuzz", "loom-tests", "ci"];
        let tree = Tree::read(workspace(), &folders);
        assert!(tree.below("src").count() > 5 && tree.below("crates").count() > 5, "the sources were not found");
        tree
    })
}

#[track_caller]
fn assert_clean(broken: &[String]) {
    assert!(broken.is_empty(), "{} violation(s):\n{}", broken.len(), broken.join("\n"));
}

/// Asserts that `rule` finds violations in just these places of a made-up tree.
#[track_caller]
fn assert_finds(rule: fn(&Tree) -> Vec<String>, texts: &[(&str, &str)], places: &[&str]) {
    let broken = rule(&Tree::parse(texts.iter().copied()));
    let found: Vec<&str> = broken.iter().map(|text| text.split(": ").next().unwrap_or("")).collect();
    assert_eq!(found, places, "{broken:#?}");
}

mod rules {
    use super::*;

    #[test]
    fn the_table_of_edges_has_no_cycle() {
        for (at, (module, allowed)) in EDGES.iter().enumerate() {
            for target in *allowed {
                let above = EDGES[..at].iter().any(|(lower, _)| lower == target);
                assert!(above, "`{module}` imports `{target}`, which does not stand above it in EDGES");
            }
        }
    }

    #[test]
    fn imports_of_the_sdk() {
        assert_clean(&imports_run_one_way(whole_tree()));
    }

    #[test]
    fn the_format() {
        assert_clean(&only_encode_knows_the_format(whole_tree()));
    }

    #[test]
    fn messagepack() {
        assert_clean(&messagepack_stays_in_its_place(whole_tree()));
    }

    #[test]
    fn dependencies_between_crates() {
        let crates = fs::read_dir(workspace().join("crates")).expect("the workspace has crates");
        let manifests: BTreeMap<String, String> = crates
            .flatten()
            .map(|entry| format!("crates/{}/Cargo.toml", entry.file_name().to_string_lossy()))
            .filter_map(|path| Some((path.clone(), fs::read_to_string(workspace().join(path)).ok()?)))
            .collect();
        assert_eq!(manifests.len(), 3, "crates/wire, crates/analysis, crates/collector");
        assert_clean(&crates_keep_off_the_sdk(&manifests));
    }

    #[test]
    fn the_collector_never_names_the_sdk() {
        let tree = whole_tree();
        let named = tree.below("crates").filter(|file| is_product(file)).flat_map(|file| {
            product_paths(file)
                .filter(|path| !path.local && path.segments[0] == "trackside")
                .map(|path| format!("{}:{}: names the SDK: see crates_keep_off_the_sdk", file.path, path.line))
        });
        assert_clean(&named.collect::<Vec<_>>());
    }

    #[test]
    fn wire_and_analysis_are_pure() {
        assert_clean(&pure_crates_do_nothing_else(whole_tree()));
    }

    #[test]
    fn unsafe_code() {
        assert_clean(&unsafe_lives_in_the_ring(whole_tree()));
    }

    #[test]
    fn atomics() {
        assert_clean(&atomics_come_through_the_facade(whole_tree()));
    }

    #[test]
    fn loom() {
        assert_clean(&loom_stays_outside(whole_tree()));
    }

    #[test]
    fn printing() {
        assert_clean(&libraries_print_nothing(whole_tree()));
    }

    #[test]
    fn length_of_files() {
        assert_clean(&files_stay_short(whole_tree()));
    }
}
