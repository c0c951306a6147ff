//! Which operation a method and a path name.

use std::sync::LazyLock;

use http::Method;
use percent_encoding::percent_decode_str;

use crate::operations::{OPERATIONS, Operation};

/// The most segments that a template has, which a test checks.
const SEGMENTS: usize = 12;

/// The method and path template of an operation, as in the service's model:
/// `/model/{modelId}/converse`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Route {
    pub(crate) method: &'static Method,
    pub(crate) template: &'static str,
}

impl Route {
    pub(crate) const fn get(template: &'static str) -> Self {
        Route { method: &Method::GET, template }
    }

    pub(crate) const fn post(template: &'static str) -> Self {
        Route { method: &Method::POST, template }
    }
}

/// A route as it is compared with paths: templates are taken apart once.
struct Known {
    operation: &'static dyn Operation,
    method: &'static Method,
    parts: Vec<Part>,
}

/// A segment of a template.
enum Part {
    Literal(&'static str),
    Label(&'static str),
}

static KNOWN: LazyLock<Vec<Known>> = LazyLock::new(|| {
    let parts = |template: &'static str| {
        let part = |part: &'static str| {
            let label = part.strip_prefix('{').and_then(|part| part.strip_suffix('}'));
            label.map_or(Part::Literal(part), Part::Label)
        };
        template.split('/').map(part).collect()
    };
    let known = |operation: &&'static dyn Operation| {
        let Route { method, template } = operation.route();
        Known { operation: *operation, method, parts: parts(template) }
    };
    OPERATIONS.iter().map(known).collect()
});

impl Known {
    /// The labels of a path with these segments, if this route has it.
    ///
    /// The path is split before it is decoded: an ARN holds slashes, which clients encode.
    fn labels(&self, segments: &[&str]) -> Option<Labels> {
        let is_ours = self.parts.len() == segments.len()
            && self.parts.iter().zip(segments).all(|(part, segment)| match part {
                Part::Literal(text) => text == segment,
                Part::Label(_) => !segment.is_empty(),
            });
        if !is_ours {
            return None;
        }
        let labels = self.parts.iter().zip(segments).filter_map(|(part, segment)| match part {
            Part::Literal(_) => None,
            Part::Label(name) => {
                Some((*name, percent_decode_str(segment).decode_utf8_lossy().into_owned()))
            }
        });
        Some(Labels(labels.collect()))
    }
}

/// The parts of a path that a template names, percent-decoded.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Labels(Vec<(&'static str, String)>);

impl Labels {
    /// The label `name`, empty when the route has none of that name.
    pub(crate) fn get(&self, name: &str) -> &str {
        self.0.iter().find(|(known, _)| *known == name).map_or("", |(_, value)| value)
    }
}

/// The operation that `method` and `path` name, if they name one.
pub(crate) fn find(method: &Method, path: &str) -> Option<(&'static dyn Operation, Labels)> {
    let mut segments = [""; SEGMENTS + 1];
    let mut count = 0;
    // One too many tells a path that is longer than any from those that are not.
    for (place, segment) in segments.iter_mut().zip(path.split('/')) {
        *place = segment;
        count += 1;
    }
    let segments = &segments[..count];
    KNOWN.iter().find_map(|known| {
        if known.method != method {
            return None;
        }
        Some((known.operation, known.labels(segments)?))
    })
}

#[cfg(test)]
mod tests {
    use spanproof_schemas::ledger;

    use super::*;

    #[test]
    fn paths_are_split_before_they_are_decoded() {
        for (path, id) in [
            ("/model/a.b-v1%3A0/converse", "a.b-v1:0"),
            ("/model/a.b-v1:0/converse", "a.b-v1:0"),
            ("/model/arn%3Aaws%3Abedrock%3A%3A%3Ax%2Fabc/converse", "arn:aws:bedrock:::x/abc"),
            ("/model/arn:aws:bedrock:::x%2Fabc/converse", "arn:aws:bedrock:::x/abc"),
        ] {
            let (operation, labels) = find(&Method::POST, path).unwrap();
            assert_eq!(operation.operation(), ledger::Operation::Converse);
            assert_eq!(labels.get("modelId"), id);
        }
    }

    #[test]
    fn other_paths_and_methods_name_nothing() {
        for path in
            ["/", "", "/model/", "/model/a", "/model/a/guess", "/model//converse", "/converse"]
        {
            assert!(find(&Method::POST, path).is_none(), "{path}");
        }
        assert!(find(&Method::POST, "/model/a/b/converse").is_none());
        assert!(find(&Method::POST, "/model/a/converse/").is_none());
        assert!(find(&Method::GET, "/model/a/converse").is_none());
    }

    #[test]
    fn no_template_has_more_segments_than_paths_are_split_into() {
        assert!(KNOWN.iter().all(|known| known.parts.len() <= SEGMENTS));
        let long = "/model/a/converse".to_owned() + &"/a".repeat(SEGMENTS);
        assert!(find(&Method::POST, &long).is_none());
    }

    #[test]
    fn no_two_operations_share_a_route() {
        for (n, one) in OPERATIONS.iter().enumerate() {
            for other in &OPERATIONS[n + 1..] {
                let (one, other) = (one.route(), other.route());
                assert!(one.method != other.method || one.template != other.template);
            }
        }
    }
}
