//! Native bodies that hold one prompt and its parameters.

use serde_json::Value;
use spanproof_schemas::ledger::Parameters;

use crate::turn::Turn;

/// What a family calls the members of its body. A name that no body has, such as an empty one, is
/// for a parameter that the family does not know.
pub(crate) struct Names {
    pub(crate) prompt: &'static str,
    pub(crate) max_tokens: &'static str,
    pub(crate) temperature: &'static str,
    pub(crate) top_p: &'static str,
    pub(crate) top_k: &'static str,
    pub(crate) stop_sequences: &'static str,
}

/// The turn of a checked body of one prompt, whose parameters stand beside it.
pub(crate) fn turn(body: &Value, names: &Names) -> Turn {
    let mut turn = Turn::new();
    turn.begin_message("user");
    turn.add_text(body[names.prompt].as_str().unwrap_or_default());
    turn.parameters = parameters(body, names);
    turn
}

/// The parameters that stand in `body`.
pub(crate) fn parameters(body: &Value, names: &Names) -> Parameters {
    Parameters {
        max_tokens: body[names.max_tokens].as_u64(),
        temperature: body[names.temperature].as_f64(),
        top_p: body[names.top_p].as_f64(),
        top_k: body[names.top_k].as_f64(),
        stop_sequences: texts(&body[names.stop_sequences]),
        guardrail_id: None,
    }
}

/// A text, or a list of texts, without the empty ones: nothing can end with them.
pub(crate) fn texts(value: &Value) -> Vec<String> {
    let list = match value {
        Value::String(text) => {
            return vec![text.clone()].into_iter().filter(|t| !t.is_empty()).collect();
        }
        Value::Array(list) => list.as_slice(),
        _ => &[],
    };
    let texts = list.iter().filter_map(Value::as_str).filter(|text| !text.is_empty());
    texts.map(ToOwned::to_owned).collect()
}
