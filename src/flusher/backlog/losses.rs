/// Why an event was given up on its way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum LossReason {
    /// Newer batches needed the room.
    BacklogFull,
    /// It grew too old while attempts failed.
    RetriesExhausted,
    /// The receiver refuses it.
    Rejected,
    /// The receiver's queue was full, and it dropped it.
    ReceiverFull,
    /// It may have arrived, and could not be sent again without the risk of being stored twice.
    Unconfirmed,
    /// The time for shutdown was up.
    ShutdownTimeout,
}

impl LossReason {
    /// Every reason.
    pub(crate) const ALL: [LossReason; 6] = [
        LossReason::BacklogFull,
        LossReason::RetriesExhausted,
        LossReason::Rejected,
        LossReason::ReceiverFull,
        LossReason::Unconfirmed,
        LossReason::ShutdownTimeout,
    ];
}

/// How many events were lost, by reason.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Losses([u64; LossReason::ALL.len()]);

impl Losses {
    pub(super) fn add(&mut self, reason: LossReason, events: u64) {
        if let Some(count) = self.0.get_mut(reason as usize) {
            *count += events;
        }
    }

    /// The count for one reason.
    pub(crate) fn count(&self, reason: LossReason) -> u64 {
        self.0.get(reason as usize).copied().unwrap_or(0)
    }

    /// The reasons for which anything was lost, and how much.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (LossReason, u64)> + '_ {
        LossReason::ALL.into_iter().map(|reason| (reason, self.count(reason))).filter(|(_, count)| *count > 0)
    }
}
