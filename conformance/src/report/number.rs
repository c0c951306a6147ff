//! Numbers as people read them.

pub(super) use spanproof_schemas::number::{counted, grouped, milliseconds, seconds};
use spanproof_schemas::report::{TokenCounts, UsageComparison};

/// Tokens of one kind.
pub(super) struct Tokens {
    pub(super) kind: &'static str,
    /// As people read it.
    pub(super) served: String,
    pub(super) reported: String,
    pub(super) difference: String,
    pub(super) differs: bool,
}

/// What was served and reported, by the kinds of tokens that reports count, in their order. What no
/// version has a name for is reported as a dash: it is not that there is none.
pub(super) fn tokens(usage: UsageComparison) -> [Tokens; 4] {
    let of = |kind, count: fn(TokenCounts) -> u64, is_named: bool| {
        let (served, reported) = (count(usage.served), count(usage.reported));
        let named = |text: String| if is_named { text } else { "–".to_owned() };
        Tokens {
            kind,
            served: grouped(served),
            reported: named(grouped(reported)),
            difference: named(difference(served, reported)),
            differs: is_named && served != reported,
        }
    };
    let is_named = !usage.cache_tokens_unnamed;
    [
        of("input", |counts| counts.input_tokens, true),
        of("output", |counts| counts.output_tokens, true),
        of("cache read", |counts| counts.cache_read_input_tokens, is_named),
        of("cache write", |counts| counts.cache_write_input_tokens, is_named),
    ]
}

/// `reported` minus `served`, with its sign: `+1,200`, `0`.
fn difference(served: u64, reported: u64) -> String {
    let sign = match reported.cmp(&served) {
        std::cmp::Ordering::Less => "-",
        std::cmp::Ordering::Equal => "",
        std::cmp::Ordering::Greater => "+",
    };
    format!("{sign}{}", grouped(reported.abs_diff(served)))
}

/// Milliseconds in the unit that suits the greatest of several, without digits that say nothing:
/// `0.5 ms`, `20 ms`, `2.5 s`, `150 s`.
pub(super) fn milliseconds_beside(ms: f64, greatest_ms: f64) -> String {
    let (value, unit) = if greatest_ms < 1_000.0 { (ms, "ms") } else { (ms / 1_000.0, "s") };
    // To the thousandth of a unit, which takes away what adding up left.
    format!("{} {unit}", (value * 1_000.0).round() / 1_000.0)
}

/// From start to end, in nanoseconds since the epoch; spans may say that they ended before they
/// began.
pub(super) fn duration(start_unix_nanos: u64, end_unix_nanos: u64) -> String {
    #[expect(clippy::cast_precision_loss, reason = "three digits of it are shown")]
    let ms = end_unix_nanos.abs_diff(start_unix_nanos) as f64 / 1e6;
    let sign = if end_unix_nanos < start_unix_nanos { "-" } else { "" };
    format!("{sign}{}", milliseconds(ms))
}

/// Three digits of a part of a whole: `100 %`, `12.5 %`, `0 %`; never 100 for less than all.
pub(super) fn percent(part: u64, whole: u64) -> String {
    if part >= whole {
        return "100 %".to_owned();
    }
    if part == 0 {
        return "0 %".to_owned();
    }
    let tenths = (u128::from(part) * 1_000 / u128::from(whole)).max(1);
    format!("{}.{} %", tenths / 10, tenths % 10)
}

/// Bytes in the decimal unit that suits them, as bills count: `742 B`, `598 kB`, `3.12 MB`.
pub(super) fn bytes(bytes: f64) -> String {
    scaled(bytes, &[" B", " kB", " MB", " GB", " TB", " PB"])
}

/// A figure of a chart: `0.2`, `55.6`, `1,104`, `41.2k`, `1.20M`.
pub(super) fn short(value: f64) -> String {
    if value < 9_999.5 && value.fract() == 0.0 {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a whole number below 10,000; what is below zero is shown as none"
        )]
        return grouped(value as u64);
    }
    scaled(value, &["", "k", "M", "G", "T"])
}

/// Three digits in the largest of `units` of which there is at least one, each a thousand of the one
/// before.
fn scaled(mut value: f64, units: &[&str]) -> String {
    let mut unit = 0;
    // What would be shown as 1000 of a unit is one of the next.
    while value >= 999.5 && unit + 1 < units.len() {
        value /= 1_000.0;
        unit += 1;
    }
    let digits = match value {
        value if value.fract() == 0.0 => 0,
        value if value < 9.995 => 2,
        value if value < 99.95 => 1,
        _ => 0,
    };
    format!("{value:.digits$}{}", units[unit])
}

/// US dollars: in cents from one cent on, finer below.
pub(super) fn dollars(usd: f64) -> String {
    let sign = if usd < 0.0 { "-" } else { "" };
    let usd = usd.abs();
    if usd > 0.0 && usd < 0.01 {
        return format!("{sign}${usd:.6}");
    }
    let text = format!("{usd:.2}");
    match text.split_once('.') {
        Some((whole, cents)) => {
            let whole = whole.parse().map_or_else(|_| whole.to_owned(), grouped);
            format!("{sign}${whole}.{cents}")
        }
        None => format!("{sign}${text}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_without_a_name_are_served_and_not_reported_as_none() {
        let served = TokenCounts { cache_read_input_tokens: 2_367, ..TokenCounts::default() };
        let mut usage = UsageComparison { served, ..UsageComparison::default() };
        let read = |usage| {
            let [_, _, Tokens { served, reported, difference, differs, .. }, _] = tokens(usage);
            (served, reported, difference, differs)
        };
        let text = |text: &str| text.to_owned();
        assert_eq!(read(usage), (text("2,367"), text("0"), text("-2,367"), true));
        usage.cache_tokens_unnamed = true;
        assert_eq!(read(usage), (text("2,367"), text("–"), text("–"), false));
    }

    #[test]
    fn numbers_are_readable() {
        let groups = [0, 999, 1_000, 80_000, 1_234_567].map(grouped);
        assert_eq!(groups, ["0", "999", "1,000", "80,000", "1,234,567"]);
        let times = [0.0, 0.04, 1.44, 99.94, 142.4, 2_500.0, 3_600_000.0].map(milliseconds);
        assert_eq!(times, ["0 ms", "0.04 ms", "1.4 ms", "99.9 ms", "142 ms", "2.50 s", "60.0 min"]);
        let beside = [(0.3 - 0.1, 0.5), (20.0, 999.0), (2_500.0, 1e4), (0.0, 1e4)];
        let beside = beside.map(|(ms, greatest)| milliseconds_beside(ms, greatest));
        assert_eq!(beside, ["0.2 ms", "20 ms", "2.5 s", "0 s"]);
        let sums = [0.0, 0.000_42, 12.344, -1_234.5].map(dollars);
        assert_eq!(sums, ["$0.00", "$0.000420", "$12.34", "-$1,234.50"]);
        let differences = [difference(5, 3), difference(3, 3), difference(0, 1_200)];
        assert_eq!(differences, ["-2", "0", "+1,200"]);
        let parts = [percent(0, 3), percent(1, 8), percent(9_999, 10_000), percent(3, 3)];
        assert_eq!(parts, ["0 %", "12.5 %", "99.9 %", "100 %"]);
        let sizes = [0.0, 742.0, 999.6, 3_124_000.0, 2e15].map(bytes);
        assert_eq!(sizes, ["0 B", "742 B", "1.00 kB", "3.12 MB", "2 PB"]);
        let figures = [0.0, 0.2, 55.55, 1_104.0, 1_104.5, 41_200.0].map(short);
        assert_eq!(figures, ["0", "0.20", "55.5", "1,104", "1.10k", "41.2k"]);
        let lasted = [duration(0, 1_500_000), duration(2_000_000, 1_000_000)];
        assert_eq!(lasted, ["1.5 ms", "-1.0 ms"]);
    }
}
