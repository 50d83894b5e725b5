//! How far long work has come: on the standard error, if that is a terminal, and once it has taken a second.

use super::output::is_watched;
use indicatif::{ProgressBar, ProgressStyle};
use std::time::{Duration, Instant};

/// Work that ends sooner shows nothing.
const PATIENCE: Duration = Duration::from_secs(1);

/// A bar over bytes read.
#[derive(Debug)]
pub(super) struct Progress {
    start: Instant,
    done: u64,
    /// Nothing if it is not known how many bytes there are.
    total: Option<u64>,
    bar: Option<ProgressBar>,
}

impl Progress {
    pub(super) fn new(total: Option<u64>) -> Self {
        Self { start: Instant::now(), done: 0, total, bar: None }
    }

    pub(super) fn advance(&mut self, bytes: u64) {
        self.done += bytes;
        if self.bar.is_none() && self.start.elapsed() >= PATIENCE && is_watched() {
            self.bar = Some(bar(self.total));
        }
        if let Some(bar) = &self.bar {
            bar.set_position(self.done);
        }
    }

    /// Does something that writes to the terminal.
    pub(super) fn aside(&self, write: impl FnOnce()) {
        match &self.bar {
            Some(bar) => bar.suspend(write),
            None => write(),
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

fn bar(total: Option<u64>) -> ProgressBar {
    let (bar, template) = match total {
        Some(total) => (ProgressBar::new(total), "reading {bar:30} {bytes} of {total_bytes}, {eta} to go"),
        None => (ProgressBar::new_spinner(), "reading {spinner} {bytes}"),
    };
    // A template that does not parse is a plain bar.
    match ProgressStyle::with_template(template) {
        Ok(style) => bar.with_style(style),
        Err(_) => bar,
    }
}
