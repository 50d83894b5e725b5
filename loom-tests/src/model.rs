//! A model, and how it is run.

use std::io::Write;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::ExitCode;
use std::sync::{Arc, Mutex};
use std::time::Instant;

/// One promise of the ring, and a small program that would break it in some interleaving if it could be broken.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Model {
    pub(crate) name: &'static str,
    pub(crate) promise: &'static str,
    /// Fewer executions than this mean that loom did not see the conflicts that the model is about. About half of what
    /// there are at the default bound, so a tighter bound fails it.
    pub(crate) floor: u64,
    /// How many preemptions to explore by default.
    pub(crate) preemptions: usize,
    pub(crate) body: fn(),
}

/// Runs the models whose names contain one of the words, or all; stops at the first that fails.
pub(crate) fn run_all(models: &[Model], wanted: &[String]) -> ExitCode {
    let chosen = |model: &&Model| wanted.is_empty() || wanted.iter().any(|word| model.name.contains(word.as_str()));
    let start = Instant::now();
    let mut total = 0;
    for model in models.iter().filter(chosen) {
        print!("{:<22}", model.name);
        // A model can die in a way that nothing catches (a panic within a panic): its name must be out by then.
        let _ = std::io::stdout().flush();
        let begun = Instant::now();
        let (executions, held) = run(model);
        total += 1;
        println!("{executions:>9} executions {:>7.1} s  {}", begun.elapsed().as_secs_f64(), model.promise);
        if !held {
            println!("FAILED {}", model.name);
            return ExitCode::FAILURE;
        }
        if executions < model.floor && !mode_is("mutant") {
            println!("FAILED {}: fewer than {} executions, so loom is blind to something", model.name, model.floor);
            return ExitCode::FAILURE;
        }
    }
    println!("{total} models held, {:.1} s", start.elapsed().as_secs_f64());
    // A word that names no model must not look like a success.
    if total == 0 { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}

fn run(model: &Model) -> (u64, bool) {
    // Not loom's types: the count must survive from one execution to the next.
    let executions = Arc::new(Mutex::new(0));
    let counter = executions.clone();
    let body = model.body;
    let builder = builder(model);
    let held = catch_unwind(AssertUnwindSafe(move || {
        builder.check(move || {
            *counter.lock().expect("nothing panics while it counts") += 1;
            body();
        });
    }));
    let executions = *executions.lock().expect("nothing panics while it counts");
    (executions, held.is_ok())
}

fn builder(model: &Model) -> loom::model::Builder {
    let mut builder = loom::model::Builder::new();
    builder.max_branches = builder.max_branches.max(10_000);
    // LOOM_MAX_PREEMPTIONS has been read by now, and has the last word.
    if builder.preemption_bound.is_none() && !mode_is("full") {
        builder.preemption_bound = Some(model.preemptions);
    }
    builder
}

fn mode_is(mode: &str) -> bool {
    std::env::var("TRACKSIDE_LOOM").is_ok_and(|set| set == mode)
}
