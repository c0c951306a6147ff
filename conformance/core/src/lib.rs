//! Judges GenAI telemetry against the semantic conventions and the ledger; pure, without IO
