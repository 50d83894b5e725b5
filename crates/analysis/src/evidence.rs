//! What the recorded values say of a suspected lost update.

use crate::report::Confidence;
use crate::tally::Surplus;
use crate::value::Val;

/// A suspicion: a foreign write, and a write that may have been computed without it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Claim {
    /// What the read saw, if there was one.
    pub(crate) read: Option<Val>,
    /// The dependent write's value before and after.
    pub(crate) write: (Val, Val),
    /// The foreign write's value before and after.
    pub(crate) foreign: (Val, Val),
    /// Whether the foreign write happens before the dependent one; else nothing orders the two.
    pub(crate) between: bool,
    /// Whether the variable is known to have held the foreign write's value when the dependent write came.
    pub(crate) was_state: bool,
    /// Whether nobody is known to have written, meanwhile, the value that both were computed from.
    pub(crate) no_return: bool,
    /// Whether the foreign write is an atomic read-modify-write: what it replaced is what was there.
    pub(crate) foreign_rmw: bool,
    /// If more writes were computed from that value than times that it came to be: how many of each.
    pub(crate) surplus: Option<Surplus>,
}

/// What is left of a suspicion.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Verdict {
    pub(crate) confidence: Confidence,
    /// Why it is not confirmed.
    pub(crate) reserve: Option<&'static str>,
    /// Set if it is confirmed by counting alone, which does not say that these two writes are the ones.
    pub(crate) by_count: Option<Surplus>,
}

impl Verdict {
    const CONFIRMED: Verdict = Verdict { confidence: Confidence::Confirmed, reserve: None, by_count: None };

    fn reserved(confidence: Confidence, reserve: &'static str) -> Self {
        Verdict { confidence, reserve: Some(reserve), by_count: None }
    }
}

/// The reserve about a value that may have come back.
pub(crate) const RETURNED: &str =
    "the value that both started from was also written at another time, so it may have come back in between";
const NO_OLD: &str = "the write does not say what it replaced, so whether it was computed from that read is not known";
const NO_VALUES: &str = "values were not recorded, so whether the write was computed from that read is not known";
const NO_READ: &str = "no read was recorded: both writes only say that they replaced the same value";
const OTHER_VALUE: &str = "the two writes do not say that they started from the same value";

impl Claim {
    /// Weighs the values. Nothing if they contradict that anything was lost.
    pub(crate) fn judge(&self) -> Option<Verdict> {
        let read = self.read.unwrap_or(Val::Unknown);
        let ((old, new), (foreign_old, foreign_new)) = (self.write, self.foreign);
        let same = |a: Val, b: Val| a.known_eq(b) == Some(true);
        let saw_it = same(old, foreign_new) || same(read, foreign_new);
        let was_seen = !self.between && same(foreign_old, new);
        let changed_nothing = same(foreign_old, foreign_new);
        if saw_it || was_seen || changed_nothing {
            return None;
        }
        let base = self.base();
        let same_base = self.shows_start();
        if self.read.is_none() {
            let likely = same_base && !same(old, new);
            return likely.then_some(Verdict::reserved(Confidence::Likely, NO_READ));
        }
        let stale = self.between && base.known_eq(foreign_new) == Some(false);
        let agree = old.known_eq(read) != Some(false);
        let verdict = |confidence, reserve| Some(Verdict::reserved(confidence, reserve));
        match (same_base && agree, stale && self.was_state) {
            (true, _) if self.between && old == Val::Unknown => verdict(Confidence::Likely, NO_OLD),
            (true, state) if self.no_return || (state && old != Val::Unknown) => Some(Verdict::CONFIRMED),
            (true, _) if self.surplus.is_some() => Some(Verdict { by_count: self.surplus, ..Verdict::CONFIRMED }),
            (true, _) => verdict(Confidence::Likely, RETURNED),
            (false, true) if agree && old != Val::Unknown => Some(Verdict::CONFIRMED),
            (false, true) if agree => verdict(Confidence::Likely, NO_OLD),
            _ if base == Val::Unknown && self.between => verdict(Confidence::Possible, NO_VALUES),
            _ if base == Val::Unknown => verdict(Confidence::Likely, NO_VALUES),
            _ if old == Val::Unknown && self.between => verdict(Confidence::Possible, NO_OLD),
            _ => verdict(Confidence::Likely, OTHER_VALUE),
        }
    }

    /// Whether the values say that both writes were computed from the same one.
    pub(crate) fn shows_start(&self) -> bool {
        self.foreign.0.known_eq(self.base()) == Some(true)
    }

    /// Whether the foreign write is known to be the one that is lost.
    pub(crate) fn foreign_came_first(&self) -> bool {
        self.between || (self.foreign_rmw && self.no_return)
    }

    /// The value that the dependent write started from.
    pub(crate) fn base(&self) -> Val {
        self.write.0.known().or(self.read).unwrap_or(Val::Unknown)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn claim() -> Claim {
        let (read, write, foreign) = (Some(int(1000)), (int(1000), int(930)), (int(1000), int(950)));
        let (between, was_state, no_return) = (true, false, true);
        Claim { read, write, foreign, between, was_state, no_return, foreign_rmw: false, surplus: None }
    }

    fn int(int: i64) -> Val {
        Val::Int(int)
    }

    #[track_caller]
    fn check(claim: Claim, confidence: Option<Confidence>) {
        assert_eq!(claim.judge().map(|verdict| verdict.confidence), confidence, "{claim:?}");
    }

    #[test]
    fn two_writes_computed_from_one_value_confirm() {
        check(claim(), Some(Confidence::Confirmed));
        check(Claim { between: false, ..claim() }, Some(Confidence::Confirmed));
    }

    #[test]
    fn values_that_saw_the_other_write_contradict() {
        check(Claim { write: (int(950), int(880)), ..claim() }, None);
        check(Claim { read: Some(int(950)), write: (Val::Unknown, int(880)), ..claim() }, None);
        check(Claim { between: false, foreign: (int(930), int(900)), ..claim() }, None);
        check(Claim { foreign: (int(1000), int(1000)), ..claim() }, None);
    }

    #[test]
    fn a_value_that_may_have_come_back_is_only_likely() {
        check(Claim { no_return: false, ..claim() }, Some(Confidence::Likely));
        check(Claim { no_return: false, was_state: true, ..claim() }, Some(Confidence::Confirmed));
    }

    #[test]
    fn counting_confirms_what_the_pair_alone_does_not() {
        let surplus = Some(Surplus { used: 3, came: 2 });
        let verdict = |claim: Claim| claim.judge().map(|verdict| (verdict.confidence, verdict.by_count));
        let counted = Claim { no_return: false, surplus, ..claim() };
        assert_eq!(verdict(counted), Some((Confidence::Confirmed, surplus)));
        assert_eq!(verdict(Claim { no_return: true, ..counted }), Some((Confidence::Confirmed, None)));
        assert_eq!(verdict(Claim { foreign: (int(5), int(6)), ..counted }), Some((Confidence::Likely, None)));
    }

    #[test]
    fn what_values_do_not_say_is_not_confirmed() {
        let unknown = (Val::Unknown, Val::Unknown);
        check(Claim { write: (Val::Unknown, int(930)), ..claim() }, Some(Confidence::Likely));
        check(Claim { read: Some(Val::Unknown), write: unknown, ..claim() }, Some(Confidence::Possible));
        check(Claim { read: None, ..claim() }, Some(Confidence::Likely));
        check(Claim { read: None, foreign: (int(5), int(6)), ..claim() }, None);
        check(Claim { foreign: (int(5), int(6)), ..claim() }, Some(Confidence::Likely));
    }
}
