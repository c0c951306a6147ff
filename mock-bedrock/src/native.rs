//! What native bodies of several families have in common: the schemas that refuse them in the
//! service's words, and prompts with their parameters.

pub(crate) mod parameter_definitions;
pub(crate) mod prompt;
pub(crate) mod schema;
