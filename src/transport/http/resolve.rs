//! Name lookups. ureq's own resolver starts a thread for every request, even one that goes over a kept connection,
//! panics when no thread can be had, and leaves one more behind each time a lookup hangs. This one remembers an answer
//! for a while and has at most one lookup under way.

use std::io;
use std::net::{IpAddr, SocketAddr, ToSocketAddrs};
use std::sync::mpsc::{Receiver, RecvTimeoutError, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use ureq::config::Config;
use ureq::http::Uri;
use ureq::unversioned::resolver::{DefaultResolver, ResolvedSocketAddrs, Resolver};
use ureq::unversioned::transport::NextTimeout;

/// How long an answer is used without asking again.
const FRESH: Duration = Duration::from_secs(30);

/// How many addresses of a host are tried; what ureq has room for.
const MAX_ADDRESSES: usize = 16;

/// Whether `host` (an IPv6 address in brackets) is this machine by definition, not by what a name server says.
pub(super) fn is_loopback(host: &str) -> bool {
    match literal(host) {
        Some(ip) => ip.to_canonical().is_loopback(),
        None => host.eq_ignore_ascii_case("localhost"),
    }
}

fn literal(host: &str) -> Option<IpAddr> {
    let bare = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
    bare.parse().ok()
}

/// The resolver; clones share what they know.
#[derive(Debug, Clone, Default)]
pub(super) struct Lookups(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    known: Option<Known>,
    running: Option<Running>,
}

#[derive(Debug)]
struct Known {
    host: String,
    addresses: Vec<SocketAddr>,
    until: Instant,
}

#[derive(Debug)]
struct Running {
    host: String,
    answer: Receiver<io::Result<Vec<SocketAddr>>>,
}

impl Lookups {
    /// Forgets the remembered answer: its addresses did not work.
    pub(super) fn forget(&self) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).known = None;
    }

    fn lookup(&self, host: &str, timeout: NextTimeout) -> Result<Vec<SocketAddr>, ureq::Error> {
        let now = Instant::now();
        let timed_out = ureq::Error::Timeout(timeout.reason);
        // One thread sends, so nobody else waits for this lock while it is held during a lookup.
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = state.known.as_ref().filter(|known| known.host == host && now < known.until) {
            return Ok(known.addresses.clone());
        }
        let running = match state.running.take() {
            Some(running) if running.host == host => running,
            Some(other) => match other.answer.try_recv() {
                // A lookup of another name hangs: not a second thread beside it.
                Err(std::sync::mpsc::TryRecvError::Empty) => {
                    state.running = Some(other);
                    return Err(timed_out);
                }
                _ => Running::start(host)?,
            },
            None => Running::start(host)?,
        };
        match running.answer.recv_timeout(*timeout.after) {
            Ok(Ok(addresses)) => {
                let until = now + FRESH;
                state.known = Some(Known { host: host.to_owned(), addresses: addresses.clone(), until });
                Ok(addresses)
            }
            Ok(Err(error)) => Err(ureq::Error::Io(error)),
            Err(RecvTimeoutError::Timeout) => {
                state.running = Some(running);
                Err(timed_out)
            }
            Err(RecvTimeoutError::Disconnected) => Err(ureq::Error::HostNotFound),
        }
    }
}

impl Running {
    fn start(host: &str) -> Result<Self, ureq::Error> {
        let (sender, answer) = sync_channel(1);
        let name = host.to_owned();
        let look_up = move || {
            let answer = name.to_socket_addrs().map(|found| found.take(MAX_ADDRESSES).collect());
            // Nobody may be waiting any more.
            let _ = sender.send(answer);
        };
        std::thread::Builder::new().name("trackside-dns".into()).spawn(look_up).map_err(ureq::Error::Io)?;
        Ok(Self { host: host.to_owned(), answer })
    }
}

impl Resolver for Lookups {
    fn resolve(&self, uri: &Uri, config: &Config, timeout: NextTimeout) -> Result<ResolvedSocketAddrs, ureq::Error> {
        let (Some(scheme), Some(authority)) = (uri.scheme(), uri.authority()) else {
            return Err(ureq::Error::HostNotFound);
        };
        let host = DefaultResolver::host_and_port(scheme, authority).ok_or(ureq::Error::HostNotFound)?;
        let port = host.rsplit_once(':').and_then(|(_, port)| port.parse().ok());
        let found = match (literal(authority.host()), port) {
            (Some(ip), Some(port)) => vec![SocketAddr::new(ip, port)],
            _ => self.lookup(&host, timeout)?,
        };
        let mut addresses = self.empty();
        for address in config.ip_family().keep_wanted(found.into_iter()).take(MAX_ADDRESSES) {
            addresses.push(address);
        }
        if addresses.is_empty() { Err(ureq::Error::HostNotFound) } else { Ok(addresses) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ureq::Timeout;

    fn within(after: Duration) -> NextTimeout {
        let mut timeout = NextTimeout::default();
        (timeout.after, timeout.reason) = (after.into(), Timeout::Resolve);
        timeout
    }

    #[test]
    fn loopback_is_what_cannot_be_another_machine() {
        for host in ["localhost", "LOCALHOST", "127.0.0.1", "127.9.9.9", "[::1]", "[::ffff:127.0.0.1]"] {
            assert!(is_loopback(host), "{host}");
        }
        for host in ["localhost.example.com", "10.0.0.1", "[::2]", "127.0.0.1.example.com", "0.0.0.0"] {
            assert!(!is_loopback(host), "{host}");
        }
    }

    #[test]
    fn an_answer_is_remembered_until_forgotten() {
        let lookups = Lookups::default();
        let address = SocketAddr::from(([192, 0, 2, 1], 80));
        let until = Instant::now() + FRESH;
        lookups.0.lock().unwrap().known =
            Some(Known { host: "known.invalid:80".into(), addresses: vec![address], until });
        assert_eq!(lookups.lookup("known.invalid:80", within(FRESH)).unwrap(), [address]);
        lookups.forget();
        assert!(lookups.0.lock().unwrap().known.is_none());
    }

    #[test]
    fn a_lookup_that_hangs_is_not_joined_by_a_second_one() {
        let lookups = Lookups::default();
        let (sender, answer) = sync_channel(1);
        lookups.0.lock().unwrap().running = Some(Running { host: "slow.invalid:80".into(), answer });
        for host in ["slow.invalid:80", "other.invalid:80"] {
            assert!(matches!(lookups.lookup(host, within(Duration::ZERO)), Err(ureq::Error::Timeout(_))));
            assert_eq!(lookups.0.lock().unwrap().running.as_ref().unwrap().host, "slow.invalid:80");
        }
        let address = SocketAddr::from(([192, 0, 2, 1], 80));
        sender.send(Ok(vec![address])).unwrap();
        assert_eq!(lookups.lookup("slow.invalid:80", within(FRESH)).unwrap(), [address]);
        assert!(lookups.0.lock().unwrap().running.is_none());
    }
}
