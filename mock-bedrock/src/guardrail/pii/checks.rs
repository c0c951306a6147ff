//! Whether a number that looks like one of a kind can be one.

use std::net::{Ipv4Addr, Ipv6Addr};

/// Anything.
pub(super) fn any(_: &str) -> bool {
    true
}

/// 13 to 19 digits that pass the Luhn check, as card numbers do.
pub(super) fn card(text: &str) -> bool {
    let digits = digits(text);
    (13..=19).contains(&digits.len()) && luhn(&digits)
}

/// Nine digits that pass the Luhn check, as Canadian social insurance numbers do.
pub(super) fn social_insurance(text: &str) -> bool {
    let digits = digits(text);
    digits.len() == 9 && luhn(&digits)
}

/// Area, group and serial numbers that the US administration has given out.
pub(super) fn social_security(text: &str) -> bool {
    let digits: String = text.chars().filter(char::is_ascii_digit).collect();
    digits.len() == 9
        && !matches!(&digits[..3], "000" | "666")
        && !digits.starts_with('9')
        && &digits[3..5] != "00"
        && &digits[5..] != "0000"
}

/// An IPv4 or IPv6 address. `::` and other shortest forms are taken for punctuation.
pub(super) fn ip_address(text: &str) -> bool {
    text.parse::<Ipv4Addr>().is_ok() || text.len() >= 6 && text.parse::<Ipv6Addr>().is_ok()
}

/// Letters of both cases and digits, as 40 random characters of base64 have; a hash in hexadecimal
/// has not.
pub(super) fn secret_key(text: &str) -> bool {
    text.bytes().any(|byte| byte.is_ascii_uppercase())
        && text.bytes().any(|byte| byte.is_ascii_lowercase())
        && text.bytes().any(|byte| byte.is_ascii_digit())
}

/// Check digits as in ISO 13616.
pub(super) fn iban(text: &str) -> bool {
    let account: Vec<u8> = text.bytes().filter(|byte| *byte != b' ').collect();
    if !(15..=34).contains(&account.len()) {
        return false;
    }
    let remainder = account[4..].iter().chain(&account[..4]).fold(0_u32, |rest, byte| {
        let value = char::from(*byte).to_digit(36).unwrap_or(0);
        (rest * if value > 9 { 100 } else { 10 } + value) % 97
    });
    remainder == 1
}

/// The check digit in the ninth place, as in North America.
pub(super) fn vehicle(text: &str) -> bool {
    const WEIGHTS: [u32; 17] = [8, 7, 6, 5, 4, 3, 2, 10, 0, 9, 8, 7, 6, 5, 4, 3, 2];
    let value = |byte: u8| match byte {
        b'0'..=b'9' => u32::from(byte - b'0'),
        b'A'..=b'H' => u32::from(byte - b'A') + 1,
        b'J'..=b'R' => u32::from(byte - b'J') + 1,
        _ => u32::from(byte.wrapping_sub(b'S')) + 2,
    };
    let sum: u32 = text.bytes().zip(WEIGHTS).map(|(byte, weight)| value(byte) * weight).sum();
    let check = match sum % 11 {
        10 => b'X',
        digit => b"0123456789"[digit as usize],
    };
    text.as_bytes().get(8) == Some(&check)
}

/// The check digit of NHS numbers.
pub(super) fn health_service(text: &str) -> bool {
    let digits = digits(text);
    let sum: u32 = digits.iter().zip((2..=10).rev()).map(|(digit, weight)| digit * weight).sum();
    digits.len() == 10 && matches!((11 - sum % 11) % 11, check if check == digits[9])
}

/// The checksum of routing numbers.
pub(super) fn routing(text: &str) -> bool {
    let sum: u32 =
        digits(text).iter().zip([3, 7, 1].into_iter().cycle()).map(|(digit, w)| digit * w).sum();
    sum > 0 && sum.is_multiple_of(10)
}

fn digits(text: &str) -> Vec<u32> {
    text.chars().filter_map(|letter| letter.to_digit(10)).collect()
}

fn luhn(digits: &[u32]) -> bool {
    let doubled = |digit: u32| if digit > 4 { 2 * digit - 9 } else { 2 * digit };
    let sum: u32 = digits
        .iter()
        .rev()
        .enumerate()
        .map(|(n, digit)| if n % 2 == 1 { doubled(*digit) } else { *digit })
        .sum();
    sum > 0 && sum.is_multiple_of(10)
}
