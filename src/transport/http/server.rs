//! A scripted receiver on a loopback port: each connection is a list of steps.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::JoinHandle;

/// What the receiver does next on a connection. At the end of the steps it closes it.
#[derive(Debug, Clone)]
pub(super) enum Step {
    /// Reads a whole request, body included.
    Read,
    /// Reads the head of a request only.
    ReadHead,
    /// Sends these bytes.
    Send(Vec<u8>),
    /// Sends these bytes over and over until the client has had enough.
    Flood(Vec<u8>),
    /// Does nothing until the test is over.
    Hang,
}

/// The receiver; stops when dropped.
#[derive(Debug)]
pub(super) struct Server {
    pub(super) url: String,
    scripts: usize,
    requests: Receiver<Request>,
    /// Dropped to wake connections that hang.
    done: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

/// A request as it came.
#[derive(Debug)]
pub(super) struct Request {
    /// Which connection it came over, from 0.
    pub(super) connection: usize,
    pub(super) head: String,
    pub(super) body: Vec<u8>,
}

impl Server {
    /// Listens, and takes as many connections as there are scripts.
    pub(super) fn start(scripts: Vec<Vec<Step>>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let (sender, requests) = channel();
        let (done, hang) = channel();
        let count = scripts.len();
        let thread = std::thread::spawn(move || {
            for (connection, script) in scripts.into_iter().enumerate() {
                let Ok((stream, _)) = listener.accept() else { return };
                // An error is the client's leaving, which the test sees by itself.
                let _ = play(stream, connection, script, &sender, &hang);
            }
        });
        Self { url, scripts: count, requests, done: Some(done), thread: Some(thread) }
    }

    /// The requests read so far; to be called when the client has its answers.
    pub(super) fn requests(&self) -> Vec<Request> {
        self.requests.try_iter().collect()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.done.take());
        // Stand in for the connections that the scripts still wait for, so that the thread ends.
        for _ in 0..self.scripts {
            drop(TcpStream::connect(self.url.trim_start_matches("http://")));
        }
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn play(
    mut stream: TcpStream,
    connection: usize,
    script: Vec<Step>,
    requests: &Sender<Request>,
    hang: &Receiver<()>,
) -> std::io::Result<()> {
    for step in script {
        match step {
            Step::Read | Step::ReadHead => {
                let mut request = read_head(&mut stream, connection)?;
                if matches!(step, Step::Read) {
                    let length = header(&request.head, "content-length").and_then(|len| len.parse().ok()).unwrap_or(0);
                    request.body = vec![0; length];
                    stream.read_exact(&mut request.body)?;
                }
                let _ = requests.send(request);
            }
            Step::Send(bytes) => stream.write_all(&bytes)?,
            Step::Flood(bytes) => loop {
                stream.write_all(&bytes)?;
            },
            Step::Hang => drop(hang.recv()),
        }
    }
    stream.shutdown(Shutdown::Write)
}

fn read_head(stream: &mut TcpStream, connection: usize) -> std::io::Result<Request> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        stream.read_exact(&mut byte)?;
        head.push(byte[0]);
    }
    Ok(Request { connection, head: String::from_utf8(head).unwrap(), body: vec![] })
}

/// The value of a header in a head.
pub(super) fn header<'a>(head: &'a str, name: &str) -> Option<&'a str> {
    let mut lines = head.lines().filter_map(|line| line.split_once(": "));
    lines.find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value)
}

/// An answer with this status, these extra header lines and this body.
pub(super) fn answer(status: u16, headers: &str, body: &[u8]) -> Vec<u8> {
    let head = format!("HTTP/1.1 {status} X\r\ncontent-length: {}\r\n{headers}\r\n", body.len());
    [head.as_bytes(), body].concat()
}
