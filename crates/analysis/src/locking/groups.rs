//! Where a cycle of locks could be: the strongly connected components of a graph (Tarjan, 1972), without recursion, since a
//! chain of locks may be as long as the record.

/// For each node, the number of its component. Components are numbered from 0 up; `edges` are pairs of nodes below `nodes`.
pub(crate) fn components(nodes: usize, edges: &[(u32, u32)]) -> Vec<u32> {
    let mut sorted = edges.to_vec();
    sorted.sort_unstable();
    sorted.dedup();
    let begins = (0..=nodes as u32).map(|node| sorted.partition_point(|(from, _)| *from < node)).collect();
    let unseen = Node { index: UNSEEN, low: 0, component: UNSEEN };
    let mut walk = Walk { sorted, begins, nodes: vec![unseen; nodes], open: Vec::new(), seen: 0, components: 0 };
    for node in 0..nodes as u32 {
        walk.from(node);
    }
    walk.nodes.iter().map(|node| node.component).collect()
}

const UNSEEN: u32 = u32::MAX;

#[derive(Debug, Clone)]
struct Node {
    /// When the node was first seen.
    index: u32,
    /// The earliest node that is known to be reached from it and is still open.
    low: u32,
    component: u32,
}

struct Walk {
    sorted: Vec<(u32, u32)>,
    /// Where each node's edges begin in `sorted`.
    begins: Vec<usize>,
    nodes: Vec<Node>,
    /// Nodes that were seen and have no component yet.
    open: Vec<u32>,
    seen: u32,
    components: u32,
}

impl Walk {
    fn from(&mut self, root: u32) {
        if self.nodes[root as usize].index != UNSEEN {
            return;
        }
        // The way to the node at hand: each node, and which of its edges comes next.
        let mut way = vec![(root, self.enter(root))];
        while let Some((node, edge)) = way.last_mut() {
            let node = *node;
            if *edge < self.begins[node as usize + 1] {
                let (_, to) = self.sorted[*edge];
                *edge += 1;
                if self.nodes[to as usize].index == UNSEEN {
                    way.push((to, self.enter(to)));
                } else if self.nodes[to as usize].component == UNSEEN {
                    self.lower(node, self.nodes[to as usize].index);
                }
                continue;
            }
            way.pop();
            if self.nodes[node as usize].low == self.nodes[node as usize].index {
                self.close(node);
            }
            if let Some((before, _)) = way.last() {
                self.lower(*before, self.nodes[node as usize].low);
            }
        }
    }

    fn enter(&mut self, node: u32) -> usize {
        let at = &mut self.nodes[node as usize];
        (at.index, at.low) = (self.seen, self.seen);
        self.seen += 1;
        self.open.push(node);
        self.begins[node as usize]
    }

    fn lower(&mut self, node: u32, low: u32) {
        let at = &mut self.nodes[node as usize];
        at.low = at.low.min(low);
    }

    fn close(&mut self, root: u32) {
        while let Some(node) = self.open.pop() {
            self.nodes[node as usize].component = self.components;
            if node == root {
                break;
            }
        }
        self.components += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_long_chain_needs_no_deep_stack() {
        let chain: Vec<(u32, u32)> = (0..100_000).map(|node| (node, node + 1)).collect();
        let apart = components(100_001, &chain);
        assert_eq!(apart.iter().max(), Some(&100_000));
        let ring = components(100_001, &[chain, vec![(100_000, 0)]].concat());
        assert_eq!(ring.iter().max(), Some(&0));
    }

    proptest! {
        #[test]
        fn two_nodes_share_a_component_if_each_reaches_the_other(
            edges in proptest::collection::vec((0..8_u32, 0..8_u32), 0..20),
        ) {
            let mut reach = [[false; 8]; 8];
            (0..8).for_each(|node| reach[node][node] = true);
            edges.iter().for_each(|(from, to)| reach[*from as usize][*to as usize] = true);
            for between in 0..8 {
                for from in 0..8 {
                    for to in 0..8 {
                        reach[from][to] |= reach[from][between] && reach[between][to];
                    }
                }
            }
            let found = components(8, &edges);
            for from in 0..8 {
                for to in 0..8 {
                    prop_assert_eq!(found[from] == found[to], reach[from][to] && reach[to][from]);
                }
            }
        }
    }
}
