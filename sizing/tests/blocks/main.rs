//! Blocks are what Tempo's are, and read back.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod compaction;
mod forecast;
mod limits;
mod made;
mod read_back;
mod real;
