use super::row::Said;
use std::collections::HashMap;
use trackside_wire::{BatchHead, EventId, Header, Lane, Row, Site, Strand, write_head, write_row};

/// A batch that is being made.
#[derive(Debug, Default)]
pub(super) struct Draft {
    strings: Vec<Box<str>>,
    numbers: HashMap<Box<str>, u32>,
    sites: Vec<Site>,
    site_numbers: HashMap<Site, u32>,
    strands: Vec<Strand>,
    strand_numbers: HashMap<u64, u32>,
    lanes: Vec<Lane>,
    /// Per strand, its last lane and what would go on with it: sequence number and step.
    open: HashMap<u32, (u32, EventId, u64)>,
    rows: Vec<u8>,
    pub(super) events: usize,
}

/// Where an event stands.
#[derive(Debug)]
pub(super) struct Position {
    pub(super) id: EventId,
    pub(super) step: u64,
    pub(super) time_ns: u64,
    /// What it comes after, beside its strand's earlier events.
    pub(super) after: Vec<(u64, u64)>,
}

impl Draft {
    /// Adds an event of a strand that `describe` describes, if it is the first.
    pub(super) fn push(
        &mut self,
        strand: u64,
        position: Position,
        said: &Said<'_>,
        describe: impl FnOnce(&mut Self) -> Strand,
    ) {
        let Position { id, step, time_ns, after } = position;
        let index = match self.strand_numbers.get(&strand) {
            Some(index) => *index,
            None => {
                let described = describe(self);
                self.strands.push(described);
                let index = self.strands.len() as u32 - 1;
                self.strand_numbers.insert(strand, index);
                index
            }
        };
        let next = (EventId { seq: id.seq.wrapping_add(1), ..id }, step.wrapping_add(1));
        let goes_on = self
            .open
            .get(&index)
            .filter(|(_, id_next, step_next)| after.is_empty() && (*id_next, *step_next) == (id, step));
        let lane = goes_on.map_or(self.lanes.len() as u32, |(lane, ..)| *lane);
        if lane as usize == self.lanes.len() {
            let (ring, first_seq, first_step) = (id.ring, id.seq, step);
            let strand = index;
            self.lanes.push(Lane {
                ring,
                first_seq,
                strand,
                first_step,
                lost_before: 0,
                thread: None,
                held: vec![],
                after,
            });
        }
        self.open.insert(index, (lane, next.0, next.1));
        let name = said.name.map(|name| self.string(name));
        let site = said.place.map(|(file, line, column)| {
            let file = self.string(file);
            self.site(Site { file, line, column })
        });
        write_row(
            &mut self.rows,
            &Row { lane, kind: said.kind, time_ns, site, name, a: said.a.raw(), b: said.b.raw() },
        );
        self.events += 1;
    }

    /// The number of a text.
    pub(super) fn string(&mut self, text: &str) -> u32 {
        if let Some(number) = self.numbers.get(text) {
            return *number;
        }
        let number = self.strings.len() as u32;
        self.strings.push(text.into());
        self.numbers.insert(text.into(), number);
        number
    }

    fn site(&mut self, site: Site) -> u32 {
        let sites = &mut self.sites;
        *self.site_numbers.entry(site).or_insert_with(|| {
            sites.push(site);
            sites.len() as u32 - 1
        })
    }

    pub(super) fn finish(self, header: &Header<'_>) -> Vec<u8> {
        let Draft { strings, sites, strands, lanes, rows, events, .. } = &self;
        let mut out = Vec::with_capacity(rows.len() + 4096);
        write_head(&mut out, &BatchHead { header, strings, sites, strands, lanes, events: *events });
        out.extend_from_slice(rows);
        out
    }
}
