use serde::de::{self, Deserialize, DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};
use std::fmt;
use trackside_wire::{Packer, Raw};

/// How deep a value may nest; what is deeper is left out and marked. Less than what a batch allows, since a value may stand
/// in a list there.
const MAX_DEPTH: usize = 28;

/// Any JSON value as the batch has it, packed as it is read: nothing is built up in between.
#[derive(Debug, Default, Clone)]
pub(super) struct Packed(Packer);

impl Packed {
    pub(super) fn raw(&self) -> Raw<'_> {
        self.0.raw()
    }
}

impl<'de> Deserialize<'de> for Packed {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut packer = Packer::default();
        Into { packer: &mut packer, depth: 0 }.deserialize(deserializer)?;
        Ok(Self(packer))
    }
}

struct Into<'a> {
    packer: &'a mut Packer,
    depth: usize,
}

impl<'de> DeserializeSeed<'de> for Into<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl Into<'_> {
    fn inner(&mut self) -> Into<'_> {
        Into { packer: self.packer, depth: self.depth + 1 }
    }
}

impl<'de> Visitor<'de> for Into<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any value")
    }

    fn visit_unit<E: de::Error>(self) -> Result<(), E> {
        self.packer.nil();
        Ok(())
    }

    fn visit_bool<E: de::Error>(self, value: bool) -> Result<(), E> {
        self.packer.bool(value);
        Ok(())
    }

    fn visit_u64<E: de::Error>(self, value: u64) -> Result<(), E> {
        self.packer.uint(value);
        Ok(())
    }

    fn visit_i64<E: de::Error>(self, value: i64) -> Result<(), E> {
        self.packer.int(value);
        Ok(())
    }

    fn visit_f64<E: de::Error>(self, value: f64) -> Result<(), E> {
        self.packer.float(value);
        Ok(())
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<(), E> {
        self.packer.str(text);
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(mut self, mut seq: A) -> Result<(), A::Error> {
        if self.depth == MAX_DEPTH {
            while seq.next_element::<de::IgnoredAny>()?.is_some() {}
            self.packer.cut("");
            return Ok(());
        }
        let open = self.packer.begin_array();
        let mut len = 0;
        while seq.next_element_seed(self.inner())?.is_some() {
            len += 1;
        }
        self.packer.end(open, len);
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut map: A) -> Result<(), A::Error> {
        if self.depth == MAX_DEPTH {
            while map.next_entry::<de::IgnoredAny, de::IgnoredAny>()?.is_some() {}
            self.packer.cut("");
            return Ok(());
        }
        let open = self.packer.begin_map();
        let mut len = 0;
        while map.next_key_seed(self.inner())?.is_some() {
            map.next_value_seed(self.inner())?;
            len += 1;
        }
        self.packer.end(open, len);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(json: &str) -> String {
        serde_json::from_str::<Packed>(json).unwrap().raw().to_string()
    }

    #[test]
    fn any_value_is_packed_as_it_is() {
        for json in
            ["null", "true", "18446744073709551615", "-7", "1.5", r#""é""#, "[]", r#"{"a": [1, {}], "b": null}"#]
        {
            assert_eq!(text(json), json);
        }
    }

    #[test]
    fn what_nests_too_deep_is_marked_and_the_rest_is_there() {
        let nested = |depth: usize| format!("[{}1{}, 2]", "[".repeat(depth), "]".repeat(depth));
        assert!(text(&nested(27)).contains('1'));
        for depth in [28, 100] {
            let text = text(&nested(depth));
            assert!(!text.contains('1') && text.ends_with("2]"), "{text}");
        }
    }
}
