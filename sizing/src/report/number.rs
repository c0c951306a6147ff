//! Numbers as people read them.

pub(super) use spanproof_schemas::number::{counted, grouped};

/// Bytes in the decimal unit that suits them, as bills count: `742 B`, `598 kB`, `3.12 MB`.
#[expect(clippy::cast_precision_loss, reason = "three digits of it are shown")]
pub(super) fn bytes(bytes: u64) -> String {
    bytes_of(bytes as f64)
}

/// The same, of what need not be whole.
pub(super) fn bytes_of(bytes: f64) -> String {
    const UNITS: [&str; 6] = ["B", "kB", "MB", "GB", "TB", "PB"];
    let mut value = bytes;
    let mut unit = 0;
    // What would be shown as 1000 of a unit is one of the next.
    while value >= 999.5 && unit + 1 < UNITS.len() {
        value /= 1_000.0;
        unit += 1;
    }
    format!("{} {}", digits(value), UNITS[unit])
}

/// Three digits: `0.42`, `3.12`, `59.8`, `742`.
pub(super) fn digits(value: f64) -> String {
    match value {
        value if value.fract() == 0.0 && value < 999.5 => format!("{value:.0}"),
        value if value < 9.995 => format!("{value:.2}"),
        value if value < 99.95 => format!("{value:.1}"),
        value => format!("{value:.0}"),
    }
}

/// `part` of `whole` in bytes, for each: `569 B`.
#[expect(clippy::cast_precision_loss, reason = "three digits of it are shown")]
pub(super) fn each(bytes: u64, count: u64) -> String {
    bytes_of(bytes as f64 / count.max(1) as f64)
}

/// How many times smaller: `4.07`.
#[expect(clippy::cast_precision_loss, reason = "three digits of it are shown")]
pub(super) fn times(whole: u64, part: u64) -> String {
    digits(whole as f64 / part.max(1) as f64)
}

/// US dollars: in cents from one cent on, finer below.
pub(super) fn dollars(usd: f64) -> String {
    if usd > 0.0 && usd < 0.01 {
        return format!("${usd:.4}");
    }
    let cents = whole(usd * 100.0);
    format!("${}.{:02}", grouped(cents / 100), cents % 100)
}

/// The nearest whole number.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "what is beyond the type is its greatest value"
)]
pub(super) fn whole(value: f64) -> u64 {
    value.round() as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_readable() {
        let sizes = [0, 742, 999, 999_600, 598_072, 3_116_502, 64_400_000_000].map(bytes);
        assert_eq!(sizes, ["0 B", "742 B", "999 B", "1.00 MB", "598 kB", "3.12 MB", "64.4 GB"]);
        assert_eq!([each(598_072, 1_000), times(2_432_726, 598_072)], ["598 B", "4.07"]);
        assert_eq!(
            [0.0, 0.004, 12.344, 1_234.5].map(dollars),
            ["$0.00", "$0.0040", "$12.34", "$1,234.50"]
        );
        assert_eq!([counted(1, "span"), counted(80_000, "span")], ["1 span", "80,000 spans"]);
    }
}
