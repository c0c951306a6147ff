//! What native bodies of several families have in common: the schemas that refuse them in the
//! service's words, prompts with their parameters, and OpenAI's chat bodies.

pub(crate) mod prompt;
pub(crate) mod schema;
