use crate::cursor::Cursor;
use crate::{DecodeError, RunId, VERSION};

/// What a collector answers once it has stored a batch: `[version, run, batch, stored, duplicates]`.
///
/// A batch counts as delivered only when such an answer names it and accounts for every event in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ack {
    /// The run the batch belongs to.
    pub run: RunId,
    /// The number of the batch within its run.
    pub batch: u64,
    /// How many of its events are new and now stored.
    pub stored: u64,
    /// How many of its events were stored before.
    pub duplicates: u64,
}

impl Ack {
    /// The longest an encoded acknowledgement can be, in bytes.
    pub const MAX_LEN: usize = 1 + 2 + 4 * 9;

    /// The acknowledgement as MessagePack.
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(Self::MAX_LEN);
        crate::write::array(&mut out, 5);
        for value in [u64::from(VERSION), self.run.get(), self.batch, self.stored, self.duplicates] {
            crate::write::uint(&mut out, value);
        }
        out
    }

    /// Reads an acknowledgement.
    ///
    /// # Errors
    /// If `bytes` are anything else than one acknowledgement of this version.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        let mut cursor = Cursor::new(bytes);
        cursor.array_of(5, "an acknowledgement has five elements")?;
        if cursor.uint()? != u64::from(VERSION) {
            return Err(DecodeError { offset: 1, problem: "an acknowledgement of another version" });
        }
        let run = RunId::new(cursor.uint_up_to(RunId::MAX, "a run id has 60 bits")?);
        let ack = Ack { run, batch: cursor.uint()?, stored: cursor.uint()?, duplicates: cursor.uint()? };
        if cursor.is_empty() { Ok(ack) } else { cursor.fail("something follows the acknowledgement") }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn round_trip_and_strictness() {
        let ack = Ack { run: RunId::new(RunId::MAX), batch: 3, stored: 1000, duplicates: 0 };
        let bytes = ack.encode();
        assert_eq!(Ack::decode(&bytes), Ok(ack));
        for len in 0..bytes.len() {
            assert!(Ack::decode(&bytes[..len]).is_err());
        }
        assert!(Ack::decode(&[&bytes[..], &[0]].concat()).is_err());
        assert!(Ack::decode(b"<html>").is_err());
    }
}
