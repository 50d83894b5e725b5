use std::time::Duration;

/// What an event costs a stock server with default settings.
const FIRST: Duration = Duration::from_millis(1);

/// Below this there is no pace to keep.
const LEAST: Duration = Duration::from_micros(100);

/// No wait of this kind is longer.
const LONGEST: Duration = Duration::from_secs(5);

/// How fast a receiver takes events whose queue has overflowed: it is sent no faster for a while, so that the next
/// requests are not dropped as well. Faster again with each request that it takes whole.
#[derive(Debug, Default)]
pub(super) struct Pace {
    an_event: Duration,
}

impl Pace {
    /// The receiver has dropped events.
    pub(super) fn slow_down(&mut self) {
        self.an_event = FIRST;
    }

    /// The receiver has taken all it was sent.
    pub(super) fn speed_up(&mut self) {
        self.an_event = self.an_event * 3 / 4;
        if self.an_event < LEAST {
            self.an_event = Duration::ZERO;
        }
    }

    /// How long it is busy with so many events.
    pub(super) fn time_for(&self, events: u64) -> Duration {
        self.an_event.saturating_mul(u32::try_from(events).unwrap_or(u32::MAX)).min(LONGEST)
    }
}
