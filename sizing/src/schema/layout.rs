//! Which columns there are, and where what goes.

use parquet::basic::Repetition;
use parquet::errors::ParquetError;
use parquet::schema::types::TypePtr;

use super::LeafId;
use super::build::{Builder, Holds, group, map};
use crate::{AttributeScope, BlockEncoding, DedicatedColumn, DedicatedKind};

/// The columns of a trace.
pub(crate) struct TraceColumns {
    pub(crate) trace_id: LeafId,
    pub(crate) trace_id_text: LeafId,
    pub(crate) start: LeafId,
    pub(crate) end: LeafId,
    pub(crate) duration: LeafId,
    pub(crate) root_service: LeafId,
    pub(crate) root_span: LeafId,
    /// Service name, spans, spans with an error.
    pub(crate) service_stats: [LeafId; 3],
    pub(crate) resource: ResourceColumns,
    pub(crate) scope: ScopeColumns,
    pub(crate) span: SpanColumns,
    /// How many spans a scope has; not in vParquet4.
    pub(crate) span_count: Option<LeafId>,
}

/// The columns of a resource.
pub(crate) struct ResourceColumns {
    pub(crate) service_name: LeafId,
    pub(crate) attributes: AttributeColumns,
    pub(crate) dropped: LeafId,
    pub(crate) dedicated: Vec<DedicatedLeaf>,
}

/// The columns of an instrumentation scope.
pub(crate) struct ScopeColumns {
    pub(crate) name: LeafId,
    pub(crate) version: LeafId,
    pub(crate) attributes: AttributeColumns,
    pub(crate) dropped: LeafId,
}

/// The columns of a span.
pub(crate) struct SpanColumns {
    pub(crate) span_id: LeafId,
    pub(crate) parent_span_id: LeafId,
    pub(crate) parent_left: LeafId,
    pub(crate) left: LeafId,
    pub(crate) right: LeafId,
    pub(crate) child_count: Option<LeafId>,
    pub(crate) name: LeafId,
    pub(crate) kind: LeafId,
    pub(crate) trace_state: LeafId,
    pub(crate) start: LeafId,
    pub(crate) duration: LeafId,
    pub(crate) status_code: LeafId,
    pub(crate) status_message: LeafId,
    pub(crate) attributes: AttributeColumns,
    pub(crate) dropped_attributes: LeafId,
    pub(crate) events: EventColumns,
    pub(crate) dropped_events: LeafId,
    pub(crate) links: LinkColumns,
    pub(crate) dropped_links: LeafId,
    pub(crate) dedicated: Vec<DedicatedLeaf>,
    /// The start, in units of so many seconds; not in vParquet4.
    pub(crate) rounded_starts: Vec<(u64, LeafId)>,
}

/// The columns of an event of a span.
pub(crate) struct EventColumns {
    pub(crate) since_start: LeafId,
    pub(crate) name: LeafId,
    pub(crate) attributes: AttributeColumns,
    pub(crate) dropped: LeafId,
    pub(crate) dedicated: Vec<DedicatedLeaf>,
}

/// The columns of a link of a span.
pub(crate) struct LinkColumns {
    pub(crate) trace_id: LeafId,
    pub(crate) span_id: LeafId,
    pub(crate) trace_state: LeafId,
    pub(crate) attributes: AttributeColumns,
    pub(crate) dropped: LeafId,
}

/// The seven columns of attributes that have none of their own.
#[derive(Clone, Copy)]
pub(crate) struct AttributeColumns {
    pub(crate) key: LeafId,
    pub(crate) is_array: LeafId,
    pub(crate) strings: LeafId,
    pub(crate) ints: LeafId,
    pub(crate) doubles: LeafId,
    pub(crate) bools: LeafId,
    pub(crate) unsupported: LeafId,
}

/// A column for one attribute.
pub(crate) struct DedicatedLeaf {
    /// Of which attribute; in vParquet4 there are columns for none.
    pub(crate) key: Option<String>,
    pub(crate) kind: DedicatedKind,
    /// Whether it holds lists.
    pub(crate) is_repeated: bool,
    pub(crate) id: LeafId,
}

/// How many columns vParquet4 has for attributes of one scope, used or not.
const FIXED_DEDICATED: usize = 10;

pub(super) fn trace(
    builder: &mut Builder,
    dedicated: &[DedicatedColumn],
) -> Result<(TypePtr, TraceColumns), ParquetError> {
    let mut fields = Fields::new(builder);
    let trace_id = fields.add("TraceID", Holds::Id)?;
    let trace_id_text = fields.add("TraceIDText", Holds::Text)?;
    let start = fields.add("StartTimeUnixNano", Holds::Int64 { is_signed: false })?;
    let end = fields.add("EndTimeUnixNano", Holds::Int64 { is_signed: false })?;
    let duration = fields.add("DurationNano", Holds::Int64 { is_signed: false })?;
    let root_service = fields.add("RootServiceName", Holds::BareWords)?;
    let root_span = fields.add("RootSpanName", Holds::BareWords)?;
    let service_stats = fields.service_stats()?;

    let mut batch = Fields::new(fields.builder);
    let resource = batch.resource(dedicated)?;
    let mut scoped = Fields::new(batch.builder);
    let scope = scoped.scope()?;
    let mut spans = Fields::new(scoped.builder);
    let span = spans.span(dedicated)?;
    let spans = spans.types;
    scoped.push_groups("Spans", spans)?;
    let span_count = match scoped.builder.encoding {
        BlockEncoding::VParquet5 => {
            Some(scoped.add("SpanCount", Holds::Int32 { is_signed: true })?)
        }
        BlockEncoding::VParquet4 => None,
    };
    let scoped = scoped.types;
    batch.push_groups("ss", scoped)?;
    let batch = batch.types;
    fields.push_groups("rs", batch)?;
    let root = group("Trace", Repetition::REQUIRED, fields.types)?;
    let columns = TraceColumns {
        trace_id,
        trace_id_text,
        start,
        end,
        duration,
        root_service,
        root_span,
        service_stats,
        resource,
        scope,
        span,
        span_count,
    };
    Ok((root, columns))
}

/// The fields of a group, as they come.
struct Fields<'a> {
    builder: &'a mut Builder,
    types: Vec<TypePtr>,
}

impl<'a> Fields<'a> {
    fn new(builder: &'a mut Builder) -> Self {
        Fields { builder, types: Vec::new() }
    }

    fn add(&mut self, name: &str, holds: Holds) -> Result<LeafId, ParquetError> {
        let (built, id) = self.builder.leaf(name, Repetition::REQUIRED, holds)?;
        self.types.push(built);
        Ok(id)
    }

    fn push_groups(&mut self, name: &str, fields: Vec<TypePtr>) -> Result<(), ParquetError> {
        let built = self.builder.groups(name, fields)?;
        self.types.push(built);
        Ok(())
    }

    fn service_stats(&mut self) -> Result<[LeafId; 3], ParquetError> {
        let count = Holds::Int32 { is_signed: false };
        match self.builder.encoding {
            BlockEncoding::VParquet5 => {
                let mut stats = Fields::new(self.builder);
                let ids = [
                    stats.add("ServiceName", Holds::Words)?,
                    stats.add("SpanCount", count)?,
                    stats.add("ErrorCount", count)?,
                ];
                self.types.push(group("ServiceStats", Repetition::REPEATED, stats.types)?);
                Ok(ids)
            }
            BlockEncoding::VParquet4 => {
                let (key, service) =
                    self.builder.leaf("key", Repetition::REQUIRED, Holds::BareText)?;
                let mut value = Fields::new(self.builder);
                let spans = value.add("SpanCount", count)?;
                let errors = value.add("ErrorCount", count)?;
                let value = group("value", Repetition::REQUIRED, value.types)?;
                self.types.push(map("ServiceStats", key, value)?);
                Ok([service, spans, errors])
            }
        }
    }

    fn attributes(&mut self) -> Result<AttributeColumns, ParquetError> {
        let mut fields = Fields::new(self.builder);
        let key = fields.add("Key", Holds::Words)?;
        let is_array = fields.add("IsArray", Holds::Flag)?;
        let strings = fields.add_list("Value", Holds::Words)?;
        let ints = fields.add_list("ValueInt", Holds::Number)?;
        let doubles = fields.add_list("ValueDouble", Holds::Fraction)?;
        let bools = fields.add_list("ValueBool", Holds::Flag)?;
        let unsupported = fields.add_optional("ValueUnsupported", Holds::Text)?;
        let fields = fields.types;
        self.push_groups("Attrs", fields)?;
        Ok(AttributeColumns { key, is_array, strings, ints, doubles, bools, unsupported })
    }

    fn add_list(&mut self, name: &str, holds: Holds) -> Result<LeafId, ParquetError> {
        let (built, id) = self.builder.leaves(name, holds)?;
        self.types.push(built);
        Ok(id)
    }

    fn add_optional(&mut self, name: &str, holds: Holds) -> Result<LeafId, ParquetError> {
        let (built, id) = self.builder.leaf(name, Repetition::OPTIONAL, holds)?;
        self.types.push(built);
        Ok(id)
    }

    /// A column of vParquet4's for one attribute.
    fn fixed(
        &mut self,
        name: &str,
        key: &str,
        kind: DedicatedKind,
    ) -> Result<DedicatedLeaf, ParquetError> {
        let holds = match kind {
            DedicatedKind::String => Holds::Words,
            DedicatedKind::Int => Holds::Number,
        };
        let id = self.add_optional(name, holds)?;
        Ok(DedicatedLeaf { key: Some(key.to_owned()), kind, is_repeated: false, id })
    }

    fn dedicated(
        &mut self,
        scope: AttributeScope,
        columns: &[DedicatedColumn],
    ) -> Result<Vec<DedicatedLeaf>, ParquetError> {
        let mut leaves = Vec::new();
        let mut fields = Fields::new(self.builder);
        let of_scope = || columns.iter().filter(|column| column.scope == scope);
        match fields.builder.encoding {
            BlockEncoding::VParquet5 => {
                for kind in [DedicatedKind::String, DedicatedKind::Int] {
                    let of_kind = of_scope().filter(|column| column.kind == kind);
                    for (number, column) in (1..).zip(of_kind) {
                        let (name, holds) = match kind {
                            DedicatedKind::Int => (format!("Int{number:02}"), Holds::Number),
                            DedicatedKind::String if column.is_blob => {
                                (format!("String{number:02}"), Holds::Blob)
                            }
                            DedicatedKind::String => (format!("String{number:02}"), Holds::Words),
                        };
                        let id = fields.add_list(&name, holds)?;
                        let key = Some(column.name.clone());
                        leaves.push(DedicatedLeaf { key, kind, is_repeated: true, id });
                    }
                }
            }
            BlockEncoding::VParquet4 => {
                let mut of_scope = of_scope();
                for number in 1..=FIXED_DEDICATED {
                    let column = of_scope.next();
                    let is_blob = column.is_some_and(|column| column.is_blob);
                    let holds = if is_blob { Holds::Blob } else { Holds::Words };
                    let id = fields.add_optional(&format!("String{number:02}"), holds)?;
                    let key = column.map(|column| column.name.clone());
                    let kind = DedicatedKind::String;
                    leaves.push(DedicatedLeaf { key, kind, is_repeated: false, id });
                }
            }
        }
        let fields = fields.types;
        if !fields.is_empty() {
            self.types.push(group("DedicatedAttributes", Repetition::REQUIRED, fields)?);
        }
        Ok(leaves)
    }

    fn resource(&mut self, columns: &[DedicatedColumn]) -> Result<ResourceColumns, ParquetError> {
        let mut fields = Fields::new(self.builder);
        let resource = match fields.builder.encoding {
            BlockEncoding::VParquet5 => ResourceColumns {
                service_name: fields.add("ServiceName", Holds::Words)?,
                attributes: fields.attributes()?,
                dropped: fields.add("DroppedAttributesCount", Holds::Dropped)?,
                dedicated: fields.dedicated(AttributeScope::Resource, columns)?,
            },
            BlockEncoding::VParquet4 => {
                let attributes = fields.attributes()?;
                let dropped = fields.add("DroppedAttributesCount", Holds::Dropped)?;
                let service_name = fields.add("ServiceName", Holds::Words)?;
                let mut dedicated = Vec::new();
                for (name, key) in [
                    ("Cluster", "cluster"),
                    ("Namespace", "namespace"),
                    ("Pod", "pod"),
                    ("Container", "container"),
                    ("K8sClusterName", "k8s.cluster.name"),
                    ("K8sNamespaceName", "k8s.namespace.name"),
                    ("K8sPodName", "k8s.pod.name"),
                    ("K8sContainerName", "k8s.container.name"),
                ] {
                    dedicated.push(fields.fixed(name, key, DedicatedKind::String)?);
                }
                dedicated.extend(fields.dedicated(AttributeScope::Resource, columns)?);
                ResourceColumns { service_name, attributes, dropped, dedicated }
            }
        };
        let fields = fields.types;
        self.types.push(group("Resource", Repetition::REQUIRED, fields)?);
        Ok(resource)
    }

    fn scope(&mut self) -> Result<ScopeColumns, ParquetError> {
        let mut fields = Fields::new(self.builder);
        let scope = ScopeColumns {
            name: fields.add("Name", Holds::Words)?,
            version: fields.add("Version", Holds::Words)?,
            attributes: fields.attributes()?,
            dropped: fields.add("DroppedAttributesCount", Holds::Dropped)?,
        };
        let fields = fields.types;
        self.types.push(group("Scope", Repetition::REQUIRED, fields)?);
        Ok(scope)
    }

    fn span(&mut self, columns: &[DedicatedColumn]) -> Result<SpanColumns, ParquetError> {
        let is_newer = self.builder.encoding == BlockEncoding::VParquet5;
        let place = Holds::Int32 { is_signed: true };
        let span_id = self.add("SpanID", Holds::Id)?;
        let parent_span_id = self.add("ParentSpanID", Holds::Id)?;
        let parent_left = self.add("ParentID", place)?;
        let left = self.add("NestedSetLeft", place)?;
        let right = self.add("NestedSetRight", place)?;
        let child_count = is_newer.then(|| self.add("ChildCount", place)).transpose()?;
        let name = self.add("Name", Holds::Words)?;
        let kind = self.add("Kind", Holds::Int64 { is_signed: true })?;
        let trace_state = self.add("TraceState", Holds::Text)?;
        let start = self.add("StartTimeUnixNano", Holds::Int64 { is_signed: false })?;
        let duration = self.add("DurationNano", Holds::Int64 { is_signed: false })?;
        let status_code = self.add("StatusCode", Holds::Int64 { is_signed: true })?;
        let status_message = self.add("StatusMessage", Holds::Text)?;
        let attributes = self.attributes()?;
        let dropped_attributes = self.add("DroppedAttributesCount", Holds::Dropped)?;
        let events = self.events(columns)?;
        let dropped_events = self.add("DroppedEventsCount", Holds::PlainDropped)?;
        let links = self.links()?;
        let dropped_links = self.add("DroppedLinksCount", Holds::PlainDropped)?;
        let mut dedicated = Vec::new();
        if !is_newer {
            for (name, key, kind) in [
                ("HttpMethod", "http.method", DedicatedKind::String),
                ("HttpUrl", "http.url", DedicatedKind::String),
                ("HttpStatusCode", "http.status_code", DedicatedKind::Int),
            ] {
                dedicated.push(self.fixed(name, key, kind)?);
            }
        }
        dedicated.extend(self.dedicated(AttributeScope::Span, columns)?);
        let mut rounded_starts = Vec::new();
        if is_newer {
            for seconds in [15, 60, 300, 3_600] {
                let name = format!("StartTimeRounded{seconds}");
                rounded_starts.push((seconds, self.add(&name, Holds::Int32 { is_signed: false })?));
            }
        }
        Ok(SpanColumns {
            span_id,
            parent_span_id,
            parent_left,
            left,
            right,
            child_count,
            name,
            kind,
            trace_state,
            start,
            duration,
            status_code,
            status_message,
            attributes,
            dropped_attributes,
            events,
            dropped_events,
            links,
            dropped_links,
            dedicated,
            rounded_starts,
        })
    }

    fn events(&mut self, columns: &[DedicatedColumn]) -> Result<EventColumns, ParquetError> {
        let mut fields = Fields::new(self.builder);
        let events = EventColumns {
            since_start: fields.add("TimeSinceStartNano", Holds::Int64 { is_signed: false })?,
            name: fields.add("Name", Holds::Words)?,
            attributes: fields.attributes()?,
            dropped: fields.add("DroppedAttributesCount", Holds::Dropped)?,
            dedicated: match fields.builder.encoding {
                BlockEncoding::VParquet5 => fields.dedicated(AttributeScope::Event, columns)?,
                BlockEncoding::VParquet4 => Vec::new(),
            },
        };
        let fields = fields.types;
        self.push_groups("Events", fields)?;
        Ok(events)
    }

    fn links(&mut self) -> Result<LinkColumns, ParquetError> {
        let mut fields = Fields::new(self.builder);
        let links = LinkColumns {
            trace_id: fields.add("TraceID", Holds::Id)?,
            span_id: fields.add("SpanID", Holds::Id)?,
            trace_state: fields.add("TraceState", Holds::Text)?,
            attributes: fields.attributes()?,
            dropped: fields.add("DroppedAttributesCount", Holds::Dropped)?,
        };
        let fields = fields.types;
        self.push_groups("Links", fields)?;
        Ok(links)
    }
}
