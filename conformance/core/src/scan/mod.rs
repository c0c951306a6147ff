//! Finding in text what may not stand there, however it was encoded on the way: planted markers,
//! credentials and personal data.
//!
//! One automaton looks for all markers and for what credentials begin with; signs that personal
//! data cannot do without, an `@` or nine digits, are counted beside it. Only what these announce
//! is looked at closely.

mod credential;
mod decoded;
mod email;
mod encoded;
mod number;
mod sensitive;

use std::ops::Range;
use std::sync::{Arc, LazyLock};

use aho_corasick::Anchored;
use aho_corasick::automaton::Automaton;
use aho_corasick::dfa::DFA;
use spanproof_schemas::ledger::{MarkerKind, Planted, PlantedKind, Run};

pub use encoded::Encoding;
pub use sensitive::Sensitive;

use decoded::Decoder;

/// What a run planted, so that it is known again.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Plantings {
    /// What markers begin with.
    pub stems: Vec<String>,
    /// Personal data and credentials.
    pub values: Vec<Planted>,
}

impl Plantings {
    /// What a run of the ledger planted.
    #[must_use]
    pub fn of(run: &Run) -> Plantings {
        Plantings { stems: run.marker_stems.clone(), values: run.planted.clone() }
    }
}

/// Looks for everything that may not stand in telemetry.
#[derive(Debug)]
pub struct Scanner {
    automaton: DFA,
    patterns: Vec<Pattern>,
    /// The length of the shortest pattern, in bytes.
    shortest: usize,
    /// The digits of planted numbers.
    numbers: Vec<(Sensitive, String, Origin)>,
}

/// What the automaton looks for.
#[derive(Debug)]
enum Pattern {
    /// What markers begin with, in one of its encodings.
    Marker { encoding: Encoding, origin: Origin, text: String },
    /// What credentials begin with or follow.
    Sign(&'static credential::Sign),
    /// What a planted value begins with.
    Planted { kind: Sensitive, origin: Origin, text: String },
}

impl Pattern {
    /// Notes what the pattern announces, which stands at these bytes of a text, if it is that.
    fn note(
        &self,
        text: &[u8],
        at: Range<usize>,
        encoding: Encoding,
        whole: usize,
        hits: &mut Hits,
    ) {
        let seen = &text[at.clone()];
        match self {
            // The automaton ignores the case of letters, for the signs.
            Pattern::Marker { encoding: own, origin, text } if seen == text.as_bytes() => {
                let leak = Leak { encoding: own.within(encoding), origin: *origin };
                hits.marker.get_or_insert((leak, whole));
            }
            Pattern::Planted { kind, origin, text } if seen == text.as_bytes() => {
                let (planted, bytes) = (Some(*origin), text.len());
                hits.note(Suspect { kind: *kind, encoding, bytes, planted, is_bare: false });
            }
            Pattern::Sign(sign) => {
                if let Some(bytes) = sign.length(text, at.start, at.end) {
                    let kind = sign.kind;
                    hits.note(Suspect { kind, encoding, bytes, planted: None, is_bare: false });
                }
            }
            Pattern::Marker { .. } | Pattern::Planted { .. } => {}
        }
    }
}

/// Whose text something planted comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// A prompt's.
    Prompt,
    /// A completion's.
    Completion,
    /// The stem is not one of spanproof's own.
    Unknown,
}

impl Origin {
    /// What the beginning of a marker tells.
    pub(crate) fn of(marker: &str) -> Origin {
        match marker.get(..4) {
            Some("SPMP") => Origin::Prompt,
            Some("SPMC") => Origin::Completion,
            _ => Origin::Unknown,
        }
    }

    fn of_planted(planted: &Planted) -> Origin {
        match planted.origin {
            MarkerKind::Prompt => Origin::Prompt,
            MarkerKind::Completion => Origin::Completion,
        }
    }

    /// Whose text it is, in words.
    pub(crate) fn words(self) -> &'static str {
        match self {
            Origin::Prompt => "a prompt",
            Origin::Completion => "a completion",
            Origin::Unknown => "a prompt or completion",
        }
    }
}

/// A marker that was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Leak {
    /// How it was encoded.
    pub encoding: Encoding,
    /// Whose text it is.
    pub origin: Origin,
}

/// A credential or personal data that was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Suspect {
    /// What it looks like.
    pub kind: Sensitive,
    /// How it was encoded.
    pub encoding: Encoding,
    /// Its length in bytes, once decoded.
    pub bytes: usize,
    /// Whose text it was planted into; nothing for what was not planted.
    pub planted: Option<Origin>,
    /// Whether the text is nothing but the digits of it, as identifiers are.
    pub is_bare: bool,
}

/// What was found in a text, or in several: the first marker, and the first of each kind of the
/// rest, a planted one before any other.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Hits {
    /// The first marker, with the length of the text that it stands in.
    pub marker: Option<(Leak, usize)>,
    /// The rest.
    pub suspects: Vec<Suspect>,
}

impl Hits {
    /// Whether nothing was found.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.marker.is_none() && self.suspects.is_empty()
    }

    /// Forgets what was found.
    pub(crate) fn clear(&mut self) {
        self.marker = None;
        self.suspects.clear();
    }

    fn note(&mut self, suspect: Suspect) {
        match self.suspects.iter_mut().find(|known| known.kind == suspect.kind) {
            Some(known) if known.planted.is_none() && suspect.planted.is_some() => *known = suspect,
            Some(known) => known.is_bare &= suspect.is_bare,
            None => self.suspects.push(suspect),
        }
    }
}

/// Stems shorter than this would be found by chance in base64.
const SHORTEST_STEM: usize = 4;

/// How much of a stem is looked for, in bytes, so that one that was cut is found.
const STEM: usize = 8;

/// How many stems and how many planted values are looked for: more than any run has, and few enough
/// for an automaton of a megabyte or two, whatever a ledger says.
const MOST: usize = 64;

/// How much of a planted value is looked for, likewise.
const START: usize = 12;

impl Scanner {
    /// The shortest text that can hold anything, in bytes: an e-mail address.
    pub(crate) const SHORTEST: usize = 6;

    /// The scanner for where nothing was planted.
    pub(crate) fn without_plantings() -> Arc<Scanner> {
        static SCANNER: LazyLock<Arc<Scanner>> =
            LazyLock::new(|| Arc::new(Scanner::new(&Plantings::default())));
        Arc::clone(&SCANNER)
    }

    /// A scanner for credentials, personal data and what a run planted.
    ///
    /// # Panics
    ///
    /// Never: what is looked for is bounded, however much was planted.
    #[must_use]
    pub fn new(plantings: &Plantings) -> Scanner {
        let mut texts: Vec<String> = Vec::new();
        let mut patterns = Vec::new();
        let stems = plantings.stems.iter().filter(|stem| stem.len() >= SHORTEST_STEM);
        for stem in stems.take(MOST) {
            let origin = Origin::of(stem);
            for (encoding, text) in encoded::forms(crate::value::cut(stem, STEM)) {
                if !texts.contains(&text) {
                    texts.push(text.clone());
                    patterns.push(Pattern::Marker { encoding, origin, text });
                }
            }
        }
        for sign in credential::SIGNS {
            texts.push(sign.text.to_owned());
            patterns.push(Pattern::Sign(sign));
        }
        let mut numbers = Vec::new();
        for planted in plantings.values.iter().take(MOST) {
            let (kind, origin) = (Sensitive::of(planted.kind), Origin::of_planted(planted));
            match start(planted) {
                Some(text) if text.len() >= SHORTEST_STEM => {
                    texts.push(text.to_owned());
                    patterns.push(Pattern::Planted { kind, origin, text: text.to_owned() });
                }
                Some(_) => {}
                None => numbers.push((kind, number::digits(&planted.value), origin)),
            }
        }
        let shortest = texts.iter().map(String::len).min().unwrap_or(0);
        let automaton = DFA::builder()
            .ascii_case_insensitive(true)
            // Every letter begins a pattern, so that nothing is skipped.
            .prefilter(false)
            .build(&texts)
            .expect("a few hundred short texts make an automaton");
        Scanner { automaton, patterns, shortest, numbers }
    }

    /// The first marker in `text`.
    #[must_use]
    pub fn find(&self, text: impl AsRef<[u8]>) -> Option<Leak> {
        let mut hits = Hits::default();
        self.scan(text.as_ref(), &mut hits);
        hits.marker.map(|(leak, _)| leak)
    }

    /// Notes everything that stands in `text`.
    pub fn scan(&self, text: &[u8], hits: &mut Hits) {
        if text.len() < Scanner::SHORTEST {
            return;
        }
        self.scan_as(text, Encoding::Plain, text.len(), hits);
        Decoder::default().each(text, &mut |decoded, encoding| {
            self.scan_as(decoded, encoding, text.len(), hits);
        });
    }

    /// Scans text that was decoded from one of `whole` bytes.
    fn scan_as(&self, text: &[u8], encoding: Encoding, whole: usize, hits: &mut Hits) {
        if text.len() >= self.shortest {
            self.patterns_in(text, encoding, whole, hits);
        }
        let suspect =
            |kind, bytes, planted, is_bare| Suspect { kind, encoding, bytes, planted, is_bare };
        if text.contains(&b'@')
            && let Some(bytes) = email::find(text)
        {
            hits.note(suspect(Sensitive::Email, bytes, None, false));
        }
        if number::may_be_in(text) {
            number::each(text, &mut |kind, found| {
                let digits = number::digits(found);
                let planted = self
                    .numbers
                    .iter()
                    .find(|(known, value, _)| *known == kind && value.ends_with(&digits));
                let is_bare = found.len() == text.len() && digits.len() == found.len();
                let planted = planted.map(|(_, _, origin)| *origin);
                hits.note(suspect(kind, found.len(), planted, is_bare));
            });
        }
    }

    /// Notes what the automaton finds. It is walked here rather than by its own iterator, which
    /// takes more than twice as long for texts as short as those of telemetry.
    fn patterns_in(&self, text: &[u8], encoding: Encoding, whole: usize, hits: &mut Hits) {
        let Ok(mut state) = self.automaton.start_state(Anchored::No) else { return };
        for (at, byte) in text.iter().enumerate() {
            state = self.automaton.next_state(Anchored::No, state, *byte);
            if !self.automaton.is_special(state) || !self.automaton.is_match(state) {
                continue;
            }
            for index in 0..self.automaton.match_len(state) {
                let pattern = self.automaton.match_pattern(state, index);
                let end = at + 1;
                let start = end - self.automaton.pattern_len(pattern);
                self.patterns[pattern].note(text, start..end, encoding, whole, hits);
            }
        }
    }

    /// Replaces a text that holds any of it by a note of its length.
    pub(crate) fn mask(&self, text: &mut String) {
        if let Some(note) = self.mask_of(text.as_bytes()) {
            *text = note;
        }
    }

    /// What stands in a report for a text that holds any of it.
    pub(crate) fn mask_of(&self, text: &[u8]) -> Option<String> {
        let mut hits = Hits::default();
        self.scan(text, &mut hits);
        if hits.marker.is_some() {
            return Some(masked(text.len()));
        }
        let suspect = hits.suspects.first()?;
        Some(format!("(masked: {} bytes with {})", text.len(), suspect.kind.word()))
    }
}

/// The part by which a planted value is known although it was cut; nothing for numbers, which are
/// known by their digits, however they are written.
fn start(planted: &Planted) -> Option<&str> {
    let value = planted.value.as_str();
    let own = match planted.kind {
        PlantedKind::Phone | PlantedKind::Card | PlantedKind::SocialSecurityNumber => return None,
        PlantedKind::Email | PlantedKind::AccessKeyId | PlantedKind::SecretKey => value,
        // What comes before the signature is the same in every token.
        PlantedKind::WebToken => value.rsplit('.').next().unwrap_or(value),
        // As is the line before the key.
        PlantedKind::PrivateKey => value.lines().nth(1).unwrap_or(value),
    };
    Some(crate::value::cut(own, START))
}

/// What stands in a report for leaked text.
#[must_use]
pub fn masked(bytes: usize) -> String {
    format!("(masked: {bytes} bytes with a planted marker)")
}
