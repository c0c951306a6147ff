//! The languages that client programs are written in.

use serde::{Deserialize, Serialize};

/// What a client is written in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Language {
    /// Python, its packages installed by pip.
    Python,
    /// JavaScript on Node.js, its packages installed by npm.
    Node,
    /// Java, built with its dependencies by Maven.
    Java,
    /// Go, built by its own tool.
    Go,
}

impl Language {
    /// The name that people use.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Language::Python => "Python",
            Language::Node => "JavaScript",
            Language::Java => "Java",
            Language::Go => "Go",
        }
    }

    /// What its folders are called, below `clients/` and below `.spanproof/`.
    #[must_use]
    pub fn folder(self) -> &'static str {
        match self {
            Language::Python => "python",
            Language::Node => "node",
            Language::Java => "java",
            Language::Go => "go",
        }
    }
}
