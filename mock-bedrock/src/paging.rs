//! Pages of a list: `maxResults` in, `nextToken` out.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::draw::Fold;
use crate::error::ServiceError;

/// The longest token that the service's model allows.
const LONGEST_TOKEN: usize = 2_048;

/// A token for the page that begins at `place` of the list that `list` is the hash of. It is opaque
/// to clients, and says of which list it is, so that a token handed to another one is noticed.
pub(crate) fn token(list: u64, place: u64) -> String {
    let mut bytes = [0; 16];
    bytes[..8].copy_from_slice(&place.to_be_bytes());
    bytes[8..].copy_from_slice(&seal(list, place).to_be_bytes());
    URL_SAFE_NO_PAD.encode(bytes)
}

/// The place that `token` states.
///
/// # Errors
///
/// A `ValidationException` for what is no token of that list; its text is not known.
pub(crate) fn place(list: u64, token: &str) -> Result<u64, ServiceError> {
    let read = || {
        if token.len() > LONGEST_TOKEN {
            return None;
        }
        let bytes: [u8; 16] = URL_SAFE_NO_PAD.decode(token).ok()?.try_into().ok()?;
        let (place, sealed) = bytes.split_at(8);
        let place = u64::from_be_bytes(place.try_into().ok()?);
        (seal(list, place).to_be_bytes() == sealed).then_some(place)
    };
    read().ok_or_else(|| ServiceError::validation("The provided nextToken is invalid."))
}

fn seal(list: u64, place: u64) -> u64 {
    let mut fold = Fold::new(list);
    fold.word(place);
    fold.finish()
}

/// The page of `items` that begins where `token` says, with at most `size` of them, and the token of
/// the next page if there is one.
///
/// # Errors
///
/// As [`place`].
pub(crate) fn page<'i, T>(
    items: &'i [T],
    list: u64,
    asked: Option<&str>,
    size: usize,
) -> Result<(&'i [T], Option<String>), ServiceError> {
    let from = asked.map_or(Ok(0), |asked| place(list, asked))?;
    let from = usize::try_from(from).unwrap_or(usize::MAX).min(items.len());
    let until = from.saturating_add(size).min(items.len());
    let next = (until < items.len()).then(|| token(list, until as u64));
    Ok((&items[from..until], next))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn pages_make_the_list(items in prop::collection::vec(any::<u8>(), 0..40), size in 1..50_usize, list: u64) {
            let mut seen = Vec::new();
            let mut asked = None;
            loop {
                let (part, next) = page(&items, list, asked.as_deref(), size).unwrap();
                prop_assert!(part.len() <= size);
                seen.extend_from_slice(part);
                asked = next;
                if asked.is_none() {
                    break;
                }
            }
            prop_assert_eq!(seen, items);
        }

        #[test]
        fn a_foreign_token_is_refused(text in "\\PC{0,40}", list: u64, other: u64, at: u64) {
            prop_assert!(place(list, &text).is_err());
            prop_assume!(list != other);
            prop_assert!(place(other, &token(list, at)).is_err());
        }
    }
}
