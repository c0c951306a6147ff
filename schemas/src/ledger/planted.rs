//! Made-up personal data and credentials that a run plants beside its markers, so that a leak is
//! known for what leaked.

use serde::{Deserialize, Serialize};

use super::{MarkerKind, spread};

/// One planted value: the same wherever the run plants it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Planted {
    /// What it looks like.
    pub kind: PlantedKind,
    /// Whose text it is planted into.
    pub origin: MarkerKind,
    /// The value as it stands in that text.
    pub value: String,
}

/// What a planted value looks like. Each is one that can belong to nobody.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PlantedKind {
    /// An e-mail address in a domain of RFC 2606.
    Email,
    /// A telephone number among those kept for fiction: 555-0100 to 555-0199.
    Phone,
    /// A payment card number that card networks publish for tests.
    Card,
    /// A social security number in the range 900 to 999, of which none was ever given out.
    SocialSecurityNumber,
    /// The id of an AWS access key that ends in `EXAMPLE`, as those of AWS's documentation do.
    AccessKeyId,
    /// The secret of an AWS access key that ends in `EXAMPLEKEY`, likewise.
    SecretKey,
    /// A JSON web token of an issuer in a domain of RFC 2606, signed by nobody.
    WebToken,
    /// A private key in PEM whose body is no key.
    PrivateKey,
}

impl PlantedKind {
    /// All of them, in the order of the enum.
    pub const ALL: [PlantedKind; 8] = [
        PlantedKind::Email,
        PlantedKind::Phone,
        PlantedKind::Card,
        PlantedKind::SocialSecurityNumber,
        PlantedKind::AccessKeyId,
        PlantedKind::SecretKey,
        PlantedKind::WebToken,
        PlantedKind::PrivateKey,
    ];
}

impl Planted {
    /// What a run with `seed` plants into the texts of `origin`: one value of every kind, in the
    /// order of [`PlantedKind::ALL`].
    #[must_use]
    pub fn all(origin: MarkerKind, seed: u64) -> Vec<Planted> {
        let purpose = match origin {
            MarkerKind::Prompt => 0x5350_4d50,
            MarkerKind::Completion => 0x5350_4d43,
        };
        let mut draws = Draws(spread(seed) ^ purpose);
        let value = |kind| Planted { kind, origin, value: draws.value(kind, origin) };
        PlantedKind::ALL.map(value).into()
    }

    /// A sentence that says the value.
    #[must_use]
    pub fn sentence(&self) -> String {
        let value = &self.value;
        match self.kind {
            PlantedKind::Email => format!("Write to {value} about it."),
            PlantedKind::Phone => format!("Call {value} about it."),
            PlantedKind::Card => format!("It was paid with card {value}."),
            PlantedKind::SocialSecurityNumber => {
                format!("The social security number is {value}.")
            }
            PlantedKind::AccessKeyId => format!("The access key is {value}."),
            PlantedKind::SecretKey => format!("Set aws_secret_access_key = {value} for it."),
            PlantedKind::WebToken => format!("The session token is {value}."),
            PlantedKind::PrivateKey => format!("The key is\n{value}\n"),
        }
    }
}

/// A stream of draws (`SplitMix64`), which every platform and release draws alike.
struct Draws(u64);

const LOWER: &[u8] = b"abcdefghijkmnpqrstuvwxyz23456789";
const BASE32: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
const BASE62: &[u8] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// Area codes in use; the rest of the number is what makes it fiction.
const AREAS: [&str; 8] = ["202", "303", "404", "505", "606", "707", "808", "909"];

/// Numbers that Visa, Mastercard, American Express, Discover and JCB publish for tests.
const CARDS: [&str; 10] = [
    "4111 1111 1111 1111",
    "4012 8888 8888 1881",
    "4242 4242 4242 4242",
    "5555 5555 5555 4444",
    "5105 1051 0510 5100",
    "2223 0031 2200 3222",
    "3782 822463 10005",
    "3714 496353 98431",
    "6011 1111 1111 1117",
    "3530 1113 3330 0000",
];

/// `{"alg":"HS256","typ":"JWT"}` and `{"iss":"https://issuer.example"}`.
const TOKEN: &str =
    "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJpc3MiOiJodHRwczovL2lzc3Vlci5leGFtcGxlIn0";

impl Draws {
    fn value(&mut self, kind: PlantedKind, origin: MarkerKind) -> String {
        match kind {
            PlantedKind::Email => {
                let domain = match origin {
                    MarkerKind::Prompt => "example.com",
                    MarkerKind::Completion => "example.org",
                };
                format!("q{}.reader@{domain}", self.text(LOWER, 9))
            }
            PlantedKind::Phone => {
                format!("+1-{}-555-01{:02}", self.one(&AREAS), self.below(100))
            }
            PlantedKind::Card => self.one(&CARDS).to_owned(),
            PlantedKind::SocialSecurityNumber => {
                let (area, group) = (900 + self.below(100), 1 + self.below(49));
                format!("{area}-{group:02}-{:04}", 1 + self.below(9_999))
            }
            PlantedKind::AccessKeyId => format!("AKIA{}EXAMPLE", self.text(BASE32, 9)),
            PlantedKind::SecretKey => format!("{}EXAMPLEKEY", self.text(BASE62, 30)),
            PlantedKind::WebToken => format!("{TOKEN}.{}", self.text(BASE62, 43)),
            PlantedKind::PrivateKey => format!(
                "-----BEGIN PRIVATE KEY-----\n{}EXAMPLEANDNOKEY\n-----END PRIVATE KEY-----",
                self.text(BASE62, 49)
            ),
        }
    }

    fn text(&mut self, alphabet: &[u8], length: usize) -> String {
        (0..length).map(|_| char::from(alphabet[self.below(alphabet.len())])).collect()
    }

    fn one<'a>(&mut self, all: &[&'a str]) -> &'a str {
        all[self.below(all.len())]
    }

    /// A number below `bound`, which is small.
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let bits = spread(self.0) >> 33;
        usize::try_from(bits).unwrap_or_default() % bound
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_values_of_a_seed_never_change() {
        let values = Planted::all(MarkerKind::Prompt, 1).into_iter().map(|planted| planted.value);
        let expected = [
            "q3u2i5dz65.reader@example.com",
            "+1-505-555-0162",
            "6011 1111 1111 1117",
            "985-45-2555",
            concat!("AKIA", "6V32O7XW3EXAMPLE"),
            "i8WfJVhgRON1LK6dOyaKJ9qs5xI3U3EXAMPLEKEY",
            concat!(
                "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.",
                "eyJpc3MiOiJodHRwczovL2lzc3Vlci5leGFtcGxlIn0.",
                "t3sg3oJ9OLo99W9iM5HnY8DM6HPjRnDoMOcxH8fdv6C"
            ),
            concat!(
                "-----BEGIN PRIVATE KEY-----\n",
                "ReIgmZToy46XTUEkec8HkDhWqTz8xsNkkwFH8vUfwXim9siZYEXAMPLEANDNOKEY\n",
                "-----END PRIVATE KEY-----"
            ),
        ];
        assert_eq!(values.collect::<Vec<_>>(), expected);
    }

    #[test]
    fn prompts_and_completions_and_other_seeds_have_values_of_their_own() {
        let told = |origin, seed| Planted::all(origin, seed)[0].value.clone();
        let first = told(MarkerKind::Prompt, 1);
        assert_ne!(first, told(MarkerKind::Completion, 1));
        assert_ne!(first, told(MarkerKind::Prompt, 2));
    }

    #[test]
    fn every_kind_is_said_in_a_sentence_that_holds_the_value() {
        let all = Planted::all(MarkerKind::Completion, 7);
        assert_eq!(all.iter().map(|planted| planted.kind).collect::<Vec<_>>(), PlantedKind::ALL);
        for planted in all {
            assert!(planted.sentence().contains(&planted.value), "{planted:?}");
        }
    }
}
