use super::event::Link;
use super::timeline::{Lane, Row};
use serde::Serialize;

/// That one event happens before another one, of another strand.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Arrow {
    /// The places of the two.
    pub(super) from: usize,
    pub(super) to: usize,
    /// By what.
    pub(super) by: String,
}

/// What is known to order the rows of different lanes. Only what is between two rows that are shown can be drawn.
pub(super) fn arrows(lanes: &[Lane], rows: &[Row]) -> Vec<Arrow> {
    let view = View { lanes, rows };
    let to = rows.iter().enumerate().flat_map(|(to, row)| {
        let from = row.shown.link.as_ref().and_then(|link| view.before(to, link));
        let begun = row.after.iter().filter_map(move |(strand, steps)| view.step_of(to, *strand, *steps));
        from.into_iter().chain(begun).chain(view.call(to)).map(move |(from, by)| Arrow { from, to, by })
    });
    to.collect()
}

#[derive(Clone, Copy)]
struct View<'a> {
    lanes: &'a [Lane],
    rows: &'a [Row],
}

impl<'a> View<'a> {
    /// What comes before the row at `to`, as its link says.
    fn before(self, to: usize, link: &Link) -> Option<(usize, String)> {
        let name = self.rows[to].shown.name.as_deref().unwrap_or("");
        let (by, from) = match link {
            Link::Acquire { lock, number, shared } => {
                let released = |link: &Link| match link {
                    // Those that read do not wait for one another.
                    Link::Release { lock: other, number: before, shared: read } => {
                        (other == lock && before < number && !(*shared && *read)).then_some(*before)
                    }
                    _ => None,
                };
                (format!("lock {name}"), self.last(to, released))
            }
            Link::Received { channel, number } => {
                let sent = Link::Sent { channel: channel.clone(), number: *number };
                (format!("message {number}"), self.same(to, &sent))
            }
            Link::Noticed { object, number } => {
                let signalled = |link: &Link| match link {
                    Link::Signalled { object: other, number: before } => {
                        (other == object && before <= number).then_some(*before)
                    }
                    _ => None,
                };
                (format!("signal {name}"), self.last(to, signalled))
            }
            Link::Loaded { atomic, number } => {
                let stored = Link::Stored { atomic: atomic.clone(), number: *number };
                (format!("atomic {name}"), self.same(to, &stored))
            }
            Link::Began { task } => ("spawn".to_owned(), self.same(to, &Link::Spawned { task: task.clone() })),
            Link::Awaited { task } => ("end".to_owned(), self.same(to, &Link::Ended { task: task.clone() })),
            _ => return None,
        };
        from.map(|from| (from, by))
    }

    /// The last of the first `steps` events of another strand of the run.
    fn step_of(self, to: usize, strand: u64, steps: u64) -> Option<(usize, String)> {
        let run = self.lane(to).run;
        let step = steps.checked_sub(1)?;
        let from = self.rows.iter().position(|row| {
            let lane = &self.lanes[row.lane];
            (lane.run, lane.strand, row.shown.step) == (run, strand, step)
        })?;
        Some((from, "comes after".to_owned()))
    }

    /// The call that the first event of an entry strand comes after.
    fn call(self, to: usize) -> Option<(usize, String)> {
        let (trace, span) = self.lane(to).entry.filter(|_| self.rows[to].shown.step == 0)?;
        let from = self
            .rows
            .iter()
            .position(|row| row.shown.link == Some(Link::Called { span }) && self.lanes[row.lane].trace == trace)?;
        Some((from, "call".to_owned()))
    }

    /// The row of the run with the highest number, if it is of another lane: what the own lane did last needs no arrow.
    fn last(self, to: usize, number: impl Fn(&Link) -> Option<u64>) -> Option<usize> {
        let numbered = self.links(to).filter_map(|(at, link)| Some((number(link)?, at)));
        numbered.max().map(|(_, at)| at).filter(|at| self.rows[*at].lane != self.rows[to].lane)
    }

    fn same(self, to: usize, link: &Link) -> Option<usize> {
        let found = self.links(to).find(|(_, other)| *other == link).map(|(at, _)| at);
        found.filter(|at| self.rows[*at].lane != self.rows[to].lane)
    }

    /// The links of the run.
    fn links(self, to: usize) -> impl Iterator<Item = (usize, &'a Link)> {
        let run = self.lane(to).run;
        let rows = self.rows.iter().enumerate().filter(move |(_, row)| self.lanes[row.lane].run == run);
        rows.filter_map(|(at, row)| Some((at, row.shown.link.as_ref()?)))
    }

    fn lane(self, at: usize) -> &'a Lane {
        &self.lanes[self.rows[at].lane]
    }
}
