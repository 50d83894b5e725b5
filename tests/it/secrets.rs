//! The key shows nowhere. A child process, which is one of these tests run by itself, is given keys by the environment and
//! by a change of settings, logs everything there is to be logged, runs in debug mode, shows all that can be shown, fails
//! in all ways there are, and panics. What it writes to its standard streams has no piece of a key in it.

use crate::support::LONG;
use std::fmt::{Debug, Display};
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use std::{env, thread};
use trackside::Client;
use trackside_collector::Collector;

const KEY: &str = "canary-2f81c6d90a4be735";
const NEXT_KEY: &str = "feather-b35d7091e8fa26c4";
/// No header can hold it.
const BAD_KEY: &str = "whistle 6ea1f84c03d92b57";

/// Time enough to be turned down; a client that is taken in does not need it.
const BRIEF: Duration = Duration::from_secs(1);

/// Set in the child: it is not just another test.
const CHILD: &str = "TRACKSIDE_TEST_CHILD";

fn child(variables: &[(&str, &str)]) -> String {
    child_that_is("secrets::the_child", variables)
}

fn child_that_is(test: &str, variables: &[(&str, &str)]) -> String {
    let mut command = Command::new(env::current_exe().expect("this program"));
    command.args(["--exact", test, "--nocapture"]).stdin(Stdio::null());
    let output = command.env(CHILD, "1").envs(variables.iter().copied()).output().expect("a child");
    let said = [output.stdout, output.stderr].concat();
    let said = String::from_utf8_lossy(&said).into_owned();
    assert!(output.status.success(), "{said}");
    said
}

#[test]
fn a_key_shows_nowhere() {
    let taking = Collector::builder().api_key(KEY).start().unwrap();
    let said = child(&[
        ("RACEWAY_URL", &taking.url()),
        ("RACEWAY_SERVICE_NAME", "secretive"),
        ("RACEWAY_API_KEY", KEY),
        ("RACEWAY_DEBUG", "on"),
    ]);
    assert_eq!(taking.distinct_events(), 1, "the key was sent: {said}");
    let refused = child(&[("RACEWAY_URL", &taking.url()), ("RACEWAY_API_KEY", BAD_KEY)]);
    let said = said + &refused;
    // It did say what it was to keep silent in.
    for words in [
        "the child is done",
        "[redacted]",
        "ureq_proto",
        "cannot deliver to",
        "1 events",
        "/events: delivered",
        "/events: unauthorized",
        "who is Bearer **",
        "visible ASCII",
        "RACEWAY_API_KEY: ",
        "this panic is part of a test",
    ] {
        assert!(said.contains(words), "without {words:?}: {said}");
    }
    assert_silent(&said);
}

#[test]
fn a_proxy_of_the_environment_gets_no_key_and_nothing_that_is_for_this_machine() {
    let (proxy, heads) = proxy();
    let vars = ["ALL_PROXY", "HTTP_PROXY", "HTTPS_PROXY"].map(|variable| (variable, &*proxy));
    let here = Collector::builder().api_key(KEY).start().unwrap();
    let url = here.url();
    let said = child(&[&vars[..], &[("RACEWAY_URL", &url), ("RACEWAY_API_KEY", KEY)]].concat());
    assert_eq!((here.distinct_events(), heads.lock().unwrap().len()), (1, 0), "{said}");

    let said = child_that_is("secrets::the_child_behind_a_proxy", &vars);
    assert!(said.contains("the child is done") && said.contains("ureq_proto"), "{said}");
    assert_silent(&said);
    let heads = heads.lock().unwrap();
    let [asked, sent] = &heads[..] else { panic!("one request through one tunnel: {heads:?}") };
    assert!(asked.starts_with("CONNECT far.invalid:8080 "), "{asked}");
    assert_silent(asked);
    // The tunnel ends where the key belongs.
    assert!(sent.starts_with("POST /events ") && sent.contains(KEY), "{sent}");
}

/// No piece of a key is in it.
#[track_caller]
fn assert_silent(said: &str) {
    for key in [KEY, NEXT_KEY, BAD_KEY] {
        for piece in key.as_bytes().windows(8) {
            let piece = std::str::from_utf8(piece).unwrap();
            assert!(!said.contains(piece), "{piece:?} is in: {said}");
        }
    }
}

#[test]
fn the_environment_of_the_process_is_what_is_read() {
    let collector = Collector::builder().api_key(KEY).start().unwrap();
    let url = collector.url();
    let quiet = [("RACEWAY_URL", &*url), ("RACEWAY_API_KEY", KEY), ("RACEWAY_ENABLED", "0"), ("RACEWAY_DEBUG", "0")];
    let said = child(&quiet);
    assert_eq!(collector.distinct_events(), 0, "disabled: {said}");
    assert!(!said.contains("/events: delivered"), "{said}");
}

/// Does nothing but in a child process.
#[test]
fn the_child() {
    if env::var_os(CHILD).is_none() {
        return;
    }
    log::set_logger(&Log).expect("nobody else logs in here");
    log::set_max_level(log::LevelFilter::Trace);

    let from_env = match Client::builder_from_env() {
        Ok(builder) => builder.record_locks(false),
        Err(error) => return show_error(Some(error)),
    };
    show(&from_env);
    let client = from_env.build().unwrap();
    use_up(client);

    for url in [format!("http://{KEY}@h"), format!("http://h?{KEY}"), format!("nonsense:{KEY}"), "http://far".into()] {
        show_error(Some(
            Client::builder(url).record_locks(false).api_key(KEY).build().expect_err("a bad configuration"),
        ));
    }
    show_error(Some(Client::builder("http://[::1]").api_key(BAD_KEY).build().expect_err("no header holds that")));

    let echo = echo();
    let client = Client::builder(&echo).record_locks(false).api_key(KEY).debug(true).build().unwrap();
    show_error(client.reconfigure(|settings| settings.api_key = Some(BAD_KEY.into())).err());
    client.reconfigure(|settings| settings.api_key = Some(NEXT_KEY.into())).unwrap();
    use_up(client);

    println!("the child is done");
}

/// Does nothing but in a child process.
#[test]
fn the_child_behind_a_proxy() {
    if env::var_os(CHILD).is_none() {
        return;
    }
    log::set_logger(&Log).expect("nobody else logs in here");
    log::set_max_level(log::LevelFilter::Trace);
    let far = Client::builder("http://far.invalid:8080").record_locks(false).api_key(KEY).api_key_over_http(true);
    let client = far.build().unwrap();
    client.track_read("n", 1);
    println!("{}", client.shutdown(LONG));
    println!("the child is done");
}

/// Delivers, or tries to, and shows and fails all that a client can.
fn use_up(client: Client) {
    client.track_read("n", 1);
    show(&client.settings());
    show(&client.settings().api_key);
    show_error(client.flush(BRIEF).err());
    let shown = client.clone();
    let panicked = thread::spawn(move || {
        catch_unwind(AssertUnwindSafe(|| {
            panic!("this panic is part of a test: {shown:?} {:?}", shown.settings());
        }))
    });
    assert!(panicked.join().unwrap().is_err());
    show(&client);
    println!("{} {}", client.destination(), client.stats());
    show(&client.shutdown(BRIEF));
    show_error(client.reconfigure(|settings| settings.api_key = Some(NEXT_KEY.into())).err());
    show_error(client.flush(BRIEF).err());
}

fn show(shown: &impl Debug) {
    println!("{shown:?}\n{shown:#?}");
}

fn show_error(error: Option<impl Debug + Display>) {
    if let Some(error) = error {
        println!("{error}");
        show(&error);
    }
}

struct Log;

impl log::Log for Log {
    fn enabled(&self, _: &log::Metadata<'_>) -> bool {
        true
    }

    fn log(&self, record: &log::Record<'_>) {
        eprintln!("{} {}", record.target(), record.args());
    }

    fn flush(&self) {}
}

/// A server that does not know anybody, and says whom.
fn echo() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    thread::spawn(move || listener.incoming().flatten().for_each(|stream| _ = turn_down(stream)));
    url
}

/// A proxy with nothing behind it: it opens any tunnel, and refuses what comes through. Tells the heads of all requests.
fn proxy() -> (String, Arc<Mutex<Vec<String>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let heads = Arc::new(Mutex::new(Vec::new()));
    let seen = heads.clone();
    thread::spawn(move || listener.incoming().flatten().for_each(|stream| _ = refuse(stream, &seen)));
    (url, heads)
}

fn refuse(mut stream: TcpStream, seen: &Mutex<Vec<String>>) -> std::io::Result<()> {
    for answer in ["HTTP/1.1 200 OK\r\n\r\n", "HTTP/1.1 422 No\r\ncontent-length: 0\r\n\r\n"] {
        let head = head(&mut stream)?;
        seen.lock().unwrap().push(head);
        stream.write_all(answer.as_bytes())?;
    }
    Ok(())
}

fn head(stream: &mut TcpStream) -> std::io::Result<String> {
    let mut request = Vec::new();
    while !request.windows(4).any(|end| end == b"\r\n\r\n") {
        let mut byte = [0];
        stream.read_exact(&mut byte)?;
        request.extend(byte);
    }
    Ok(String::from_utf8_lossy(&request).into_owned())
}

fn turn_down(mut stream: TcpStream) -> std::io::Result<()> {
    let head = head(&mut stream)?;
    let lines = || head.lines().filter_map(|line| line.split_once(": "));
    let value = |wanted| lines().find(|(name, _)| name.eq_ignore_ascii_case(wanted)).map_or("", |(_, value)| value);
    let mut body = vec![0; value("content-length").parse().unwrap_or(0)];
    stream.read_exact(&mut body)?;
    let answer = format!("who is {}?", value("authorization"));
    write!(stream, "HTTP/1.1 401 Unauthorized\r\ncontent-length: {}\r\n\r\n{answer}", answer.len())
}
