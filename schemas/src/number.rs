//! Counts and times as everything shows them to people.

/// With a comma after every third digit: `80,000`.
#[must_use]
pub fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A count with its noun: `1 span`, `2,000 spans`.
#[must_use]
pub fn counted(count: u64, noun: &str) -> String {
    let plural = if count == 1 { "" } else { "s" };
    format!("{} {noun}{plural}", grouped(count))
}

/// Milliseconds, in the unit that suits them: `0.04 ms`, `1.4 ms`, `142 ms`, `2.50 s`.
#[must_use]
pub fn milliseconds(ms: f64) -> String {
    match ms {
        0.0 => "0 ms".to_owned(),
        ms if ms < 0.1 => format!("{ms:.2} ms"),
        ms if ms < 100.0 => format!("{ms:.1} ms"),
        ms if ms < 1_000.0 => format!("{ms:.0} ms"),
        ms => seconds(ms / 1_000.0),
    }
}

/// Seconds, in the unit that suits them: `0.80 s`, `59.8 s`, `12.5 min`, `24.0 h`.
#[must_use]
pub fn seconds(s: f64) -> String {
    match s {
        s if s < 10.0 => format!("{s:.2} s"),
        s if s < 120.0 => format!("{s:.1} s"),
        s if s < 7_200.0 => format!("{:.1} min", s / 60.0),
        s => format!("{:.1} h", s / 3_600.0),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_count_agrees_with_its_noun() {
        assert_eq!(counted(1, "span"), "1 span");
        assert_eq!(counted(0, "span"), "0 spans");
        assert_eq!(counted(2_000, "span"), "2,000 spans");
    }

    #[test]
    fn a_time_has_the_unit_that_suits_it() {
        let shown = [0.0, 0.043, 1.44, 142.4, 1_325.0, 59_800.0, 750_000.0, 86_400_000.0];
        assert_eq!(
            shown.map(milliseconds),
            ["0 ms", "0.04 ms", "1.4 ms", "142 ms", "1.32 s", "59.8 s", "12.5 min", "24.0 h"]
        );
    }

    proptest! {
        #[test]
        fn commas_stand_after_every_third_digit_from_the_right(number: u64) {
            let text = grouped(number);
            prop_assert_eq!(text.replace(',', ""), number.to_string());
            let mut groups = text.split(',');
            prop_assert!((1..=3).contains(&groups.next().unwrap().len()));
            prop_assert!(groups.all(|group| group.len() == 3));
        }
    }
}
