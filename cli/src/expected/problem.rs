//! What is wrong with an expectation, and what to do about it.

use spanproof_schemas::report::{Deviation, DeviationSource, DeviationState};

/// Why `deviation` fails the run, if it does. What is not met passes where `lets_pass`.
pub(super) fn problem(deviation: &Deviation, lets_pass: bool) -> Option<String> {
    let is_short = matches!(
        deviation.state,
        DeviationState::Stale
            | DeviationState::Unmatched
            | DeviationState::Shadowed
            | DeviationState::Fewer
    );
    if deviation.state == DeviationState::Met || is_short && lets_pass {
        return None;
    }
    Some(match deviation.source {
        DeviationSource::Configuration => of_entry(deviation),
        DeviationSource::Baseline => of_line(deviation),
    })
}

fn of_entry(deviation: &Deviation) -> String {
    let Deviation { rule, least, most, found, .. } = deviation;
    let expected = match most {
        Some(most) if most == least => least.to_string(),
        Some(most) => format!("{least} to {most}"),
        None => format!("at least {least}"),
    };
    let matching = matching(*found);
    match deviation.state {
        DeviationState::Met => String::new(),
        DeviationState::Stale => {
            format!("stale: `{rule}` found nothing; remove the entry")
        }
        DeviationState::Unmatched => format!(
            "stale: `{rule}` has findings, but none matches this entry; correct what it must \
             match, or remove it"
        ),
        DeviationState::Shadowed => format!(
            "stale: what matches this entry of `{rule}` is taken by entries above it; remove it, \
             or move it up"
        ),
        DeviationState::Fewer => format!(
            "`{rule}`: {matching}, where {expected} should; lower its count, so that what was \
             mended stays mended"
        ),
        DeviationState::More => format!(
            "`{rule}`: {matching}, where {expected} should; mend what is new, or raise its count"
        ),
        DeviationState::Expired => {
            let expires = deviation.expires.as_deref().unwrap_or_default();
            format!(
                "`{rule}`: expired on {expires}, and {matching} still; mend that, or give the \
                 entry a later day and say why"
            )
        }
    }
}

fn of_line(deviation: &Deviation) -> String {
    let Deviation { rule, least, found, .. } = deviation;
    let matching = matching(*found);
    match deviation.state {
        DeviationState::Met => String::new(),
        DeviationState::More => format!(
            "`{rule}`: {matching}, where the baseline counts {least}; mend what is new, or accept \
             it with --update-baseline"
        ),
        _ => format!(
            "`{rule}`: {matching}, where the baseline counts {least}; run once with \
             --update-baseline, so that what was mended stays mended"
        ),
    }
}

fn matching(findings: u64) -> String {
    match findings {
        0 => "no finding matches".to_owned(),
        1 => "1 finding matches".to_owned(),
        many => format!("{many} findings match"),
    }
}
