//! Vocabularies beside the semantic conventions, by the names that are theirs alone.

/// A vocabulary beside the conventions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Vocabulary {
    /// OpenInference, of Arize.
    OpenInference,
    /// The Vercel AI SDK.
    VercelAi,
    /// OpenLLMetry, of Traceloop.
    OpenLlmetry,
    /// LiteLLM.
    LiteLlm,
    /// Langfuse.
    Langfuse,
    /// Datadog.
    Datadog,
    /// OpenLIT.
    OpenLit,
    /// Strands Agents.
    Strands,
}

impl Vocabulary {
    /// Its name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Vocabulary::OpenInference => "OpenInference",
            Vocabulary::VercelAi => "the Vercel AI SDK",
            Vocabulary::OpenLlmetry => "OpenLLMetry",
            Vocabulary::LiteLlm => "LiteLLM",
            Vocabulary::Langfuse => "Langfuse",
            Vocabulary::Datadog => "Datadog",
            Vocabulary::OpenLit => "OpenLIT",
            Vocabulary::Strands => "Strands Agents",
        }
    }
}

/// Names of one vocabulary that are alike: one name, or all with one beginning.
#[derive(Clone, Copy, Debug)]
struct Family {
    vocabulary: Vocabulary,
    /// The name or what the names begin with; `#` stands for a number.
    pattern: &'static str,
    is_prefix: bool,
}

const fn one(vocabulary: Vocabulary, pattern: &'static str) -> Family {
    Family { vocabulary, pattern, is_prefix: false }
}

const fn all(vocabulary: Vocabulary, pattern: &'static str) -> Family {
    Family { vocabulary, pattern, is_prefix: true }
}

/// The families, at most 64. What several vocabularies have is in none of them: it shows nothing.
const FAMILIES: &[Family] = &[
    all(Vocabulary::OpenInference, "openinference."),
    one(Vocabulary::OpenInference, "llm.model_name"),
    one(Vocabulary::OpenInference, "llm.provider"),
    one(Vocabulary::OpenInference, "llm.system"),
    one(Vocabulary::OpenInference, "llm.invocation_parameters"),
    one(Vocabulary::OpenInference, "llm.finish_reason"),
    all(Vocabulary::OpenInference, "llm.token_count."),
    all(Vocabulary::OpenInference, "llm.input_messages."),
    all(Vocabulary::OpenInference, "llm.output_messages."),
    all(Vocabulary::OpenInference, "llm.tools."),
    all(Vocabulary::OpenInference, "llm.prompt_template."),
    one(Vocabulary::OpenInference, "input.value"),
    one(Vocabulary::OpenInference, "input.mime_type"),
    one(Vocabulary::OpenInference, "output.value"),
    one(Vocabulary::OpenInference, "output.mime_type"),
    all(Vocabulary::VercelAi, "ai."),
    all(Vocabulary::OpenLlmetry, "traceloop."),
    all(Vocabulary::OpenLlmetry, "gen_ai.prompt.#."),
    all(Vocabulary::OpenLlmetry, "gen_ai.completion.#."),
    all(Vocabulary::OpenLlmetry, "llm.request."),
    all(Vocabulary::OpenLlmetry, "llm.response."),
    all(Vocabulary::OpenLlmetry, "llm.usage."),
    one(Vocabulary::OpenLlmetry, "llm.is_streaming"),
    one(Vocabulary::OpenLlmetry, "llm.vendor"),
    one(Vocabulary::OpenLlmetry, "llm.headers"),
    all(Vocabulary::OpenLlmetry, "llm.prompts"),
    all(Vocabulary::OpenLlmetry, "llm.completions"),
    all(Vocabulary::OpenLlmetry, "gen_ai.bedrock."),
    one(Vocabulary::OpenLlmetry, "gen_ai.prompt.caching"),
    one(Vocabulary::LiteLlm, "hidden_params"),
    all(Vocabulary::LiteLlm, "litellm."),
    all(Vocabulary::LiteLlm, "llm.bedrock."),
    all(Vocabulary::LiteLlm, "gen_ai.cost."),
    all(Vocabulary::Langfuse, "langfuse."),
    all(Vocabulary::Datadog, "_ml_obs."),
    all(Vocabulary::Datadog, "_dd."),
    all(Vocabulary::Datadog, "bedrock.request."),
    all(Vocabulary::Datadog, "bedrock.response."),
    all(Vocabulary::Datadog, "bedrock.usage."),
    one(Vocabulary::OpenLit, "gen_ai.endpoint"),
    one(Vocabulary::OpenLit, "gen_ai.environment"),
    one(Vocabulary::OpenLit, "gen_ai.application_name"),
    one(Vocabulary::OpenLit, "gen_ai.request.is_stream"),
    one(Vocabulary::OpenLit, "gen_ai.usage.cost"),
    one(Vocabulary::OpenLit, "gen_ai.sdk.version"),
    one(Vocabulary::OpenLit, "gen_ai.hub.owner"),
    one(Vocabulary::OpenLit, "gen_ai.hub.repo"),
    one(Vocabulary::Strands, "event_loop_cycle_id"),
    one(Vocabulary::Strands, "event_loop_parent_cycle_id"),
    all(Vocabulary::Strands, "event_loop."),
    one(Vocabulary::Strands, "gen_ai.event.start_time"),
    one(Vocabulary::Strands, "gen_ai.event.end_time"),
];

/// For each first byte of a name, the families that begin with it.
static BY_FIRST_BYTE: [u64; 256] = by_first_byte();

const fn by_first_byte() -> [u64; 256] {
    assert!(FAMILIES.len() <= 64);
    let mut table = [0; 256];
    let mut at = 0;
    while at < FAMILIES.len() {
        table[FAMILIES[at].pattern.as_bytes()[0] as usize] |= 1 << at;
        at += 1;
    }
    table
}

/// A set of families of names.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FamilySet(u64);

impl FamilySet {
    /// The family of one name, or nothing for a name of no other vocabulary.
    #[must_use]
    pub fn of(name: &str) -> FamilySet {
        let Some(first) = name.as_bytes().first() else { return FamilySet::default() };
        let mut candidates = BY_FIRST_BYTE[usize::from(*first)];
        while candidates != 0 {
            let at = candidates.trailing_zeros();
            if FAMILIES[at as usize].has(name) {
                return FamilySet(1 << at);
            }
            candidates &= candidates - 1;
        }
        FamilySet::default()
    }

    /// The families of both sets.
    #[must_use]
    pub fn or(self, other: FamilySet) -> FamilySet {
        FamilySet(self.0 | other.0)
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(self) -> bool {
        self.0 == 0
    }

    fn families(self) -> impl Iterator<Item = &'static Family> {
        FAMILIES.iter().enumerate().filter(move |(at, _)| self.0 >> at & 1 == 1).map(|(_, it)| it)
    }

    /// The vocabularies that the families belong to, in their order, each once.
    pub fn vocabularies(self) -> impl Iterator<Item = Vocabulary> {
        let mut last = None;
        self.families()
            .map(|family| family.vocabulary)
            .filter(move |vocabulary| last.replace(*vocabulary) != Some(*vocabulary))
    }

    /// The names of a vocabulary in the set, such as `traceloop.*`.
    pub fn names(self, vocabulary: Vocabulary) -> impl Iterator<Item = String> {
        let of_it = move |family: &&Family| family.vocabulary == vocabulary;
        self.families().filter(of_it).map(|family| {
            let name = family.pattern.replace('#', "N");
            if family.is_prefix { name + "*" } else { name }
        })
    }
}

impl Family {
    fn has(&self, name: &str) -> bool {
        let rest = match self.pattern.split_once('#') {
            None => name.strip_prefix(self.pattern),
            Some((before, after)) => name
                .strip_prefix(before)
                .filter(|rest| rest.starts_with(|c: char| c.is_ascii_digit()))
                .map(|rest| rest.trim_start_matches(|c: char| c.is_ascii_digit()))
                .and_then(|rest| rest.strip_prefix(after)),
        };
        rest.is_some_and(|rest| self.is_prefix || rest.is_empty())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(name: &str) -> Option<(Vocabulary, String)> {
        let family = FamilySet::of(name);
        let vocabulary = family.vocabularies().next()?;
        family.names(vocabulary).next().map(|names| (vocabulary, names))
    }

    #[test]
    fn a_name_is_of_the_vocabulary_that_has_it() {
        let cases = [
            ("gen_ai.prompt.12.content", Some((Vocabulary::OpenLlmetry, "gen_ai.prompt.N.*"))),
            ("gen_ai.prompt.name", None),
            ("gen_ai.prompt", None),
            ("hidden_params", Some((Vocabulary::LiteLlm, "hidden_params"))),
            ("hidden_params_too", None),
            ("llm.model_name", Some((Vocabulary::OpenInference, "llm.model_name"))),
            ("langfuse.observation.type", Some((Vocabulary::Langfuse, "langfuse.*"))),
            ("gen_ai.request.model", None),
            ("aws.request_id", None),
            ("", None),
        ];
        for (name, expected) in cases {
            let expected = expected.map(|(vocabulary, names)| (vocabulary, names.to_owned()));
            assert_eq!(shown(name), expected, "{name}");
        }
    }

    #[test]
    fn no_released_or_coming_name_of_the_conventions_is_of_another_vocabulary() {
        for version in spanproof_schemas::semconv::Version::all() {
            for name in version.registry().attributes.keys() {
                assert!(FamilySet::of(name).is_empty(), "{version}: {name}");
            }
        }
    }

    #[test]
    fn families_of_a_vocabulary_stand_together() {
        assert!(FAMILIES.is_sorted_by_key(|family| family.vocabulary));
    }
}
