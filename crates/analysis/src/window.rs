//! Accesses between the engine, which comes to them in the order of events, and the detectors, which look at them variable by
//! variable.
//!
//! What is kept of a variable depends on nothing but its own accesses, each with what its strand knew and held. So the
//! engine puts accesses aside until there are many, and then those of one variable are looked at one after the other. In a
//! log of thousands of variables, whatever is kept of one would else have left the processor's caches before its next access
//! comes.

use crate::log::AccessOp;
use crate::strand::Stance;
use crate::value::Val;
use std::rc::Rc;

/// How many accesses are put aside at most.
const WINDOW: usize = 1 << 16;

/// An access that a strand has come to.
#[derive(Debug)]
pub(crate) struct Access {
    pub(crate) variable: u32,
    pub(crate) strand: u32,
    /// Index of its record in the strand.
    pub(crate) at: u32,
    pub(crate) site: u32,
    /// Its place in the order in which the engine met all accesses.
    pub(crate) met: u32,
    /// How many holes the strand had come through.
    pub(crate) stretch: u32,
    pub(crate) op: AccessOp,
    /// The values before and after it; a read has its value in the second.
    pub(crate) old: Val,
    pub(crate) new: Val,
    pub(crate) stance: Rc<Stance>,
}

/// Accesses that were put aside, in the order in which they were met.
#[derive(Debug, Default)]
pub(crate) struct Window {
    accesses: Vec<Access>,
}

impl Window {
    /// Puts one aside. True if it is time to look at them.
    pub(crate) fn add(&mut self, access: Access) -> bool {
        self.accesses.push(access);
        self.accesses.len() >= WINDOW
    }

    /// All of them, variable by variable; those of one variable in the order in which they were met.
    pub(crate) fn by_variable(&self) -> impl Iterator<Item = &Access> {
        let place = |(at, access): (usize, &Access)| u64::from(access.variable) << 32 | at as u64;
        let mut order: Vec<u64> = self.accesses.iter().enumerate().map(place).collect();
        order.sort_unstable();
        order.into_iter().map(|place| &self.accesses[place as u32 as usize])
    }

    /// A window for as many, with none in it.
    pub(crate) fn emptied(mut self) -> Window {
        self.accesses.clear();
        self
    }
}
