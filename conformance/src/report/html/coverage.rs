//! Which attributes spans carry, by span type.

use std::cmp::Reverse;

use maud::{Markup, html};
use spanproof_schemas::report::{AttributeCoverage, Coverage, RequirementLevel};

use crate::report::number::{counted, grouped, percent};
use crate::report::text::visible;

pub(super) fn coverage(types: &[Coverage]) -> Markup {
    html! {
        section {
            h2 id="coverage" { "Coverage" }
            p { "On how many spans each attribute of the conventions is, beside how much the span type "
                "asks for it. Not everything that is absent is missing: many attributes are for calls "
                "that have something to say of them." }
            @for (at, coverage) in types.iter().enumerate() {
                details open[at == 0] {
                    summary {
                        (visible(coverage.span_type.as_deref().unwrap_or("no span type of the version")))
                        span.count { " " (visible(&coverage.semconv)) ", " (counted(coverage.spans, "span")) }
                    }
                    div.scroll { (table(coverage)) }
                }
            }
        }
    }
}

fn table(coverage: &Coverage) -> Markup {
    let mut attributes: Vec<&AttributeCoverage> = coverage.attributes.iter().collect();
    attributes.sort_by_key(|attribute| {
        (attribute.requirement.is_none(), attribute.requirement, Reverse(attribute.spans))
    });
    html! {
        table.coverage {
            caption.unseen { "Attributes of " (visible(coverage.span_type.as_deref().unwrap_or("other spans"))) }
            thead { tr { th scope="col" { "attribute" } th scope="col" { "asked for" } th scope="col" { "spans" }
                th scope="col" { "part" } } }
            tbody {
                @for attribute in attributes {
                    @let required = attribute.requirement == Some(RequirementLevel::Required);
                    @let lacking = required && attribute.spans < coverage.spans;
                    tr class=[lacking.then_some("differs")] {
                        th scope="row" { code { (visible(&attribute.name)) } }
                        td { (attribute.requirement.map_or("not listed", RequirementLevel::words)) }
                        td.count { (grouped(attribute.spans)) }
                        td.part {
                            span.meter aria-hidden="true" { span.bar style={ "width:" (share(attribute.spans, coverage.spans)) "%" } {} }
                            span.count { (percent(attribute.spans, coverage.spans)) }
                        }
                    }
                }
            }
        }
    }
}

/// Whole hundredths, for the length of a bar.
fn share(part: u64, whole: u64) -> u128 {
    u128::from(part) * 100 / u128::from(whole.max(1))
}
