//! Errors, with what is behind them.

use super::Client;
use crate::value::{BEYOND, List, Name, PackBuf, Text, Value};
use std::backtrace::Backtrace;
use std::error::Error;
use std::fmt::{self, Write};
use std::panic::Location;
use trackside_wire::Kind;

/// How many errors behind an error are told.
const MOST_CAUSES: usize = 16;
/// How many frames of a backtrace are looked at. Fewer fit into an event.
const MOST_FRAMES: usize = 64;
/// How much of a formatted backtrace is read, in bytes.
const BACKTRACE_LIMIT: usize = 64 << 10;

/// Tracking errors.
impl Client {
    /// An error, with the frames of its stack, innermost first, if they are known.
    ///
    /// Of a stack too long for an event, the innermost frames are kept, and what is missing is marked.
    #[inline]
    #[track_caller]
    pub fn track_error<'a>(&self, error_type: impl Into<Name<'a>>, message: &'a str, stack: &'a [&'a str]) {
        let (error_type, message, site) = (error_type.into(), message.into(), Location::caller());
        if stack.is_empty() {
            self.recorder.record(Kind::Error, error_type, message, Value::NIL, site);
        } else {
            self.recorder.record_packed(Kind::Error, error_type, message, |buf| pack(buf, None, stack), site);
        }
    }

    /// An error as it is: its type, its message, and, in the place of a stack, the errors behind it, each as a line
    /// `caused by: ...`.
    ///
    /// The type of a `dyn Error` is not known; it is taken from what its `Debug` implementation begins with, if that
    /// looks like a type. Recording allocates nothing, unless the error's own `Display` does.
    ///
    /// # Examples
    ///
    /// ```
    /// # use trackside::{Client, MemoryTransport};
    /// # let client = Client::builder_to(MemoryTransport::new()).service("doc").build()?;
    /// if let Err(error) = "many".parse::<u8>() {
    ///     client.track_error_from(&error);
    /// }
    /// fn load() -> Result<(), Box<dyn std::error::Error>> {
    ///     Err("no such account".into())
    /// }
    /// load().inspect_err(|error| client.track_error_from(&**error)).ok();
    /// # Ok::<(), trackside::BuildError>(())
    /// ```
    #[cold]
    #[track_caller]
    pub fn track_error_from(&self, error: &(impl Error + ?Sized)) {
        self.tell(error, &[], Location::caller());
    }

    /// As [`Client::track_error_from`], with a backtrace of where this is called behind the causes, innermost frame first.
    ///
    /// Taking a backtrace allocates, waits for a lock in the standard library, and reads debug information, for
    /// milliseconds at times. Keep it for errors that are rare.
    #[cold]
    #[track_caller]
    pub fn track_error_with_backtrace(&self, error: &(impl Error + ?Sized)) {
        if self.recorder.wants(Kind::Error) {
            let mut text = Start(String::new());
            // An error says that there is more than is wanted.
            _ = write!(text, "{}", Backtrace::force_capture());
            self.tell(error, &frames(&text.0), Location::caller());
        }
    }

    fn tell<E: Error + ?Sized>(&self, error: &E, frames: &[String], site: &'static Location<'static>) {
        if self.recorder.wants(Kind::Error) {
            let mut debug = Text::new();
            let name = match std::any::type_name::<E>() {
                name if name.starts_with("dyn ") => shown_type(&error, &mut debug),
                name => name.into(),
            };
            self.tell_parts(name, &error, error.source(), frames, site);
        }
    }

    /// Once for all types of errors.
    fn tell_parts(
        &self,
        name: Name<'_>,
        message: &dyn fmt::Display,
        source: Option<&dyn Error>,
        frames: &[String],
        site: &'static Location<'static>,
    ) {
        let mut text = Text::<{ Value::INLINE_LIMIT + BEYOND }>::new();
        _ = write!(text, "{message}");
        let message = Value::from(text.as_str());
        if source.is_none() && frames.is_empty() {
            self.recorder.record(Kind::Error, name, message, Value::NIL, site);
        } else {
            self.recorder.record_packed(Kind::Error, name, message, |buf| pack(buf, source, frames), site);
        }
    }
}

/// [`Result`]s that are tracked as they are passed on.
pub trait TrackErr {
    /// Records the error, if it is one, as [`Client::track_error_from`] does, and passes the result on.
    ///
    /// For an error that is no [`Error`] itself, such as a `Box<dyn Error>`, use [`Result::inspect_err`] as shown there.
    ///
    /// # Examples
    ///
    /// ```
    /// use trackside::{Client, TrackErr};
    ///
    /// fn amount(client: &Client, text: &str) -> Result<u32, std::num::ParseIntError> {
    ///     text.parse::<u32>().track_err(client)
    /// }
    /// # let client = Client::builder_to(trackside::MemoryTransport::new()).service("doc").build()?;
    /// # assert_eq!((amount(&client, "7"), amount(&client, "seven").is_err()), (Ok(7), true));
    /// # Ok::<(), trackside::BuildError>(())
    /// ```
    #[must_use = "the result is passed on"]
    #[track_caller]
    fn track_err(self, client: &Client) -> Self;
}

impl<T, E: Error> TrackErr for Result<T, E> {
    #[inline]
    #[track_caller]
    fn track_err(self, client: &Client) -> Self {
        if let Err(error) = &self {
            client.track_error_from(error);
        }
        self
    }
}

/// The list of an error's causes, and then its frames, as far as there is room.
fn pack(buf: &mut PackBuf<'_>, source: Option<&dyn Error>, frames: &[impl fmt::Display]) {
    buf.list(|list| {
        pack_causes(list, source);
        _ = frames.iter().all(|frame| list.line(format_args!("{frame}")));
    });
}

fn pack_causes(list: &mut List<'_, '_>, source: Option<&dyn Error>) {
    let mut next = source;
    for _ in 0..MOST_CAUSES {
        let Some(cause) = next else { return };
        if !list.line(format_args!("caused by: {cause}")) {
            return;
        }
        next = cause.source();
    }
    if next.is_some() {
        list.line(format_args!("caused by: …"));
    }
}

/// The type that `Debug`, as it is derived, begins with.
fn shown_type<'t>(error: &dyn fmt::Debug, text: &'t mut Text<64>) -> Name<'t> {
    _ = write!(text, "{error:?}");
    let text = text.as_str();
    let end = text.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(text.len());
    let (name, rest) = text.split_at(end);
    let is_type = name.starts_with(char::is_uppercase)
        && (rest.is_empty() || rest.starts_with(['(', '<']) || rest.starts_with(" {"));
    Name::dynamic(if is_type { name } else { "dyn Error" })
}

/// A text of which only the start is wanted.
struct Start(String);

impl Write for Start {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        if self.0.len() + text.len() > BACKTRACE_LIMIT {
            return Err(fmt::Error);
        }
        self.0.push_str(text);
        Ok(())
    }
}

/// The frames of a formatted backtrace, from the one on that called this library: `function at file:line:column`.
fn frames(backtrace: &str) -> Vec<String> {
    let mut frames: Vec<String> = Vec::new();
    for line in backtrace.lines().map(str::trim_start) {
        match (line.strip_prefix("at "), frames.last_mut()) {
            (Some(place), Some(frame)) => frame.extend([" at ", place]),
            // The first function of a frame has its number before it, those inlined there have not.
            _ => {
                let function = line.split_once(": ").filter(|(number, _)| number.parse::<usize>().is_ok());
                frames.push(function.map_or(line, |(_, function)| function).to_owned());
            }
        }
    }
    let ours = |frame: &String| OURS.iter().any(|start| frame.trim_start_matches('<').starts_with(start));
    let callers = frames.into_iter().skip_while(ours);
    callers.take_while(|frame| !frame.starts_with("std::sys::backtrace::__rust_begin")).take(MOST_FRAMES).collect()
}

/// What the functions begin with that are between a caller and a backtrace taken for it.
const OURS: &[&str] = &["std::backtrace", "trackside::client::"];

#[cfg(test)]
mod tests {
    use super::*;

    const BACKTRACE: &str = "   0: <std::backtrace::Backtrace>::create
   1: std::backtrace::Backtrace::force_capture
             at /rustc/0/library/std/src/backtrace.rs:311:9
      trackside::client::failure::<impl trackside::client::Client>::track_error_with_backtrace
   2: bank::transfer
             at ./src/bank.rs:17:5
      bank::inlined::{{closure}}
             at ./src/bank.rs:9:1
   3: <unknown>
   4: std::sys::backtrace::__rust_begin_short_backtrace
   5: main
";

    #[test]
    fn a_backtrace_is_told_from_the_caller_to_the_edge_of_the_program() {
        let expected =
            ["bank::transfer at ./src/bank.rs:17:5", "bank::inlined::{{closure}} at ./src/bank.rs:9:1", "<unknown>"];
        assert_eq!(frames(BACKTRACE), expected);
        assert_eq!(frames("disabled backtrace"), ["disabled backtrace"]);
        assert!(frames("").is_empty());
    }

    #[test]
    fn the_type_of_an_error_is_guessed_only_where_debug_looks_like_one() {
        let check = |debug: &str, expected: &str| {
            let mut text = Text::new();
            let name = shown_type(&format_args!("{debug}"), &mut text);
            assert!(matches!(name.0, crate::value::NameRepr::Dynamic(name) if name == expected), "{debug}: {name:?}");
        };
        check("ParseIntError { kind: Empty }", "ParseIntError");
        check("Overdrawn", "Overdrawn");
        check("Os(2)", "Os");
        for other in ["", "Failed to connect", "\"text\"", "lower { }", "No: such", "17"] {
            check(other, "dyn Error");
        }
        check(&"X".repeat(100), &"X".repeat(64));
    }
}
