//! `trackside check`. `command` is what it does; each of the others is a part of it that can be understood alone.

mod baseline;
mod command;
mod fingerprint;
mod github;
mod sarif;

pub(super) use command::Check;
pub(super) use fingerprint::fingerprint;
