//! What kinds of findings are called, and what is said of them all.

use trackside_analysis::{Confidence, Finding, FindingKind};

/// A kind of findings, for people and for programs that list rules.
#[derive(Debug)]
pub(super) struct KindText {
    /// As in the JSON report.
    pub(super) id: &'static str,
    /// As one word.
    pub(super) name: &'static str,
    /// In a heading.
    pub(super) title: &'static str,
    /// In a sentence.
    pub(super) what: &'static str,
    /// What to do about it.
    pub(super) help: &'static str,
}

/// All kinds. The last one stands for those that are newer than this program.
pub(super) const KINDS: [(Option<FindingKind>, KindText); 8] = [
    (
        Some(FindingKind::Deadlock),
        KindText {
            id: "deadlock",
            name: "Deadlock",
            title: "deadlock",
            what: "Strands waited for each other in a circle, or one for itself, and would have waited for ever.",
            help: "Take the locks in the same order everywhere, or give the first one back before asking for the second.",
        },
    ),
    (
        Some(FindingKind::LostUpdate),
        KindText {
            id: "lost_update",
            name: "LostUpdate",
            title: "lost update",
            what: "A write was computed from a value that another write had replaced, so the other write is lost.",
            help: "Keep the lock from the read to the write that depends on it, or make both one atomic operation.",
        },
    ),
    (
        Some(FindingKind::DataRace),
        KindText {
            id: "data_race",
            name: "DataRace",
            title: "data race",
            what: "Two accesses to a variable, at least one of them a write, that nothing recorded orders.",
            help: "Protect both accesses by one lock, make them atomic, or let a message or a join order them.",
        },
    ),
    (
        Some(FindingKind::PotentialDeadlock),
        KindText {
            id: "potential_deadlock",
            name: "PotentialDeadlock",
            title: "potential deadlock",
            what: "Locks are taken in different orders by strands that can do so at the same time.",
            help: "Take the locks in the same order everywhere.",
        },
    ),
    (
        Some(FindingKind::RecursiveRead),
        KindText {
            id: "recursive_read",
            name: "RecursiveRead",
            title: "recursive read lock",
            what: "A strand that reads under a lock asked to read once more: with a writer waiting in between, both wait for ever.",
            help: "Pass the first guard on instead of taking the lock again.",
        },
    ),
    (
        Some(FindingKind::HeldAcrossAwait),
        KindText {
            id: "held_across_await",
            name: "HeldAcrossAwait",
            title: "lock held across an await",
            what: "A task held a lock that threads wait for while it waited for something else.",
            help: "Give the lock back before the await, or use a lock of the async runtime.",
        },
    ),
    (
        Some(FindingKind::InconsistentLocking),
        KindText {
            id: "inconsistent_locking",
            name: "InconsistentLocking",
            title: "inconsistent locking",
            what: "A variable was accessed without the lock that most of its accesses hold.",
            help: "Take the lock for these accesses too.",
        },
    ),
    (
        None,
        KindText {
            id: "other",
            name: "Other",
            title: "finding",
            what: "Something that this version of the program has no name for.",
            help: "See the explanation of the finding.",
        },
    ),
];

/// Where the kind stands among [`KINDS`].
pub(super) fn index_of(kind: FindingKind) -> usize {
    KINDS.iter().position(|(known, _)| *known == Some(kind)).unwrap_or(KINDS.len() - 1)
}

pub(super) fn text_of(kind: FindingKind) -> &'static KindText {
    &KINDS[index_of(kind)].1
}

/// How sure a finding is, in a word.
pub(super) fn confidence(confidence: Confidence) -> &'static str {
    match confidence {
        Confidence::Confirmed => "confirmed",
        Confidence::Likely => "likely",
        _ => "possible",
    }
}

/// How much a program that shows findings should make of one: no finding is a mere note.
pub(super) fn level(finding: &Finding) -> &'static str {
    if finding.confidence == Confidence::Confirmed { "error" } else { "warning" }
}

/// A kind, and how sure it is where that is not certain or said by the kind already.
pub(super) fn heading(finding: &Finding) -> String {
    let title = text_of(finding.kind).title;
    match finding.kind {
        FindingKind::DataRace | FindingKind::LostUpdate | FindingKind::InconsistentLocking
            if finding.confidence != Confidence::Confirmed =>
        {
            format!("{} {title}", confidence(finding.confidence))
        }
        _ => title.to_owned(),
    }
}

/// A finding in one line, its name as it is.
pub(super) fn headline(finding: &Finding) -> String {
    format!("{} on `{}`", heading(finding), finding.variable)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_those_of_the_json_report() {
        for (kind, text) in KINDS.iter().filter_map(|(kind, text)| Some(((*kind)?, text))) {
            assert_eq!(serde_json::to_value(kind).unwrap(), text.id);
            assert_eq!(text_of(kind).id, text.id);
        }
    }
}
