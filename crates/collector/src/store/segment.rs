//! The bytes of a segment: its header, and the heads of its records. See the [module above](super) for the layout.

use crc32fast::Hasher;

/// The last byte is the format's version.
const MAGIC: [u8; 8] = *b"trkseg\0\x01";
/// Begins each record; 0xc1 is the one byte that MessagePack never uses.
pub(crate) const MARKER: [u8; 4] = *b"\xc1tk\x01";

/// How long a segment's header is.
pub(crate) const HEADER_LEN: usize = 24;
/// How long a record's head is.
pub(crate) const HEAD_LEN: usize = 24;
/// The largest batch that a record holds: no reader allocates more than this for a length that it reads.
pub(crate) const MAX_BATCH: usize = 256 << 20;

/// What a segment's first bytes say it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Header {
    /// A segment with this number.
    Whole(u64),
    /// A segment whose header was damaged, or is not there yet.
    Damaged,
    /// A file of another version, or no segment at all.
    Foreign,
}

/// The head of a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Head {
    /// How long its batch is, at most [`MAX_BATCH`].
    pub(crate) len: usize,
    pub(crate) received_ms: u64,
    checksum: u32,
}

pub(crate) fn name(number: u64) -> String {
    format!("{number:020}.segment")
}

/// The number in a segment's file name; None for any other file. The last number is left out, so that there is always
/// a next one.
pub(crate) fn number(name: &str) -> Option<u64> {
    let digits = name.strip_suffix(".segment").filter(|digits| digits.len() == 20)?;
    let all_digits = digits.bytes().all(|byte| byte.is_ascii_digit());
    digits.parse().ok().filter(|number| all_digits && *number < u64::MAX)
}

pub(crate) fn write_header(number: u64) -> [u8; HEADER_LEN] {
    let mut header = [0; HEADER_LEN];
    header[..8].copy_from_slice(&MAGIC);
    header[8..16].copy_from_slice(&number.to_le_bytes());
    let checksum = crc32fast::hash(&header[..20]);
    header[20..].copy_from_slice(&checksum.to_le_bytes());
    header
}

pub(crate) fn read_header(header: &[u8; HEADER_LEN]) -> Header {
    let number = u64_at(header, 8);
    if write_header(number) == *header {
        Header::Whole(number)
    } else if header.starts_with(&MAGIC) || header.iter().all(|byte| *byte == 0) {
        // Zeros are what a loss of power leaves of a file that was never synced.
        Header::Damaged
    } else {
        Header::Foreign
    }
}

/// Whether a file that ends after `bytes` may be a segment that was just being made.
pub(crate) fn is_beginning_of_header(bytes: &[u8]) -> bool {
    MAGIC.starts_with(bytes) || bytes.starts_with(&MAGIC) || bytes.iter().all(|byte| *byte == 0)
}

/// The head of the record that stands at `offset` of the segment and holds `batch`.
pub(crate) fn write_head(segment: u64, offset: u64, received_ms: u64, batch: &[u8]) -> Option<[u8; HEAD_LEN]> {
    let len = u32::try_from(batch.len()).ok().filter(|len| *len as usize <= MAX_BATCH)?;
    let mut head = [0; HEAD_LEN];
    head[..4].copy_from_slice(&MARKER);
    head[4..8].copy_from_slice(&len.to_le_bytes());
    head[8..16].copy_from_slice(&received_ms.to_le_bytes());
    head[16..20].copy_from_slice(&crc32fast::hash(batch).to_le_bytes());
    let checksum = head_checksum(segment, offset, &head);
    head[20..].copy_from_slice(&checksum.to_le_bytes());
    Some(head)
}

/// What [`write_head`] has written for this very place; None for anything else.
pub(crate) fn read_head(segment: u64, offset: u64, head: &[u8; HEAD_LEN]) -> Option<Head> {
    let whole = head.starts_with(&MARKER) && u32_at(head, 20) == head_checksum(segment, offset, head);
    let len = u32_at(head, 4) as usize;
    (whole && len <= MAX_BATCH).then(|| Head { len, received_ms: u64_at(head, 8), checksum: u32_at(head, 16) })
}

impl Head {
    /// Whether `batch` is what was written behind this head.
    pub(crate) fn fits(&self, batch: &[u8]) -> bool {
        batch.len() == self.len && crc32fast::hash(batch) == self.checksum
    }
}

fn head_checksum(segment: u64, offset: u64, head: &[u8; HEAD_LEN]) -> u32 {
    let mut hasher = Hasher::new();
    hasher.update(&segment.to_le_bytes());
    hasher.update(&offset.to_le_bytes());
    hasher.update(&head[..20]);
    hasher.finalize()
}

fn u64_at(bytes: &[u8], at: usize) -> u64 {
    let mut word = [0; 8];
    word.copy_from_slice(&bytes[at..at + 8]);
    u64::from_le_bytes(word)
}

fn u32_at(bytes: &[u8], at: usize) -> u32 {
    let mut word = [0; 4];
    word.copy_from_slice(&bytes[at..at + 4]);
    u32::from_le_bytes(word)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_as_they_are_written_and_no_others() {
        for wanted in [0, 7, u64::MAX - 1] {
            assert_eq!(number(&name(wanted)), Some(wanted));
        }
        for other in ["7.segment", "+0000000000000000007.segment", "lock", "", ".segment", "00000000000000000007"] {
            assert_eq!(number(other), None, "{other}");
        }
        assert_eq!(number(&name(u64::MAX)), None);
    }

    #[test]
    fn a_flip_of_any_bit_is_seen() {
        let (header, head) = (write_header(7), write_head(7, 24, 1000, b"batch").unwrap());
        assert_eq!(read_header(&header), Header::Whole(7));
        let whole = read_head(7, 24, &head).unwrap();
        assert!(whole.fits(b"batch") && !whole.fits(b"match") && !whole.fits(b"batch "));
        for bit in 0..8 * HEAD_LEN {
            let flip = |mut bytes: [u8; HEAD_LEN]| {
                bytes[bit / 8] ^= 1 << (bit % 8);
                bytes
            };
            assert_eq!(read_head(7, 24, &flip(head)), None, "bit {bit}");
            assert_eq!(read_header(&flip(header)), if bit < 64 { Header::Foreign } else { Header::Damaged });
        }
    }

    #[test]
    fn a_head_holds_only_where_it_was_written() {
        let head = write_head(7, 24, 1000, b"batch").unwrap();
        assert_eq!((read_head(8, 24, &head), read_head(7, 25, &head)), (None, None));
    }
}
