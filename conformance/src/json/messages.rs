//! The fields of every OTLP message: one table for reading and writing.

use opentelemetry_proto::tonic::collector::logs::v1::ExportLogsServiceRequest;
use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value as Any;
use opentelemetry_proto::tonic::common::v1::{
    AnyValue, ArrayValue, EntityRef, InstrumentationScope, KeyValue, KeyValueList,
};
use opentelemetry_proto::tonic::logs::v1::{LogRecord, ResourceLogs, ScopeLogs, SeverityNumber};
use opentelemetry_proto::tonic::metrics::v1::exponential_histogram_data_point::Buckets;
use opentelemetry_proto::tonic::metrics::v1::summary_data_point::ValueAtQuantile;
use opentelemetry_proto::tonic::metrics::v1::{
    AggregationTemporality, Exemplar, ExponentialHistogram, ExponentialHistogramDataPoint, Gauge,
    Histogram, HistogramDataPoint, Metric, NumberDataPoint, ResourceMetrics, ScopeMetrics, Sum,
    Summary, SummaryDataPoint, exemplar, metric, number_data_point,
};
use opentelemetry_proto::tonic::resource::v1::Resource;
use opentelemetry_proto::tonic::trace::v1::span::{Event, Link, SpanKind};
use opentelemetry_proto::tonic::trace::v1::status::StatusCode;
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans, Span, Status};
use serde::de::MapAccess;
use serde::ser::SerializeMap;

use super::codec::{Base64, Bool, Codec, Hex, List, Maybe, Nested, Seed, Text, Written};
use super::number::{Double, Enum, Int, Long};

use exemplar::Value as Measured;
use metric::Data as Points;
use number_data_point::Value as Number;

/// A message of OTLP with a JSON form.
pub trait Message: Default {
    /// Reads the value of `key` from `map` if the message has such a field; otherwise leaves the
    /// value unread and returns false.
    ///
    /// # Errors
    ///
    /// If the value does not have the field's type.
    fn read_field<'de, A: MapAccess<'de>>(
        &mut self,
        key: &str,
        map: &mut A,
    ) -> Result<bool, A::Error>;

    /// Writes the fields that are not at their default.
    ///
    /// # Errors
    ///
    /// As the serializer's.
    fn write_fields<S: SerializeMap>(&self, map: &mut S) -> Result<(), S::Error>;
}

/// An error where a key comes again, or another of those that exclude each other: whichever was
/// taken, the other would be lost without a word.
fn ensure_first<E: serde::de::Error>(key: &str, is_first: bool) -> Result<(), E> {
    if is_first {
        Ok(())
    } else {
        Err(E::custom(format!("`{key}` is there twice, or with another that excludes it")))
    }
}

/// An enumeration whose members have names.
pub(super) trait Names {
    fn number(name: &str) -> Option<i32>;
}

macro_rules! names {
    ($($enumeration:ty),*) => {$(
        impl Names for $enumeration {
            fn number(name: &str) -> Option<i32> {
                <$enumeration>::from_str_name(name).map(|member| member as i32)
            }
        }
    )*};
}

names!(SpanKind, StatusCode, AggregationTemporality, SeverityNumber);

/// `Message { "key" field: Codec, … }`, then the members of its one `oneof`, if any, as
/// `one of field: Enum { "key" Variant: Codec, … }`.
macro_rules! messages {
    ($($message:ident {
        $($key:literal $field:ident: $codec:ty,)*
        $(one of $oneof:ident: $variants:ident {
            $($member_key:literal $member:ident: $member_codec:ty,)*
        })?
    })*) => {$(
        impl Message for $message {
            fn read_field<'de, A: MapAccess<'de>>(
                &mut self,
                key: &str,
                map: &mut A,
            ) -> Result<bool, A::Error> {
                match key {
                    $($key => {
                        ensure_first(key, <$codec as Codec<_>>::is_absent(&self.$field))?;
                        self.$field = map.next_value_seed(Seed::<$codec, _>::new())?;
                    })*
                    $($($member_key => {
                        ensure_first(key, self.$oneof.is_none())?;
                        let member = map.next_value_seed(Seed::<Maybe<$member_codec>, _>::new())?;
                        if let Some(member) = member {
                            self.$oneof = Some($variants::$member(member));
                        }
                    })*)?
                    _ => return Ok(false),
                }
                Ok(true)
            }

            fn write_fields<S: SerializeMap>(&self, map: &mut S) -> Result<(), S::Error> {
                $(if !<$codec as Codec<_>>::is_absent(&self.$field) {
                    map.serialize_entry($key, &Written::<$codec, _>::new(&self.$field))?;
                })*
                $(match &self.$oneof {
                    $(Some($variants::$member(member)) => {
                        map.serialize_entry($member_key, &Written::<$member_codec, _>::new(member))?;
                    })*
                    None => {}
                })?
                Ok(())
            }
        }
    )*};
}

messages! {
    ExportTraceServiceRequest { "resourceSpans" resource_spans: List<Nested>, }
    ExportMetricsServiceRequest { "resourceMetrics" resource_metrics: List<Nested>, }
    ExportLogsServiceRequest { "resourceLogs" resource_logs: List<Nested>, }

    Resource {
        "attributes" attributes: List<Nested>,
        "droppedAttributesCount" dropped_attributes_count: Int,
        "entityRefs" entity_refs: List<Nested>,
    }
    EntityRef {
        "schemaUrl" schema_url: Text,
        "type" r#type: Text,
        "idKeys" id_keys: List<Text>,
        "descriptionKeys" description_keys: List<Text>,
    }
    InstrumentationScope {
        "name" name: Text,
        "version" version: Text,
        "attributes" attributes: List<Nested>,
        "droppedAttributesCount" dropped_attributes_count: Int,
    }
    KeyValue {
        "key" key: Text,
        "value" value: Maybe<Nested>,
        "keyStrindex" key_strindex: Int,
    }
    AnyValue {
        one of value: Any {
            "stringValue" StringValue: Text,
            "boolValue" BoolValue: Bool,
            "intValue" IntValue: Long,
            "doubleValue" DoubleValue: Double,
            "arrayValue" ArrayValue: Nested,
            "kvlistValue" KvlistValue: Nested,
            "bytesValue" BytesValue: Base64,
            "stringValueStrindex" StringValueStrindex: Int,
        }
    }
    ArrayValue { "values" values: List<Nested>, }
    KeyValueList { "values" values: List<Nested>, }

    ResourceSpans {
        "resource" resource: Maybe<Nested>,
        "scopeSpans" scope_spans: List<Nested>,
        "schemaUrl" schema_url: Text,
    }
    ScopeSpans {
        "scope" scope: Maybe<Nested>,
        "spans" spans: List<Nested>,
        "schemaUrl" schema_url: Text,
    }
    Span {
        "traceId" trace_id: Hex,
        "spanId" span_id: Hex,
        "traceState" trace_state: Text,
        "parentSpanId" parent_span_id: Hex,
        "flags" flags: Int,
        "name" name: Text,
        "kind" kind: Enum<SpanKind>,
        "startTimeUnixNano" start_time_unix_nano: Long,
        "endTimeUnixNano" end_time_unix_nano: Long,
        "attributes" attributes: List<Nested>,
        "droppedAttributesCount" dropped_attributes_count: Int,
        "events" events: List<Nested>,
        "droppedEventsCount" dropped_events_count: Int,
        "links" links: List<Nested>,
        "droppedLinksCount" dropped_links_count: Int,
        "status" status: Maybe<Nested>,
    }
    Event {
        "timeUnixNano" time_unix_nano: Long,
        "name" name: Text,
        "attributes" attributes: List<Nested>,
        "droppedAttributesCount" dropped_attributes_count: Int,
    }
    Link {
        "traceId" trace_id: Hex,
        "spanId" span_id: Hex,
        "traceState" trace_state: Text,
        "attributes" attributes: List<Nested>,
        "droppedAttributesCount" dropped_attributes_count: Int,
        "flags" flags: Int,
    }
    Status {
        "message" message: Text,
        "code" code: Enum<StatusCode>,
    }

    ResourceLogs {
        "resource" resource: Maybe<Nested>,
        "scopeLogs" scope_logs: List<Nested>,
        "schemaUrl" schema_url: Text,
    }
    ScopeLogs {
        "scope" scope: Maybe<Nested>,
        "logRecords" log_records: List<Nested>,
        "schemaUrl" schema_url: Text,
    }
    LogRecord {
        "timeUnixNano" time_unix_nano: Long,
        "observedTimeUnixNano" observed_time_unix_nano: Long,
        "severityNumber" severity_number: Enum<SeverityNumber>,
        "severityText" severity_text: Text,
        "body" body: Maybe<Nested>,
        "attributes" attributes: List<Nested>,
        "droppedAttributesCount" dropped_attributes_count: Int,
        "flags" flags: Int,
        "traceId" trace_id: Hex,
        "spanId" span_id: Hex,
        "eventName" event_name: Text,
    }

    ResourceMetrics {
        "resource" resource: Maybe<Nested>,
        "scopeMetrics" scope_metrics: List<Nested>,
        "schemaUrl" schema_url: Text,
    }
    ScopeMetrics {
        "scope" scope: Maybe<Nested>,
        "metrics" metrics: List<Nested>,
        "schemaUrl" schema_url: Text,
    }
    Metric {
        "name" name: Text,
        "description" description: Text,
        "unit" unit: Text,
        "metadata" metadata: List<Nested>,
        one of data: Points {
            "gauge" Gauge: Nested,
            "sum" Sum: Nested,
            "histogram" Histogram: Nested,
            "exponentialHistogram" ExponentialHistogram: Nested,
            "summary" Summary: Nested,
        }
    }
    Gauge { "dataPoints" data_points: List<Nested>, }
    Sum {
        "dataPoints" data_points: List<Nested>,
        "aggregationTemporality" aggregation_temporality: Enum<AggregationTemporality>,
        "isMonotonic" is_monotonic: Bool,
    }
    Histogram {
        "dataPoints" data_points: List<Nested>,
        "aggregationTemporality" aggregation_temporality: Enum<AggregationTemporality>,
    }
    ExponentialHistogram {
        "dataPoints" data_points: List<Nested>,
        "aggregationTemporality" aggregation_temporality: Enum<AggregationTemporality>,
    }
    Summary { "dataPoints" data_points: List<Nested>, }
    NumberDataPoint {
        "attributes" attributes: List<Nested>,
        "startTimeUnixNano" start_time_unix_nano: Long,
        "timeUnixNano" time_unix_nano: Long,
        "exemplars" exemplars: List<Nested>,
        "flags" flags: Int,
        one of value: Number {
            "asDouble" AsDouble: Double,
            "asInt" AsInt: Long,
        }
    }
    HistogramDataPoint {
        "attributes" attributes: List<Nested>,
        "startTimeUnixNano" start_time_unix_nano: Long,
        "timeUnixNano" time_unix_nano: Long,
        "count" count: Long,
        "sum" sum: Maybe<Double>,
        "bucketCounts" bucket_counts: List<Long>,
        "explicitBounds" explicit_bounds: List<Double>,
        "exemplars" exemplars: List<Nested>,
        "flags" flags: Int,
        "min" min: Maybe<Double>,
        "max" max: Maybe<Double>,
    }
    ExponentialHistogramDataPoint {
        "attributes" attributes: List<Nested>,
        "startTimeUnixNano" start_time_unix_nano: Long,
        "timeUnixNano" time_unix_nano: Long,
        "count" count: Long,
        "sum" sum: Maybe<Double>,
        "scale" scale: Int,
        "zeroCount" zero_count: Long,
        "positive" positive: Maybe<Nested>,
        "negative" negative: Maybe<Nested>,
        "flags" flags: Int,
        "exemplars" exemplars: List<Nested>,
        "min" min: Maybe<Double>,
        "max" max: Maybe<Double>,
        "zeroThreshold" zero_threshold: Double,
    }
    Buckets {
        "offset" offset: Int,
        "bucketCounts" bucket_counts: List<Long>,
    }
    SummaryDataPoint {
        "attributes" attributes: List<Nested>,
        "startTimeUnixNano" start_time_unix_nano: Long,
        "timeUnixNano" time_unix_nano: Long,
        "count" count: Long,
        "sum" sum: Double,
        "quantileValues" quantile_values: List<Nested>,
        "flags" flags: Int,
    }
    ValueAtQuantile {
        "quantile" quantile: Double,
        "value" value: Double,
    }
    Exemplar {
        "filteredAttributes" filtered_attributes: List<Nested>,
        "timeUnixNano" time_unix_nano: Long,
        "spanId" span_id: Hex,
        "traceId" trace_id: Hex,
        one of value: Measured {
            "asDouble" AsDouble: Double,
            "asInt" AsInt: Long,
        }
    }
}
