//! Attributes as a scenario has them.

use std::collections::BTreeMap;

use rand::{Rng, RngExt};

use super::wire::{Key, Of};
use crate::random_text::uuid;
use crate::scenario::{AttributeValue, DrawnValue, Numbered, RandomText};

/// The attributes of spans of one shape: those that are always the same written already.
#[derive(Debug)]
pub(super) struct Attributes {
    constant: Vec<u8>,
    drawn: Vec<(Key, DrawnValue)>,
}

/// Whom and what attributes are about.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Whose<'a> {
    pub(super) tenant: u32,
    pub(super) feature: Option<&'a str>,
}

impl Attributes {
    pub(super) fn new(of: Of, values: &BTreeMap<String, AttributeValue>) -> Attributes {
        let mut attributes = Attributes { constant: Vec::new(), drawn: Vec::new() };
        let out = &mut attributes.constant;
        for (name, value) in values {
            let key = Key::new(of, name);
            match value {
                AttributeValue::Bool(value) => key.flag(out, *value),
                AttributeValue::Int(value) => key.int(out, *value),
                AttributeValue::Double(value) => key.double(out, *value),
                AttributeValue::Text(value) => key.text(out, value),
                AttributeValue::Drawn(drawn) => attributes.drawn.push((key, drawn.clone())),
            }
        }
        attributes
    }

    /// Appends the attributes of one span.
    pub(super) fn append(&self, out: &mut Vec<u8>, random: &mut impl Rng, whose: Whose<'_>) {
        out.extend(&self.constant);
        for (key, drawn) in &self.drawn {
            match drawn {
                DrawnValue::OneOf(choices) => {
                    key.text(out, &choices[random.random_range(0..choices.len())]);
                }
                DrawnValue::Numbered(Numbered { prefix, of }) => {
                    key.text(out, &format!("{prefix}{}", random.random_range(0..*of)));
                }
                DrawnValue::List { length, prefix, of } => {
                    let texts = (0..*length).map(|_| random.random_range(0..*of));
                    let texts: Vec<String> = texts.map(|text| format!("{prefix}{text}")).collect();
                    key.texts(out, texts.iter().map(String::as_str));
                }
                DrawnValue::Integer([least, most]) => {
                    key.int(out, random.random_range(*least..=*most));
                }
                DrawnValue::Number([least, most]) => {
                    // Four decimals, as scores are given.
                    let drawn = random.random_range(*least..=*most);
                    key.double(out, (drawn * 1e4).round() / 1e4);
                }
                DrawnValue::Random(RandomText::Uuid) => key.text(out, &uuid(random)),
                DrawnValue::Random(RandomText::Hex16) => {
                    key.text(out, &format!("{:016x}", random.next_u64()));
                }
                DrawnValue::Tenant(prefix) => key.text(out, &format!("{prefix}{}", whose.tenant)),
                DrawnValue::Feature(prefix) => {
                    if let Some(feature) = whose.feature {
                        key.text(out, &format!("{prefix}{feature}"));
                    }
                }
            }
        }
    }
}
