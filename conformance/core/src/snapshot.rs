//! How the telemetry of a run differs from the snapshot that was kept of an earlier one.

/// What became of a comparison with a snapshot.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Snapshot {
    /// The file that holds it, as the user named it.
    pub path: String,
    /// Whether there is no such file.
    pub is_missing: bool,
    /// Where the telemetry differs from it, in order.
    pub changes: Vec<Change>,
}

/// Lines of this run in the place of lines of the snapshot.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Change {
    /// The first line in the snapshot, from 1.
    pub line: usize,
    /// The lines of the snapshot.
    pub before: Vec<String>,
    /// The lines of this run.
    pub after: Vec<String>,
}
