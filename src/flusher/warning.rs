//! Telling people that delivery does not work: seldom, and never on a standard stream.

use super::OnWarning;
use crate::transport::Outcome;
use std::fmt;
use std::time::{Duration, Instant};

/// Delivery has trouble, or has recovered. The program goes on unharmed; the books count what is lost.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Warning {
    /// Where the batches should go.
    pub destination: String,
    /// What went wrong last; nothing if delivery works again.
    pub cause: Option<String>,
    /// How many attempts have failed since delivery last worked.
    pub failed_attempts: u64,
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Warning { destination, cause, failed_attempts } = self;
        match cause {
            Some(cause) => write!(f, "trackside: cannot deliver to {destination} ({failed_attempts} failed): {cause}"),
            None => write!(f, "trackside: delivery to {destination} works again, after {failed_attempts} failures"),
        }
    }
}

/// The least time between two warnings of continued failure.
const INTERVAL: Duration = Duration::from_secs(60);

/// Decides when a warning is due.
pub(crate) struct Warnings {
    tell: OnWarning,
    failed: u64,
    told: Option<Instant>,
}

impl Warnings {
    pub(crate) fn new(tell: OnWarning) -> Self {
        Self { tell, failed: 0, told: None }
    }

    /// Takes note of how an attempt ended. Tells of the first failure, of continued failure once a minute, and of
    /// recovery if failure was told.
    pub(crate) fn outcome(&mut self, now: Instant, outcome: &Outcome, destination: &str) {
        let cause = match outcome {
            Outcome::Delivered => return self.recovered(destination),
            // Nothing is wrong: it is how the receiver's form is found out.
            Outcome::Unsupported(_) => return,
            Outcome::Retry { cause, .. } | Outcome::RejectedAt { cause, .. } | Outcome::Partly { cause, .. } => cause,
            Outcome::Cut(cause) | Outcome::TooLarge(cause) | Outcome::Unconfirmed(cause) => cause,
            Outcome::Rejected(cause) | Outcome::Unauthorized(cause) => cause,
        };
        self.failed += 1;
        if self.told.is_none_or(|told| now.saturating_duration_since(told) >= INTERVAL) {
            self.told = Some(now);
            self.warn(destination, Some(cause.to_string()));
        }
    }

    fn recovered(&mut self, destination: &str) {
        // A receiver that fails now and then would else be reported twice for each failure.
        if self.failed > 1 && self.told.is_some() {
            self.warn(destination, None);
        }
        self.failed = 0;
    }

    fn warn(&mut self, destination: &str, cause: Option<String>) {
        let warning = Warning { destination: destination.to_owned(), cause, failed_attempts: self.failed };
        (self.tell)(&warning);
    }
}

impl fmt::Debug for Warnings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Warnings").field("failed", &self.failed).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::transport::Cause;
    use std::sync::mpsc;

    #[test]
    fn failure_is_told_at_once_then_once_a_minute_and_recovery_once() {
        let (told, tells) = mpsc::channel();
        let mut warnings = Warnings::new(Box::new(move |warning| {
            let _ = told.send((warning.failed_attempts, warning.cause.is_some()));
        }));
        let failure = Outcome::Retry { after: None, cause: Cause::new("refused") };
        let start = Instant::now();
        for second in 0..=125 {
            warnings.outcome(start + Duration::from_secs(second), &failure, "here");
        }
        warnings.outcome(start + Duration::from_secs(126), &Outcome::Delivered, "here");
        warnings.outcome(start + Duration::from_secs(127), &Outcome::Delivered, "here");
        assert_eq!(tells.try_iter().collect::<Vec<_>>(), [(1, true), (61, true), (121, true), (126, false)]);

        // A receiver that fails every third request is still told of once a minute at most.
        for second in 128..=300 {
            let outcome = if second % 3 == 0 { &failure } else { &Outcome::Delivered };
            warnings.outcome(start + Duration::from_secs(second), outcome, "here");
        }
        assert_eq!(tells.try_iter().count(), 3, "at 180, 240 and 300 seconds");
    }
}
