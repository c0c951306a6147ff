//! Amazon Nova Sonic, which speaks: it answers the bidirectional operation alone.

use super::{Chunks, Family};
use crate::answer::Answer;
use crate::error::ServiceError;
use crate::model::Model;
use crate::turn::Turn;

/// `amazon.nova-sonic-*`
pub(crate) struct NovaSonic;

impl Family for NovaSonic {
    fn name(&self) -> &'static str {
        "nova_sonic"
    }

    fn read(&self, _: &[u8], _: &Model) -> Result<Turn, ServiceError> {
        Err(ServiceError::validation(
            "This model supports only the InvokeModelWithBidirectionalStream operation.",
        ))
    }

    /// Empty: no request of its own is read.
    fn write(&self, _: &Answer) -> Vec<u8> {
        Vec::new()
    }

    /// As above.
    fn stream(&self, _: &Answer, _: &mut Chunks<'_>) {}
}
