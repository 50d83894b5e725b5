//! Findings that are known and accepted.
//!
//! The file is JSON, made to be kept beside the sources and read in a review:
//!
//! ```json
//! {
//!   "version": 1,
//!   "accepted": [
//!     {
//!       "fingerprint": "2f0c1b8e5d7a9c43",
//!       "kind": "data_race",
//!       "variable": "accounts.alice",
//!       "places": ["src/bank.rs:42", "src/bank.rs:57"]
//!     }
//!   ]
//! }
//! ```
//!
//! Only `fingerprint` and `places` are looked at, and `places` only to tell findings of one fingerprint apart: each entry accepts
//! one finding, the one at its places if there is one. So a finding may move, and a second one beside it is new.

use super::fingerprint;
use crate::cli::failure::Failure;
use crate::cli::kinds::text_of;
use serde::{Deserialize, Serialize};
use std::path::Path;
use trackside_analysis::{AccessInfo, Finding};

const VERSION: u32 = 1;

/// A file of accepted findings.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct Baseline {
    version: u32,
    accepted: Vec<Entry>,
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
struct Entry {
    fingerprint: String,
    #[serde(default)]
    kind: String,
    #[serde(default)]
    variable: String,
    #[serde(default)]
    places: [String; 2],
}

impl Baseline {
    pub(super) fn read(path: &Path) -> Result<Self, Failure> {
        let failure = |source: Box<dyn std::error::Error>| Failure {
            what: format!("cannot use {}", path.display()),
            source: Some(source),
            advice: "make a baseline with --write-baseline",
        };
        let text = std::fs::read_to_string(path).map_err(|error| failure(error.into()))?;
        let baseline: Baseline = serde_json::from_str(&text).map_err(|error| failure(error.into()))?;
        if baseline.version != VERSION {
            return Err(failure(format!("it is a baseline of version {}", baseline.version).into()));
        }
        Ok(baseline)
    }

    pub(super) fn write(mut self, path: &Path) -> Result<(), Failure> {
        self.version = VERSION;
        self.accepted.sort_unstable();
        let text = serde_json::to_string_pretty(&self).map_err(|error| (error.into(), "this is a bug in trackside"));
        let written = text.and_then(|text| {
            std::fs::write(path, text + "\n").map_err(|error| (error.into(), "name a file that can be written"))
        });
        written.map_err(|(source, advice)| Failure {
            what: format!("cannot write {}", path.display()),
            source: Some(source),
            advice,
        })
    }

    /// Takes out of `findings` what is accepted. Returns how many those were, and how many entries accept nothing.
    pub(super) fn filter(&self, findings: &mut Vec<Finding>) -> (usize, usize) {
        let mut left = self.accepted.clone();
        let before = findings.len();
        // First those that have not moved, so that a new one beside them is not taken for one that has.
        for exact in [true, false] {
            findings.retain(|finding| {
                let entry = Entry::new(finding);
                let accepts = |accepted: &Entry| {
                    accepted.fingerprint == entry.fingerprint && (!exact || accepted.places == entry.places)
                };
                match left.iter().position(accepts) {
                    Some(at) => {
                        left.swap_remove(at);
                        false
                    }
                    None => true,
                }
            });
        }
        (before - findings.len(), left.len())
    }

    /// Accepts these too.
    pub(super) fn accept(&mut self, findings: &[Finding]) {
        self.accepted.extend(findings.iter().map(Entry::new));
    }
}

impl Entry {
    fn new(finding: &Finding) -> Self {
        let mut places = [place(&finding.first), place(&finding.second)];
        places.sort_unstable();
        let (kind, variable) = (text_of(finding.kind).id.to_owned(), finding.variable.clone());
        Self { fingerprint: fingerprint(finding), kind, variable, places }
    }
}

fn place(access: &AccessInfo) -> String {
    let line = access.line.map(|line| format!(":{line}")).unwrap_or_default();
    access.file.clone().unwrap_or_default() + &line
}
