//! The distinct values of a column, in the order in which they came.

use std::hash::{BuildHasher as _, RandomState};

use hashbrown::HashTable;

/// Distinct byte strings and the places of them.
///
/// There is no limit to it but memory: parquet-go gives a dictionary up at 1 GiB only, so that all
/// prompts of a row group stand in one.
#[derive(Default)]
pub(super) struct Dictionary {
    bytes: Vec<u8>,
    /// Where each value ends.
    ends: Vec<usize>,
    places: HashTable<u32>,
    /// Seeded: whoever writes the telemetry cannot make values collide.
    hasher: RandomState,
}

impl Dictionary {
    pub(super) fn len(&self) -> usize {
        self.ends.len()
    }

    /// The place of `value`, which is added unless it is there.
    pub(super) fn index(&mut self, value: &[u8]) -> u32 {
        let Dictionary { bytes, ends, places, hasher } = self;
        let hash = hasher.hash_one(value);
        if let Some(index) = places.find(hash, |index| at(bytes, ends, *index) == value) {
            return *index;
        }
        let index = u32::try_from(ends.len()).unwrap_or(u32::MAX);
        bytes.extend_from_slice(value);
        ends.push(bytes.len());
        places.insert_unique(hash, index, |index| hasher.hash_one(at(bytes, ends, *index)));
        index
    }

    pub(super) fn get(&self, index: u32) -> &[u8] {
        at(&self.bytes, &self.ends, index)
    }

    /// The page of it: each value behind its length.
    pub(super) fn encoded(&self) -> Vec<u8> {
        let mut output = Vec::with_capacity(self.bytes.len() + 4 * self.ends.len());
        let mut begin = 0;
        for end in &self.ends {
            super::values::put_plain(&mut output, &self.bytes[begin..*end]);
            begin = *end;
        }
        output
    }
}

fn at<'a>(bytes: &'a [u8], ends: &[usize], index: u32) -> &'a [u8] {
    let index = index as usize;
    let begin = index.checked_sub(1).map_or(0, |before| ends[before]);
    &bytes[begin..ends[index]]
}
