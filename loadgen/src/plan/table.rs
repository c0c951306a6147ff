//! A plan as a table: a file of Parquet, with a column for each member of its lines.

use std::borrow::Cow;
use std::io;
use std::sync::Arc;

use parquet::basic::{LogicalType, Repetition, Type as Physical};
use parquet::data_type::{ByteArray, ByteArrayType, DoubleType, Int64Type};
use parquet::errors::ParquetError;
use parquet::file::properties::WriterProperties;
use parquet::file::writer::{SerializedColumnWriter, SerializedFileWriter};
use parquet::schema::types::{Type, TypePtr};

use super::line::Line;

/// A member of a line.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Cell<'a> {
    Int(Option<i64>),
    Double(Option<f64>),
    Text(Option<Cow<'a, str>>),
    Texts(Option<&'a [String]>),
}

/// Writes calls as rows.
pub(super) struct Table<W: io::Write + Send> {
    file: SerializedFileWriter<W>,
    columns: Vec<Column>,
    rows: usize,
    rows_of_group: usize,
}

/// The values of a column that are not written yet, and the levels that say where there are some.
struct Column {
    values: Values,
    definitions: Vec<i16>,
    repetitions: Vec<i16>,
}

enum Values {
    Ints(Vec<i64>),
    Doubles(Vec<f64>),
    Texts(Vec<ByteArray>),
}

impl<W: io::Write + Send> Table<W> {
    /// A table that is written so many rows at a time.
    pub(super) fn new(out: W, rows_of_group: usize) -> Result<Self, ParquetError> {
        let (fields, columns) = Line::COLUMNS
            .iter()
            .map(|(name, kind)| Ok((field(name, *kind)?, Column::new(*kind))))
            .collect::<Result<Vec<_>, ParquetError>>()?
            .into_iter()
            .unzip();
        let schema = Type::group_type_builder("plan").with_fields(fields).build()?;
        let properties = Arc::new(WriterProperties::builder().build());
        let file = SerializedFileWriter::new(out, Arc::new(schema), properties)?;
        Ok(Table { file, columns, rows: 0, rows_of_group })
    }

    pub(super) fn add(&mut self, line: &Line<'_>) -> Result<(), ParquetError> {
        for (column, cell) in self.columns.iter_mut().zip(line.cells()) {
            column.add(&cell);
        }
        self.rows += 1;
        if self.rows == self.rows_of_group { self.write_group() } else { Ok(()) }
    }

    /// Writes what is left, and the end of the file.
    pub(super) fn finish(mut self) -> Result<(), ParquetError> {
        if self.rows > 0 {
            self.write_group()?;
        }
        self.file.close()?;
        Ok(())
    }

    fn write_group(&mut self) -> Result<(), ParquetError> {
        self.rows = 0;
        let mut group = self.file.next_row_group()?;
        for column in &mut self.columns {
            let Some(mut writer) = group.next_column()? else { break };
            column.write(&mut writer)?;
            writer.close()?;
        }
        group.close()?;
        Ok(())
    }
}

/// What a column holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Int,
    Double,
    Text,
    Texts,
}

/// The schema of a column. Members may be missing; a list has the three levels that the format asks for.
fn field(name: &str, kind: Kind) -> Result<TypePtr, ParquetError> {
    let primitive = |name: &str, physical, repetition| {
        let text = (physical == Physical::BYTE_ARRAY).then_some(LogicalType::String);
        Type::primitive_type_builder(name, physical)
            .with_repetition(repetition)
            .with_logical_type(text)
            .build()
            .map(Arc::new)
    };
    let group = |name: &str, repetition, logical, field| {
        Type::group_type_builder(name)
            .with_repetition(repetition)
            .with_logical_type(logical)
            .with_fields(vec![field])
            .build()
            .map(Arc::new)
    };
    let physical = match kind {
        Kind::Int => Physical::INT64,
        Kind::Double => Physical::DOUBLE,
        Kind::Text | Kind::Texts => Physical::BYTE_ARRAY,
    };
    if kind != Kind::Texts {
        return primitive(name, physical, Repetition::OPTIONAL);
    }
    let element = primitive("element", physical, Repetition::REQUIRED)?;
    let list = group("list", Repetition::REPEATED, None, element)?;
    group(name, Repetition::OPTIONAL, Some(LogicalType::List), list)
}

impl Column {
    fn new(kind: Kind) -> Column {
        let values = match kind {
            Kind::Int => Values::Ints(Vec::new()),
            Kind::Double => Values::Doubles(Vec::new()),
            Kind::Text | Kind::Texts => Values::Texts(Vec::new()),
        };
        Column { values, definitions: Vec::new(), repetitions: Vec::new() }
    }

    fn add(&mut self, cell: &Cell<'_>) {
        match (&mut self.values, cell) {
            (Values::Ints(values), Cell::Int(value)) => {
                self.definitions.push(i16::from(value.is_some()));
                values.extend(value);
            }
            (Values::Doubles(values), Cell::Double(value)) => {
                self.definitions.push(i16::from(value.is_some()));
                values.extend(value);
            }
            (Values::Texts(values), Cell::Text(value)) => {
                self.definitions.push(i16::from(value.is_some()));
                values.extend(value.as_deref().map(ByteArray::from));
            }
            (Values::Texts(values), Cell::Texts(texts)) => {
                let texts = texts.unwrap_or_default();
                // Lists are never empty: a call that names no sequences has none.
                for (index, text) in texts.iter().enumerate() {
                    self.definitions.push(2);
                    self.repetitions.push(i16::from(index > 0));
                    values.push(ByteArray::from(text.as_str()));
                }
                if texts.is_empty() {
                    self.definitions.push(0);
                    self.repetitions.push(0);
                }
            }
            // Columns and cells are of the same list.
            _ => debug_assert!(false, "{cell:?} is of another column"),
        }
    }

    fn write(&mut self, writer: &mut SerializedColumnWriter<'_>) -> Result<(), ParquetError> {
        let definitions = Some(self.definitions.as_slice());
        let repetitions = Some(self.repetitions.as_slice()).filter(|levels| !levels.is_empty());
        match &mut self.values {
            Values::Ints(values) => {
                writer.typed::<Int64Type>().write_batch(values, definitions, repetitions)?;
                values.clear();
            }
            Values::Doubles(values) => {
                writer.typed::<DoubleType>().write_batch(values, definitions, repetitions)?;
                values.clear();
            }
            Values::Texts(values) => {
                writer.typed::<ByteArrayType>().write_batch(values, definitions, repetitions)?;
                values.clear();
            }
        }
        self.definitions.clear();
        self.repetitions.clear();
        Ok(())
    }
}
