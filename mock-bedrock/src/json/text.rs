//! Texts: quoted, with what JSON does not allow in them escaped.

use std::ops::Range;

/// Bytes looked at together; one vector register.
const STRIDE: usize = 16;

/// Appends `text` in quotes.
#[inline]
pub(super) fn write(out: &mut Vec<u8>, text: &str) {
    let bytes = text.as_bytes();
    out.reserve(bytes.len() + 2);
    out.push(b'"');
    // Everything before it is in `out`.
    let mut done = 0;
    let (strides, rest) = bytes.as_chunks::<STRIDE>();
    for (number, stride) in strides.iter().enumerate() {
        if stride.iter().fold(false, |any, byte| any | is_special(*byte)) {
            done = escape(out, bytes, done, number * STRIDE..(number + 1) * STRIDE);
        }
    }
    if rest.iter().any(|byte| is_special(*byte)) {
        done = escape(out, bytes, done, bytes.len() - rest.len()..bytes.len());
    }
    out.extend_from_slice(&bytes[done..]);
    out.push(b'"');
}

fn is_special(byte: u8) -> bool {
    byte < 0x20 || byte == b'"' || byte == b'\\'
}

/// Appends `bytes` from `done` to the last special byte within `stride`, and returns where that
/// ends.
#[cold]
fn escape(out: &mut Vec<u8>, bytes: &[u8], done: usize, stride: Range<usize>) -> usize {
    const HEX: &[u8; 16] = b"0123456789abcdef";
    let mut done = done;
    for at in stride {
        let byte = bytes[at];
        if !is_special(byte) {
            continue;
        }
        out.extend_from_slice(&bytes[done..at]);
        let short = match byte {
            b'"' | b'\\' => byte,
            b'\n' => b'n',
            b'\r' => b'r',
            b'\t' => b't',
            0x08 => b'b',
            0x0c => b'f',
            _ => b'u',
        };
        out.extend_from_slice(&[b'\\', short]);
        if short == b'u' {
            let (high, low) = (usize::from(byte >> 4), usize::from(byte & 0x0f));
            out.extend_from_slice(&[b'0', b'0', HEX[high], HEX[low]]);
        }
        done = at + 1;
    }
    done
}
