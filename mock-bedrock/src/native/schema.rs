//! The shape that a native body must have, and what the service says of one that has another.
//!
//! The service checks native bodies against a JSON Schema and answers in the words of the validator
//! it uses: `#: required key [prompt] not found`, `#/temperature: 1.5 is not less or equal to 1`. One
//! violation is told; of several only how many there are.

use std::fmt::Display;

use serde_json::Value;

use crate::error::ServiceError;

/// An object of a native body.
pub(crate) struct Object {
    pub(crate) fields: &'static [Field],
    /// Whether it may have members beside these.
    pub(crate) open: bool,
}

/// A member of an object.
pub(crate) struct Field {
    pub(crate) key: &'static str,
    pub(crate) kind: Kind,
    pub(crate) required: bool,
}

/// What a member may be.
pub(crate) enum Kind {
    /// Anything at all.
    Any,
    Flag,
    /// A text of at least so many characters.
    Text(usize),
    /// A text of at most so many characters.
    TextUpTo(usize),
    /// One of these texts.
    Choice(&'static [&'static str]),
    /// A whole number in a range, ends included.
    Integer(i64, i64),
    /// A whole number of tokens that the model can generate, from the given one.
    Tokens(i64),
    /// One of these whole numbers.
    Size(&'static [u64]),
    /// A number in a range, ends included.
    Number(f64, f64),
    /// A list of at least and at most so many.
    List(&'static Kind, usize, usize),
    Object(&'static Object),
}

/// A member that may be left out.
pub(crate) const fn optional(key: &'static str, kind: Kind) -> Field {
    Field { key, kind, required: false }
}

/// A member that must be there.
pub(crate) const fn required(key: &'static str, kind: Kind) -> Field {
    Field { key, kind, required: true }
}

/// A list without a limit.
pub(crate) const UNBOUNDED: usize = usize::MAX;

/// Any list of texts.
pub(crate) const TEXTS: Kind = Kind::List(&Kind::Text(0), 0, UNBOUNDED);

/// The body as JSON, when it has this shape. `most_tokens` is the most that the model generates.
///
/// # Errors
///
/// A `ValidationException` in the service's words.
pub(crate) fn read(body: &[u8], object: &Object, most_tokens: u64) -> Result<Value, ServiceError> {
    let value: Value = serde_json::from_slice(body).map_err(|_| ServiceError::unreadable())?;
    let mut check = Check { most_tokens, violations: Vec::new() };
    check.object(&value, object, "#");
    match check.violations.as_slice() {
        [] => Ok(value),
        [violation] => Err(ServiceError::malformed(violation)),
        several => {
            Err(ServiceError::malformed(format!("{} schema violations found", several.len())))
        }
    }
}

struct Check {
    most_tokens: u64,
    violations: Vec<String>,
}

impl Check {
    fn object(&mut self, value: &Value, object: &Object, at: &str) {
        let Some(members) = value.as_object() else {
            return self.found_other(at, "JSONObject", value);
        };
        for field in object.fields {
            match members.get(field.key) {
                Some(member) => self.kind(member, &field.kind, &format!("{at}/{}", field.key)),
                None if field.required => {
                    self.violation(at, format!("required key [{}] not found", field.key));
                }
                None => {}
            }
        }
        if object.open {
            return;
        }
        for key in members.keys() {
            // Every family's body may carry the configuration of a guardrail.
            let is_guardrail = at == "#" && key == "amazon-bedrock-guardrailConfig";
            if !is_guardrail && !object.fields.iter().any(|field| field.key == key) {
                self.violation(at, format!("extraneous key [{key}] is not permitted"));
            }
        }
    }

    fn kind(&mut self, value: &Value, kind: &Kind, at: &str) {
        match kind {
            Kind::Any => {}
            Kind::Flag => {
                if !value.is_boolean() {
                    self.found_other(at, "Boolean", value);
                }
            }
            Kind::Text(least) => match value.as_str().map(|text| text.chars().count()) {
                None => self.found_other(at, "String", value),
                Some(length) if length < *least => {
                    self.violation(at, format!("expected minLength: {least}, actual: {length}"));
                }
                Some(_) => {}
            },
            Kind::TextUpTo(most) => match value.as_str().map(|text| text.chars().count()) {
                None => self.found_other(at, "String", value),
                Some(length) if length > *most => {
                    self.violation(at, format!("expected maxLength: {most}, actual: {length}"));
                }
                Some(_) => {}
            },
            Kind::Choice(choices) => {
                if !value.as_str().is_some_and(|text| choices.contains(&text)) {
                    self.not_in_enum(at, value);
                }
            }
            Kind::Size(sizes) => {
                if !value.as_u64().is_some_and(|size| sizes.contains(&size)) {
                    self.not_in_enum(at, value);
                }
            }
            Kind::Integer(least, most) => self.integer(value, *least, *most, at),
            Kind::Tokens(least) => {
                let most = i64::try_from(self.most_tokens).unwrap_or(i64::MAX);
                self.integer(value, *least, most, at);
            }
            Kind::Number(least, most) => match value.as_f64() {
                None => self.found_other(at, "Number", value),
                Some(number) if number < *least => self.too_small(at, value, least),
                Some(number) if number > *most => self.too_large(at, value, most),
                Some(_) => {}
            },
            Kind::List(item, least, most) => self.list(value, item, *least, *most, at),
            Kind::Object(object) => self.object(value, object, at),
        }
    }

    fn integer(&mut self, value: &Value, least: i64, most: i64, at: &str) {
        match value.as_i64() {
            // A number that is whole, but too large for the type, is as bad as one too large.
            None if value.is_u64() => self.too_large(at, value, &most),
            None => self.found_other(at, "Integer", value),
            Some(number) if number < least => self.too_small(at, value, &least),
            Some(number) if number > most => self.too_large(at, value, &most),
            Some(_) => {}
        }
    }

    fn list(&mut self, value: &Value, item: &Kind, least: usize, most: usize, at: &str) {
        let Some(items) = value.as_array() else {
            return self.found_other(at, "JSONArray", value);
        };
        if items.len() < least {
            let found = items.len();
            self.violation(at, format!("expected minimum item count: {least}, found: {found}"));
        }
        if items.len() > most {
            let found = items.len();
            self.violation(at, format!("expected maximum item count: {most}, found: {found}"));
        }
        for (n, value) in items.iter().enumerate() {
            self.kind(value, item, &format!("{at}/{n}"));
        }
    }

    fn too_small(&mut self, at: &str, value: &Value, least: &impl std::fmt::Display) {
        self.violation(at, format!("{value} is not greater or equal to {least}"));
    }

    fn too_large(&mut self, at: &str, value: &Value, most: &impl std::fmt::Display) {
        self.violation(at, format!("{value} is not less or equal to {most}"));
    }

    fn not_in_enum(&mut self, at: &str, value: &Value) {
        let shown = value.as_str().map_or_else(|| value.to_string(), ToOwned::to_owned);
        self.violation(at, format!("{shown} is not a valid enum value"));
    }

    fn found_other(&mut self, at: &str, expected: &str, value: &Value) {
        let found = match value {
            Value::Null => "Null",
            Value::Bool(_) => "Boolean",
            Value::Number(number) if number.is_f64() => "BigDecimal",
            Value::Number(_) => "Integer",
            Value::String(_) => "String",
            Value::Array(_) => "JSONArray",
            Value::Object(_) => "JSONObject",
        };
        self.violation(at, format!("expected type: {expected}, found: {found}"));
    }

    fn violation(&mut self, at: &str, what: impl Display) {
        self.violations.push(format!("{at}: {what}"));
    }
}

#[cfg(test)]
mod tests;
