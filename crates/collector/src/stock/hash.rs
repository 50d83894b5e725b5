/// A hash that is the same on any machine and in any version: what is stored under it must be found again.
///
/// FNV-1a over the parts, each behind its length, and the finalizer of MurmurHash3 over that. Whoever may send events may
/// make two of them collide; they would only deceive themselves.
pub(super) fn hash<P: AsRef<[u8]>>(parts: &[P]) -> u64 {
    let mut state = 0xcbf2_9ce4_8422_2325_u64;
    let mut byte = |byte: u8| state = (state ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
    for part in parts {
        let part = part.as_ref();
        (part.len() as u64).to_le_bytes().into_iter().for_each(&mut byte);
        part.iter().copied().for_each(&mut byte);
    }
    state = (state ^ (state >> 33)).wrapping_mul(0xff51_afd7_ed55_8ccd);
    state = (state ^ (state >> 33)).wrapping_mul(0xc4ce_b9fe_1a85_ec53);
    state ^ (state >> 33)
}

#[cfg(test)]
mod tests {
    use super::hash;

    #[test]
    fn it_is_what_it_was_and_knows_where_parts_end() {
        assert_eq!(hash(&["shop", "shop-1"]), 0x24ad_27e5_4615_d596);
        assert_ne!(hash(&["ab", "c"]), hash(&["a", "bc"]));
        assert_ne!(hash(&["a"]), hash(&["a", ""]));
    }
}
