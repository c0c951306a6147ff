//! Patterns with `*`, which stands for any text, also none.

/// Whether all of `text` fits `pattern`.
#[must_use]
pub fn fits(pattern: &str, text: &str) -> bool {
    let mut parts = pattern.split('*');
    // There is a first part, perhaps an empty one.
    let first = parts.next().unwrap_or_default();
    let Some(mut rest) = text.strip_prefix(first) else { return false };
    let Some(last) = parts.next_back() else { return rest.is_empty() };
    for part in parts {
        match rest.find(part) {
            Some(at) => rest = &rest[at + part.len()..],
            None => return false,
        }
    }
    rest.ends_with(last)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_star_is_any_text() {
        for (pattern, text) in
            [("*", ""), ("a*", "a"), ("a*c", "abc"), ("*b*", "abc"), ("a*b*c", "a-b-b-c"), ("", "")]
        {
            assert!(fits(pattern, text), "{pattern} {text}");
        }
        for (pattern, text) in
            [("", "a"), ("a", "ab"), ("a*a", "a"), ("a*b*c", "acb"), ("*a", "ab"), ("b*", "ab")]
        {
            assert!(!fits(pattern, text), "{pattern} {text}");
        }
    }

    proptest! {
        #[test]
        fn a_text_with_parts_cut_out_fits(parts in prop::collection::vec("[ab]{0,3}", 1..5), cuts in prop::collection::vec("[abc]{0,3}", 5)) {
            let text: String = parts.iter().zip(&cuts).flat_map(|(part, cut)| [part.as_str(), cut]).collect();
            let pattern = parts.join("*") + "*";
            prop_assert!(fits(&pattern, &text), "{} {}", pattern, text);
        }
    }
}
