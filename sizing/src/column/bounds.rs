//! The least and the greatest value of a page or a column.

use parquet::data_type::ByteArray;
use parquet::file::statistics::{Statistics, ValueStatistics};

/// In indexes, bounds of text are cut to as many bytes.
const INDEX_BYTES: usize = 16;

/// The least and the greatest value.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Bounds {
    Bytes(Vec<u8>, Vec<u8>),
    Bool(bool, bool),
    Int32(i32, i32),
    Int64(i64, i64),
    Double(f64, f64),
}

impl Bounds {
    pub(super) fn of_bytes<'a>(values: impl Iterator<Item = &'a [u8]>) -> Option<Bounds> {
        let mut bounds: Option<(&[u8], &[u8])> = None;
        for value in values {
            let (least, greatest) = bounds.get_or_insert((value, value));
            if value < *least {
                *least = value;
            } else if value > *greatest {
                *greatest = value;
            }
        }
        bounds.map(|(least, greatest)| Bounds::Bytes(least.to_vec(), greatest.to_vec()))
    }

    /// Those of both.
    pub(super) fn merged(self, other: Bounds) -> Bounds {
        match (self, other) {
            (Bounds::Bytes(l1, g1), Bounds::Bytes(l2, g2)) => Bounds::Bytes(l1.min(l2), g1.max(g2)),
            (Bounds::Bool(l1, g1), Bounds::Bool(l2, g2)) => Bounds::Bool(l1 & l2, g1 | g2),
            (Bounds::Int32(l1, g1), Bounds::Int32(l2, g2)) => Bounds::Int32(l1.min(l2), g1.max(g2)),
            (Bounds::Int64(l1, g1), Bounds::Int64(l2, g2)) => Bounds::Int64(l1.min(l2), g1.max(g2)),
            (Bounds::Double(l1, g1), Bounds::Double(l2, g2)) => {
                Bounds::Double(l1.min(l2), g1.max(g2))
            }
            // The values of a column are of one type.
            (bounds, _) => bounds,
        }
    }

    /// As they stand in page headers: whole, however long.
    pub(super) fn encoded(&self) -> (Vec<u8>, Vec<u8>) {
        match self {
            Bounds::Bytes(least, greatest) => (least.clone(), greatest.clone()),
            Bounds::Bool(least, greatest) => (vec![u8::from(*least)], vec![u8::from(*greatest)]),
            Bounds::Int32(least, greatest) => {
                (least.to_le_bytes().to_vec(), greatest.to_le_bytes().to_vec())
            }
            Bounds::Int64(least, greatest) => {
                (least.to_le_bytes().to_vec(), greatest.to_le_bytes().to_vec())
            }
            Bounds::Double(least, greatest) => {
                (least.to_le_bytes().to_vec(), greatest.to_le_bytes().to_vec())
            }
        }
    }

    /// As they stand in the index of a column.
    pub(super) fn indexed(&self) -> (Vec<u8>, Vec<u8>) {
        let (mut least, mut greatest) = self.encoded();
        if let Bounds::Bytes(..) = self {
            least.truncate(INDEX_BYTES);
            if greatest.len() > INDEX_BYTES {
                greatest.truncate(INDEX_BYTES);
                // Greater than whatever was cut off.
                while let Some(last) = greatest.pop() {
                    if last < u8::MAX {
                        greatest.push(last + 1);
                        break;
                    }
                }
            }
        }
        (least, greatest)
    }

    /// As they stand in the footer.
    pub(super) fn statistics(self, nulls: u64) -> Statistics {
        match self {
            Bounds::Bytes(least, greatest) => {
                let [least, greatest] = [least, greatest].map(|value| Some(ByteArray::from(value)));
                Statistics::ByteArray(ValueStatistics::new(
                    least,
                    greatest,
                    None,
                    Some(nulls),
                    false,
                ))
            }
            Bounds::Bool(l, g) => Statistics::boolean(Some(l), Some(g), None, Some(nulls), false),
            Bounds::Int32(l, g) => Statistics::int32(Some(l), Some(g), None, Some(nulls), false),
            Bounds::Int64(l, g) => Statistics::int64(Some(l), Some(g), None, Some(nulls), false),
            Bounds::Double(l, g) => Statistics::double(Some(l), Some(g), None, Some(nulls), false),
        }
    }
}

/// What the footer says of a column without values.
pub(super) fn no_bounds(physical: parquet::basic::Type, nulls: u64) -> Statistics {
    use parquet::basic::Type;
    match physical {
        Type::BOOLEAN => Statistics::boolean(None, None, None, Some(nulls), false),
        Type::INT32 => Statistics::int32(None, None, None, Some(nulls), false),
        Type::INT64 => Statistics::int64(None, None, None, Some(nulls), false),
        Type::DOUBLE => Statistics::double(None, None, None, Some(nulls), false),
        _ => Statistics::byte_array(None, None, None, Some(nulls), false),
    }
}
