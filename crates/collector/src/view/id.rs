use trackside_analysis::{AccessInfo, Finding, FindingKind};

/// The names that findings go by in addresses: the same after each analysis, for as long as the finding is there.
///
/// A finding is told once for a kind, a variable and a pair of places with their services, and that is what its name is
/// made from. Should two of them come out alike, the later one is numbered.
pub(super) fn ids(findings: &[Finding]) -> Vec<String> {
    let mut taken = std::collections::HashMap::<u64, u64>::new();
    findings
        .iter()
        .map(|finding| {
            let hash = hash(finding);
            let before = taken.entry(hash).or_default();
            *before += 1;
            if *before == 1 { format!("{hash:016x}") } else { format!("{hash:016x}-{before}") }
        })
        .collect()
}

/// The name of a kind in addresses and on the page: as it is serialised.
pub(crate) fn kind_name(kind: FindingKind) -> &'static str {
    match kind {
        FindingKind::LostUpdate => "lost_update",
        FindingKind::DataRace => "data_race",
        FindingKind::PotentialDeadlock => "potential_deadlock",
        FindingKind::RecursiveRead => "recursive_read",
        FindingKind::HeldAcrossAwait => "held_across_await",
        FindingKind::InconsistentLocking => "inconsistent_locking",
        _ => "other",
    }
}

fn hash(finding: &Finding) -> u64 {
    let place = |access: &AccessInfo| {
        let AccessInfo { service, file, line, column, .. } = access;
        format!("{service}\0{file:?}\0{line:?}\0{column:?}")
    };
    let mut places = [place(&finding.first), place(&finding.second)];
    // Which of the two comes first may differ from one analysis to the next.
    places.sort_unstable();
    let [one, other] = &places;
    [kind_name(finding.kind), &finding.variable, one, other].iter().fold(FNV_OFFSET, |hash, part| {
        part.bytes().chain([0xff]).fold(hash, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(FNV_PRIME))
    })
}

// FNV-1a: no secret is at stake, and the same on every machine.
const FNV_OFFSET: u64 = 0xcbf2_9ce4_8422_2325;
const FNV_PRIME: u64 = 0x0100_0000_01b3;
