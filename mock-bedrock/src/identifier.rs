//! Identifiers in answers, in the shapes that the service gives them.

use rand::RngExt;
use rand_chacha::ChaCha8Rng;

use crate::answer::Answer;
use crate::draw::{self, Purpose};

const ALPHANUMERIC: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// The id of the tool's use in block number `block` on the Converse operations.
pub(crate) fn converse_tool_use(answer: &Answer, block: usize) -> String {
    drawn("tooluse_", &mut draws(answer, block as u64))
}

/// The id of a tool's use in a native Claude body.
pub(crate) fn claude_tool_use(answer: &Answer, block: usize) -> String {
    drawn("toolu_bdrk_01", &mut draws(answer, block as u64))
}

/// The id of the use of a tool that runs beside Claude.
pub(crate) fn claude_server_tool_use(answer: &Answer, block: usize) -> String {
    drawn("srvtoolu_bdrk_01", &mut draws(answer, block as u64))
}

/// The id of a tool's call in a chat completion.
pub(crate) fn openai_tool_call(answer: &Answer, block: usize) -> String {
    drawn("call_", &mut draws(answer, block as u64))
}

/// The id of a native Claude message.
pub(crate) fn claude_message(answer: &Answer) -> String {
    drawn("msg_bdrk_01", &mut draws(answer, u64::MAX))
}

/// The id of a tool's use in a native Nova body.
pub(crate) fn nova_tool_use(answer: &Answer, block: usize) -> String {
    draw::uuid(answer.key, block as u64)
}

fn draws(answer: &Answer, number: u64) -> ChaCha8Rng {
    draw::generator(answer.key.wrapping_add(number), Purpose::Identifiers)
}

fn drawn(prefix: &str, draws: &mut ChaCha8Rng) -> String {
    let mut id = String::with_capacity(prefix.len() + 22);
    id.push_str(prefix);
    for _ in 0..22 {
        id.push(char::from(ALPHANUMERIC[draws.random_range(0..62_usize)]));
    }
    id
}
