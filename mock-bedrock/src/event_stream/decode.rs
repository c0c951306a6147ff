//! Frames out of bytes that arrive in pieces.

mod header;
#[cfg(test)]
mod tests;

use bytes::{Buf as _, Bytes, BytesMut};

pub use header::{Header, HeaderFault, HeaderValue};

/// Bytes of the two lengths and their checksum.
const PRELUDE: usize = 12;
/// Bytes of the checksum that ends a frame.
const CHECKSUM: usize = 4;
/// The shortest frame: no headers, no payload.
const SHORTEST: usize = PRELUDE + CHECKSUM;
/// The most bytes of headers in one frame, as in the specification of the event stream format.
const MAX_HEADERS: usize = 128 * 1024;

/// Reads frames of `application/vnd.amazon.eventstream` from bytes that arrive in pieces.
///
/// Push what has arrived, then take frames until there is none. Nothing is kept but the bytes of
/// the frame that is not whole yet, and a frame longer than the limit is refused as soon as its
/// length is known. After an error there is no telling where the next frame starts, so the same
/// error comes again from then on.
///
/// ```
/// # fn example(chunks: Vec<Vec<u8>>) -> Result<(), mock_bedrock::event_stream::DecodeError> {
/// use mock_bedrock::event_stream::Decoder;
///
/// let mut decoder = Decoder::default();
/// for chunk in chunks {
///     decoder.push(&chunk);
///     while let Some(frame) = decoder.take()? {
///         println!("{:?}: {} bytes", frame.event_type(), frame.payload.len());
///     }
/// }
/// decoder.finish()
/// # }
/// ```
#[derive(Debug)]
pub struct Decoder {
    /// Bytes that belong to no frame taken so far.
    pending: BytesMut,
    /// Where `pending` starts in the stream.
    offset: u64,
    max_frame_bytes: usize,
    failure: Option<DecodeError>,
}

/// One frame: its headers in the order they came, and its payload.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Frame {
    /// The headers, repeated names and all.
    pub headers: Vec<Header>,
    /// What is between the headers and the checksum.
    pub payload: Bytes,
}

/// Bytes that are not a stream of whole frames. Offsets count bytes from the start of the stream.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DecodeError {
    /// The checksum of the two lengths does not fit them.
    #[error(
        "the frame at byte {offset} has the prelude checksum {stated:08x} where its lengths give {computed:08x}: the bytes are damaged, or no event stream"
    )]
    PreludeChecksum {
        /// Where the frame starts.
        offset: u64,
        /// What the frame says.
        stated: u32,
        /// What its bytes give.
        computed: u32,
    },
    /// The checksum of the frame does not fit it.
    #[error(
        "the frame at byte {offset} has the checksum {stated:08x} where its bytes give {computed:08x}: the bytes are damaged"
    )]
    MessageChecksum {
        /// Where the frame starts.
        offset: u64,
        /// What the frame says.
        stated: u32,
        /// What its bytes give.
        computed: u32,
    },
    /// A frame shorter than its own lengths and checksums.
    #[error(
        "the frame at byte {offset} says that it has {length} bytes, and no frame has fewer than {SHORTEST}"
    )]
    TooShort {
        /// Where the frame starts.
        offset: u64,
        /// The length that it states.
        length: u32,
    },
    /// A frame longer than the decoder's limit.
    #[error(
        "the frame at byte {offset} says that it has {length} bytes, and at most {limit} are taken: send the content in several events"
    )]
    TooLong {
        /// Where the frame starts.
        offset: u64,
        /// The length that it states.
        length: u32,
        /// The most that is taken.
        limit: usize,
    },
    /// Headers that do not fit into the frame, or are longer than any frame's may be.
    #[error(
        "the frame at byte {offset} says that it has {length} bytes of headers, and at most {limit} are possible"
    )]
    HeadersTooLong {
        /// Where the frame starts.
        offset: u64,
        /// The length that it states.
        length: u32,
        /// The most that is possible.
        limit: usize,
    },
    /// A header that cannot be read.
    #[error("the header at byte {offset} {fault}")]
    Header {
        /// Where the header starts.
        offset: u64,
        /// What is wrong with it.
        fault: HeaderFault,
    },
    /// A stream that ends within a frame.
    #[error("the stream ends within the frame at byte {offset}, {received} bytes into it")]
    Truncated {
        /// Where the frame starts.
        offset: u64,
        /// How much of it had arrived.
        received: usize,
    },
}

impl Default for Decoder {
    /// Frames of at most 16 MiB and what is around them, the most that the service takes.
    fn default() -> Self {
        Decoder::with_limit(16 * 1024 * 1024 + MAX_HEADERS + SHORTEST)
    }
}

impl Decoder {
    /// A decoder that refuses frames of more than `max_frame_bytes`.
    #[must_use]
    pub fn with_limit(max_frame_bytes: usize) -> Self {
        Decoder { pending: BytesMut::new(), offset: 0, max_frame_bytes, failure: None }
    }

    /// Takes in bytes that have arrived. After an error they are ignored.
    pub fn push(&mut self, bytes: &[u8]) {
        if self.failure.is_none() {
            self.pending.extend_from_slice(bytes);
        }
    }

    /// The next whole frame, or nothing until more bytes arrive.
    ///
    /// # Errors
    ///
    /// When the bytes are no frame; the same error again at every further call.
    pub fn take(&mut self) -> Result<Option<Frame>, DecodeError> {
        if let Some(failure) = &self.failure {
            return Err(failure.clone());
        }
        self.decode().inspect_err(|failure| {
            self.failure = Some(failure.clone());
            self.pending = BytesMut::new();
        })
    }

    /// Whether the stream may end here.
    ///
    /// # Errors
    ///
    /// When it ends within a frame, or had failed before.
    pub fn finish(self) -> Result<(), DecodeError> {
        match self.failure {
            Some(failure) => Err(failure),
            None if self.pending.is_empty() => Ok(()),
            None => {
                Err(DecodeError::Truncated { offset: self.offset, received: self.pending.len() })
            }
        }
    }

    fn decode(&mut self) -> Result<Option<Frame>, DecodeError> {
        let Some(prelude) = self.pending.first_chunk::<PRELUDE>() else { return Ok(None) };
        let Lengths { frame, headers } = lengths(prelude, self.offset, self.max_frame_bytes)?;
        if self.pending.len() < frame {
            return Ok(None);
        }
        let mut bytes = self.pending.split_to(frame).freeze();
        let offset = self.offset;
        self.offset += frame as u64;

        let stated = bytes.slice(frame - CHECKSUM..).get_u32();
        bytes.truncate(frame - CHECKSUM);
        let computed = crc32fast::hash(&bytes);
        if stated != computed {
            return Err(DecodeError::MessageChecksum { offset, stated, computed });
        }
        bytes.advance(PRELUDE);
        let header_bytes = bytes.split_to(headers);
        let headers = header::read_all(header_bytes, offset + PRELUDE as u64)?;
        Ok(Some(Frame { headers, payload: bytes }))
    }
}

/// What a prelude says, checked.
struct Lengths {
    frame: usize,
    headers: usize,
}

fn lengths(
    mut prelude: &[u8],
    offset: u64,
    max_frame_bytes: usize,
) -> Result<Lengths, DecodeError> {
    let computed = crc32fast::hash(&prelude[..PRELUDE - CHECKSUM]);
    let (length, headers_length, stated) =
        (prelude.get_u32(), prelude.get_u32(), prelude.get_u32());
    if stated != computed {
        return Err(DecodeError::PreludeChecksum { offset, stated, computed });
    }
    // No address space is smaller than these 32 bits; what would not fit is too long anyway.
    let frame = usize::try_from(length).unwrap_or(usize::MAX);
    let headers = usize::try_from(headers_length).unwrap_or(usize::MAX);
    if frame < SHORTEST {
        return Err(DecodeError::TooShort { offset, length });
    }
    if frame > max_frame_bytes {
        return Err(DecodeError::TooLong { offset, length, limit: max_frame_bytes });
    }
    let limit = (frame - SHORTEST).min(MAX_HEADERS);
    if headers > limit {
        return Err(DecodeError::HeadersTooLong { offset, length: headers_length, limit });
    }
    Ok(Lengths { frame, headers })
}

impl Frame {
    /// The value of the first header named `name`, exactly.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&HeaderValue> {
        self.headers.iter().find(|header| header.name == name).map(|header| &header.value)
    }

    /// `:message-type`: `event`, `exception` or `error`.
    #[must_use]
    pub fn message_type(&self) -> Option<&str> {
        self.header(":message-type")?.as_text()
    }

    /// `:event-type`: which member of the stream's union the payload is.
    #[must_use]
    pub fn event_type(&self) -> Option<&str> {
        self.header(":event-type")?.as_text()
    }

    /// `:exception-type`: which exception the payload is.
    #[must_use]
    pub fn exception_type(&self) -> Option<&str> {
        self.header(":exception-type")?.as_text()
    }
}
