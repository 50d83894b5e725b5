//! Errors, their causes and their stacks.

use super::assert_rows;
use crate::support::{LONG, Seen, client, events};
use std::error::Error;
use std::fmt;
use trackside::{Client, MemoryTransport, TrackErr};
use trackside_wire::Kind;

/// An error with as many others behind it.
#[derive(Debug)]
struct Nested(usize, Option<Box<Nested>>);

impl Nested {
    fn of(depth: usize) -> Self {
        Self(depth, (depth > 0).then(|| Box::new(Self::of(depth - 1))))
    }
}

impl fmt::Display for Nested {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "level {}", self.0)
    }
}

impl Error for Nested {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.1.as_deref().map(|inner| inner as _)
    }
}

const NESTED: &str = "it::manual::failures::Nested";

/// The one error that was recorded.
fn only(client: &Client, memory: &MemoryTransport) -> Seen {
    client.flush(LONG).unwrap();
    let mut seen = events(memory);
    assert_eq!((seen.len(), seen[0].kind), (1, Kind::Error));
    seen.remove(0)
}

#[test]
fn an_error_is_told_with_all_that_is_behind_it() {
    let (client, memory) = client();
    let nested = Nested::of(2);
    let boxed: Box<dyn Error + Send + Sync> = Box::new(Nested::of(1));
    let start = line!();
    client.track_error_from(&Nested::of(0));
    client.track_error_from(&nested);
    client.track_error_from(&*boxed);
    let untyped: Box<dyn Error> = "just a text".into();
    client.track_error_from(&*untyped);
    let rows = [
        (start + 1, Kind::Error, NESTED, "\"level 0\"", "null"),
        (start + 2, Kind::Error, NESTED, "\"level 2\"", "[\"caused by: level 1\", \"caused by: level 0\"]"),
        (start + 3, Kind::Error, "Nested", "\"level 1\"", "[\"caused by: level 0\"]"),
        (start + 5, Kind::Error, "dyn Error", "\"just a text\"", "null"),
    ];
    assert_rows(&client, &memory, file!(), &rows);
}

#[test]
fn results_are_passed_on_and_errors_told() {
    let (client, memory) = client();
    let start = line!();
    assert_eq!("7".parse::<u8>().track_err(&client), Ok(7));
    assert!("seven".parse::<u8>().track_err(&client).is_err());
    let told = "\"invalid digit found in string\"";
    let rows = [(start + 2, Kind::Error, std::any::type_name::<std::num::ParseIntError>(), told, "null")];
    assert_rows(&client, &memory, file!(), &rows);
}

#[test]
fn a_chain_without_an_end_has_one() {
    let (client, memory) = client();
    client.track_error_from(&Nested::of(1000));
    let seen = only(&client, &memory);
    assert_eq!(seen.b.matches("caused by: level").count(), 16);
    assert!(seen.b.ends_with("\"caused by: level 984\", \"caused by: …\"]"), "{}", seen.b);
}

#[test]
fn a_message_too_long_is_cut_and_says_so() {
    let (client, memory) = client();
    let message = "x".repeat(5000);
    client.track_error_from(&std::io::Error::other(message.clone()));
    assert_eq!(only(&client, &memory).a, format!("{:?}…", &message[..1024]));
}

#[test]
fn a_stack_too_long_keeps_the_innermost_frames() {
    let (client, memory) = client();
    let frames: Vec<_> = (0..500).map(|at| format!("src/frame.rs:{at}")).collect();
    let frames: Vec<_> = frames.iter().map(String::as_str).collect();
    client.track_error("Deep", "very", &frames);
    let seen = only(&client, &memory);
    let kept = seen.b.matches("src/frame.rs").count();
    let expected = frames[..kept].iter().map(|frame| format!("{frame:?}")).collect::<Vec<_>>().join(", ");
    assert_eq!(seen.b, format!("[{expected}, \"\"…]"));
    assert!(kept > 50, "{kept}");
    assert_eq!(client.stats().truncated, 1);
}

#[test]
fn a_backtrace_begins_where_it_was_asked_for() {
    #[inline(never)]
    fn innermost(client: &Client) {
        client.track_error_with_backtrace(&Nested::of(1));
    }
    let (client, memory) = client();
    innermost(&client);
    let seen = only(&client, &memory);
    assert_eq!((seen.a.as_str(), seen.file.as_str()), ("\"level 1\"", file!()));
    let start = "[\"caused by: level 0\", \"it::manual::failures::a_backtrace_begins_where_it_was_asked_for::innermost";
    assert!(seen.b.starts_with(start), "{}", seen.b);
    assert!(seen.b.contains("failures.rs:"), "{}", seen.b);
}

#[test]
fn an_error_s_display_may_itself_record() {
    #[derive(Debug)]
    struct Talkative(Client);
    impl fmt::Display for Talkative {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            self.0.track_custom("within", 1);
            f.write_str("told")
        }
    }
    impl Error for Talkative {}
    let (client, memory) = client();
    client.track_error_from(&Talkative(client.clone()));
    client.flush(LONG).unwrap();
    let told: Vec<_> = events(&memory).into_iter().map(|seen| (seen.kind, seen.a)).collect();
    assert_eq!(told, [(Kind::Custom, "1".into()), (Kind::Error, "\"told\"".into())]);
}
