use spanproof_schemas::report::Level;

use crate::field::Field;
use crate::finding::Finding;
use crate::otlp::Value;
use crate::rules::{Basis, Check, Docs, Rule};
use crate::view::PointView;

pub(in crate::rules) static RULE: Rule = Rule {
    id: "metrics/model",
    summary: "a model that a metric names has a name",
    level: Level::Violation,
    basis: Basis::Should("metric definitions, gen_ai.request.model and gen_ai.response.model"),
    since: None,
    until: None,
    docs: Docs {
        what_it_checks: "`gen_ai.request.model` and `gen_ai.response.model` of the points of \
            `gen_ai.*` metrics: neither is there without a value or with an empty one. Converse \
            does not tell the response model; the attribute is then left out. That the models are \
            those of the spans is `metrics/token-sum` and `metrics/duration-count`.",
        why: "An empty name is a series of its own, beside that of the model, and charts by model \
            show tokens of nothing.",
        example: "`gen_ai.client.token.usage` with `gen_ai.response.model` set to the empty text.",
        how_to_mend: "Set the attribute only where there is a model to name.",
    },
    checks: &[Check::Point(check)],
};

fn check(view: &PointView<'_>) -> Vec<Finding> {
    let models = [
        ("gen_ai.request.model", Field::RequestModel),
        ("gen_ai.response.model", Field::ResponseModel),
    ];
    let is_empty = |field| match view.fields.get(field) {
        None => view.fields.has(field),
        Some(Value::StringValue(text)) => text.trim().is_empty(),
        Some(_) => false,
    };
    models
        .into_iter()
        .filter(|(_, field)| is_empty(*field))
        .map(|(name, _)| Finding::new("the metric names an empty model").attribute(name))
        .collect()
}
