//! What may not stand in telemetry, or only where it is kept for.

pub(super) mod content_hash;
pub(super) mod content_leak;
pub(super) mod credential;
pub(super) mod personal_data;

use crate::finding::Finding;
use crate::scan::{Encoding, Suspect};
use crate::sweep::Sighting;

/// What is wrong with a credential or personal data, without saying it.
fn seen(sighting: &Sighting, suspect: &Suspect) -> Finding {
    let (what, place) = (suspect.kind.word(), sighting.place);
    let message = match suspect.planted {
        Some(origin) => format!("{what} from {} stands in {place}", origin.words()),
        None => format!("{what} stands in {place}"),
    };
    let masked = format!("(masked: {} bytes)", suspect.bytes);
    let actual = match suspect.encoding {
        Encoding::Plain => masked,
        encoding => format!("{}, {masked}", encoding.word()),
    };
    Finding::new(message).attribute(sighting.name.clone()).actual(actual)
}
