//! Groups with references and ancestors become a registry without them.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context, Result, bail, ensure};
use spanproof_schemas::semconv::{
    Attribute, AttributeType, Deprecation, Event, Member, Metric, Registry, Requirement, SpanKind,
    SpanType, Status, Successors,
};

use super::source::{self, Group, GroupKind};
use super::{prose, requirement, supplement};

/// The registry of `version`: the signals of `groups` that concern GenAI, and the attributes that
/// they refer to or that [`supplement::NAMESPACES`] names. Attributes that the sources refer to and
/// do not define are those of `elsewhere`, which is another registry that they build on.
pub(super) fn registry(
    version: &str,
    groups: Vec<Group>,
    elsewhere: Option<&Registry>,
) -> Result<Registry> {
    let model = Model::new(groups, elsewhere)?;
    let mut registry = Registry {
        version: version.to_owned(),
        status: Status::Released,
        schema_url: format!("https://opentelemetry.io/schemas/{version}"),
        attributes: BTreeMap::new(),
        spans: BTreeMap::new(),
        metrics: BTreeMap::new(),
        events: BTreeMap::new(),
        successors: Successors::default(),
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
    for (name, attribute) in elsewhere.iter().flat_map(|registry| &registry.attributes) {
        if !attributes.contains_key(name) && referred.contains(name.as_str()) {
            attributes.insert(name.clone(), attribute.clone());
        }
    }
    registry.attributes = attributes;
    supplement::complete(&mut registry);
    Ok(registry)
}

/// What the provider is called, in different versions.
const PROVIDERS: &[&str] = &["gen_ai.provider.name", "gen_ai.system"];

/// Every group by id, and every attribute where it is defined.
struct Model {
    groups: BTreeMap<String, Group>,
    attributes: BTreeMap<String, source::Attribute>,
    /// The attributes that are defined in another registry.
    elsewhere: BTreeSet<String>,
}

/// The groups that a group has attributes of, and the first that the sources do not hold.
struct Lineage<'model> {
    groups: Vec<&'model Group>,
    missing: Option<&'model str>,
}

impl Model {
    fn new(groups: Vec<Group>, elsewhere: Option<&Registry>) -> Result<Model> {
        let elsewhere = elsewhere.map(|registry| registry.attributes.keys().cloned().collect());
        let mut model = Model {
            groups: BTreeMap::new(),
            attributes: BTreeMap::new(),
            elsewhere: elsewhere.unwrap_or_default(),
        };
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

    fn defines(&self, attribute: &str) -> bool {
        self.attributes.contains_key(attribute) || self.elsewhere.contains(attribute)
    }

    /// `group`, then the groups that it includes, then the group it extends, and so on, as far as
    /// the sources hold them: the nearest first.
    fn known_lineage<'model>(&'model self, group: &'model Group) -> Result<Lineage<'model>> {
        let mut lineage = Lineage { groups: Vec::new(), missing: None };
        self.descend(group, &mut Vec::new(), &mut lineage)?;
        Ok(lineage)
    }

    fn descend<'model>(
        &'model self,
        group: &'model Group,
        path: &mut Vec<&'model str>,
        lineage: &mut Lineage<'model>,
    ) -> Result<()> {
        ensure!(
            !path.contains(&group.id.as_str()),
            "`{}` extends itself by way of `{}`",
            group.id,
            path.last().copied().unwrap_or_default()
        );
        path.push(&group.id);
        lineage.groups.push(group);
        for id in group.includes.iter().chain(&group.extends) {
            match self.groups.get(id) {
                Some(ancestor) => self.descend(ancestor, path, lineage)?,
                None => lineage.missing = lineage.missing.or(Some(id)),
            }
        }
        path.pop();
        Ok(())
    }

    /// `group` and every group that it has attributes of, which the sources must hold.
    fn lineage<'model>(&'model self, group: &'model Group) -> Result<Vec<&'model Group>> {
        let Lineage { groups, missing } = self.known_lineage(group)?;
        if let Some(id) = missing {
            bail!("`{}` extends `{id}`, which is nowhere", group.id);
        }
        Ok(groups)
    }

    /// Whether `group` is a signal that is named for GenAI or carries a GenAI attribute. Signals of
    /// other areas may extend groups that the sources leave out.
    fn concerns_gen_ai(&self, group: &Group) -> Result<bool> {
        if !matches!(group.kind, GroupKind::Span | GroupKind::Metric | GroupKind::Event)
            || supplement::BASES.contains(&group.id.as_str())
        {
            return Ok(false);
        }
        let lineage = self.known_lineage(group)?.groups;
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
                ensure!(self.defines(name), "`{name}` is not defined anywhere");
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

    /// The attributes that the samplers of a span should see.
    fn at_creation(&self, group: &Group) -> Result<BTreeSet<String>> {
        let attributes = self.lineage(group)?.into_iter().flat_map(|group| &group.attributes);
        let relevant = attributes.filter(|attribute| attribute.sampling_relevant);
        Ok(relevant.map(|attribute| name(attribute).to_owned()).collect())
    }

    fn span_type(&self, group: &Group) -> Result<SpanType> {
        let spans = self.spans(group)?;
        let is_base = |span: &&&Group| !supplement::BASES.contains(&span.id.as_str());
        let refined = spans.get(1).filter(is_base);
        Ok(SpanType {
            kinds: self.kinds(group)?,
            operations: spans
                .iter()
                .flat_map(|span| [&span.brief, &span.note])
                .flat_map(|text| prose::set_to(text, "SHOULD be", &["gen_ai.operation.name"]))
                .map(|(_, operation)| operation)
                .collect(),
            fixed: [&group.brief, &group.note]
                .into_iter()
                .flat_map(|text| prose::set_to(text, "MUST be set to", PROVIDERS))
                .collect(),
            refines: refined.map(|base| supplement::span_id(&base.id).to_owned()),
            name_patterns: self.name_patterns(group)?,
            at_creation: self.at_creation(group)?,
            attributes: self.requirements(group)?,
            deprecated: group.deprecated.as_ref().and_then(deprecation),
        })
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
                    self.defines(name),
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
    let deprecated = group.deprecated.as_ref().and_then(deprecation);
    match group.kind {
        GroupKind::Span => {
            let id = supplement::span_id(&group.id).to_owned();
            let earlier = registry.spans.insert(id.clone(), model.span_type(group)?);
            ensure!(earlier.is_none(), "span `{id}` is defined twice");
        }
        GroupKind::Metric => {
            let name = group.metric_name.clone().context("a metric needs `metric_name`")?;
            let value_type = group.annotations.code_generation.metric_value_type.as_deref();
            let metric = Metric {
                instrument: group.instrument.clone().context("a metric needs `instrument`")?,
                unit: group.unit.clone().context("a metric needs `unit`")?,
                value_type: value_type.map(named_type).transpose()?,
                attributes: model.requirements(group)?,
                boundaries: supplement::boundaries(&name),
                streaming_only: prose::is_for_streams_only(&group.note),
                span: None,
                not_for: Vec::new(),
                deprecated,
            };
            let earlier = registry.metrics.insert(name.clone(), metric);
            ensure!(earlier.is_none(), "metric `{name}` is defined twice");
        }
        GroupKind::Event => {
            let name = group.name.clone().context("an event needs `name`")?;
            let event = Event {
                attributes: model.requirements(group)?,
                severity: None,
                opt_in: prose::is_opt_in(&group.note),
                deprecated,
            };
            let earlier = registry.events.insert(name.clone(), event);
            ensure!(earlier.is_none(), "event `{name}` is defined twice");
        }
        GroupKind::AttributeGroup | GroupKind::Entity | GroupKind::Resource => {}
    }
    Ok(())
}

fn resolve_attribute(attribute: &source::Attribute) -> Result<Attribute> {
    let (template, value_type, members) = match &attribute.value_type {
        None => bail!("it has no type"),
        Some(source::Type::Named(name)) => {
            let element = template_of(name);
            (element.is_some(), named_type(element.unwrap_or(name))?, Vec::new())
        }
        Some(source::Type::Enumeration { members }) => {
            let (value_type, members) = enumeration(members)?;
            (false, value_type, members)
        }
    };
    Ok(Attribute {
        value_type,
        template,
        members,
        json_schema: prose::json_schema(&attribute.note),
        sensitive: prose::is_sensitive(&attribute.note),
        deprecated: attribute.deprecated.as_ref().and_then(deprecation),
    })
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
        let deprecated = member.deprecated.as_ref().and_then(deprecation);
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

/// The type of each value of a family of names, such as `string[]` of `template[string[]]`.
pub(super) fn template_of(name: &str) -> Option<&str> {
    name.strip_prefix("template[")?.strip_suffix(']')
}

pub(super) fn named_type(name: &str) -> Result<AttributeType> {
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
        _ => bail!("unknown type `{name}`"),
    })
}

pub(super) fn span_kind(name: &str) -> Result<SpanKind> {
    Ok(match name {
        "client" => SpanKind::Client,
        "server" => SpanKind::Server,
        "internal" => SpanKind::Internal,
        "producer" => SpanKind::Producer,
        "consumer" => SpanKind::Consumer,
        _ => bail!("unknown span kind `{name}`"),
    })
}

/// What a deprecation says; nothing for what has only moved to another registry.
fn deprecation(deprecation: &source::Deprecation) -> Option<Deprecation> {
    let renamed_to = match deprecation {
        source::Deprecation::Structured { renamed_to: None, note } if prose::has_moved(note) => {
            return None;
        }
        source::Deprecation::Structured { renamed_to: None, note } => prose::replacement(note),
        source::Deprecation::Structured { renamed_to, .. } => renamed_to.clone(),
        source::Deprecation::Sentence(sentence) => prose::replacement(sentence),
    };
    Some(Deprecation { renamed_to })
}

/// The name of an attribute, defined here or elsewhere.
fn name(attribute: &source::Attribute) -> &str {
    attribute.id.as_deref().or(attribute.reference.as_deref()).unwrap_or_default()
}
