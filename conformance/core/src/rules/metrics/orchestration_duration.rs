use rustc_hash::FxHashSet;
use spanproof_schemas::report::Level;

use super::subject;
use crate::finding::Finding;
use crate::metric_sums::Summed;
use crate::model::Role;
use crate::rules::{Basis, Check, Docs, Rule};
use crate::symbol::Symbol;
use crate::view::RunView;

pub(in crate::rules) static RULE: Rule = Rule {
    id: "metrics/orchestration-duration",
    summary: "the duration metrics of tools, agents and workflows agree with their spans",
    level: Level::Violation,
    basis: Basis::Agreement("spans and the duration metrics of the conventions in development"),
    since: Some("genai-dev"),
    until: None,
    docs: Docs {
        what_it_checks: "`gen_ai.execute_tool.duration`, `gen_ai.invoke_workflow.duration` and \
            `gen_ai.invoke_agent.duration` against the spans of these operations, of the scopes that \
            emit the metric: as many values as spans, and, where there are, a sum that is the spans' \
            durations together, within a twentieth and fifty milliseconds for each. Agents that are \
            run elsewhere have a span and no value, so that fewer of these are right. A run without \
            the metric is left alone.",
        why: "What an agent costs is mostly the time of its tools. A tool whose failures are not \
            recorded, or whose time is recorded twice, is looked for in the wrong place.",
        example: "Ten spans of `execute_tool`, two of them failed, and a count of eight.",
        how_to_mend: "Record the duration where the span is ended, on every path.",
    },
    checks: &[Check::Run(check)],
};

/// How far apart the sides may be, in parts of the spans' duration, and for each in seconds: as for
/// `metrics/duration-sum`.
const SHARE: f64 = 0.05;
const EACH: f64 = 0.05;

/// Each metric, its operation, and whether every span of that has a value.
const METRICS: [(Summed, &str, bool); 3] = [
    (Summed::ToolDuration, "execute_tool", true),
    (Summed::AgentDuration, "invoke_agent", false),
    (Summed::WorkflowDuration, "invoke_workflow", true),
];

fn check(view: &RunView<'_>) -> Vec<Finding> {
    METRICS.into_iter().filter_map(|metric| compare(view, metric)).collect()
}

#[expect(clippy::cast_precision_loss, reason = "spans of a run stay far below 2^53")]
fn compare(
    view: &RunView<'_>,
    (metric, operation, is_for_all): (Summed, &str, bool),
) -> Option<Finding> {
    let series = view.metrics.known(metric)?;
    let emitting: FxHashSet<Symbol> = series.iter().map(|one| one.scope).collect();
    let (mut recorded, mut recorded_seconds) = (0_u64, 0.0);
    for one in &series {
        let total = one.total();
        recorded = recorded.saturating_add(total.count);
        recorded_seconds += total.sum;
    }
    let (mut spans, mut seconds) = (0, 0.0);
    for sum in view.spans {
        let is_of = sum.role == Role::Orchestration && emitting.contains(&sum.scope);
        if is_of && view.symbols.option(sum.operation) == Some(operation) {
            spans += sum.count;
            seconds += sum.seconds();
        }
    }
    let finding = |message: &'static str, expected: String, actual: String| {
        let name = metric.metric("");
        Finding::new(message).attribute(name).expected(expected).actual(actual).about(subject(name))
    };
    if recorded > spans || is_for_all && recorded < spans {
        return Some(finding(
            "the duration metric does not count as many operations as there are spans",
            format!("{spans} of {operation}"),
            recorded.to_string(),
        ));
    }
    let difference = (recorded_seconds - seconds).abs();
    let tolerance = seconds * SHARE + spans as f64 * EACH;
    (recorded == spans && (difference > tolerance || !difference.is_finite())).then(|| {
        finding(
            "the sum of the duration metric is not that of the operations' spans",
            format!("about {seconds:.3} s of {operation}"),
            format!("{recorded_seconds:.3} s"),
        )
    })
}
