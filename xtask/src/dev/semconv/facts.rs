//! The GenAI conventions in development, as a file of facts in our own words: their repository has
//! no release yet, and changes daily. The legend stands at the top of the file.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use anyhow::{Context, Result, bail, ensure};
use serde::Deserialize;
use serde_norway::Value;
use spanproof_schemas::semconv::{
    self, AttributeType, Condition, Deprecation, Event, Member, Registry, Requirement, Status,
    Successor, Successors,
};

use super::{resolve, supplement};

/// The schema URL that the repository's manifest states.
const SCHEMA_URL: &str = "https://opentelemetry.io/schemas/gen-ai-dev/1.42.0-dev";

/// What the file calls a condition, where it is not called so in the registries.
const CONDITIONS: &[(&str, Condition)] = &[
    ("choice_count_not_1", Condition::ChoiceCountNotOne),
    ("streaming_only", Condition::Streaming),
    ("port_not_443", Condition::PortNotDefault),
];

#[derive(Deserialize)]
struct Facts {
    attributes: BTreeMap<String, Attribute>,
    spans: BTreeMap<String, Span>,
    refinements: BTreeMap<String, Refinement>,
    metrics: BTreeMap<String, Metric>,
    metric_refinements: BTreeMap<String, MetricRefinement>,
    events: BTreeMap<String, EventFacts>,
    changes_since_1_41: Vec<Change>,
}

#[derive(Deserialize)]
struct Attribute {
    #[serde(rename = "type")]
    value_type: String,
    #[serde(default)]
    members: Vec<String>,
    json_schema: Option<String>,
    #[serde(default)]
    sensitive: bool,
    deprecated: Option<Gone>,
}

#[derive(Deserialize)]
struct Gone {
    renamed_to: Option<String>,
}

type Levels = BTreeMap<String, Value>;

#[derive(Clone, Deserialize)]
struct Span {
    kind: Vec<String>,
    operations: BTreeSet<String>,
    name: String,
    name_fallback: Option<String>,
    #[serde(default)]
    at_creation: BTreeSet<String>,
    attributes: Levels,
}

#[derive(Deserialize)]
struct Refinement {
    base: String,
    #[serde(default)]
    fixed: BTreeMap<String, String>,
    #[serde(default)]
    name: Vec<String>,
    attributes: Levels,
}

#[derive(Deserialize)]
struct Metric {
    instrument: String,
    unit: String,
    value_type: String,
    attributes: Levels,
    buckets: Option<Vec<f64>>,
    only: Option<String>,
    span: Option<String>,
    #[serde(default)]
    not_for: Vec<String>,
}

/// What metrics have besides for one provider.
#[derive(Deserialize)]
struct MetricRefinement {
    adds: BTreeMap<String, Value>,
    metrics: Vec<String>,
}

#[derive(Deserialize)]
struct EventFacts {
    level: Option<String>,
    severity: Option<String>,
    attributes: Levels,
}

/// What became of a name of 1.41, in words.
#[derive(Deserialize)]
struct Change {
    kind: String,
    what: String,
    to: Option<String>,
}

/// The registry that the file of facts at `path` comes to.
pub(super) fn read(version: &str, path: &Path) -> Result<Registry> {
    let text =
        fs::read_to_string(path).with_context(|| format!("cannot read `{}`", path.display()))?;
    registry(version, &text).with_context(|| format!("cannot understand `{}`", path.display()))
}

/// The registry that a file of facts comes to.
pub(super) fn registry(version: &str, text: &str) -> Result<Registry> {
    let facts: Facts = serde_norway::from_str(text)?;
    let mut registry = Registry {
        version: version.to_owned(),
        status: Status::InDevelopment,
        schema_url: SCHEMA_URL.to_owned(),
        attributes: BTreeMap::new(),
        spans: BTreeMap::new(),
        metrics: BTreeMap::new(),
        events: BTreeMap::new(),
        successors: Successors::default(),
    };
    for (name, attribute) in facts.attributes {
        let resolved =
            resolve_attribute(attribute).with_context(|| format!("in attribute `{name}`"))?;
        registry.attributes.insert(name, resolved);
    }
    for (id, span) in &facts.spans {
        let resolved = span_type(span).with_context(|| format!("in span `{id}`"))?;
        registry.spans.insert(id.clone(), resolved);
    }
    for (id, refinement) in facts.refinements {
        let refined = refined(&registry, refinement).with_context(|| format!("in span `{id}`"))?;
        registry.spans.insert(id, refined);
    }
    for (name, metric) in facts.metrics {
        let resolved = resolve_metric(metric).with_context(|| format!("in metric `{name}`"))?;
        registry.metrics.insert(name, resolved);
    }
    for (id, MetricRefinement { adds, metrics }) in facts.metric_refinements {
        for name in metrics {
            let metric = registry
                .metrics
                .get_mut(&name)
                .with_context(|| format!("`{id}` refines the metric `{name}`, which is nowhere"))?;
            for (attribute, level) in &adds {
                // Told apart by the provider, which is all that applies here.
                let level = match level_of(level)? {
                    Requirement::Recommended => Requirement::RecommendedIf(Condition::IfApplicable),
                    other => other,
                };
                metric.attributes.insert(attribute.clone(), level);
            }
        }
    }
    for (name, event) in facts.events {
        let attributes = levels(&event.attributes).with_context(|| format!("in event `{name}`"))?;
        let opt_in = event.level.as_deref() == Some("opt_in");
        let event = Event { attributes, severity: event.severity, opt_in, deprecated: None };
        registry.events.insert(name, event);
    }
    registry.successors = successors(&registry, &facts.changes_since_1_41)?;
    Ok(registry)
}

fn resolve_attribute(attribute: Attribute) -> Result<semconv::Attribute> {
    let element = resolve::template_of(&attribute.value_type);
    let value_type = match attribute.value_type.as_str() {
        // Every enumeration of the file is of texts.
        "enum" => AttributeType::String,
        name => resolve::named_type(element.unwrap_or(name))?,
    };
    let member = |value| Member { value, deprecated: None };
    let deprecation = |gone: Gone| Deprecation { renamed_to: gone.renamed_to };
    Ok(semconv::Attribute {
        value_type,
        template: element.is_some(),
        members: attribute.members.into_iter().map(member).collect(),
        json_schema: attribute.json_schema,
        sensitive: attribute.sensitive,
        deprecated: attribute.deprecated.map(deprecation),
    })
}

fn span_type(span: &Span) -> Result<semconv::SpanType> {
    let mut name_patterns = vec![span.name.clone()];
    name_patterns.extend(span.name_fallback.clone());
    Ok(semconv::SpanType {
        kinds: span.kind.iter().map(|kind| resolve::span_kind(kind)).collect::<Result<_>>()?,
        operations: span.operations.clone(),
        fixed: BTreeMap::new(),
        refines: None,
        name_patterns,
        at_creation: span.at_creation.clone(),
        attributes: levels(&span.attributes)?,
        deprecated: None,
    })
}

fn refined(registry: &Registry, refinement: Refinement) -> Result<semconv::SpanType> {
    let base = &refinement.base;
    let mut span = registry
        .spans
        .get(base)
        .with_context(|| format!("it refines `{base}`, which is nowhere"))?
        .clone();
    span.refines = Some(base.clone());
    span.fixed = refinement.fixed;
    if !refinement.name.is_empty() {
        span.name_patterns = refinement.name;
    }
    span.attributes.extend(levels(&refinement.attributes)?);
    Ok(span)
}

fn resolve_metric(metric: Metric) -> Result<semconv::Metric> {
    let streaming_only = match metric.only.as_deref() {
        None => false,
        Some("streaming") => true,
        Some(other) => bail!("unknown kind of call `{other}`"),
    };
    Ok(semconv::Metric {
        instrument: metric.instrument,
        unit: metric.unit,
        value_type: Some(resolve::named_type(&metric.value_type)?),
        attributes: levels(&metric.attributes)?,
        boundaries: metric.buckets.unwrap_or_default(),
        streaming_only,
        span: metric.span,
        not_for: metric.not_for,
        deprecated: None,
    })
}

fn levels(levels: &Levels) -> Result<BTreeMap<String, Requirement>> {
    levels
        .iter()
        .map(|(name, level)| {
            let level = level_of(level).with_context(|| format!("in attribute `{name}`"))?;
            Ok((name.clone(), supplement::requirement(name, level)))
        })
        .collect()
}

/// A level, whose condition is a code already.
fn level_of(level: &Value) -> Result<Requirement> {
    if let Some(mapping) = level.as_mapping() {
        let mut entries = mapping.iter();
        let entry = entries.next().filter(|_| entries.next().is_none());
        let (name, code) = entry
            .and_then(|(name, code)| Some((name.as_str()?, code.as_str()?)))
            .context("a requirement level is a word, or a word with its condition")?;
        let condition = condition(code)?;
        return match name {
            "conditionally_required" => Ok(Requirement::ConditionallyRequired(condition)),
            "recommended" => Ok(Requirement::RecommendedIf(condition)),
            _ => bail!("unknown requirement level `{name}`"),
        };
    }
    super::requirement::parse(Some(level))?.context("a requirement level is missing")
}

fn condition(code: &str) -> Result<Condition> {
    if let Some((_, condition)) = CONDITIONS.iter().find(|(known, _)| *known == code) {
        return Ok(*condition);
    }
    serde_norway::from_value(Value::from(code))
        .ok()
        .with_context(|| format!("unknown condition `{code}`: add it to the conditions"))
}

/// What names of 1.41 have become, out of lines such as `span gen_ai.inference.client` becoming
/// `gen_ai.client.inference`, or `metric x for inference` where only a part has another name.
fn successors(registry: &Registry, changes: &[Change]) -> Result<Successors> {
    let mut successors = Successors::default();
    for Change { kind, what, to } in changes {
        let Some(to) = to.as_deref().filter(|_| kind == "renamed" || kind == "removed") else {
            continue;
        };
        let words = what.strip_prefix("span refinement ").map(|id| format!("span {id}"));
        let words = words.as_deref().unwrap_or(what);
        let (signal, rest) = match words.split_once(' ') {
            // An attribute that is renamed on one span stands without the word.
            Some((signal @ ("attribute" | "span" | "metric"), rest)) => (signal, rest),
            _ => ("attribute", words),
        };
        let (name, part) =
            rest.split_once(' ').map_or((rest, None), |(name, part)| (name, Some(part)));
        let only_on = part.map(|part| span_named(registry, part)).transpose()?;
        let known = match signal {
            "span" => names_in(to, registry.spans.keys()),
            "metric" => names_in(to, registry.metrics.keys()),
            _ => names_in(to, registry.attributes.keys()),
        };
        if kind == "renamed" {
            ensure!(!known.is_empty(), "`{what}` has become `{to}`, which is nowhere");
        }
        // An attribute that is gone has a successor only where its deprecation says so.
        let all = match signal {
            "span" => &mut successors.spans,
            "metric" => &mut successors.metrics,
            _ if only_on.is_some() && kind == "renamed" => &mut successors.attributes,
            _ => continue,
        };
        let known = known.into_iter().map(|name| Successor { name, only_on: only_on.clone() });
        let known: Vec<Successor> = known.collect();
        if !known.is_empty() {
            all.entry(name.to_owned()).or_default().extend(known);
        }
    }
    Ok(successors)
}

/// The names that a text holds, one by one or by their beginning, as in `gen_ai.usage.*`.
fn names_in<'a>(text: &str, names: impl Iterator<Item = &'a String>) -> Vec<String> {
    let words: Vec<&str> = text.split_whitespace().collect();
    let is_named = |name: &&String| {
        words.iter().any(|word| match word.strip_suffix('*') {
            Some(beginning) => name.starts_with(beginning),
            None => name.as_str() == *word,
        })
    };
    names.filter(is_named).cloned().collect()
}

/// The span type that "for inference" or "on the retrieval span" means.
fn span_named(registry: &Registry, part: &str) -> Result<String> {
    let spans = || registry.spans.iter().filter(|(_, span)| span.refines.is_none());
    let exact = spans().find(|(id, _)| part.split_whitespace().any(|word| word == id.as_str()));
    let by_word = || {
        spans().find(|(id, _)| {
            part.split_whitespace().any(|word| id.split('.').any(|segment| segment == word))
        })
    };
    let (id, _) =
        exact.or_else(by_word).with_context(|| format!("no span is meant by `{part}`"))?;
    Ok(id.clone())
}
