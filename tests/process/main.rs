//! What needs a process of its own: forks, the ways to exit, the main thread's thread-locals.
//!
//! Started without arguments, this runs each scenario in a child process, which is this program again, and kills one that
//! hangs. It has a `main` of its own because libtest runs no test on the main thread; beyond that it does as libtest does,
//! as far as cargo and nextest ask: `--list`, `--exact`, a filter.

#![cfg_attr(unix, expect(clippy::disallowed_types, reason = "tests count with plain atomics; loom looks at src/ring"))]

#[cfg(target_os = "linux")]
#[path = "../it/support/blocked.rs"]
mod blocked;
#[cfg(unix)]
mod exits;
#[cfg(unix)]
mod fork;
#[cfg(target_os = "linux")]
mod locks;

use std::io::Read;
use std::process::{Command, ExitCode, Stdio};
use std::time::{Duration, Instant};

/// How long a scenario may take: far more than any does, except for one that hangs.
const LONG: Duration = Duration::from_secs(120);

/// What a child process does, and how it must end.
struct Scenario {
    name: &'static str,
    run: fn(),
    ends: Ends,
}

/// How a process ends, and what it must have said on its standard output.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ends {
    /// `main` returns.
    Well,
    /// With this exit code.
    Code(i32),
    /// By this signal.
    Signal(i32),
}

/// Scenarios that look into /proc.
#[cfg(target_os = "linux")]
const OF_LINUX: &[(&str, fn(), Ends)] = locks::SCENARIOS;
#[cfg(all(unix, not(target_os = "linux")))]
const OF_LINUX: &[(&str, fn(), Ends)] = &[];

#[cfg(unix)]
fn scenarios() -> Vec<Scenario> {
    [fork::SCENARIOS, exits::SCENARIOS, OF_LINUX]
        .concat()
        .into_iter()
        .map(|(name, run, ends)| Scenario { name, run, ends })
        .collect()
}

#[cfg(not(unix))]
fn scenarios() -> Vec<Scenario> {
    Vec::new()
}

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if let [first, name] = &arguments[..]
        && first == "child"
    {
        let scenario = scenarios().into_iter().find(|scenario| scenario.name == name).expect("a scenario's name");
        (scenario.run)();
        return ExitCode::SUCCESS;
    }

    let has = |flag: &str| arguments.iter().any(|argument| argument == flag);
    // The values of libtest's options are no filters.
    let is_value = |at: usize| at > 0 && ["--format", "--color", "--test-threads", "-Z"].contains(&&*arguments[at - 1]);
    let mut others = arguments.iter().enumerate().filter(|(at, argument)| !argument.starts_with('-') && !is_value(*at));
    let filter = others.next().map(|(_, argument)| argument);
    let wanted =
        |name: &str| filter.is_none_or(|filter| if has("--exact") { name == filter } else { name.contains(filter) });
    // No scenario is ignored.
    let chosen: Vec<_> =
        scenarios().into_iter().filter(|scenario| wanted(scenario.name) && !has("--ignored")).collect();
    if has("--list") {
        chosen.iter().for_each(|scenario| println!("{}: test", scenario.name));
        return ExitCode::SUCCESS;
    }

    println!("\nrunning {} tests", chosen.len());
    let mut failed = 0;
    for scenario in &chosen {
        match run(scenario) {
            Ok(()) => println!("test {} ... ok", scenario.name),
            Err(problem) => {
                failed += 1;
                println!("test {} ... FAILED\n{problem}", scenario.name);
            }
        }
    }
    let (result, passed) = (if failed == 0 { "ok" } else { "FAILED" }, chosen.len() - failed);
    println!("\ntest result: {result}. {passed} passed; {failed} failed; 0 ignored; 0 measured; 0 filtered out\n");
    if failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Runs a scenario in a child process. What it prints is told only if it ends in another way than it must.
fn run(scenario: &Scenario) -> Result<(), String> {
    let program = std::env::current_exe().map_err(|error| error.to_string())?;
    let mut command = Command::new(program);
    command.args(["child", scenario.name]).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().map_err(|error| error.to_string())?;
    // Read on threads of their own, so that the child is never held up by a full pipe.
    let out = child.stdout.take().map(reader);
    let err = child.stderr.take().map(reader);
    let start = Instant::now();
    let status = loop {
        match child.try_wait().map_err(|error| error.to_string())? {
            Some(status) => break Some(status),
            None if start.elapsed() > LONG => {
                child.kill().map_err(|error| error.to_string())?;
                break None;
            }
            None => std::thread::sleep(Duration::from_millis(2)),
        }
    };
    let said = [out, err].map(|reader| reader.and_then(|reader| reader.join().ok()).unwrap_or_default()).concat();
    match status {
        None => Err(format!("hung for {LONG:?}\n{said}")),
        Some(status) if ended(status) == Some(scenario.ends) => Ok(()),
        Some(status) => Err(format!("ended with {status}, not {:?}\n{said}", scenario.ends)),
    }
}

fn reader(mut pipe: impl Read + Send + 'static) -> std::thread::JoinHandle<String> {
    std::thread::spawn(move || {
        let mut bytes = Vec::new();
        // What was read before an error is still worth telling.
        let _ = pipe.read_to_end(&mut bytes);
        String::from_utf8_lossy(&bytes).into_owned()
    })
}

#[cfg(unix)]
fn ended(status: std::process::ExitStatus) -> Option<Ends> {
    use std::os::unix::process::ExitStatusExt;
    let code = status.code().map(|code| if code == 0 { Ends::Well } else { Ends::Code(code) });
    code.or(status.signal().map(Ends::Signal))
}

#[cfg(not(unix))]
fn ended(status: std::process::ExitStatus) -> Option<Ends> {
    status.code().map(|code| if code == 0 { Ends::Well } else { Ends::Code(code) })
}
