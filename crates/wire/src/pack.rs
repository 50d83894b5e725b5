use crate::write::{str, uint};
use crate::{CUT_EXT, Raw};

/// Writes one value of the format, such as the `a` or `b` of an event, piece by piece and without knowing beforehand how
/// many elements an array will have.
///
/// Scalars get their shortest form, as the SDK writes them, so that equal ones have equal bytes.
///
/// # Examples
/// ```
/// use trackside_wire::Packer;
///
/// let mut packer = Packer::default();
/// let list = packer.begin_array();
/// packer.uint(7);
/// packer.str("Mutex");
/// packer.end(list, 2);
/// assert_eq!(packer.raw().to_string(), r#"[7, "Mutex"]"#);
/// ```
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Packer {
    bytes: Vec<u8>,
}

/// Where an array or a map of a [`Packer`] begins that is yet to be ended.
#[derive(Debug)]
#[must_use = "an array or map that is not ended is not one"]
pub struct Open(usize);

impl Packer {
    /// Nothing.
    pub fn nil(&mut self) {
        self.bytes.push(0xc0);
    }

    /// A truth value.
    pub fn bool(&mut self, value: bool) {
        self.bytes.push(0xc2 + u8::from(value));
    }

    /// A number without a sign.
    pub fn uint(&mut self, value: u64) {
        uint(&mut self.bytes, value);
    }

    /// A number with a sign.
    pub fn int(&mut self, value: i64) {
        // Writing into a Vec cannot fail.
        let _ = rmp::encode::write_sint(&mut self.bytes, value);
    }

    /// A number with a fraction.
    pub fn float(&mut self, value: f64) {
        let _ = rmp::encode::write_f64(&mut self.bytes, value);
    }

    /// Text.
    pub fn str(&mut self, text: &str) {
        str(&mut self.bytes, text);
    }

    /// The mark for a value that was left out, or for the rest of one: the text is what was kept of it.
    pub fn cut(&mut self, kept: &str) {
        let _ = rmp::encode::write_ext_meta(&mut self.bytes, u32::try_from(kept.len()).unwrap_or(u32::MAX), CUT_EXT);
        self.bytes.extend_from_slice(kept.as_bytes());
    }

    /// A value that is one already.
    pub fn raw_value(&mut self, value: Raw<'_>) {
        self.bytes.extend_from_slice(value.as_bytes());
    }

    /// Begins an array; its elements follow.
    pub fn begin_array(&mut self) -> Open {
        self.begin(0xdd)
    }

    /// Begins a map; its entries follow, each a key and a value.
    pub fn begin_map(&mut self) -> Open {
        self.begin(0xdf)
    }

    /// Ends an array or a map that has `len` elements or entries.
    pub fn end(&mut self, open: Open, len: u32) {
        if let Some(place) = self.bytes.get_mut(open.0 + 1..open.0 + 5) {
            place.copy_from_slice(&len.to_be_bytes());
        }
    }

    /// What was written. Nil, where that is not one value: nothing at all, several, or something nested too deep.
    pub fn raw(&self) -> Raw<'_> {
        Raw::new(&self.bytes).unwrap_or(Raw::NIL)
    }

    /// How many bytes were written.
    pub fn len(&self) -> usize {
        self.bytes.len()
    }

    /// Whether nothing was written.
    pub fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    fn begin(&mut self, marker: u8) -> Open {
        let at = self.bytes.len();
        self.bytes.extend_from_slice(&[marker, 0, 0, 0, 0]);
        Open(at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Value;

    fn packed(write: impl FnOnce(&mut Packer)) -> Packer {
        let mut packer = Packer::default();
        write(&mut packer);
        packer
    }

    #[test]
    fn scalars_are_read_as_they_were_written() {
        let check = |write: fn(&mut Packer), expect: Value<'_>| assert_eq!(packed(write).raw().value(), expect);
        check(Packer::nil, Value::Nil);
        check(|packer| packer.bool(true), Value::Bool(true));
        check(|packer| packer.bool(false), Value::Bool(false));
        check(|packer| packer.uint(u64::MAX), Value::Int(u64::MAX.into()));
        check(|packer| packer.int(i64::MIN), Value::Int(i64::MIN.into()));
        check(|packer| packer.float(-1.5), Value::Float(-1.5));
        check(|packer| packer.str("é"), Value::Str("é"));
        check(|packer| packer.cut("be"), Value::Cut("be"));
        check(|packer| packer.cut(""), Value::Cut(""));
        // A number is the same one, whichever way it is written.
        assert_eq!(packed(|packer| packer.int(300)), packed(|packer| packer.uint(300)));
    }

    #[test]
    fn what_is_not_one_value_is_nil() {
        assert!(Packer::default().raw().is_nil());
        assert!(packed(|packer| [1, 2].into_iter().for_each(|value| packer.uint(value))).raw().is_nil());
        let nested = |depth: usize| {
            packed(|packer| {
                let open: Vec<Open> = (0..depth).map(|_| packer.begin_array()).collect();
                packer.bool(true);
                open.into_iter().for_each(|open| packer.end(open, 1));
            })
        };
        assert!(!nested(30).raw().is_nil() && nested(40).raw().is_nil());
    }

    #[test]
    fn arrays_and_maps_hold_what_was_put_in() {
        let packer = packed(|packer| {
            let map = packer.begin_map();
            packer.str("list");
            let list = packer.begin_array();
            packer.raw_value(Raw::NIL);
            packer.uint(2);
            packer.end(list, 2);
            packer.end(map, 1);
        });
        let (key, list) = packer.raw().entries().next().unwrap();
        assert_eq!(
            (key.as_str(), list.elements().map(Raw::as_u64).collect::<Vec<_>>()),
            (Some("list"), vec![None, Some(2)])
        );
    }
}
