//! The verbs of spanproof for this workspace, and its developers' own.
fn main() {}
