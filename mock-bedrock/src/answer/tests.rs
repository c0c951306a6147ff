use proptest::prelude::*;
use serde_json::value::RawValue;
use spanproof_schemas::ledger::{Task, ToolCall, canonical_json};
use spanproof_schemas::speed::Speed;

use super::{Answer, Block, Stop};
use crate::cache::PromptCache;
use crate::families;
use crate::model;
use crate::outline::{End, Outline};
use crate::turn::{ToolChoice, Turn};

const STEM: &str = "SPMC01234567";

fn asked(text: &str, max_tokens: Option<u64>, stop_sequences: &[String]) -> Turn {
    let mut turn = Turn::new();
    turn.begin_message("user");
    turn.add_text(text);
    turn.parameters.max_tokens = max_tokens;
    turn.parameters.stop_sequences = stop_sequences.to_vec();
    turn
}

fn answered(seed: u64, model_id: &str, turn: Turn) -> Answer {
    let model = model::resolve(model_id).unwrap();
    let division = PromptCache::new(Speed::Max).charge(model, &turn, None);
    Answer::compose(seed, STEM, model, turn, division)
}

fn with_tool(mut turn: Turn, choice: ToolChoice) -> Turn {
    let schema = r#"{"type":"object","properties":{"q":{"type":"string"}},"required":["q"]}"#;
    turn.add_tool("search".to_owned(), None, RawValue::from_string(schema.to_owned()).unwrap());
    turn.tool_choice = choice;
    turn
}

fn models() -> impl Strategy<Value = &'static str> {
    let chat = model::all()
        .iter()
        .filter(|model| families::of(model).task() == Task::Chat && model.on_demand);
    prop::sample::select(chat.map(|model| model.id.as_str()).collect::<Vec<_>>())
}

#[test]
fn the_ledger_tells_of_tool_calls_by_a_hash_of_their_arguments() {
    let turn = with_tool(asked("find it", None, &[]), ToolChoice::Any);
    let answer = answered(7, "anthropic.claude-3-haiku-20240307-v1:0", turn);
    let inputs = answer.blocks.iter().filter_map(|block| match block {
        Block::ToolUse { name, input } => Some((name.clone(), input.clone())),
        _ => None,
    });
    let expected: Vec<_> = inputs
        .map(|(name, input)| {
            let arguments = serde_json::from_str(&input).unwrap();
            let hash = crate::draw::sha256(&canonical_json(&arguments));
            ToolCall { name, arguments_sha256: Some(hash) }
        })
        .collect();
    let held = answer.held();
    assert!(!expected.is_empty());
    assert_eq!(held.tool_calls, expected);
    let texts = answer.blocks.iter().filter(|block| matches!(block, Block::Text(_))).count();
    assert_eq!(held.texts as usize, texts);
}

proptest! {
    #[test]
    fn an_answer_keeps_to_its_limits(
        seed in any::<u64>(),
        model in models(),
        text in ".{1,40}",
        max_tokens in prop::option::of(1..400_u64),
        stop_sequences in prop::collection::vec("[a-z.é ]{1,4}", 0..3),
    ) {
        let answer = answered(seed, model, asked(&text, max_tokens, &stop_sequences));
        let text = answer.text();
        let usage = answer.usage;
        prop_assert!(usage.output_tokens <= max_tokens.unwrap_or(u64::MAX));
        prop_assert_eq!(usage.total_tokens(), usage.input_tokens + usage.output_tokens);
        prop_assert!(!stop_sequences.iter().any(|sequence| text.contains(sequence)), "{}", text);
        prop_assert_eq!(usage.output_tokens, answer.model.tokens(text.chars().count() as u64).max(1));
        match &answer.stop {
            Stop::MaxTokens => prop_assert_eq!(Some(usage.output_tokens), max_tokens),
            Stop::Sequence(sequence) => prop_assert!(stop_sequences.contains(sequence)),
            Stop::EndTurn => prop_assert!(text.ends_with('.')),
            other => prop_assert!(false, "nothing asked for {other:?}"),
        }
        prop_assert_eq!(answer.marker.is_some(), text.contains(STEM) && answer.marker.as_ref().is_some_and(|marker| text.contains(marker.as_str())));
    }

    #[test]
    fn the_same_question_gets_the_same_answer_and_another_seed_another(
        seed in any::<u64>(), model in models(), text in ".{1,40}",
    ) {
        let answer = answered(seed, model, asked(&text, None, &[]));
        let again = answered(seed, model, asked(&text, None, &[]));
        prop_assert_eq!(&answer.blocks, &again.blocks);
        prop_assert_eq!(answer.usage, again.usage);
        prop_assert_eq!(answer.timing.total, again.timing.total);
        let other = answered(seed ^ 1, model, asked(&text, None, &[]));
        prop_assert_ne!(answer.blocks, other.blocks);
    }

    #[test]
    fn a_tool_is_called_when_it_must_be_and_fits(seed in any::<u64>(), max_tokens in 1..60_u64) {
        let turn = with_tool(asked("find it", Some(max_tokens), &[]), ToolChoice::Any);
        let answer = answered(seed, "amazon.nova-lite-v1:0", turn);
        prop_assert!(answer.usage.output_tokens <= max_tokens);
        let is_call = matches!(answer.blocks.last(), Some(Block::ToolUse { .. }));
        prop_assert_eq!(is_call, answer.stop == Stop::ToolUse);
        prop_assert!(is_call || max_tokens < 30);
    }
}

proptest! {
    #[test]
    fn an_answer_is_as_long_as_its_outline_says_and_ends_so(
        seed in any::<u64>(),
        model in models(),
        tokens in 60..400_u64,
        end in prop::sample::select(&[None, Some(End::OfItself), Some(End::AtSequence), Some(End::WithToolUse)]),
    ) {
        let mut turn = asked("and then?", Some(500), &["###".to_owned()]);
        if end == Some(End::WithToolUse) || seed % 2 == 0 {
            turn = with_tool(turn, ToolChoice::Auto);
        }
        turn.outline = Some(Outline { tokens, end });
        let answer = answered(seed, model, turn);
        match end {
            Some(End::OfItself) => prop_assert_eq!(&answer.stop, &Stop::EndTurn),
            Some(End::AtSequence) => prop_assert_eq!(&answer.stop, &Stop::Sequence("###".to_owned())),
            Some(End::WithToolUse) => prop_assert_eq!(&answer.stop, &Stop::ToolUse),
            None => {}
        }
        if matches!(end, Some(End::OfItself | End::AtSequence)) {
            prop_assert!(answer.usage.output_tokens.abs_diff(tokens) <= 1, "{:?}", answer.usage);
        }
    }

    #[test]
    fn an_outline_does_not_lift_the_limit_of_tokens(seed in any::<u64>(), tokens in 100..400_u64) {
        let mut turn = asked("and then?", Some(80), &[]);
        turn.outline = Some(Outline { tokens, end: Some(End::OfItself) });
        let answer = answered(seed, "amazon.nova-lite-v1:0", turn);
        prop_assert_eq!((answer.usage.output_tokens, answer.stop), (80, Stop::MaxTokens));
    }
}

#[test]
fn stop_reasons_vary_with_the_request() {
    let mut sequences = 0;
    let mut calls = 0;
    for n in 0..300 {
        let text = format!("question {n}");
        let answer = answered(1, "amazon.nova-lite-v1:0", asked(&text, None, &["###".to_owned()]));
        sequences += usize::from(matches!(answer.stop, Stop::Sequence(_)));
        let turn = with_tool(asked(&text, None, &[]), ToolChoice::Auto);
        calls += usize::from(answered(1, "amazon.nova-lite-v1:0", turn).stop == Stop::ToolUse);
    }
    assert!((70..130).contains(&sequences), "about a third: {sequences}");
    assert!((120..180).contains(&calls), "about a half: {calls}");
}

#[test]
fn lengths_spread_around_the_median() {
    let mut lengths: Vec<u64> = (0..301)
        .map(|n| {
            answered(1, "amazon.nova-lite-v1:0", asked(&n.to_string(), None, &[]))
                .usage
                .output_tokens
        })
        .collect();
    lengths.sort_unstable();
    assert!((110..160).contains(&lengths[150]), "{}", lengths[150]);
    assert!(lengths[30] < 80 && lengths[270] > 200, "{} {}", lengths[30], lengths[270]);
}

#[test]
fn vectors_have_the_length_and_norm_asked_for() {
    use crate::turn::{Embedding, Wanted};
    let mut turn = asked("hello", None, &[]);
    let embedding = Embedding { dimensions: 256, normalized: true, by_type: true };
    turn.passages = vec!["hello".to_owned()];
    turn.wanted = Wanted::Vectors(embedding);
    let answer = answered(1, "amazon.titan-embed-text-v2:0", turn);
    let [Block::Vector { values, .. }] = answer.blocks.as_slice() else { panic!("one vector") };
    assert_eq!(values.len(), 256);
    let norm = values.iter().map(|value| value * value).sum::<f32>().sqrt();
    assert!((norm - 1.0).abs() < 1e-4);
    assert_eq!(answer.usage.output_tokens, 0);
}
