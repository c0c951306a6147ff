//! Input that may be compressed, recognized by its first bytes: gzip of any number of members, zstd
//! of any number of frames, one within the other too.

use std::fmt;
use std::io::{self, BufRead, BufReader, Cursor, Read};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use flate2::bufread::MultiGzDecoder;

/// A stream of bytes that can be handed to another thread.
pub type Input = Box<dyn BufRead + Send>;

/// How many bytes compressed input may unfold to without telemetry in them. A few kilobytes of gzip
/// or zstd can stand for any number of blanks, and nobody should wait for the end of those. It is
/// twice the largest record of a capture.
pub const MAX_UNFOLDED_BYTES: u64 = 512 << 20;

/// How many bytes of the beginning tell what an input is.
pub(crate) const START_BYTES: usize = 64 * 1024;

/// How often input may be compressed over: once by the writer, once by whoever stored it, and some.
const MAX_LAYERS: usize = 4;

const BUFFER_BYTES: usize = 256 * 1024;
const GZIP_MAGIC: &[u8] = &[0x1f, 0x8b];
const ZSTD_MAGIC: &[u8] = &[0x28, 0xb5, 0x2f, 0xfd];

/// An input without its compression.
pub(crate) struct Plain {
    /// Its first bytes, [`START_BYTES`] unless it is shorter.
    pub(crate) start: Vec<u8>,
    /// All of it.
    pub(crate) input: Input,
    /// How much was unfolded since there was something of use in it.
    pub(crate) unfolded: Unfolded,
}

/// Counts what decompression gives. Whoever finds something of use in it starts the count anew.
#[derive(Clone, Default)]
pub(crate) struct Unfolded(Arc<AtomicU64>);

impl Unfolded {
    pub(crate) fn was_of_use(&self) {
        self.0.store(0, Ordering::Relaxed);
    }
}

/// `input` without its compression, if it has any: what reads it need not know.
///
/// # Errors
///
/// If the beginning cannot be read. What is damaged later is an error of the reader that is
/// returned, which says what to do: of kind `InvalidData`, or `UnexpectedEof` where the input is cut
/// off, if only within the checksum at its end. So is more than [`MAX_UNFOLDED_BYTES`].
pub fn decompressed(input: impl Read + Send + 'static) -> io::Result<Input> {
    Ok(plain(input)?.input)
}

pub(crate) fn plain(input: impl Read + Send + 'static) -> io::Result<Plain> {
    let unfolded = Unfolded::default();
    let (mut start, mut input) = peek(input)?;
    for _ in 0..MAX_LAYERS {
        if start.starts_with(GZIP_MAGIC) {
            let gzip = Unfolding::new("gzip", MultiGzDecoder::new(input), &unfolded);
            (start, input) = peek(gzip)?;
        } else if begins_zstd(&start) {
            let zstd = zstd::stream::read::Decoder::with_buffer(input)?;
            (start, input) = peek(Unfolding::new("zstd", zstd, &unfolded))?;
        } else {
            return Ok(Plain { start, input, unfolded });
        }
    }
    Err(Damaged::error(format!("it is compressed more than {MAX_LAYERS} times over")))
}

/// One frame of zstd, of at most `max_bytes` when unfolded.
pub(crate) fn zstd_frame(frame: &[u8], max_bytes: u64) -> io::Result<Vec<u8>> {
    let zstd = zstd::stream::read::Decoder::with_buffer(frame)?;
    let mut bytes = Vec::new();
    let unfolded = Unfolded::default();
    Unfolding::new("zstd", zstd, &unfolded).take(max_bytes + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > max_bytes {
        return Err(Damaged::error(format!("a record unfolds to more than {max_bytes} bytes")));
    }
    Ok(bytes)
}

/// Whether `start` begins a frame, or one of those that decoders skip.
pub(crate) fn begins_zstd(start: &[u8]) -> bool {
    const SKIPPED: &[u8] = &[0x2a, 0x4d, 0x18];
    start.starts_with(ZSTD_MAGIC)
        || matches!(start, [0x50..=0x5f, rest @ ..] if rest.starts_with(SKIPPED))
}

/// The first bytes of `input`, and `input` with them still in it.
fn peek(input: impl Read + Send + 'static) -> io::Result<(Vec<u8>, Input)> {
    let mut input = BufReader::with_capacity(BUFFER_BYTES, input);
    let mut start = Vec::new();
    let read = (&mut input).take(START_BYTES as u64).read_to_end(&mut start);
    // What is damaged may have a readable beginning, which says what it is: whoever reads on comes
    // upon the error then.
    match read {
        Err(error) if start.is_empty() => return Err(error),
        Err(error) => {
            let failing = Cursor::new(start.clone()).chain(BufReader::new(Failing(Some(error))));
            return Ok((start, Box::new(failing)));
        }
        Ok(_) => {}
    }
    Ok((start.clone(), Box::new(Cursor::new(start).chain(input))))
}

/// Gives its error once.
struct Failing(Option<io::Error>);

impl Read for Failing {
    fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
        self.0.take().map_or(Ok(0), Err)
    }
}

/// A decompressor whose errors say what is damaged.
struct Unfolding<R> {
    name: &'static str,
    inner: R,
    unfolded: Unfolded,
}

impl<R> Unfolding<R> {
    fn new(name: &'static str, inner: R, unfolded: &Unfolded) -> Self {
        Unfolding { name, inner, unfolded: unfolded.clone() }
    }
}

impl<R: Read> Read for Unfolding<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buffer).map_err(|error| self.explain(error))?;
        let before = self.unfolded.0.fetch_add(read as u64, Ordering::Relaxed);
        if before > MAX_UNFOLDED_BYTES {
            return Err(Damaged::error(format!(
                "it unfolds to more than {MAX_UNFOLDED_BYTES} bytes without telemetry in them; \
                 unfold it yourself, and check what is in it"
            )));
        }
        Ok(read)
    }
}

impl<R> Unfolding<R> {
    fn explain(&self, error: io::Error) -> io::Error {
        let is_of_the_system = error.raw_os_error().is_some();
        let is_explained = Damaged::within(&error).is_some();
        let name = self.name;
        match error.kind() {
            _ if is_of_the_system || is_explained => error,
            io::ErrorKind::Interrupted => error,
            kind @ io::ErrorKind::UnexpectedEof => {
                let what = format!(
                    "its {name} is cut off; write or fetch it anew, or unfold what is left of it \
                     with `{name} -dc`"
                );
                io::Error::new(kind, Damaged(what))
            }
            _ => Damaged::error(format!("its {name} is damaged ({error}); write or fetch it anew")),
        }
    }
}

/// What decompression came upon, in words for whoever made the file.
#[derive(Debug)]
pub(crate) struct Damaged(String);

impl Damaged {
    /// The damage that `error` is about, if it is about any.
    pub(crate) fn within(error: &io::Error) -> Option<&Damaged> {
        error.get_ref()?.downcast_ref()
    }

    fn error(what: String) -> io::Error {
        io::Error::new(io::ErrorKind::InvalidData, Damaged(what))
    }
}

impl fmt::Display for Damaged {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Damaged {}
