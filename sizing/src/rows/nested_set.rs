//! The tree of a trace as nested sets, by which structural queries are answered.

use std::collections::HashMap;

use opentelemetry_proto::tonic::trace::v1::Span;

/// The place of a span in the tree of its trace.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Place {
    /// Zero for spans that no root leads to.
    pub(crate) left: i32,
    pub(crate) right: i32,
    /// The parent's `left`; -1 for roots.
    pub(crate) parent_left: i32,
    pub(crate) children: i32,
}

/// The places of `spans`, in their order.
pub(crate) fn places(spans: &[&Span]) -> Vec<Place> {
    let mut places = vec![Place::default(); spans.len()];
    let mut children: HashMap<&[u8], Vec<usize>> = HashMap::with_capacity(spans.len());
    let mut roots = Vec::new();
    for (number, span) in spans.iter().enumerate() {
        if is_root(span) {
            roots.push(number);
        } else {
            children.entry(&span.parent_span_id).or_default().push(number);
        }
    }
    for (place, span) in places.iter_mut().zip(spans) {
        let count = children.get(span.span_id.as_slice()).map_or(0, Vec::len);
        place.children = i32::try_from(count).unwrap_or(i32::MAX);
    }
    let mut bound = 0;
    let mut next = || {
        bound += 1;
        bound
    };
    for root in roots {
        places[root].parent_left = -1;
        places[root].left = next();
        // A span, and which of its children comes next. Depth does not end on the stack.
        let mut open = vec![(root, 0)];
        while let Some((span, child)) = open.last_mut() {
            let of_span = children.get(spans[*span].span_id.as_slice());
            let Some(next_child) = of_span.and_then(|children| children.get(*child)) else {
                places[*span].right = next();
                open.pop();
                continue;
            };
            *child += 1;
            let parent_left = places[*span].left;
            // Ids that come twice can make a circle of a tree.
            if places[*next_child].left == 0 {
                places[*next_child].parent_left = parent_left;
                places[*next_child].left = next();
                open.push((*next_child, 0));
            }
        }
    }
    places
}

/// Whether `span` has no parent.
pub(crate) fn is_root(span: &Span) -> bool {
    span.parent_span_id.iter().all(|byte| *byte == 0)
}
