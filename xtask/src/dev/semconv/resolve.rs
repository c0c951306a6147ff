//! Groups with references and ancestors become a registry without them.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context, Result, bail, ensure};
use spanproof_schemas::semconv::{
    Attribute, AttributeType, Deprecation, Event, Member, Metric, Registry, Requirement, SpanKind,
    SpanType,
};

use super::source::{self, Group, GroupKind};
use super::{prose, requirement, supplement};

/// The registry of `version`: the signals of `groups` that concern GenAI, and the attributes that
/// they refer to or that [`supplement::NAMESPACES`] names.
pub(super) fn registry(version: &str, groups: Vec<Group>) -> Result<Registry> {
    let model = Model::new(groups)?;
    let mut registry = Registry {
        version: version.to_owned(),
        schema_url: format!("https://opentelemetry.io/schemas/{version}"),
        attributes: BTreeMap::new(),
        spans: BTreeMap::new(),
        metrics: BTreeMap::new(),
        events: BTreeMap::new(),
    };
    for group in model.groups.values() {
        if model.concerns_gen_ai(group)? {
            add_signal(&mut registry, &model, group)
                .with_context(|| format!("in group `{}`", group.id))?;
        }
    }
    let referred: BTreeSet<&str> = registry
        .spans
        .values()
        .map(|span| &span.attributes)
        .chain(registry.metrics.values().map(|metric| &metric.attributes))
        .chain(registry.events.values().map(|event| &event.attributes))
        .flat_map(BTreeMap::keys)
        .map(String::as_str)
        .collect();
    let mut attributes = BTreeMap::new();
    for (name, attribute) in &model.attributes {
        let namespace = name.split('.').next().unwrap_or_default();
        if referred.contains(name.as_str()) || supplement::NAMESPACES.contains(&namespace) {
            let resolved =
                resolve_attribute(attribute).with_context(|| format!("in attribute `{name}`"))?;
            attributes.insert(name.clone(), resolved);
        }
    }
    registry.attributes = attributes;
    Ok(registry)
}

/// Every group by id, and every attribute where it is defined.
struct Model {
    groups: BTreeMap<String, Group>,
    attributes: BTreeMap<String, source::Attribute>,
}

impl Model {
    fn new(groups: Vec<Group>) -> Result<Model> {
        let mut model = Model { groups: BTreeMap::new(), attributes: BTreeMap::new() };
        for group in groups {
            for attribute in &group.attributes {
                let Some(id) = &attribute.id else { continue };
                let earlier = model.attributes.insert(id.clone(), attribute.clone());
                ensure!(earlier.is_none(), "attribute `{id}` is defined twice");
            }
            let id = group.id.clone();
            let earlier = model.groups.insert(id.clone(), group);
            ensure!(earlier.is_none(), "group `{id}` is defined twice");
        }
        Ok(model)
    }

    /// `group`, then the group it extends, and so on, as far as the sources hold them, and the first
    /// that they do not hold.
    fn known_lineage<'model>(
        &'model self,
        group: &'model Group,
    ) -> Result<(Vec<&'model Group>, Option<&'model str>)> {
        let mut lineage = vec![group];
        let mut parent = group.extends.as_deref();
        while let Some(id) = parent {
            let Some(ancestor) = self.groups.get(id) else { return Ok((lineage, Some(id))) };
            ensure!(
                lineage.iter().all(|group| group.id != id),
                "`{}` extends itself by way of `{id}`",
                group.id
            );
            lineage.push(ancestor);
            parent = ancestor.extends.as_deref();
        }
        Ok((lineage, None))
    }

    /// `group`, then the group it extends, and so on to the last.
    fn lineage<'model>(&'model self, group: &'model Group) -> Result<Vec<&'model Group>> {
        let (lineage, missing) = self.known_lineage(group)?;
        if let Some(id) = missing {
            bail!("`{}` extends `{id}`, which is nowhere", group.id);
        }
        Ok(lineage)
    }

    /// Whether `group` is a signal that is named for GenAI or carries a GenAI attribute. Signals of
    /// other areas may extend groups that the sources leave out.
    fn concerns_gen_ai(&self, group: &Group) -> Result<bool> {
        if !matches!(group.kind, GroupKind::Span | GroupKind::Metric | GroupKind::Event) {
            return Ok(false);
        }
        let (lineage, _missing) = self.known_lineage(group)?;
        let mut attributes = lineage.into_iter().flat_map(|group| &group.attributes);
        Ok(group.id.contains("gen_ai.")
            || attributes.any(|attribute| name(attribute).starts_with("gen_ai.")))
    }

    /// Requirement levels by attribute: the nearest group that states one decides, and an attribute
    /// that has none anywhere is recommended.
    fn requirements(&self, group: &Group) -> Result<BTreeMap<String, Requirement>> {
        let mut levels: BTreeMap<&str, Option<Requirement>> = BTreeMap::new();
        for ancestor in self.lineage(group)? {
            for attribute in &ancestor.attributes {
                let name = name(attribute);
                ensure!(self.attributes.contains_key(name), "`{name}` is not defined anywhere");
                let stated = requirement::parse(attribute.requirement_level.as_ref())
                    .with_context(|| format!("in attribute `{name}` of `{}`", ancestor.id))?;
                let level = levels.entry(name).or_insert(None);
                *level = level.or(stated);
            }
        }
        Ok(levels
            .into_iter()
            .map(|(name, level)| {
                let level = level.unwrap_or(Requirement::Recommended);
                (name.to_owned(), supplement::requirement(name, level))
            })
            .collect())
    }

    /// The kinds that a span may have: what it says itself; what it allows besides may come from
    /// the span it extends.
    fn kinds(&self, group: &Group) -> Result<Vec<SpanKind>> {
        let lineage = self.spans(group)?;
        let expected =
            lineage.iter().find_map(|span| span.span_kind.as_deref()).unwrap_or("client");
        let mut kinds = vec![span_kind(expected)?];
        if let Some(other) = lineage.iter().find_map(|span| prose::other_kind(&span.note)) {
            let other = span_kind(&other)?;
            if !kinds.contains(&other) {
                kinds.push(other);
            }
        }
        Ok(kinds)
    }

    /// The name patterns of a span: its own, or those of the span it extends.
    fn name_patterns(&self, group: &Group) -> Result<Vec<String>> {
        let patterns = self
            .spans(group)?
            .into_iter()
            .flat_map(|span| [&span.brief, &span.note])
            .map(|text| prose::name_patterns(text))
            .find(|patterns| !patterns.is_empty())
            .unwrap_or_else(|| vec![supplement::SPAN_NAME.to_owned()]);
        for pattern in &patterns {
            for placeholder in pattern.split('{').skip(1) {
                let name = placeholder.split('}').next().unwrap_or_default();
                ensure!(
                    self.attributes.contains_key(name),
                    "span name `{pattern}` refers to `{name}`, which is no attribute"
                );
            }
        }
        Ok(patterns)
    }

    /// `group` and the spans that it extends.
    fn spans<'model>(&'model self, group: &'model Group) -> Result<Vec<&'model Group>> {
        Ok(self.lineage(group)?.into_iter().filter(|group| group.kind == GroupKind::Span).collect())
    }
}

fn add_signal(registry: &mut Registry, model: &Model, group: &Group) -> Result<()> {
    let attributes = model.requirements(group)?;
    let deprecated = group.deprecated.as_ref().map(deprecation);
    match group.kind {
        GroupKind::Span => {
            let kinds = model.kinds(group)?;
            let name_patterns = model.name_patterns(group)?;
            registry.spans.insert(group.id.clone(), SpanType { kinds, name_patterns, attributes });
        }
        GroupKind::Metric => {
            let name = group.metric_name.clone().context("a metric needs `metric_name`")?;
            let metric = Metric {
                instrument: group.instrument.clone().context("a metric needs `instrument`")?,
                unit: group.unit.clone().context("a metric needs `unit`")?,
                attributes,
                boundaries: supplement::boundaries(&name),
                deprecated,
            };
            let earlier = registry.metrics.insert(name.clone(), metric);
            ensure!(earlier.is_none(), "metric `{name}` is defined twice");
        }
        GroupKind::Event => {
            let name = group.name.clone().context("an event needs `name`")?;
            let earlier = registry.events.insert(name.clone(), Event { attributes, deprecated });
            ensure!(earlier.is_none(), "event `{name}` is defined twice");
        }
        GroupKind::AttributeGroup | GroupKind::Entity | GroupKind::Resource => {}
    }
    Ok(())
}

fn resolve_attribute(attribute: &source::Attribute) -> Result<Attribute> {
    let (value_type, members) = match &attribute.value_type {
        None => bail!("it has no type"),
        Some(source::Type::Named(name)) => (named_type(name)?, Vec::new()),
        Some(source::Type::Enumeration { members }) => enumeration(members)?,
    };
    let deprecated = attribute.deprecated.as_ref().map(deprecation);
    Ok(Attribute { value_type, members, deprecated })
}

fn enumeration(members: &[source::Member]) -> Result<(AttributeType, Vec<Member>)> {
    let mut types = BTreeSet::new();
    let mut resolved = Vec::new();
    for member in members {
        let value = match &member.value {
            source::MemberValue::Int(value) => {
                types.insert("int");
                value.to_string()
            }
            source::MemberValue::Text(value) => {
                types.insert("string");
                value.clone()
            }
        };
        let deprecated = member.deprecated.as_ref().map(deprecation);
        // 1.36.0 lists a value twice, once as deprecated. A value that is listed as current is.
        match resolved.iter_mut().find(|known: &&mut Member| known.value == value) {
            Some(known) if deprecated.is_none() => known.deprecated = None,
            Some(_) => {}
            None => resolved.push(Member { value, deprecated }),
        }
    }
    let mut types = types.into_iter();
    match (types.next(), types.next()) {
        (Some(name), None) => Ok((named_type(name)?, resolved)),
        (None, _) => bail!("an enumeration needs members"),
        (Some(_), Some(_)) => bail!("an enumeration has members of one type"),
    }
}

fn named_type(name: &str) -> Result<AttributeType> {
    Ok(match name {
        "string" => AttributeType::String,
        "int" => AttributeType::Int,
        "double" => AttributeType::Double,
        "boolean" => AttributeType::Boolean,
        "string[]" => AttributeType::StringArray,
        "int[]" => AttributeType::IntArray,
        "double[]" => AttributeType::DoubleArray,
        "boolean[]" => AttributeType::BooleanArray,
        "any" => AttributeType::Any,
        _ if name.starts_with("template[") => AttributeType::Template,
        _ => bail!("unknown type `{name}`"),
    })
}

fn span_kind(name: &str) -> Result<SpanKind> {
    Ok(match name {
        "client" => SpanKind::Client,
        "server" => SpanKind::Server,
        "internal" => SpanKind::Internal,
        "producer" => SpanKind::Producer,
        "consumer" => SpanKind::Consumer,
        _ => bail!("unknown span kind `{name}`"),
    })
}

fn deprecation(deprecation: &source::Deprecation) -> Deprecation {
    let renamed_to = match deprecation {
        source::Deprecation::Structured { renamed_to } => renamed_to.clone(),
        source::Deprecation::Sentence(sentence) => prose::replacement(sentence),
    };
    Deprecation { renamed_to }
}

/// The name of an attribute, defined here or elsewhere.
fn name(attribute: &source::Attribute) -> &str {
    attribute.id.as_deref().or(attribute.reference.as_deref()).unwrap_or_default()
}
