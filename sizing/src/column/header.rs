//! Page headers, in Thrift's compact protocol.
//!
//! The `parquet` crate writes headers too, but not least and greatest value four times over, which is
//! what makes columns of long values large.

use super::bounds::Bounds;
use crate::encode::{put_varint, put_zigzag, signed};

/// Numbers of encodings in the format.
pub(super) const PLAIN: i64 = 0;
pub(super) const DELTA_BINARY_PACKED: i64 = 5;
pub(super) const DELTA_LENGTH_BYTE_ARRAY: i64 = 6;
pub(super) const RLE_DICTIONARY: i64 = 8;

/// What the header of a data page says.
pub(super) struct DataPageHeader<'a> {
    pub(super) sizes: Sizes,
    pub(super) count: usize,
    pub(super) nulls: usize,
    pub(super) rows: usize,
    pub(super) encoding: i64,
    pub(super) definition_bytes: usize,
    pub(super) repetition_bytes: usize,
    pub(super) is_compressed: bool,
    pub(super) bounds: Option<&'a Bounds>,
}

/// What the header of any page says.
#[derive(Clone, Copy)]
pub(super) struct Sizes {
    pub(super) uncompressed: usize,
    pub(super) compressed: usize,
    pub(super) crc: u32,
}

impl DataPageHeader<'_> {
    /// The header of a data page of version 2.
    pub(super) fn encoded(&self) -> Vec<u8> {
        let mut page = Struct::default();
        self.sizes.put(&mut page, 3);
        page.begin(8);
        for (field, value) in [(1, self.count), (2, self.nulls), (3, self.rows)] {
            page.number(field, signed(value));
        }
        page.number(4, self.encoding);
        page.number(5, signed(self.definition_bytes));
        page.number(6, signed(self.repetition_bytes));
        page.flag(7, self.is_compressed);
        page.begin(8);
        // Without text in the greatest value, there is none in either.
        let bounds = self.bounds.map(Bounds::encoded).filter(|(_, greatest)| !greatest.is_empty());
        if let Some((least, greatest)) = &bounds {
            page.bytes(1, greatest);
            page.bytes(2, least);
        }
        page.long(3, signed(self.nulls));
        if let Some((least, greatest)) = &bounds {
            page.bytes(5, greatest);
            page.bytes(6, least);
        }
        page.end();
        page.end();
        page.end();
        page.output
    }
}

/// The header of a dictionary page with `count` values.
pub(super) fn dictionary_header(sizes: Sizes, count: usize) -> Vec<u8> {
    let mut page = Struct::default();
    sizes.put(&mut page, 2);
    page.begin(7);
    page.number(1, signed(count));
    page.number(2, PLAIN);
    page.end();
    page.end();
    page.output
}

impl Sizes {
    fn put(self, page: &mut Struct, page_type: i64) {
        page.number(1, page_type);
        page.number(2, signed(self.uncompressed));
        page.number(3, signed(self.compressed));
        page.number(4, i64::from(self.crc.cast_signed()));
    }
}

/// Fields of a structure, and of those within it, in ascending order.
#[derive(Default)]
struct Struct {
    output: Vec<u8>,
    last: u8,
    outer: Vec<u8>,
}

impl Struct {
    fn field(&mut self, field: u8, kind: u8) {
        self.output.push((field - self.last) << 4 | kind);
        self.last = field;
    }

    fn number(&mut self, field: u8, value: i64) {
        self.field(field, 5);
        put_zigzag(&mut self.output, value);
    }

    fn long(&mut self, field: u8, value: i64) {
        self.field(field, 6);
        put_zigzag(&mut self.output, value);
    }

    fn flag(&mut self, field: u8, value: bool) {
        self.field(field, if value { 1 } else { 2 });
    }

    fn bytes(&mut self, field: u8, value: &[u8]) {
        self.field(field, 8);
        put_varint(&mut self.output, value.len() as u64);
        self.output.extend_from_slice(value);
    }

    fn begin(&mut self, field: u8) {
        self.field(field, 12);
        self.outer.push(self.last);
        self.last = 0;
    }

    fn end(&mut self) {
        self.output.push(0);
        self.last = self.outer.pop().unwrap_or(0);
    }
}
