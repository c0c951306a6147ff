//! Filters of a search: which documents may be found, by what is known of them.

use serde_json::{Number, Value};

use crate::constraint;
use crate::error::ServiceError;

/// A filter that was checked.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Filter(Value);

impl Filter {
    /// The filter that stands at `at`: a union, so an object with one member, which compares an
    /// attribute or joins filters.
    ///
    /// # Errors
    ///
    /// A `ValidationException` for what is no filter.
    pub(super) fn checked(at: &str, filter: &Value) -> Result<Self, ServiceError> {
        check(at, filter)?;
        let mut filter = filter.clone();
        filter.sort_all_objects();
        Ok(Filter(filter))
    }

    /// Whether a document with those attributes may be found.
    pub(super) fn matches(&self, attributes: &Value) -> bool {
        matches(&self.0, attributes)
    }

    /// Its JSON, the same for the same filter.
    pub(crate) fn text(&self) -> String {
        self.0.to_string()
    }
}

fn check(at: &str, filter: &Value) -> Result<(), ServiceError> {
    let invalid = || {
        ServiceError::validation(format!(
            "Value at '{at}' is not a filter: it must have exactly one member, and that a known one."
        ))
    };
    let members = filter.as_object().filter(|members| members.len() == 1).ok_or_else(invalid)?;
    let (name, operand) = members.iter().next().ok_or_else(invalid)?;
    let at = format!("{at}.{name}");
    match name.as_str() {
        "andAll" | "orAll" => {
            let filters = operand.as_array().ok_or_else(invalid)?;
            constraint::count(&at, filters.len(), &(2..=usize::MAX))?;
            filters
                .iter()
                .enumerate()
                .try_for_each(|(n, filter)| check(&format!("{at}.{}.member", n + 1), filter))
        }
        "equals"
        | "notEquals"
        | "greaterThan"
        | "greaterThanOrEquals"
        | "lessThan"
        | "lessThanOrEquals"
        | "in"
        | "notIn"
        | "startsWith"
        | "listContains"
        | "stringContains" => {
            let key = constraint::required(&format!("{at}.key"), operand["key"].as_str())?;
            constraint::length(&format!("{at}.key"), key, &(1..=100))?;
            constraint::required(&format!("{at}.value"), operand.get("value")).map(|_| ())
        }
        _ => Err(invalid()),
    }
}

/// As the service documents each. What is no attribute of a document equals nothing, and is in no
/// list; a value of another type than the comparison is made for meets none.
fn matches(filter: &Value, attributes: &Value) -> bool {
    let Some((name, operand)) = filter.as_object().and_then(|members| members.iter().next()) else {
        return false;
    };
    let mut filters = operand.as_array().into_iter().flatten();
    let (value, wanted) =
        (attributes.get(operand["key"].as_str().unwrap_or_default()), &operand["value"]);
    let orders = |is_it: fn(f64, f64) -> bool| {
        let number = |value: &Value| value.as_number().and_then(Number::as_f64);
        value.and_then(number).zip(number(wanted)).is_some_and(|(one, other)| is_it(one, other))
    };
    let texts = |is_it: fn(&str, &str) -> bool| {
        let text = value.and_then(Value::as_str);
        text.zip(wanted.as_str()).is_some_and(|(text, wanted)| is_it(text, wanted))
    };
    let any = |list: Option<&Value>, is_it: &dyn Fn(&Value) -> bool| {
        list.and_then(Value::as_array).is_some_and(|list| list.iter().any(is_it))
    };
    let is_in = || any(Some(wanted), &|one| value.is_some_and(|value| equal(one, value)));
    match name.as_str() {
        "andAll" => filters.all(|filter| matches(filter, attributes)),
        "orAll" => filters.any(|filter| matches(filter, attributes)),
        "equals" => value.is_some_and(|value| equal(value, wanted)),
        "notEquals" => !value.is_some_and(|value| equal(value, wanted)),
        "greaterThan" => orders(|one, other| one > other),
        "greaterThanOrEquals" => orders(|one, other| one >= other),
        "lessThan" => orders(|one, other| one < other),
        "lessThanOrEquals" => orders(|one, other| one <= other),
        "in" => is_in(),
        "notIn" => !is_in(),
        "startsWith" => texts(|text, wanted| text.starts_with(wanted)),
        "listContains" => any(value, &|one| equal(one, wanted)),
        "stringContains" => {
            let contains = |text: &Value| {
                text.as_str().zip(wanted.as_str()).is_some_and(|(text, part)| text.contains(part))
            };
            value.is_some_and(contains) || any(value, &contains)
        }
        _ => false,
    }
}

/// Numbers are equal by what they count: `2024` and `2024.0` are.
fn equal(one: &Value, other: &Value) -> bool {
    match (one, other) {
        (Value::Number(one), Value::Number(other)) => one.as_f64() == other.as_f64(),
        _ => one == other,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn each_comparison_means_what_the_service_documents() {
        let attributes = json!({"year": 2024, "category": "report", "tags": ["draft", "public"]});
        for (filter, is_met) in [
            (json!({"equals": {"key": "year", "value": 2024.0}}), true),
            (json!({"equals": {"key": "year", "value": "2024"}}), false),
            (json!({"equals": {"key": "author", "value": null}}), false),
            (json!({"notEquals": {"key": "category", "value": "guide"}}), true),
            (json!({"notEquals": {"key": "category", "value": "report"}}), false),
            (json!({"notEquals": {"key": "author", "value": "Ada"}}), true),
            (json!({"greaterThan": {"key": "year", "value": 2023}}), true),
            (json!({"greaterThan": {"key": "year", "value": 2024}}), false),
            (json!({"greaterThanOrEquals": {"key": "year", "value": 2024}}), true),
            (json!({"lessThan": {"key": "year", "value": 2024}}), false),
            (json!({"lessThanOrEquals": {"key": "year", "value": 2024}}), true),
            (json!({"lessThan": {"key": "category", "value": 1}}), false),
            (json!({"in": {"key": "category", "value": ["guide", "report"]}}), true),
            (json!({"in": {"key": "category", "value": "report"}}), false),
            (json!({"notIn": {"key": "category", "value": ["guide"]}}), true),
            (json!({"notIn": {"key": "category", "value": ["report"]}}), false),
            (json!({"notIn": {"key": "author", "value": ["Ada"]}}), true),
            (json!({"startsWith": {"key": "category", "value": "rep"}}), true),
            (json!({"startsWith": {"key": "category", "value": "port"}}), false),
            (json!({"listContains": {"key": "tags", "value": "draft"}}), true),
            (json!({"listContains": {"key": "tags", "value": "dra"}}), false),
            (json!({"listContains": {"key": "category", "value": "report"}}), false),
            (json!({"stringContains": {"key": "category", "value": "port"}}), true),
            (json!({"stringContains": {"key": "tags", "value": "ubli"}}), true),
            (json!({"stringContains": {"key": "year", "value": "20"}}), false),
            (
                json!({"andAll": [
                    {"equals": {"key": "year", "value": 2024}},
                    {"orAll": [
                        {"equals": {"key": "category", "value": "guide"}},
                        {"listContains": {"key": "tags", "value": "public"}},
                    ]},
                ]}),
                true,
            ),
            (
                json!({"andAll": [
                    {"equals": {"key": "year", "value": 2024}},
                    {"equals": {"key": "category", "value": "guide"}},
                ]}),
                false,
            ),
        ] {
            let checked = Filter::checked("filter", &filter).unwrap();
            assert_eq!(checked.matches(&attributes), is_met, "{filter}");
        }
    }
}
