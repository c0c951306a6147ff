//! Reading lines from a program that may write anything.

use std::io;
use std::mem;

use tokio::io::{AsyncBufReadExt, AsyncRead, BufReader};

/// The longest line kept, in bytes. The lines of the worker protocol are a few hundred.
const LIMIT_BYTES: usize = 16 * 1024;

/// Lines of bounded length, whatever the source writes.
pub(super) struct Lines<R> {
    reader: BufReader<R>,
    partial: Vec<u8>,
}

impl<R: AsyncRead + Unpin> Lines<R> {
    pub(super) fn new(source: R) -> Self {
        Self { reader: BufReader::new(source), partial: Vec::new() }
    }

    /// The next line without its end, cut at [`LIMIT_BYTES`], bytes that are not UTF-8 replaced.
    /// `None` at the end of the source. Nothing is lost when the future is dropped.
    pub(super) async fn next(&mut self) -> io::Result<Option<String>> {
        loop {
            let read = self.reader.fill_buf().await?;
            if read.is_empty() {
                let last = mem::take(&mut self.partial);
                return Ok((!last.is_empty()).then(|| text(&last)));
            }
            let end = read.iter().position(|byte| *byte == b'\n');
            let taken = end.unwrap_or(read.len());
            let room = LIMIT_BYTES - self.partial.len();
            self.partial.extend_from_slice(&read[..taken.min(room)]);
            self.reader.consume(end.map_or(taken, |end| end + 1));
            if end.is_some() {
                return Ok(Some(text(&mem::take(&mut self.partial))));
            }
        }
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes.strip_suffix(b"\r").unwrap_or(bytes)).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn read(source: &[u8]) -> Vec<String> {
        let mut lines = Lines::new(source);
        let mut read = Vec::new();
        while let Some(line) = lines.next().await.unwrap() {
            read.push(line);
        }
        read
    }

    #[tokio::test]
    async fn lines_end_at_newlines_and_at_the_end() {
        assert_eq!(read(b"one\r\n\ntwo\nlast").await, ["one", "", "two", "last"]);
        assert_eq!(read(b"\xff\n").await, ["\u{fffd}"]);
        assert!(read(b"").await.is_empty());
    }

    #[tokio::test]
    async fn a_line_without_end_takes_bounded_memory_and_the_next_one_is_whole() {
        let mut source = vec![b'x'; 10 * LIMIT_BYTES];
        source.extend_from_slice(b"\nnext\n");
        let lines = read(&source).await;
        assert_eq!(lines.iter().map(String::len).collect::<Vec<_>>(), [LIMIT_BYTES, 4]);
    }
}
