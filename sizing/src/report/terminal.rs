//! Text from telemetry, made harmless for a terminal.

/// `text` without what a terminal obeys, on one line.
pub(super) fn plain(text: &str) -> String {
    text.chars()
        .map(|character| if character.is_control() { '\u{fffd}' } else { character })
        .collect()
}
