//! Contexts: whose events are whose, whatever thread they are recorded on, and what happens before what.

mod program;
mod scopes;
