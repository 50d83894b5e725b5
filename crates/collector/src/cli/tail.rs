//! `trackside tail`.

use super::Outcome;
use super::events::{kind_name, kind_of, site, strand_name, values};
use super::failure::Failure;
use super::input::{Inputs, follow};
use super::output::{Document, to_stderr, visible};
use super::time::rfc3339;
use clap::Args;
use std::ops::ControlFlow;
use trackside_wire::{Batch, Event, Kind};

#[derive(Debug, Args)]
pub(super) struct Tail {
    #[command(flatten)]
    inputs: Inputs,
    /// Only events of this kind, such as write, atomic_rmw or lock_acquire; may be given more than once.
    #[arg(long, value_name = "KIND", value_parser = kind_of)]
    kind: Vec<Kind>,
    /// Only events whose name has this in it.
    #[arg(long, value_name = "TEXT")]
    name: Option<String>,
    /// Of a collector, print what it has stored and end, instead of what comes from now on.
    #[arg(long)]
    stored: bool,
}

impl Tail {
    pub(super) fn run(&self) -> Result<Outcome, Failure> {
        let mut out = Document::create(None)?;
        match self.inputs.only_collector().filter(|_| !self.stored) {
            Some(url) => {
                let key = self.inputs.key()?;
                let ready = || to_stderr(&format!("following {}; stop with ctrl-c", visible(url)));
                follow(url, key.as_deref(), ready, |batch| self.print(&mut out, batch))?;
            }
            None => self.inputs.each(|batch| self.print(&mut out, batch).map(drop))?,
        }
        Ok(Outcome::Clean)
    }

    /// Prints a batch's events, and says whether there is anybody who reads on.
    fn print(&self, out: &mut Document, batch: &Batch<'_>) -> Result<ControlFlow<()>, Failure> {
        for event in batch.events().filter(|event| self.wants(batch, event)) {
            out.write(&line(batch, &event))?;
        }
        out.flush()?;
        Ok(if out.is_unheard() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) })
    }

    fn wants(&self, batch: &Batch<'_>, event: &Event<'_>) -> bool {
        let name = event.name.map_or("", |name| batch.string(name));
        (self.kind.is_empty() || self.kind.contains(&event.kind))
            && self.name.as_ref().is_none_or(|wanted| name.contains(wanted))
    }
}

/// Time, process, strand, kind, name, values and place, with two spaces in between.
fn line(batch: &Batch<'_>, event: &Event<'_>) -> String {
    let header = &batch.header;
    let lane = batch.lanes.get(event.lane as usize);
    let strand = lane.and_then(|lane| batch.strands.get(lane.strand as usize));
    let thread = lane.and_then(|lane| lane.thread).map(|name| batch.string(name));
    let parts = [
        rfc3339(header.base_unix_ns.saturating_add(event.time_ns)),
        format!("{}/{}", header.service, header.instance),
        strand.map(|strand| strand_name(batch, strand, thread)).unwrap_or_default(),
        kind_name(event.kind),
        event.name.map_or("", |name| batch.string(name)).to_owned(),
        values(event),
        site(batch, event).unwrap_or_default(),
    ];
    let parts: Vec<String> = parts.iter().filter(|part| !part.is_empty()).map(|part| visible(part)).collect();
    parts.join("  ") + "\n"
}
