//! What one record may take: memory is held for one record at a time.

/// The largest record that is read or written, in bytes of its JSON or protobuf. It is ten times
/// what a backend takes in one request, and keeps a length that lies from filling memory.
pub(super) const MAX_RECORD_BYTES: u64 = 256 << 20;
