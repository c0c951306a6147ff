//! Times as the service writes them: ISO 8601 in UTC.

use std::fmt::Write as _;

use spanproof_schemas::time::UnixNanos;

const NANOS_PER_SECOND: u64 = 1_000_000_000;
const SECONDS_PER_DAY: i64 = 86_400;

/// `2025-05-21T09:50:23.452089541Z`, without a fraction when it is zero.
pub(crate) fn iso8601(time: UnixNanos) -> String {
    let seconds = (time / NANOS_PER_SECOND).cast_signed();
    let nanos = time % NANOS_PER_SECOND;
    let (year, month, day) = civil(seconds.div_euclid(SECONDS_PER_DAY));
    let of_day = seconds.rem_euclid(SECONDS_PER_DAY);
    let (hour, minute, second) = (of_day / 3_600, of_day / 60 % 60, of_day % 60);
    let mut text = format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}");
    if nanos > 0 {
        let _ = write!(text, ".{nanos:09}");
        text.truncate(text.trim_end_matches('0').len());
    }
    text.push('Z');
    text
}

/// The time that `text` states, if it is ISO 8601 with a date, a time and a zone, and not before
/// 1970 nor after 2554.
pub(crate) fn parse(text: &str) -> Option<UnixNanos> {
    let (date, time) = text.split_once(['T', 't', ' '])?;
    let mut parts = date.splitn(3, '-').map(|part| digits(part, part.len()));
    let (year, month, day) = (parts.next()??, parts.next()??, parts.next()??);
    let zone = time.find(['Z', 'z', '+', '-'])?;
    let (clock, zone) = time.split_at(zone);
    let (clock, fraction) = clock.split_once('.').unwrap_or((clock, ""));
    let mut parts = clock.splitn(3, ':').map(|part| digits(part, 2));
    let (hour, minute) = (parts.next()??, parts.next()??);
    let second = parts.next().unwrap_or(Some(0))?;
    let offset = match zone.split_at(1) {
        ("Z" | "z", "") => 0,
        (sign, zone) => {
            let (hours, minutes) = match zone.split_once(':') {
                Some((hours, minutes)) => (digits(hours, 2)?, digits(minutes, 2)?),
                None if zone.len() == 4 && zone.is_ascii() => {
                    (digits(&zone[..2], 2)?, digits(&zone[2..], 2)?)
                }
                None => (digits(zone, 2)?, 0),
            };
            let seconds = hours * 3_600 + minutes * 60;
            if sign == "+" { seconds } else { -seconds }
        }
    };
    let is_time = (1..=12).contains(&month)
        && (1..=31).contains(&day)
        && (0..24).contains(&hour)
        && (0..60).contains(&minute)
        && (0..=60).contains(&second);
    if !is_time || year > 9_999 || fraction.len() > 9 {
        return None;
    }
    let nanos = if fraction.is_empty() {
        0
    } else {
        digits(fraction, fraction.len())? * 10_i64.pow(9 - u32::try_from(fraction.len()).ok()?)
    };
    let seconds =
        days(year, month, day) * SECONDS_PER_DAY + hour * 3_600 + minute * 60 + second - offset;
    u64::try_from(seconds).ok()?.checked_mul(NANOS_PER_SECOND)?.checked_add(nanos.cast_unsigned())
}

/// The number that exactly `count` decimal digits write.
fn digits(text: &str, count: usize) -> Option<i64> {
    let is_number =
        text.len() == count && (1..=9).contains(&count) && text.bytes().all(|b| b.is_ascii_digit());
    if is_number { text.parse().ok() } else { None }
}

/// Days since 1970-01-01 of a date of the Gregorian calendar, counted in eras of 400 years that
/// begin in March, so that the leap day comes last.
fn days(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let of_era = year.rem_euclid(400);
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468
}

/// The date of a number of days since 1970-01-01.
fn civil(days: i64) -> (i64, i64, i64) {
    let days = days + 719_468;
    let era = days.div_euclid(146_097);
    let of_era = days.rem_euclid(146_097);
    let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_index = (5 * of_year + 2) / 153;
    let day = of_year - (153 * month_index + 2) / 5 + 1;
    let month = if month_index < 10 { month_index + 3 } else { month_index - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    (year, month, day)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn known_times() {
        for (time, text) in [
            (0, "1970-01-01T00:00:00Z"),
            (951_782_400_000_000_000, "2000-02-29T00:00:00Z"),
            (1_747_821_023_452_089_541, "2025-05-21T09:50:23.452089541Z"),
            (4_107_542_399_500_000_000, "2100-02-28T23:59:59.5Z"),
        ] {
            assert_eq!(iso8601(time), text);
            assert_eq!(parse(text), Some(time));
        }
        assert_eq!(parse("2000-02-29T02:00:00+02:00"), Some(951_782_400_000_000_000));
        assert_eq!(parse("2000-02-28T19:00:00-0500"), Some(951_782_400_000_000_000));
    }

    #[test]
    fn what_is_no_time_is_refused() {
        for text in [
            "",
            "2025",
            "2025-05-21",
            "2025-05-21T09:50:23",
            "2025-13-21T09:50:23Z",
            "2025-05-21T24:00:00Z",
            "1969-12-31T23:59:59Z",
            "2025-05-21T09:50:23+1é0",
            "2025-05-21T09:50:23.Zé",
            "99999-05-21T09:50:23Z",
        ] {
            assert_eq!(parse(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(time: u64) {
            prop_assert_eq!(parse(&iso8601(time)), Some(time));
        }

        #[test]
        fn any_text_is_read_or_refused(text in "\\PC{0,40}|[0-9T:.Z+-]{0,40}") {
            let _ = parse(&text);
        }
    }
}
