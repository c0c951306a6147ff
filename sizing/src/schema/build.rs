//! Putting a schema together, leaf by leaf in the order of the file.

use std::sync::Arc;

use parquet::basic::{LogicalType, Repetition, Type as Physical};
use parquet::errors::ParquetError;
use parquet::schema::types::{Type, TypePtr};

use super::{Encoding, Leaf, LeafId};
use crate::BlockEncoding;
use crate::compress::Codec;

type Built = Result<TypePtr, ParquetError>;

/// Takes note of leaves while their types are made.
pub(super) struct Builder {
    pub(super) encoding: BlockEncoding,
    pub(super) leaves: Vec<Leaf>,
}

/// What a leaf holds, with the encoding and codec that such leaves have.
#[derive(Clone, Copy)]
pub(super) enum Holds {
    /// Text of which much comes again.
    Words,
    /// The same, uncompressed.
    BareWords,
    /// Text that is mostly empty or unlike any other.
    Text,
    /// The same, uncompressed.
    BareText,
    /// Ids.
    Id,
    /// Text of a dedicated column that is a blob.
    Blob,
    /// Numbers of 32 bits, signed or not, near to one another.
    Int32 { is_signed: bool },
    /// Numbers of 32 bits of which most are zero.
    Dropped,
    /// The same, without differences.
    PlainDropped,
    /// Numbers of 64 bits, near to one another.
    Int64 { is_signed: bool },
    /// Numbers of attributes.
    Number,
    /// The same.
    Fraction,
    /// The same.
    Flag,
}

impl Builder {
    pub(super) fn new(encoding: BlockEncoding) -> Self {
        Builder { encoding, leaves: Vec::new() }
    }

    /// A leaf with its place.
    pub(super) fn leaf(
        &mut self,
        name: &str,
        repetition: Repetition,
        holds: Holds,
    ) -> Result<(TypePtr, LeafId), ParquetError> {
        let (physical, encoding, codec, logical) = holds.written();
        let built = Type::primitive_type_builder(name, physical)
            .with_repetition(repetition)
            .with_logical_type(logical)
            .build()?;
        let id = self.leaves.len();
        let has_bounds = !matches!(holds, Holds::Blob);
        self.leaves.push(Leaf { physical, encoding, codec, has_bounds });
        Ok((Arc::new(built), id))
    }

    /// Any number of values of one leaf.
    pub(super) fn leaves(
        &mut self,
        name: &str,
        holds: Holds,
    ) -> Result<(TypePtr, LeafId), ParquetError> {
        match self.encoding {
            BlockEncoding::VParquet5 => self.leaf(name, Repetition::REPEATED, holds),
            BlockEncoding::VParquet4 => {
                let (element, id) = self.leaf("element", Repetition::REQUIRED, holds)?;
                Ok((wrapped(name, element)?, id))
            }
        }
    }

    /// Any number of groups of `fields`.
    pub(super) fn groups(&self, name: &str, fields: Vec<TypePtr>) -> Built {
        match self.encoding {
            BlockEncoding::VParquet5 => group(name, Repetition::REPEATED, fields),
            BlockEncoding::VParquet4 => {
                wrapped(name, group("element", Repetition::REQUIRED, fields)?)
            }
        }
    }
}

/// A list as the format's specification has it, with two levels around its elements.
fn wrapped(name: &str, element: TypePtr) -> Built {
    let list = group("list", Repetition::REPEATED, vec![element])?;
    let built = Type::group_type_builder(name)
        .with_repetition(Repetition::REQUIRED)
        .with_logical_type(Some(LogicalType::List))
        .with_fields(vec![list])
        .build()?;
    Ok(Arc::new(built))
}

/// A map as the format's specification has it.
pub(super) fn map(name: &str, key: TypePtr, value: TypePtr) -> Built {
    let entries = group("key_value", Repetition::REPEATED, vec![key, value])?;
    let built = Type::group_type_builder(name)
        .with_repetition(Repetition::REQUIRED)
        .with_logical_type(Some(LogicalType::Map))
        .with_fields(vec![entries])
        .build()?;
    Ok(Arc::new(built))
}

pub(super) fn group(name: &str, repetition: Repetition, fields: Vec<TypePtr>) -> Built {
    let built =
        Type::group_type_builder(name).with_repetition(repetition).with_fields(fields).build()?;
    Ok(Arc::new(built))
}

impl Holds {
    fn written(self) -> (Physical, Encoding, Codec, Option<LogicalType>) {
        use Codec::{Snappy, Uncompressed, Zstd};
        use Encoding::{Delta, Dictionary, Plain};
        use Physical::{BOOLEAN, BYTE_ARRAY, DOUBLE, INT32, INT64};
        let text = Some(LogicalType::String);
        let int = |bit_width, is_signed| Some(LogicalType::integer(bit_width, is_signed));
        match self {
            Holds::Words => (BYTE_ARRAY, Dictionary, Snappy, text),
            Holds::BareWords => (BYTE_ARRAY, Dictionary, Uncompressed, text),
            Holds::Text => (BYTE_ARRAY, Delta, Snappy, text),
            Holds::BareText => (BYTE_ARRAY, Delta, Uncompressed, text),
            Holds::Id => (BYTE_ARRAY, Delta, Uncompressed, None),
            Holds::Blob => (BYTE_ARRAY, Plain, Zstd, text),
            Holds::Int32 { is_signed } => (INT32, Delta, Uncompressed, int(32, is_signed)),
            Holds::Dropped => (INT32, Delta, Snappy, int(32, true)),
            Holds::PlainDropped => (INT32, Plain, Snappy, int(32, true)),
            Holds::Int64 { is_signed } => (INT64, Delta, Uncompressed, int(64, is_signed)),
            Holds::Number => (INT64, Plain, Snappy, int(64, true)),
            Holds::Fraction => (DOUBLE, Plain, Snappy, None),
            Holds::Flag => (BOOLEAN, Plain, Snappy, None),
        }
    }
}
