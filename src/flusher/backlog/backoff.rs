use std::time::Duration;

/// No wait of our own making is longer.
const MAX: Duration = Duration::from_secs(24 * 60 * 60);

/// How long to wait after the n-th failure in a row: anything from nothing to `base * 2^n`, at most `max`.
#[derive(Debug)]
pub(super) struct Backoff {
    base: Duration,
    max: Duration,
    failures: u32,
    /// The state of a SplitMix64 generator (Steele, Lea, Flood, 2014): jitter needs no better one.
    random: u64,
}

impl Backoff {
    pub(super) fn new(base: Duration, max: Duration, seed: u64) -> Self {
        Self { base, max: max.min(MAX), failures: 0, random: seed }
    }

    pub(super) fn reset(&mut self) {
        self.failures = 0;
    }

    pub(super) fn next_wait(&mut self) -> Duration {
        let factor = 1u32.checked_shl(self.failures).unwrap_or(u32::MAX);
        self.failures = self.failures.saturating_add(1);
        let window = self.base.saturating_mul(factor).min(self.max);
        // The window is at most a day, whose nanoseconds fit; the product takes the upper half, so it stays inside.
        let nanos = (window.as_nanos() * u128::from(self.draw())) >> 64;
        Duration::from_nanos(u64::try_from(nanos).unwrap_or(0))
    }

    fn draw(&mut self) -> u64 {
        self.random = self.random.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.random;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_window_doubles_up_to_the_maximum_and_is_used_whole() {
        let base = Duration::from_millis(100);
        let mut longest = [Duration::ZERO; 8];
        for seed in 0..1000 {
            let mut backoff = Backoff::new(base, Duration::from_secs(2), seed);
            for longest in &mut longest {
                *longest = backoff.next_wait().max(*longest);
            }
        }
        for (failures, longest) in longest.iter().enumerate() {
            let window = (base * (1 << failures)).min(Duration::from_secs(2));
            assert!(*longest < window && *longest > window * 9 / 10, "{failures}: {longest:?}");
        }
    }

    #[test]
    fn extremes_do_not_overflow() {
        let mut backoff = Backoff::new(Duration::MAX, Duration::MAX, u64::MAX);
        for _ in 0..100 {
            assert!(backoff.next_wait() < MAX);
        }
        backoff.failures = u32::MAX;
        backoff.next_wait();
        assert_eq!(Backoff::new(Duration::ZERO, Duration::ZERO, 1).next_wait(), Duration::ZERO);
    }

    #[test]
    fn seeds_part_ways() {
        let wait = |seed| Backoff::new(Duration::from_secs(1), Duration::from_secs(1), seed).next_wait();
        assert_ne!(wait(1), wait(2));
    }
}
