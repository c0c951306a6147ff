//! Span name patterns, such as `{gen_ai.operation.name} {gen_ai.request.model}`.

use crate::catalogue::{Catalogue, NameId};

/// A pattern, parsed.
#[derive(Debug)]
pub struct Pattern {
    pieces: Vec<Piece>,
}

#[derive(Debug)]
enum Piece {
    Literal(String),
    Attribute(NameId),
}

impl Pattern {
    pub(crate) fn parse(text: &str, catalogue: &mut Catalogue) -> Pattern {
        let mut pieces = Vec::new();
        let mut rest = text;
        while let Some((literal, after)) = rest.split_once('{') {
            let (name, after) = after.split_once('}').unwrap_or((after, ""));
            if !literal.is_empty() {
                pieces.push(Piece::Literal(literal.to_owned()));
            }
            pieces.push(Piece::Attribute(catalogue.name_id(name)));
            rest = after;
        }
        if !rest.is_empty() {
            pieces.push(Piece::Literal(rest.to_owned()));
        }
        Pattern { pieces }
    }

    /// Whether `name` is what the pattern gives; nothing if an attribute of it is absent.
    pub(crate) fn matches<'a>(
        &self,
        name: &str,
        attribute: impl Fn(NameId) -> Option<&'a str>,
    ) -> Option<bool> {
        let mut rest = Some(name);
        for piece in &self.pieces {
            let wanted = match piece {
                Piece::Literal(text) => text,
                Piece::Attribute(id) => attribute(*id)?,
            };
            rest = rest.and_then(|rest| rest.strip_prefix(wanted));
        }
        Some(rest == Some(""))
    }

    /// The name that the pattern gives; nothing if an attribute of it is absent.
    pub(crate) fn render<'a>(
        &self,
        attribute: impl Fn(NameId) -> Option<&'a str>,
    ) -> Option<String> {
        let mut name = String::new();
        for piece in &self.pieces {
            name.push_str(match piece {
                Piece::Literal(text) => text,
                Piece::Attribute(id) => attribute(*id)?,
            });
        }
        Some(name)
    }
}
