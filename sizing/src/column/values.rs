//! The values of one page that are there.

use super::bounds::Bounds;
use super::dictionary::Dictionary;
use crate::encode;
use crate::schema::Encoding;

/// Values of one physical type, or their places in a dictionary.
pub(super) enum Values {
    Bytes { bytes: Vec<u8>, ends: Vec<usize> },
    Indexes(Vec<u32>),
    Bools(Vec<bool>),
    Ints32(Vec<i32>),
    Ints64(Vec<i64>),
    Doubles(Vec<f64>),
}

impl Values {
    pub(super) fn bytes() -> Values {
        Values::Bytes { bytes: Vec::new(), ends: Vec::new() }
    }

    pub(super) fn push_bytes(&mut self, value: &[u8]) {
        if let Values::Bytes { bytes, ends } = self {
            bytes.extend_from_slice(value);
            ends.push(bytes.len());
        }
    }

    pub(super) fn count(&self) -> usize {
        match self {
            Values::Bytes { ends, .. } => ends.len(),
            Values::Indexes(values) => values.len(),
            Values::Bools(values) => values.len(),
            Values::Ints32(values) => values.len(),
            Values::Ints64(values) => values.len(),
            Values::Doubles(values) => values.len(),
        }
    }

    /// What parquet-go counts them for when it decides whether a page is full.
    pub(super) fn memory_bytes(&self) -> usize {
        match self {
            Values::Bytes { bytes, ends } => bytes.len() + 4 * ends.len(),
            Values::Indexes(_) | Values::Ints32(_) => 4 * self.count(),
            Values::Bools(values) => values.len().div_ceil(8),
            Values::Ints64(_) | Values::Doubles(_) => 8 * self.count(),
        }
    }

    /// How many bytes of text there are, for the footer; dictionaries do not count.
    pub(super) fn byte_array_bytes(&self) -> usize {
        match self {
            Values::Bytes { bytes, .. } => bytes.len(),
            _ => 0,
        }
    }

    pub(super) fn clear(&mut self) {
        match self {
            Values::Bytes { bytes, ends } => {
                bytes.clear();
                ends.clear();
            }
            Values::Indexes(values) => values.clear(),
            Values::Bools(values) => values.clear(),
            Values::Ints32(values) => values.clear(),
            Values::Ints64(values) => values.clear(),
            Values::Doubles(values) => values.clear(),
        }
    }

    pub(super) fn encoded(&self, encoding: Encoding) -> Vec<u8> {
        match (self, encoding) {
            (Values::Bytes { bytes, ends }, Encoding::Delta) => {
                encode::delta_lengths(parts(bytes, ends))
            }
            (Values::Bytes { bytes, ends }, _) => {
                let mut output = Vec::with_capacity(bytes.len() + 4 * ends.len());
                parts(bytes, ends).for_each(|value| put_plain(&mut output, value));
                output
            }
            (Values::Indexes(indexes), _) => encode::indexes(indexes),
            (Values::Bools(values), _) => encode::flags(values),
            (Values::Ints32(values), Encoding::Delta) => encode::delta_i32(values),
            (Values::Ints32(values), _) => {
                values.iter().flat_map(|value| value.to_le_bytes()).collect()
            }
            (Values::Ints64(values), Encoding::Delta) => encode::delta_i64(values),
            (Values::Ints64(values), _) => {
                values.iter().flat_map(|value| value.to_le_bytes()).collect()
            }
            (Values::Doubles(values), _) => {
                values.iter().flat_map(|value| value.to_le_bytes()).collect()
            }
        }
    }

    /// The least and the greatest, if there are any.
    pub(super) fn bounds(&self, dictionary: Option<&Dictionary>) -> Option<Bounds> {
        match self {
            Values::Bytes { bytes, ends } => Bounds::of_bytes(parts(bytes, ends)),
            Values::Indexes(indexes) => {
                let dictionary = dictionary?;
                let mut distinct = indexes.clone();
                distinct.sort_unstable();
                distinct.dedup();
                Bounds::of_bytes(distinct.iter().map(|index| dictionary.get(*index)))
            }
            Values::Bools(values) => {
                let least = values.iter().min()?;
                let greatest = values.iter().max()?;
                Some(Bounds::Bool(*least, *greatest))
            }
            Values::Ints32(values) => {
                Some(Bounds::Int32(*values.iter().min()?, *values.iter().max()?))
            }
            Values::Ints64(values) => {
                Some(Bounds::Int64(*values.iter().min()?, *values.iter().max()?))
            }
            Values::Doubles(values) => {
                let least = values.iter().copied().reduce(f64::min)?;
                let greatest = values.iter().copied().reduce(f64::max)?;
                Some(Bounds::Double(least, greatest))
            }
        }
    }
}

fn parts<'a>(bytes: &'a [u8], ends: &'a [usize]) -> impl Iterator<Item = &'a [u8]> + Clone {
    let begins = std::iter::once(&0).chain(ends);
    begins.zip(ends).map(|(begin, end)| &bytes[*begin..*end])
}

/// A value behind its length.
pub(super) fn put_plain(output: &mut Vec<u8>, value: &[u8]) {
    output.extend_from_slice(&u32::try_from(value.len()).unwrap_or(u32::MAX).to_le_bytes());
    output.extend_from_slice(value);
}
