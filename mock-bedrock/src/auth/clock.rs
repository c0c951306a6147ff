//! Dates as signatures write them: `20261122T203145Z`.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

const DAY_S: u64 = 86_400;

/// `time`, to the second. Times before 1970 are 1970.
pub(super) fn write(time: SystemTime) -> String {
    let seconds = time.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
    let (year, month, day) = civil(seconds / DAY_S);
    let second = seconds % DAY_S;
    format!(
        "{year:04}{month:02}{day:02}T{:02}{:02}{:02}Z",
        second / 3_600,
        second / 60 % 60,
        second % 60
    )
}

/// The time that `text` states, from 1970 to 9999.
pub(super) fn read(text: &str) -> Option<SystemTime> {
    let digits = |from: usize, to: usize| -> Option<u64> {
        let part = text.get(from..to)?;
        part.bytes().all(|byte| byte.is_ascii_digit()).then(|| part.parse().ok())?
    };
    if text.len() != 16 || text.as_bytes()[8] != b'T' || text.as_bytes()[15] != b'Z' {
        return None;
    }
    let (year, month, day) = (digits(0, 4)?, digits(4, 6)?, digits(6, 8)?);
    let (hour, minute, second) = (digits(9, 11)?, digits(11, 13)?, digits(13, 15)?);
    if year < 1970 || hour > 23 || minute > 59 || second > 60 {
        return None;
    }
    let days = days(year, month, day)?;
    let seconds = days * DAY_S + hour * 3_600 + minute * 60 + second;
    UNIX_EPOCH.checked_add(Duration::from_secs(seconds))
}

/// Days from 1970 to a date of the Gregorian calendar that exists.
fn days(year: u64, month: u64, day: u64) -> Option<u64> {
    if !(1..=12).contains(&month) || !(1..=31).contains(&day) {
        return None;
    }
    // Years that begin in March, so that the leap day is a year's last.
    let (shifted, month_from_march) =
        if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let before = shifted * 365 + shifted / 4 - shifted / 100 + shifted / 400;
    // Days from 1 March of year 0 to 1 January 1970.
    let days = (before + (153 * month_from_march + 2) / 5 + day - 1).checked_sub(719_468)?;
    (civil(days) == (year, month, day)).then_some(days)
}

/// The date so many days after 1 January 1970.
fn civil(days: u64) -> (u64, u64, u64) {
    let days = days + 719_468;
    let (era, of_era) = (days / 146_097, days % 146_097);
    let year = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let month_from_march = (5 * of_year + 2) / 153;
    let day = of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    (era * 400 + year + u64::from(month <= 2), month, day)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn known_dates() {
        for (text, seconds) in [
            ("19700101T000000Z", 0),
            ("20000229T235959Z", 951_868_799),
            ("20261122T203145Z", 1_795_379_505),
        ] {
            assert_eq!(read(text), Some(UNIX_EPOCH + Duration::from_secs(seconds)), "{text}");
        }
        for text in [
            "",
            "20261122",
            "20261122T203145",
            "20261122t203145Z",
            "20260229T000000Z",
            "20261301T000000Z",
            "20261122T240000Z",
            "19691231T235959Z",
            "2026112+T203145Z",
            "2026é122T20314Z",
        ] {
            assert_eq!(read(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn dates_come_back(seconds in 0..253_402_300_800_u64) {
            let time = UNIX_EPOCH + Duration::from_secs(seconds);
            prop_assert_eq!(read(&write(time)), Some(time));
        }

        #[test]
        fn no_text_panics(text in "\\PC{0,20}") {
            let _ = read(&text);
        }
    }
}
