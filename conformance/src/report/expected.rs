//! What is expected to be found, as every format tells of it.

use std::collections::BTreeMap;

use spanproof_schemas::report::{Deviation, DeviationSource, Report};

use super::number::{counted, grouped};

/// Those that do not hold, each with what is wrong and what to do.
pub(super) fn broken(report: &Report) -> impl Iterator<Item = (&Deviation, &str)> {
    let all = report.deviations.iter();
    all.filter_map(|deviation| Some((deviation, deviation.problem.as_deref()?)))
}

/// The entries of the configuration by which something is expected.
pub(super) fn entries(report: &Report) -> impl Iterator<Item = &Deviation> {
    let all = report.deviations.iter();
    all.filter(|deviation| {
        deviation.source == DeviationSource::Configuration && !deviation.findings.is_empty()
    })
}

/// The findings and their kinds that a baseline expects, by its file.
pub(super) fn baselines(report: &Report) -> BTreeMap<&str, (u64, u64)> {
    let mut files = BTreeMap::new();
    let all = report.deviations.iter();
    for deviation in all.filter(|deviation| deviation.source == DeviationSource::Baseline) {
        let (findings, kinds): &mut (u64, u64) = files.entry(&*deviation.file).or_default();
        *findings += held(deviation);
        *kinds += u64::from(!deviation.findings.is_empty());
    }
    files.retain(|_, (findings, _)| *findings > 0);
    files
}

/// What a baseline expects: `12 findings of 3 kinds`.
pub(super) fn of_kinds((findings, kinds): (u64, u64)) -> String {
    format!("{} of {}", counted(findings, "finding"), counted(kinds, "kind"))
}

/// How many findings are expected by `deviation`.
pub(super) fn held(deviation: &Deviation) -> u64 {
    deviation.findings.iter().fold(0, |sum: u64, group| sum.saturating_add(group.count))
}

/// How many findings are expected altogether.
pub(super) fn all_held(report: &Report) -> u64 {
    report.deviations.iter().fold(0, |sum: u64, deviation| sum.saturating_add(held(deviation)))
}

/// Where it is written: `spanproof.toml:12`.
pub(super) fn written(deviation: &Deviation) -> String {
    format!("{}:{}", deviation.file, deviation.line)
}

/// What it takes: `usage/*, scope botocore*`.
pub(super) fn taken(deviation: &Deviation) -> String {
    let mut text = deviation.rule.clone();
    for (key, pattern) in &deviation.matching {
        text = format!("{text}, {key} {pattern}");
    }
    text
}

/// Why it is expected, and until when.
pub(super) fn why(deviation: &Deviation) -> String {
    let reason = deviation.reason.as_deref().unwrap_or("it is counted in the baseline");
    match &deviation.expires {
        Some(expires) => format!("{reason} (expires {expires})"),
        None => reason.to_owned(),
    }
}

/// How much of it there is: `3 findings expected, 2 found`, or `3 findings` where that is one.
pub(super) fn count(deviation: &Deviation) -> String {
    let Deviation { least, most, found, .. } = deviation;
    let holds = found >= least && most.is_none_or(|most| *found <= most);
    if holds {
        return counted(*found, "finding");
    }
    let expected = match most {
        Some(most) if most == least => grouped(*least),
        Some(most) => format!("{} to {}", grouped(*least), grouped(*most)),
        None => format!("at least {}", grouped(*least)),
    };
    format!("{expected} expected, {} found", grouped(*found))
}
