/// Why an event was given up on its way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum LossReason {
    /// Newer batches needed the room.
    BacklogFull,
    /// It grew too old while attempts failed.
    RetriesExhausted,
    /// The receiver refuses it.
    Rejected,
    /// The time for shutdown was up.
    ShutdownTimeout,
}

impl LossReason {
    /// Every reason.
    pub(crate) const ALL: [LossReason; 4] =
        [LossReason::BacklogFull, LossReason::RetriesExhausted, LossReason::Rejected, LossReason::ShutdownTimeout];
}

/// How many events were lost, by reason.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Losses {
    backlog_full: u64,
    retries_exhausted: u64,
    rejected: u64,
    shutdown_timeout: u64,
}

impl Losses {
    pub(super) fn add(&mut self, reason: LossReason, events: u64) {
        *match reason {
            LossReason::BacklogFull => &mut self.backlog_full,
            LossReason::RetriesExhausted => &mut self.retries_exhausted,
            LossReason::Rejected => &mut self.rejected,
            LossReason::ShutdownTimeout => &mut self.shutdown_timeout,
        } += events;
    }

    /// The count for one reason.
    pub(crate) fn count(&self, reason: LossReason) -> u64 {
        match reason {
            LossReason::BacklogFull => self.backlog_full,
            LossReason::RetriesExhausted => self.retries_exhausted,
            LossReason::Rejected => self.rejected,
            LossReason::ShutdownTimeout => self.shutdown_timeout,
        }
    }

    /// The reasons for which anything was lost, and how much.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (LossReason, u64)> + '_ {
        LossReason::ALL.into_iter().map(|reason| (reason, self.count(reason))).filter(|(_, count)| *count > 0)
    }
}
