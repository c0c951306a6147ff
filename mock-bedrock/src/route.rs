//! Which operation a method and a path name.

use http::Method;
use percent_encoding::percent_decode_str;

use crate::operations::{OPERATIONS, Operation};

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

    /// The labels of `path`, if this route has it.
    ///
    /// The path is split before it is decoded: an ARN holds slashes, which clients encode.
    fn labels(&self, path: &str) -> Option<Labels> {
        let mut labels = Labels::default();
        let mut segments = path.split('/');
        for part in self.template.split('/') {
            let segment = segments.next()?;
            match part.strip_prefix('{').and_then(|part| part.strip_suffix('}')) {
                Some(name) if !segment.is_empty() => {
                    let value = percent_decode_str(segment).decode_utf8_lossy().into_owned();
                    labels.0.push((name, value));
                }
                Some(_) => return None,
                None if part == segment => {}
                None => return None,
            }
        }
        segments.next().is_none().then_some(labels)
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
    OPERATIONS.iter().find_map(|operation| {
        let route = operation.route();
        if route.method != method {
            return None;
        }
        Some((*operation, route.labels(path)?))
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
    fn no_two_operations_share_a_route() {
        for (n, one) in OPERATIONS.iter().enumerate() {
            for other in &OPERATIONS[n + 1..] {
                let (one, other) = (one.route(), other.route());
                assert!(one.method != other.method || one.template != other.template);
            }
        }
    }
}
