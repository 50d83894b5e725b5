//! Whom a request believes to be talking to.
//!
//! A page on any web site can make a visitor's browser talk to a server on the visitor's own machine, by letting its
//! own domain name resolve to 127.0.0.1 (*DNS rebinding*); to the browser it is then one origin, and the page may read
//! the answers. The request's `Host` gives it away: it names that domain. So only names that an attacker cannot point
//! somewhere are served: loopback addresses, `localhost`, the address the collector is bound to, and names that the
//! operator has listed. Bound to all addresses, any literal IP address will do.

use axum::http::Request;
use axum::http::header::HOST;
use std::net::IpAddr;

/// The hosts that requests may name.
#[derive(Debug)]
pub(crate) struct AllowedHosts {
    pub(crate) bound: IpAddr,
    pub(crate) names: Vec<String>,
}

impl AllowedHosts {
    /// Whether every host that the request names (in `Host`, and in its target if that is a whole URL) is allowed, and
    /// it names at least one.
    pub(crate) fn admit<B>(&self, request: &Request<B>) -> bool {
        let target = request.uri().authority().map(|authority| authority.as_str());
        let headers = request.headers().get_all(HOST).iter().map(|value| value.to_str().unwrap_or(""));
        let mut hosts = headers.chain(target).peekable();
        hosts.peek().is_some() && hosts.all(|host| self.allows(host))
    }

    fn allows(&self, host_and_port: &str) -> bool {
        let host = without_port(host_and_port);
        match host.parse::<IpAddr>() {
            Ok(address) => address.is_loopback() || address == self.bound || self.bound.is_unspecified(),
            Err(_) => {
                let listed = self.names.iter().map(String::as_str);
                listed.chain(["localhost"]).any(|name| name.eq_ignore_ascii_case(host))
            }
        }
    }
}

/// `localhost:80` and `[::1]:80` without port and brackets.
fn without_port(host: &str) -> &str {
    if let Some((address, _)) = host.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        return address;
    }
    host.rsplit_once(':').map_or(host, |(name, _)| name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(bound: &str, host: &str, admitted: bool) {
        let hosts = AllowedHosts { bound: bound.parse().unwrap(), names: vec!["collector.internal".into()] };
        let request = Request::get("/health").header(HOST, host).body(()).unwrap();
        assert_eq!(hosts.admit(&request), admitted, "{host} at {bound}");
    }

    #[test]
    fn hosts_that_cannot_be_rebound_are_admitted() {
        for host in ["127.0.0.1", "127.0.0.1:8787", "127.9.9.9", "localhost", "LocalHost:1", "[::1]:8787"] {
            check("127.0.0.1", host, true);
        }
        check("127.0.0.1", "Collector.Internal:8787", true);
        check("192.0.2.7", "192.0.2.7:8787", true);
        check("0.0.0.0", "192.0.2.7:8787", true);
    }

    #[test]
    fn others_are_not() {
        for host in ["", ":", "evil.example", "127.0.0.1.evil.example", "localhost.evil.example:80", "[evil]", "::"] {
            check("127.0.0.1", host, false);
        }
        check("127.0.0.1", "192.0.2.7", false);
        check("0.0.0.0", "evil.example", false);
    }

    #[test]
    fn a_whole_url_as_target_is_looked_at_too() {
        let hosts = AllowedHosts { bound: "127.0.0.1".parse().unwrap(), names: vec![] };
        let request = Request::get("http://evil.example/health").header(HOST, "localhost").body(()).unwrap();
        assert!(!hosts.admit(&request));
        let request = Request::get("/health").body(()).unwrap();
        assert!(!hosts.admit(&request), "a request that names no host");
    }
}
