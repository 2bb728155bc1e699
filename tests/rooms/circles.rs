//! Circles in a graph.

use std::collections::BTreeSet;

/// The circles of a graph: the largest groups of nodes that can all reach each other, sorted.
pub(crate) fn of<'a>(edges: &BTreeSet<(&'a str, &'a str)>) -> Vec<Vec<&'a str>> {
    let nodes: BTreeSet<_> = edges.iter().map(|(from, _)| *from).collect();
    let mut circles = BTreeSet::new();
    for node in nodes {
        let ahead =
            reachable(node, |at| edges.iter().filter(move |(from, _)| *from == at).map(|(_, to)| *to));
        let behind =
            reachable(node, |at| edges.iter().filter(move |(_, to)| *to == at).map(|(from, _)| *from));
        let circle: Vec<_> = ahead.intersection(&behind).copied().collect();
        if circle.contains(&node) {
            circles.insert(circle);
        }
    }
    circles.into_iter().collect()
}

/// The nodes that can be reached from `start`, including `start` only if it can be reached again.
fn reachable<'a, I: Iterator<Item = &'a str>>(
    start: &'a str,
    next: impl Fn(&'a str) -> I,
) -> BTreeSet<&'a str> {
    let mut found = BTreeSet::new();
    let mut waiting = vec![start];
    while let Some(at) = waiting.pop() {
        waiting.extend(next(at).filter(|node| found.insert(*node)));
    }
    found
}
