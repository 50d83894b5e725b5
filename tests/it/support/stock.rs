//! The stock Raceway server, as its wire format describes it, as strict as it can be: JSON only, 2 MiB, one bad event
//! refuses the body, no event is known again, and a full queue drops what comes. Keeps what it has accepted.

pub(crate) mod schema;

use schema::Event;
use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Instant;

const BODY_LIMIT: usize = 2_097_152;

/// What goes wrong with a request.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Fault {
    /// Closes the connection before anything of the request was read.
    CloseAtOnce,
    /// Closes it when the head has been read.
    CloseAfterHead,
    /// Closes it when so many bytes of the body have been read.
    CloseInBody(usize),
    /// Closes it when the whole request has been read; nothing is stored.
    CloseUnstored,
    /// Closes it when the events have been stored.
    StoreThenClose,
    /// Closes it in the middle of the answer to what was stored.
    StoreThenHalfAnswer,
    /// Stores the events and then answers with this status, and this body.
    StoreThenAnswer(u16, &'static str),
    /// Answers with this status and stores nothing.
    Status(u16),
}

/// How the server is set up, and what it has seen.
#[derive(Default)]
pub(crate) struct State {
    /// The key it wants.
    pub(crate) key: Option<String>,
    /// How long a body it takes, if less than usual.
    pub(crate) limit: Option<usize>,
    /// How many events its queue takes, and how many of them it stores in a second.
    pub(crate) queue: Option<(usize, f64)>,
    /// Whether it looks at a body before it looks at its media type, and so answers 400 instead of 415.
    pub(crate) ignores_media_type: bool,
    /// Which events it refuses although they are well-formed, and whether it names them.
    pub(crate) poison: Option<fn(&Event) -> bool>,
    pub(crate) poison_is_unnamed: bool,
    /// What befalls the n-th request, from 0.
    pub(crate) fault: Option<Box<dyn FnMut(usize) -> Option<Fault> + Send>>,
    /// What was stored, in order.
    pub(crate) stored: Vec<Event>,
    /// Each request: its media type, the length of its body, and the status it was answered with (0 for none).
    pub(crate) requests: Vec<Request>,
    pub(crate) queued: f64,
    pub(crate) stored_up_to: Option<Instant>,
}

#[derive(Debug, Clone)]
pub(crate) struct Request {
    pub(crate) media_type: String,
    pub(crate) length: usize,
    pub(crate) status: u16,
    pub(crate) at: Instant,
}

/// A server on a loopback port. Its thread ends with the process.
#[derive(Clone)]
pub(crate) struct Stock {
    url: String,
    state: Arc<Mutex<State>>,
}

struct Answer {
    status: u16,
    json: bool,
    body: String,
}

impl Stock {
    pub(crate) fn start(state: State) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let server =
            Self { url: format!("http://{}", listener.local_addr().unwrap()), state: Arc::new(Mutex::new(state)) };
        let serving = server.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let server = serving.clone();
                std::thread::spawn(move || while server.request(&stream).unwrap_or(false) {});
            }
        });
        server
    }

    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(|poison| poison.into_inner())
    }

    pub(crate) fn stored(&self) -> Vec<Event> {
        self.state().stored.clone()
    }

    /// One request and its answer. Whether the connection is kept.
    fn request(&self, stream: &TcpStream) -> std::io::Result<bool> {
        let (number, fault) = {
            // The next request begins when its first byte is there.
            let mut first = [0];
            if stream.peek(&mut first)? == 0 {
                return Ok(false);
            }
            let mut state = self.state();
            let number = state.requests.len();
            state.requests.push(Request { media_type: String::new(), length: 0, status: 0, at: Instant::now() });
            let fault = state.fault.as_mut().and_then(|fault| fault(number));
            (number, fault)
        };
        if fault == Some(Fault::CloseAtOnce) {
            return Ok(false);
        }
        let head = read_head(stream)?;
        let header = |name: &str| {
            let mut lines = head.lines().filter_map(|line| line.split_once(':'));
            lines.find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value.trim().to_owned())
        };
        self.state().requests[number].media_type = header("content-type").unwrap_or_default();
        if fault == Some(Fault::CloseAfterHead) {
            return Ok(false);
        }
        // What the head alone decides is answered at once, and the connection closed on a body that nobody wants.
        let early = if fault.is_none() { self.early_answer(&head, &header) } else { None };
        if let Some(answer) = early {
            self.state().requests[number].status = answer.status;
            (&*stream).write_all(answer.text().as_bytes())?;
            return Ok(false);
        }
        if header("expect").is_some() {
            (&*stream).write_all(b"HTTP/1.1 100 Continue\r\n\r\n")?;
        }
        let length: usize = header("content-length").expect("a length").parse().unwrap();
        self.state().requests[number].length = length;
        if let Some(Fault::CloseInBody(bytes)) = fault {
            std::io::copy(&mut stream.take(bytes as u64), &mut std::io::sink())?;
            return Ok(false);
        }
        let mut body = vec![0; length];
        (&*stream).read_exact(&mut body)?;
        let answer = match fault {
            Some(Fault::CloseUnstored) => return Ok(false),
            Some(Fault::Status(status)) => Answer { status, json: false, body: "an injected fault".into() },
            _ => self.answer(&body),
        };
        let answer = match fault {
            Some(Fault::StoreThenClose) => return Ok(false),
            Some(Fault::StoreThenAnswer(status, body)) => Answer { status, json: false, body: body.into() },
            _ => answer,
        };
        self.state().requests[number].status = answer.status;
        let text = answer.text();
        if fault == Some(Fault::StoreThenHalfAnswer) {
            (&*stream).write_all(&text.as_bytes()[..text.len() - 5])?;
            stream.shutdown(Shutdown::Both)?;
            return Ok(false);
        }
        (&*stream).write_all(text.as_bytes())?;
        Ok(true)
    }

    /// The answer that needs no look at the body.
    fn early_answer(&self, head: &str, header: &dyn Fn(&str) -> Option<String>) -> Option<Answer> {
        let state = self.state();
        if !head.starts_with("POST /events HTTP/1.1\r\n") {
            return Some(plain(405, ""));
        }
        // A wrong Bearer wins over a right X-Raceway-Key.
        let bearer = header("authorization").and_then(|value| {
            let (scheme, key) = value.split_once(' ')?;
            scheme.eq_ignore_ascii_case("bearer").then(|| key.to_owned())
        });
        if state.key.is_some() && bearer.or_else(|| header("x-raceway-key")) != state.key {
            return Some(json(401, r#"{"success":false,"data":null,"error":"Unauthorized"}"#.into()));
        }
        let media_type = header("content-type").unwrap_or_default();
        let essence = media_type.split(';').next().unwrap_or("").trim().to_ascii_lowercase();
        let is_json =
            essence == "application/json" || (essence.starts_with("application/") && essence.ends_with("+json"));
        if !is_json && !state.ignores_media_type {
            return Some(plain(415, "Expected request with `Content-Type: application/json`"));
        }
        let length = header("content-length").and_then(|length| length.parse().ok()).unwrap_or(0);
        (length > state.limit.unwrap_or(BODY_LIMIT))
            .then(|| plain(413, "Failed to buffer the request body: length limit exceeded"))
    }

    fn answer(&self, body: &[u8]) -> Answer {
        let mut state = self.state();
        let events = match schema::read(body) {
            Ok(events) => events,
            Err((status, text)) => return plain(status, &text),
        };
        if let Some(bad) = state.poison.and_then(|poison| events.iter().position(poison)) {
            let place = if state.poison_is_unnamed { String::new() } else { format!("events[{bad}].kind: ") };
            return plain(422, &format!("Failed to deserialize the JSON body into the target type: {place}poison"));
        }
        let sent = events.len();
        let room = state.room().min(sent);
        state.queued += room as f64;
        state.stored.extend(events.into_iter().take(room));
        let answer = |text: String| format!(r#"{{"success":true,"data":"{text}","error":null}}"#);
        match sent - room {
            0 => json(200, answer(format!("Ingested {sent} events"))),
            lost => json(206, answer(format!("Ingested {room} events, {lost} errors"))),
        }
    }
}

fn plain(status: u16, body: &str) -> Answer {
    Answer { status, json: false, body: body.into() }
}

fn json(status: u16, body: String) -> Answer {
    Answer { status, json: true, body }
}

impl Answer {
    fn text(&self) -> String {
        let Self { status, json, body } = self;
        let media_type = if *json { "application/json" } else { "text/plain; charset=utf-8" };
        format!("HTTP/1.1 {status} X\r\ncontent-type: {media_type}\r\ncontent-length: {}\r\n\r\n{body}", body.len())
    }
}

impl State {
    /// How many events the queue has room for now.
    fn room(&mut self) -> usize {
        let Some((slots, per_second)) = self.queue else { return usize::MAX };
        let now = Instant::now();
        let since = self.stored_up_to.replace(now).map_or(0.0, |then| (now - then).as_secs_f64());
        self.queued = (self.queued - since * per_second).max(0.0);
        slots.saturating_sub(self.queued.ceil() as usize)
    }
}

fn read_head(mut stream: &TcpStream) -> std::io::Result<String> {
    let (mut head, mut byte) = (Vec::new(), [0]);
    while !head.ends_with(b"\r\n\r\n") {
        stream.read_exact(&mut byte)?;
        head.extend(byte);
    }
    Ok(String::from_utf8_lossy(&head).into_owned())
}
