//! Every registry beside this file, as `cargo xtask dev semconv import` wrote them.

/// `(version, registry file)`, oldest first.
pub(super) const FILES: &[(&str, &str)] = &[
    ("1.28.0", include_str!("1.28.0.json")),
    ("1.30.0", include_str!("1.30.0.json")),
    ("1.34.0", include_str!("1.34.0.json")),
    ("1.36.0", include_str!("1.36.0.json")),
    ("1.37.0", include_str!("1.37.0.json")),
    ("1.38.0", include_str!("1.38.0.json")),
    ("1.39.0", include_str!("1.39.0.json")),
    ("1.40.0", include_str!("1.40.0.json")),
    ("1.41.1", include_str!("1.41.1.json")),
    ("genai-dev", include_str!("genai-dev.json")),
];
