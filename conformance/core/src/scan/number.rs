//! Telephone numbers, payment cards and social security numbers: groups of digits in a form that
//! other numbers do not take.

use super::Sensitive;

/// Fewer digits than these are none of it.
const FEWEST_DIGITS: usize = 9;

/// A run of digits, and where it stands.
#[derive(Clone, Copy, Debug)]
struct Group {
    start: usize,
    end: usize,
}

impl Group {
    fn len(self) -> usize {
        self.end - self.start
    }
}

/// The most groups of one number, and the most digits of a card.
const GROUPS: usize = 6;
const MOST_DIGITS: usize = 16;

/// The digits of a number, however it is written.
pub(super) fn digits(text: &str) -> String {
    text.chars().filter(char::is_ascii_digit).collect()
}

/// How many bytes are looked at together: as many as a processor does without being asked.
const TOGETHER: usize = 16;

/// Whether a text has digits enough for a number.
pub(super) fn may_be_in(text: &[u8]) -> bool {
    let in_chunk = |chunk: &[u8]| chunk.iter().fold(0, |n: u8, b| n + u8::from(b.is_ascii_digit()));
    let mut digits = 0;
    text.chunks(TOGETHER).any(|chunk| {
        digits += usize::from(in_chunk(chunk));
        digits >= FEWEST_DIGITS
    })
}

/// Where the first digit of a text is.
fn first_digit(text: &[u8]) -> Option<usize> {
    let has_digit = |chunk: &[u8]| chunk.iter().fold(false, |has, b| has | b.is_ascii_digit());
    let chunk = text.chunks(TOGETHER).position(has_digit)?;
    let start = chunk * TOGETHER;
    Some(start + text[start..].iter().position(u8::is_ascii_digit)?)
}

/// Shows every number of a kind in a text.
pub(super) fn each(text: &[u8], show: &mut dyn FnMut(Sensitive, &str)) {
    let mut at = 0;
    while let Some(offset) = first_digit(&text[at..]) {
        let start = at + offset;
        if let Some(end) = lone(text, start) {
            at = end;
            continue;
        }
        let (groups, count) = groups_at(text, start);
        let groups = &groups[..count];
        at = match number(text, groups) {
            Some((kind, start, end)) => {
                show(kind, std::str::from_utf8(&text[start..end]).unwrap_or_default());
                end
            }
            None => groups[0].end,
        };
    }
}

/// The end of the digits from a byte on, if nothing that may come after them makes them a number:
/// there are too many for any, and no `+` before them.
fn lone(text: &[u8], start: usize) -> Option<usize> {
    let length = text[start..].iter().take_while(|byte| byte.is_ascii_digit()).count();
    let is_signed = start.checked_sub(1).is_some_and(|before| text[before] == b'+');
    (length > MOST_DIGITS && !is_signed).then_some(start + length)
}

/// The groups of digits from a byte on, with one sign between each and the next, or the end of
/// parentheses and a space.
fn groups_at(text: &[u8], start: usize) -> ([Group; GROUPS], usize) {
    let mut groups = [Group { start, end: start }; GROUPS];
    let mut count = 0;
    let mut at = start;
    while count < GROUPS {
        let length = text[at..].iter().take_while(|byte| byte.is_ascii_digit()).count();
        if length == 0 {
            break;
        }
        groups[count] = Group { start: at, end: at + length };
        count += 1;
        at += length;
        at += match text.get(at..) {
            Some([b')', b' ', ..]) => 2,
            Some([b' ' | b'-' | b'.' | b')', ..]) => 1,
            _ => break,
        };
        // The area of an international number may stand in parentheses.
        at += usize::from(text.get(at) == Some(&b'('));
    }
    (groups, count)
}

/// The number that groups begin with: its kind, and where it stands.
fn number(text: &[u8], groups: &[Group]) -> Option<(Sensitive, usize, usize)> {
    let forms = [international, national, social_security, card];
    forms.into_iter().find_map(|form| form(text, groups))
}

/// `+` and the code of a country, then eight digits or more in all: E.164.
fn international(text: &[u8], groups: &[Group]) -> Option<(Sensitive, usize, usize)> {
    let first = groups[0];
    let plus = first.start.checked_sub(1).filter(|at| text[*at] == b'+')?;
    // An offset from UTC, or what was built, follows a word.
    let is_free = plus == 0 || !is_word(text[plus - 1]);
    if !is_free || text[first.start] == b'0' {
        return None;
    }
    let found = |end| ends(text, end).then_some((Sensitive::Phone, plus, end));
    if (10..=15).contains(&first.len()) {
        return found(first.end);
    }
    if first.len() > 3 {
        return None;
    }
    let mut total = first.len();
    let ends = groups[1..].iter().filter_map(|group| {
        total += group.len();
        (9..=15).contains(&total).then_some(group.end)
    });
    ends.filter_map(found).last()
}

/// Numbers of North America: `202-555-0147`, with or without `1-`, or `(202) 555-0147`.
fn national(text: &[u8], groups: &[Group]) -> Option<(Sensitive, usize, usize)> {
    let own = match groups {
        [first, own @ ..]
            if text[first.start..first.end] == *b"1"
                && matches!(text.get(first.end), Some(b'-' | b' ')) =>
        {
            own
        }
        own => own,
    };
    let [area, exchange, line, ..] = own else { return None };
    if [area.len(), exchange.len(), line.len()] != [3, 3, 4] {
        return None;
    }
    let is_office = |group: &Group| (b'2'..=b'9').contains(&text[group.start]);
    let between = &text[area.end..exchange.start];
    let is_in_parentheses = matches!(between, b") " | b")")
        && area.start.checked_sub(1).is_some_and(|at| text[at] == b'(');
    let start = if is_in_parentheses { area.start - 1 } else { groups[0].start };
    let is_joined = is_in_parentheses || between == b"-";
    let is_number = is_joined
        && &text[exchange.end..line.start] == b"-"
        && is_office(area)
        && is_office(exchange)
        && begins(text, start)
        && ends(text, line.end);
    is_number.then_some((Sensitive::Phone, start, line.end))
}

/// Three, two and four digits with hyphens between them; with spaces, or with nothing, only where
/// the text before says what it is.
fn social_security(text: &[u8], groups: &[Group]) -> Option<(Sensitive, usize, usize)> {
    let start = groups[0].start;
    let all = match groups {
        [one, ..] if one.len() == 9 => return named(text, start, one.end),
        [area, group, serial, ..] if [area.len(), group.len(), serial.len()] == [3, 2, 4] => {
            [area, group, serial]
        }
        _ => return None,
    };
    let [area, group, serial] = all;
    let is_given = text[area.start..area.end] != *b"000"
        && text[group.start..group.end] != *b"00"
        && text[serial.start..serial.end] != *b"0000";
    if !is_given || !begins(text, start) || !ends(text, serial.end) {
        return None;
    }
    let between = [&text[area.end..group.start], &text[group.end..serial.start]];
    match between {
        [b"-", b"-"] => Some((Sensitive::SocialSecurityNumber, start, serial.end)),
        [b" ", b" "] => named(text, start, serial.end),
        _ => None,
    }
}

/// How far before a number it may be said what it is, in bytes.
const NAMED_WITHIN: usize = 32;

fn named(text: &[u8], start: usize, end: usize) -> Option<(Sensitive, usize, usize)> {
    let before = text[start.saturating_sub(NAMED_WITHIN)..start].to_ascii_lowercase();
    let holds = |word: &[u8]| before.windows(word.len()).any(|window| window == word);
    let is_named =
        (holds(b"ssn") || holds(b"social security")) && begins(text, start) && ends(text, end);
    is_named.then_some((Sensitive::SocialSecurityNumber, start, end))
}

/// Fourteen to sixteen digits that a network gives to cards, with the right check digit, in one
/// group or in those that are printed on cards.
fn card(text: &[u8], groups: &[Group]) -> Option<(Sensitive, usize, usize)> {
    let sizes = |of: &[Group]| of.iter().map(|group| group.len()).collect::<Vec<_>>();
    let count = match groups {
        [one, ..] if (14..=MOST_DIGITS).contains(&one.len()) => 1,
        [_, _, _, _, ..] if sizes(&groups[..4]) == [4, 4, 4, 4] => 4,
        [_, _, _, ..] if sizes(&groups[..3]) == [4, 6, 5] => 3,
        _ => return None,
    };
    let own = &groups[..count];
    let (start, end) = (own[0].start, own[count - 1].end);
    let mut between = own.windows(2).map(|pair| &text[pair[0].end..pair[1].start]);
    let first = between.next();
    let are_alike = between.all(|sign| Some(sign) == first);
    let is_printed = first.is_none_or(|sign| matches!(sign, b" " | b"-")) && are_alike;
    if !is_printed || !begins(text, start) || !ends(text, end) {
        return None;
    }
    let mut digits = [0; MOST_DIGITS];
    let mut count = 0;
    for byte in text[start..end].iter().filter(|byte| byte.is_ascii_digit()) {
        digits[count] = byte - b'0';
        count += 1;
    }
    let digits = &digits[..count];
    (is_given_to_cards(digits) && has_check_digit(digits)).then_some((Sensitive::Card, start, end))
}

/// Whether a network gives out numbers that begin so, in this length.
fn is_given_to_cards(digits: &[u8]) -> bool {
    let first = digits[..4].iter().fold(0_u32, |number, digit| number * 10 + u32::from(*digit));
    match digits.len() {
        16 => matches!(
            first,
            4000..=4999 | 5100..=5599 | 2221..=2720 | 6011 | 6440..=6599 | 3528..=3589
        ),
        15 => matches!(first / 100, 34 | 37),
        14 => matches!(first, 3000..=3059) || matches!(first / 100, 36 | 38),
        _ => false,
    }
}

/// The check of Luhn.
fn has_check_digit(digits: &[u8]) -> bool {
    let sum: u32 = digits
        .iter()
        .rev()
        .enumerate()
        .map(|(place, digit)| match (place % 2, u32::from(*digit)) {
            (0, digit) => digit,
            (_, digit) if digit > 4 => 2 * digit - 9,
            (_, digit) => 2 * digit,
        })
        .sum();
    sum.is_multiple_of(10)
}

fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

/// Whether a number may begin here: not within a word, an amount, a version or a longer number.
fn begins(text: &[u8], start: usize) -> bool {
    start == 0 || !(is_word(text[start - 1]) || b"-./+$#%".contains(&text[start - 1]))
}

/// Whether a number may end here, likewise.
fn ends(text: &[u8], end: usize) -> bool {
    match text[end..] {
        [] => true,
        [b'.' | b':', next, ..] => !is_word(next),
        [byte, ..] => !(is_word(byte) || b"-/%".contains(&byte)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str) -> Vec<(Sensitive, String)> {
        let mut found = Vec::new();
        each(text.as_bytes(), &mut |kind, number| found.push((kind, number.to_owned())));
        found
    }

    #[test]
    fn numbers_are_found_amid_text() {
        use Sensitive::{Card, Phone, SocialSecurityNumber};
        for (text, kind, number) in [
            ("call +1-202-555-0147 now", Phone, "+1-202-555-0147"),
            ("tel:+12025550147", Phone, "+12025550147"),
            ("(202) 555-0147.", Phone, "(202) 555-0147"),
            ("1-202-555-0147", Phone, "1-202-555-0147"),
            ("ask 202-555-0147, or", Phone, "202-555-0147"),
            ("+44 20 7946 0958", Phone, "+44 20 7946 0958"),
            ("+41 (44) 123 45 67", Phone, "+41 (44) 123 45 67"),
            ("card=4111111111111111&x", Card, "4111111111111111"),
            ("4111 1111 1111 1111", Card, "4111 1111 1111 1111"),
            ("5555-5555-5555-4444", Card, "5555-5555-5555-4444"),
            ("with 3782 822463 10005.", Card, "3782 822463 10005"),
            ("{\"ssn\":\"912-34-5678\"}", SocialSecurityNumber, "912-34-5678"),
            ("SSN 912 34 5678", SocialSecurityNumber, "912 34 5678"),
            ("social security no. 912345678", SocialSecurityNumber, "912345678"),
        ] {
            assert_eq!(found(text), [(kind, number.to_owned())], "{text}");
        }
    }

    #[test]
    fn digits_are_counted_across_a_long_text() {
        let text =
            |digits: usize| format!("{}{}", "no number here, ".repeat(9), "1 or ".repeat(digits));
        assert!(!may_be_in(text(FEWEST_DIGITS - 1).as_bytes()));
        assert!(may_be_in(text(FEWEST_DIGITS).as_bytes()));
        assert_eq!(first_digit(text(1).as_bytes()), Some(9 * 16));
        assert_eq!(first_digit(text(0).as_bytes()), None);
    }

    #[test]
    fn other_numbers_are_left_alone() {
        for text in [
            "anthropic.claude-3-7-sonnet-20250219-v1:0",
            "arn:aws:bedrock:us-east-1:123456789012:inference-profile/x",
            "2026-11-26T20:45:38.123456789+01:00",
            "2026-11-26 20:45:38 +0100 2026",
            "1764189938123456789",
            "1764189938123456",
            "1764189938",
            "4111111111111112",
            "1234567812345670",
            "v1.202-555-0147",
            "550e8400-e29b-41d4-a716-446655440000",
            "4111111111111111abcdef0123456789",
            "0af7651916cd43dd8448eb211c80319c",
            "1.0.0+20250219123456",
            "x-202-555-0147-y",
            "1.202-555-0147",
            "192.168.100.200:443",
            "978-3-16-148410-0",
            "912345678 bytes",
            "112 34 5678",
            "000-12-3456",
            "200 300 4000",
            "$4111 1111 1111 1111",
            "10.1000/182-55-2024",
        ] {
            assert_eq!(found(text), [], "{text}");
        }
    }
}
