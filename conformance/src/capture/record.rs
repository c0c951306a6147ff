//! One record of a capture, decoded or not.

use std::path::Path;
use std::sync::Arc;

use super::error::{Place, ReadError};
use super::export::{Export, Request};

/// A record of a capture.
#[derive(Debug)]
pub enum Record {
    /// A request as it stands in the file, for whoever decodes it elsewhere or in another way.
    Encoded(Encoded),
    /// A request that had to be decoded to be told from what follows it.
    Decoded(Export),
}

/// A request in protobuf, with its place.
#[derive(Clone, Debug)]
pub struct Encoded {
    /// The request.
    pub request: Request,
    /// The file.
    pub path: Arc<Path>,
    /// Where its record begins, in bytes of the unzipped file.
    pub offset: u64,
}

impl Record {
    /// The request itself.
    ///
    /// # Errors
    ///
    /// If it is not what its signal says.
    pub fn decode(self) -> Result<Export, ReadError> {
        match self {
            Record::Decoded(export) => Ok(export),
            Record::Encoded(encoded) => {
                let Request { signal, protobuf } = &encoded.request;
                Export::decode(*signal, protobuf).map_err(|error| encoded.refused(&error))
            }
        }
    }
}

impl Encoded {
    /// What to say of a request that could not be decoded.
    #[must_use]
    pub fn refused(&self, error: &prost::DecodeError) -> ReadError {
        ReadError::NotOtlp {
            path: self.path.to_path_buf(),
            at: Place::Byte(self.offset),
            seen: format!("a record of {} that {error}", self.request.signal.as_str()),
        }
    }
}
