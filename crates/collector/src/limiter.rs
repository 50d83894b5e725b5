//! How often one client may come: a token bucket for each.

use crate::sync::lock;
use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::num::NonZeroU32;
use std::sync::Mutex;
use std::time::{Duration, Instant};

/// How many clients are told apart at a time.
const MOST: usize = 4096;

/// Who sends a request: an address, of version 6 the half of it that a single host cannot change at will.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Peer(IpAddr);

impl Peer {
    pub(crate) fn new(address: IpAddr) -> Self {
        Self(match address.to_canonical() {
            IpAddr::V6(v6) => IpAddr::V6(Ipv6Addr::from_bits(v6.to_bits() & !u128::from(u64::MAX))),
            v4 => v4,
        })
    }
}

/// Buckets that fill with so many tokens a second and hold as many; a request takes one.
#[derive(Debug)]
pub(crate) struct RateLimiter {
    per_second: f64,
    buckets: Mutex<HashMap<Option<Peer>, Bucket>>,
}

#[derive(Debug, Clone, Copy)]
struct Bucket {
    tokens: f64,
    at: Instant,
}

impl RateLimiter {
    pub(crate) fn new(per_second: NonZeroU32) -> Self {
        Self { per_second: f64::from(per_second.get()), buckets: Mutex::default() }
    }

    /// Lets a request pass, or says how long its client is to wait.
    pub(crate) fn admit(&self, peer: Peer, now: Instant) -> Result<(), Duration> {
        let mut buckets = lock(&self.buckets);
        let mut peer = Some(peer);
        if buckets.len() >= MOST && !buckets.contains_key(&peer) {
            buckets.retain(|_, bucket| self.refilled(*bucket, now).tokens < self.per_second);
            // Who still finds no room shares a bucket with all others that do not.
            peer = peer.filter(|_| buckets.len() < MOST);
        }
        let bucket = buckets.entry(peer).or_insert(Bucket { tokens: self.per_second, at: now });
        *bucket = self.refilled(*bucket, now);
        if bucket.tokens < 1.0 {
            return Err(Duration::from_secs_f64((1.0 - bucket.tokens) / self.per_second));
        }
        bucket.tokens -= 1.0;
        Ok(())
    }

    fn refilled(&self, bucket: Bucket, now: Instant) -> Bucket {
        let passed = now.saturating_duration_since(bucket.at).as_secs_f64();
        Bucket { tokens: (bucket.tokens + passed * self.per_second).min(self.per_second), at: now }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn limiter(per_second: u32) -> RateLimiter {
        RateLimiter::new(NonZeroU32::new(per_second).unwrap())
    }

    fn peer(number: u32) -> Peer {
        Peer::new(IpAddr::V4(number.into()))
    }

    #[test]
    fn a_client_gets_what_it_may_have_and_is_told_when_there_is_more() {
        let (limiter, start) = (limiter(4), Instant::now());
        assert!((0..4).all(|_| limiter.admit(peer(1), start).is_ok()));
        assert_eq!(limiter.admit(peer(1), start), Err(Duration::from_millis(250)));
        assert!(limiter.admit(peer(2), start).is_ok(), "another client has its own");
        let later = start + Duration::from_millis(250);
        assert!(limiter.admit(peer(1), later).is_ok() && limiter.admit(peer(1), later).is_err());
        let admitted = (0..1000).filter(|_| limiter.admit(peer(1), later + Duration::from_secs(3600)).is_ok()).count();
        assert_eq!(admitted, 4, "what was not used is not saved up");
    }

    #[test]
    fn many_clients_take_bounded_room() {
        let (limiter, start) = (limiter(1), Instant::now());
        for number in 0..3 * MOST as u32 {
            let _ = limiter.admit(peer(number), start);
        }
        assert_eq!(lock(&limiter.buckets).len(), MOST + 1);
        assert!(limiter.admit(peer(1_000_000), start).is_err());
        assert!(limiter.admit(peer(1_000_000), start + Duration::from_secs(1)).is_ok());
        assert!(lock(&limiter.buckets).len() < 3);
    }

    #[test]
    fn a_host_cannot_be_many() {
        let peer = |text: &str| Peer::new(text.parse().unwrap());
        assert_eq!(peer("2001:db8::1"), peer("2001:db8::ffff:1"));
        assert_ne!(peer("2001:db8::1"), peer("2001:db8:0:1::1"));
        assert_eq!(peer("::ffff:192.0.2.7"), peer("192.0.2.7"));
    }
}
