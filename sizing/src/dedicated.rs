//! Dedicated columns: attributes that get a column of their own.

use std::fmt;
use std::str::FromStr;

use serde::Serialize;

use crate::BlockEncoding;

/// An attribute with a column of its own, as in Tempo's `parquet_dedicated_columns`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DedicatedColumn {
    /// Of what the attribute is.
    pub scope: AttributeScope,
    /// Its key.
    pub name: String,
    /// The type of the values that go there; others stay among the other attributes.
    pub kind: DedicatedKind,
    /// Tempo's option `blob`: no dictionary, and zstd instead of Snappy.
    pub is_blob: bool,
}

/// What an attribute is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AttributeScope {
    /// Of the resource.
    Resource,
    /// Of a span.
    Span,
    /// Of an event of a span; only in vParquet5.
    Event,
}

/// The type of a dedicated column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DedicatedKind {
    /// Strings, and in vParquet5 lists of them.
    String,
    /// Integers; only in vParquet5.
    Int,
}

impl DedicatedColumn {
    fn new(scope: AttributeScope, name: &str, kind: DedicatedKind) -> Self {
        DedicatedColumn { scope, name: name.to_owned(), kind, is_blob: false }
    }

    /// What Tempo dedicates columns to unless told otherwise. vParquet4 has none for integers; that
    /// the others are the same there is inferred from how little blocks of the two formats differ.
    #[must_use]
    pub fn defaults(encoding: BlockEncoding) -> Vec<DedicatedColumn> {
        use AttributeScope::{Resource, Span};
        use DedicatedKind::{Int, String};
        [
            (Resource, "k8s.cluster.name", String),
            (Resource, "k8s.namespace.name", String),
            (Resource, "k8s.pod.name", String),
            (Resource, "k8s.container.name", String),
            (Span, "http.request.method", String),
            (Span, "http.response.status_code", Int),
            (Span, "url.path", String),
            (Span, "url.route", String),
            (Span, "server.address", String),
            (Span, "server.port", Int),
            (Span, "http.method", String),
            (Span, "http.url", String),
            (Span, "http.route", String),
            (Span, "http.status_code", Int),
        ]
        .into_iter()
        .filter(|(_, _, kind)| *kind == String || encoding == BlockEncoding::VParquet5)
        .map(|(scope, name, kind)| DedicatedColumn::new(scope, name, kind))
        .collect()
    }
}

/// How a column is written in `meta.json`: what is the default is left out.
#[derive(Serialize)]
pub(crate) struct DedicatedMeta<'a> {
    #[serde(rename = "s", skip_serializing_if = "Option::is_none")]
    scope: Option<&'static str>,
    #[serde(rename = "n")]
    name: &'a str,
    #[serde(rename = "t", skip_serializing_if = "Option::is_none")]
    kind: Option<&'static str>,
    #[serde(rename = "o", skip_serializing_if = "Option::is_none")]
    options: Option<[&'static str; 1]>,
}

impl<'a> From<&'a DedicatedColumn> for DedicatedMeta<'a> {
    fn from(column: &'a DedicatedColumn) -> Self {
        DedicatedMeta {
            scope: match column.scope {
                AttributeScope::Resource => Some("resource"),
                AttributeScope::Event => Some("event"),
                AttributeScope::Span => None,
            },
            name: &column.name,
            kind: (column.kind == DedicatedKind::Int).then_some("int"),
            options: column.is_blob.then_some(["blob"]),
        }
    }
}

/// A text that is no dedicated column.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is no dedicated column; write `span.KEY`, `resource.KEY` or `event.KEY`, and after it, \
     if need be, `:int` or `:blob`"
)]
pub struct NotADedicatedColumn(String);

impl FromStr for DedicatedColumn {
    type Err = NotADedicatedColumn;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let refused = || NotADedicatedColumn(text.to_owned());
        let (attribute, option) = match text.rsplit_once(':') {
            Some((attribute, option)) => (attribute, Some(option)),
            None => (text, None),
        };
        let (scope, name) = attribute.split_once('.').ok_or_else(refused)?;
        let scope = match scope {
            "span" => AttributeScope::Span,
            "resource" => AttributeScope::Resource,
            "event" => AttributeScope::Event,
            _ => return Err(refused()),
        };
        let (kind, is_blob) = match option {
            None | Some("string") => (DedicatedKind::String, false),
            Some("int") => (DedicatedKind::Int, false),
            Some("blob") => (DedicatedKind::String, true),
            Some(_) => return Err(refused()),
        };
        if name.is_empty() {
            return Err(refused());
        }
        Ok(DedicatedColumn { scope, name: name.to_owned(), kind, is_blob })
    }
}

impl fmt::Display for DedicatedColumn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scope = match self.scope {
            AttributeScope::Resource => "resource",
            AttributeScope::Span => "span",
            AttributeScope::Event => "event",
        };
        let option = match (self.kind, self.is_blob) {
            (DedicatedKind::Int, _) => ":int",
            (DedicatedKind::String, true) => ":blob",
            (DedicatedKind::String, false) => "",
        };
        write!(f, "{scope}.{}{option}", self.name)
    }
}
