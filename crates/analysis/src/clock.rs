//! Vector clocks that share what they have in common.
//!
//! A strand's clock says, for each strand, up to which *epoch* of it everything happens before now. A strand's epoch
//! goes up whenever others may learn of it (a release), so "event e of strand s happens before now" is one look-up.
//!
//! The components live in a persistent radix tree, so a copy costs a pointer and a join skips whatever both sides
//! share. Two shortcuts make the usual joins cheaper still; both rest on clocks being transitive: who knows epoch n of
//! a strand knows all that the strand knew at the end of its epoch n.

use std::rc::Rc;

const BITS: u32 = 4;
const WIDTH: usize = 1 << BITS;

#[derive(Debug, Clone)]
enum Node {
    Leaf([u32; WIDTH]),
    Branch([Link; WIDTH]),
}

type Link = Option<Rc<Node>>;

/// An epoch for each strand, 0 where nothing is known.
#[derive(Debug, Clone)]
pub(crate) struct Tree {
    root: Link,
    /// Levels of branches above the leaves; the same for all trees of a run.
    height: u32,
}

impl Tree {
    /// A tree of zeros for `strands` strands.
    pub(crate) fn new(strands: usize) -> Self {
        let mut height = 0;
        while height < 7 && strands > WIDTH << (height * BITS) {
            height += 1;
        }
        Self { root: None, height }
    }

    /// Raises the epoch known of `strand`.
    pub(crate) fn raise(&mut self, strand: u32, epoch: u32) {
        raise(&mut self.root, self.height, strand, epoch);
    }

    /// Raises each component to the one of `other`.
    pub(crate) fn join(&mut self, other: &Tree) {
        self.root = join(&self.root, &other.root);
    }

    /// The epoch known of `strand`.
    pub(crate) fn get(&self, strand: u32) -> u32 {
        let mut link = &self.root;
        let mut height = self.height;
        loop {
            match link.as_deref() {
                None => return 0,
                Some(Node::Leaf(epochs)) => return epochs[strand as usize % WIDTH],
                Some(Node::Branch(links)) => {
                    link = &links[slot(strand, height)];
                    height -= 1;
                }
            }
        }
    }
}

fn slot(strand: u32, height: u32) -> usize {
    (strand >> (height * BITS)) as usize % WIDTH
}

fn raise(link: &mut Link, height: u32, strand: u32, epoch: u32) {
    let empty = || Rc::new(if height == 0 { Node::Leaf([0; WIDTH]) } else { Node::Branch(Default::default()) });
    match Rc::make_mut(link.get_or_insert_with(empty)) {
        Node::Leaf(epochs) => {
            let slot = &mut epochs[strand as usize % WIDTH];
            *slot = epoch.max(*slot);
        }
        Node::Branch(links) => raise(&mut links[slot(strand, height)], height - 1, strand, epoch),
    }
}

/// The component-wise maximum; one of the two themselves where that is it, so that sharing survives.
fn join(a: &Link, b: &Link) -> Link {
    let (Some(left), Some(right)) = (a, b) else { return a.clone().or_else(|| b.clone()) };
    if Rc::ptr_eq(left, right) {
        return a.clone();
    }
    match (&**left, &**right) {
        (Node::Leaf(x), Node::Leaf(y)) => {
            let joined: [u32; WIDTH] = std::array::from_fn(|at| x[at].max(y[at]));
            if joined == *x {
                a.clone()
            } else if joined == *y {
                b.clone()
            } else {
                Some(Rc::new(Node::Leaf(joined)))
            }
        }
        (Node::Branch(x), Node::Branch(y)) => {
            let joined: [Link; WIDTH] = std::array::from_fn(|at| join(&x[at], &y[at]));
            if same_links(&joined, x) {
                a.clone()
            } else if same_links(&joined, y) {
                b.clone()
            } else {
                Some(Rc::new(Node::Branch(joined)))
            }
        }
        // All trees of a run have one height, so their levels match.
        _ => a.clone(),
    }
}

fn same_links(a: &[Link; WIDTH], b: &[Link; WIDTH]) -> bool {
    a.iter().zip(b).all(|(a, b)| match (a, b) {
        (Some(a), Some(b)) => Rc::ptr_eq(a, b),
        (None, None) => true,
        _ => false,
    })
}

/// What a strand knew at one moment.
#[derive(Debug, Clone)]
pub(crate) struct Snapshot {
    tree: Tree,
    strand: u32,
    epoch: u32,
}

impl Snapshot {
    /// Whether `epoch` of `strand` happens before this moment.
    pub(crate) fn knows(&self, strand: u32, epoch: u32) -> bool {
        self.get(strand) >= epoch
    }

    /// Whether all that this moment knows is known at the other one too, for certain.
    pub(crate) fn is_before(&self, other: &Snapshot) -> bool {
        other.knows(self.strand, self.epoch)
    }

    /// Raises `tree` to this moment.
    pub(crate) fn join_into(&self, tree: &mut Tree) {
        tree.join(&self.tree);
        tree.raise(self.strand, self.epoch);
    }

    /// A tree of zeros for the same run.
    pub(crate) fn empty_tree(&self) -> Tree {
        Tree { root: None, height: self.tree.height }
    }

    /// The epoch of the strand that this is a moment of.
    pub(crate) fn epoch(&self) -> u32 {
        self.epoch
    }

    /// Whether this is the same moment of the same strand, for certain.
    pub(crate) fn is(&self, other: &Snapshot) -> bool {
        let same = match (&self.tree.root, &other.tree.root) {
            (Some(a), Some(b)) => Rc::ptr_eq(a, b),
            (None, None) => true,
            _ => false,
        };
        same && self.epoch == other.epoch && self.strand == other.strand
    }

    /// Up to which epoch of the strand everything happens before this moment.
    pub(crate) fn get(&self, strand: u32) -> u32 {
        if strand == self.strand { self.epoch } else { self.tree.get(strand) }
    }
}

/// The clock of a running strand.
#[derive(Debug)]
pub(crate) struct Clock {
    /// What it knows of the others; its own component here is stale.
    now: Snapshot,
    /// Its own epoch when it last learned something.
    joined_at: u32,
}

impl Clock {
    /// The clock of a strand that knows of nobody.
    pub(crate) fn new(strand: u32, strands: usize) -> Self {
        Self { now: Snapshot { tree: Tree::new(strands), strand, epoch: 1 }, joined_at: 0 }
    }

    /// Ends the strand's epoch: who acquires the snapshot comes after all that the strand did so far.
    pub(crate) fn release(&mut self) -> Snapshot {
        let snapshot = self.now.clone();
        self.now.epoch = self.now.epoch.saturating_add(1);
        snapshot
    }

    /// From now on comes after the moment `from`.
    pub(crate) fn acquire(&mut self, from: &Snapshot) {
        if self.now.knows(from.strand, from.epoch) {
            return;
        }
        if from.get(self.now.strand) >= self.joined_at {
            // `from` knows of this strand's last join, hence all that this strand knows.
            self.now.tree = from.tree.clone();
        } else {
            self.now.tree.join(&from.tree);
        }
        self.now.tree.raise(from.strand, from.epoch);
        self.joined_at = self.now.epoch;
    }

    /// From now on comes after all the moments that were joined into `tree`.
    pub(crate) fn acquire_tree(&mut self, tree: &Tree) {
        self.now.tree.join(tree);
        self.joined_at = self.now.epoch;
    }

    /// What the strand knows now.
    pub(crate) fn now(&self) -> &Snapshot {
        &self.now
    }

    /// The strand's epoch.
    pub(crate) fn epoch(&self) -> u32 {
        self.now.epoch
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn trees_of_any_size_hold_an_epoch_for_each_strand() {
        for strands in [1, 16, 17, 256, 257, 5000] {
            let mut tree = Tree::new(strands);
            for strand in 0..strands as u32 {
                tree.raise(strand, strand + 1);
            }
            assert!((0..strands as u32).all(|strand| tree.get(strand) == strand + 1), "{strands} strands");
        }
    }

    #[test]
    fn a_copy_is_not_changed_through_the_original() {
        let mut tree = Tree::new(100);
        tree.raise(50, 1);
        let copy = tree.clone();
        tree.raise(50, 2);
        assert_eq!((tree.get(50), copy.get(50)), (2, 1));
    }

    #[test]
    fn a_join_that_changes_nothing_keeps_sharing() {
        let mut big = Tree::new(100);
        big.raise(1, 5);
        big.raise(90, 5);
        let mut small = Tree::new(100);
        small.raise(90, 3);
        let root = big.root.clone();
        big.join(&small);
        assert!(Rc::ptr_eq(&big.root.clone().unwrap(), &root.clone().unwrap()));
        small.join(&big);
        assert!(Rc::ptr_eq(&small.root.unwrap(), &root.unwrap()));
    }

    #[test]
    fn release_and_acquire_order_what_came_before_and_not_what_comes_after() {
        let (mut a, mut b) = (Clock::new(0, 2), Clock::new(1, 2));
        let before = a.epoch();
        let message = a.release();
        let after = a.epoch();
        b.acquire(&message);
        assert!(b.now().knows(0, before));
        assert!(!b.now().knows(0, after));
        assert!(!a.now().knows(1, b.epoch()));
    }
}
