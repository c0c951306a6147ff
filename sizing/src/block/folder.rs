//! A block as a folder of this machine.

use std::fs::{self, File};
use std::io::{self, Read as _, Seek as _, SeekFrom};
use std::ops::Range;

use bytes::Bytes;

use super::{BlockFiles, BlockFolder};

impl BlockFiles for BlockFolder {
    fn name(&self) -> String {
        self.path.display().to_string()
    }

    fn bytes(&self, file: &str) -> io::Result<u64> {
        Ok(fs::metadata(self.path.join(file))?.len())
    }

    fn read(&self, file: &str, range: Range<u64>) -> io::Result<Bytes> {
        let mut file = File::open(self.path.join(file))?;
        file.seek(SeekFrom::Start(range.start))?;
        let mut bytes = Vec::new();
        file.take(range.end - range.start).read_to_end(&mut bytes)?;
        Ok(bytes.into())
    }
}
