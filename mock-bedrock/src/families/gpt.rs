//! OpenAI's GPT-5.6: the body of chat completions. It does not show what it reasoned.
//!
//! That it is served through profiles alone, its window, and that it takes Converse, are in its model
//! card; that its streams count the prompt cache is in maximhq/bifrost#6942. What else the catalogue
//! says of it is assumed: the shortest prefix that is cached is that of OpenAI's own API, the words of
//! Converse's `toolChoice` are taken for all there are, and its native bytes for OpenAI's.

use crate::openai::ChatFamily;

/// `openai.gpt-5.6-*`
pub(crate) const GPT: ChatFamily = ChatFamily::named("gpt");
