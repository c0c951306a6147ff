use spanproof_schemas::report::Level;

use crate::catalogue::{VersionIndex, catalogue};
use crate::field::Field;
use crate::finding::Finding;
use crate::notable::Notable;
use crate::otlp::Value;
use crate::rules::{Basis, Check, Docs, Rule};
use crate::view::{CallView, PointView, Seen, SpanView, Standing, StandingView, attribute_name};

pub(in crate::rules) static RULE: Rule = Rule {
    id: "values/enum-member",
    summary: "enumerated attributes hold known values, and the provider is the one that served",
    level: Level::Improvement,
    basis: Basis::Must("gen_ai.provider.name, \"well-known value MUST be used\""),
    since: None,
    until: None,
    docs: Docs {
        what_it_checks: "Attributes of the conventions for GenAI for which the judged version lists known \
            values. The lists are open, so another value is an improvement; so is a value that \
            the version has deprecated. One case is a violation: the ledger shows that AWS \
            Bedrock served the call, and `gen_ai.provider.name` (or `gen_ai.system`) says \
            something else. `error.type` is never judged here, for any error may be named.",
        why: "Values are compared as text. Calls marked `bedrock` are missing from every chart \
            of `aws.bedrock`, and from its bill.",
        example: "`gen_ai.provider.name = bedrock` on a span whose call AWS Bedrock served.",
        how_to_mend: "Use the known value; for Bedrock that is `aws.bedrock`, whatever the model \
            is and through whichever framework it is called.",
    },
    checks: &[
        Check::Span(check_span),
        Check::Point(check_point),
        Check::Call(check_call),
        Check::Standing(check_standing),
    ],
};

fn check_span(view: &SpanView<'_>) -> Vec<Finding> {
    if !view.notable.has(Notable::LISTED) {
        return Vec::new();
    }
    let listed = view.attributes.iter().filter(|seen| is_listed(seen, view.semconv.index));
    listed.filter_map(unknown_member).collect()
}

fn check_point(view: &PointView<'_>) -> Vec<Finding> {
    let provider = match view.fields.text(Field::Provider).or(view.fields.text(Field::System)) {
        Some(provider) => unlisted_provider(provider, view.semconv.index, &view.settings.provider),
        None => None,
    };
    let listed = view.attributes.iter().filter(|seen| is_listed(seen, view.semconv.index));
    listed.filter_map(unknown_member).chain(provider).collect()
}

/// Whether a version lists the values of an attribute.
fn is_listed(seen: &Seen<'_>, semconv: VersionIndex) -> bool {
    seen.name.is_some_and(|name| name.notable_in(semconv).has(Notable::LISTED))
}

fn unknown_member(seen: &Seen<'_>) -> Option<Finding> {
    let Some(Value::StringValue(value)) = seen.value else { return None };
    let members = &seen.definition?.members;
    let message = match members.iter().find(|member| member.value == *value) {
        None => "the value is not one that the conventions list",
        Some(member) if member.deprecated.is_some() => "the value is deprecated",
        Some(_) => return None,
    };
    let expected: Vec<&str> = members
        .iter()
        .filter(|member| member.deprecated.is_none())
        .map(|member| member.value.as_str())
        .collect();
    Some(
        Finding::new(message)
            .attribute(attribute_name(seen))
            .expected(expected.join(" | "))
            .actual(value.clone()),
    )
}

fn check_call(view: &CallView<'_>) -> Vec<Finding> {
    let Some(span) = view.span() else { return Vec::new() };
    let Some(provider) = view.symbols.option(span.provider) else { return Vec::new() };
    if provider == view.settings.provider {
        return Vec::new();
    }
    vec![
        Finding::new("the span names another provider than the one that served the call")
            .level(Level::Violation)
            .attribute(view.semconv().provider)
            .expected(view.settings.provider.clone())
            .actual(provider),
    ]
}

/// The provider of a span that no call of the ledger proves right or wrong.
fn check_standing(view: &StandingView<'_>) -> Vec<Finding> {
    if view.standing == Standing::Joined {
        return Vec::new();
    }
    let provider = view.symbols.option(view.span.provider);
    let finding = provider.and_then(|provider| {
        unlisted_provider(provider, view.semconv().index, &view.settings.provider)
    });
    finding.into_iter().collect()
}

fn unlisted_provider(provider: &str, semconv: VersionIndex, expected: &str) -> Option<Finding> {
    // The oldest versions do not list the provider that is asked for.
    if provider == expected {
        return None;
    }
    let name = catalogue().conventions(semconv).provider;
    let members = &catalogue().name(name)?.in_version(semconv)?.members;
    if members.iter().any(|member| member.value == provider) {
        return None;
    }
    let finding = Finding::new("the provider is not one that the conventions list");
    Some(finding.attribute(name).expected(expected).actual(provider))
}
