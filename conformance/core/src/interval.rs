//! Stretches of time, asked together.

use spanproof_schemas::time::UnixNanos;

/// Stretches of time by their start, each with the latest end up to it.
#[derive(Debug, Default)]
pub(crate) struct Intervals(Vec<(UnixNanos, UnixNanos)>);

impl Intervals {
    /// Whether one of them may have a moment of a stretch of time; one that has none is not always
    /// told, but always one that has.
    pub(crate) fn may_overlap(&self, start: UnixNanos, end: UnixNanos) -> bool {
        let begun = self.0.partition_point(|(begun, _)| *begun <= end);
        begun > 0 && self.0[begun - 1].1 >= start
    }
}

impl FromIterator<(UnixNanos, UnixNanos)> for Intervals {
    fn from_iter<I: IntoIterator<Item = (UnixNanos, UnixNanos)>>(all: I) -> Intervals {
        let mut all: Vec<_> = all.into_iter().collect();
        all.sort_unstable();
        let mut latest = 0;
        for (_, end) in &mut all {
            latest = latest.max(*end);
            *end = latest;
        }
        Intervals(all)
    }
}
