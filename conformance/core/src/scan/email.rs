//! E-mail addresses.

/// The longest part before the `@`, in bytes, as RFC 5321 has it.
const LONGEST_LOCAL: usize = 64;

/// The longest domain, likewise.
const LONGEST_DOMAIN: usize = 255;

/// What domains that are none end in: files that are named so for screens of more dots, units of
/// systemd, and networks without mail.
const NO_DOMAINS: [&str; 16] = [
    "png",
    "jpg",
    "jpeg",
    "gif",
    "svg",
    "webp",
    "css",
    "js",
    "json",
    "html",
    "service",
    "socket",
    "timer",
    "local",
    "internal",
    "localhost",
];

/// The length of the first address in a text.
pub(super) fn find(text: &[u8]) -> Option<usize> {
    let signs = text.iter().enumerate().filter(|(_, byte)| **byte == b'@');
    signs.map(|(at, _)| at).find_map(|at| length(text, at))
}

/// How long the address is whose `@` stands at a byte of a text, if it is one.
fn length(text: &[u8], at: usize) -> Option<usize> {
    let is_local = |byte: &&u8| byte.is_ascii_alphanumeric() || b"._+-".contains(byte);
    let local = text[..at].iter().rev().take(LONGEST_LOCAL).take_while(is_local).count();
    let start = at - local;
    let is_domain = |byte: &&u8| byte.is_ascii_alphanumeric() || b".-".contains(byte);
    let rest = &text[at + 1..];
    let domain = rest.iter().take(LONGEST_DOMAIN).take_while(is_domain).count();
    let after = rest.get(domain);
    let domain = &rest[..domain];
    let domain = domain.strip_suffix(b".").unwrap_or(domain);
    let is_word = local > 0 && text[start].is_ascii_alphanumeric();
    // Nobody's name is a part of a longer word.
    let begins = start == 0 || !(text[start - 1].is_ascii_alphanumeric() || text[start - 1] >= 128);
    // A port or a path follows the host of a repository, as in `git@host:owner/name`.
    let next = after.and_then(|_| rest.get(domain.len() + 1));
    let is_host = after == Some(&b':') && next.is_some_and(|byte| !byte.is_ascii_whitespace());
    let is_whole = is_word && begins && !is_host && after != Some(&b'@');
    (is_whole && is_mail_domain(domain) && !is_in_url(&text[..start]))
        .then_some(local + 1 + domain.len())
}

fn is_mail_domain(domain: &[u8]) -> bool {
    let mut labels = domain.split(|byte| *byte == b'.');
    let Some(top) = labels.next_back().and_then(|top| std::str::from_utf8(top).ok()) else {
        return false;
    };
    let is_top = (2..=24).contains(&top.len())
        && top.bytes().all(|byte| byte.is_ascii_alphabetic())
        && !NO_DOMAINS.iter().any(|no| no.eq_ignore_ascii_case(top));
    let mut count = 0;
    let are_labels = labels.all(|label| {
        count += 1;
        !label.is_empty() && label[0] != b'-' && label[label.len() - 1] != b'-'
    });
    is_top && are_labels && count > 0
}

/// Whether the text before an address is the beginning of a URL, whose user is nobody's address.
fn is_in_url(before: &[u8]) -> bool {
    let token = before.iter().rev().take(LONGEST_LOCAL);
    let mut token = token.take_while(|byte| !byte.is_ascii_whitespace() && !b"\"'".contains(byte));
    let mut last = None;
    token.any(|byte| last.replace(*byte) == Some(b'/') && *byte == b'/')
}

#[cfg(test)]
mod tests {
    use super::find;

    #[test]
    fn addresses_are_found_amid_text() {
        for text in [
            "write to ines@example.com",
            "<ines.smith+news@mail.example.co.uk>",
            "{\"user\":\"INES@EXAMPLE.COM\"}",
            "mailto:ines@example.com?subject=x",
            "sent by ines@example.com: thanks",
            "It was ines@example.com.",
            "@home or ines@example.org",
        ] {
            assert!(find(text.as_bytes()).is_some(), "{text}");
        }
    }

    #[test]
    fn what_merely_has_the_sign_is_left_alone() {
        for text in [
            "react@18.2.0",
            "logo@2x.png",
            "git@github.com:owner/name.git",
            "postgresql://app@db.example.com/main",
            "https://user:secret@host.example.com/x",
            "getty@tty1.service",
            "java.lang.Object@1b2c3d4e",
            "image@sha256:0123456789abcdef",
            "@ and a@b and a@.com and a@b..com",
            "node@worker.internal",
            "@scope/package",
            "prompt@v2",
        ] {
            assert_eq!(find(text.as_bytes()), None, "{text}");
        }
    }
}
