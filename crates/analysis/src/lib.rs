//! The analysis.
