//! Who we are in a header: service, instance, and the component of a vector clock that is made of them.

use super::vector_clock::VectorClock;

/// One running instance of a service, under the names by which other services know it.
///
/// # Examples
///
/// ```
/// use trackside::propagation::Instance;
///
/// let bank = Instance::new("bank", "bank-7");
/// assert_eq!(bank.component(), "bank#bank-7");
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Instance {
    service: String,
    name: String,
    component: String,
}

impl Instance {
    /// Control characters in the names are replaced by `_`. A component longer than
    /// [`VectorClock::MAX_COMPONENT_BYTES`] is cut and ends in a hash of the whole, so that two instances stay two; names
    /// longer than that are cut.
    pub fn new(service: &str, name: &str) -> Self {
        let [service, name] = [service, name].map(|name| name.replace(char::is_control, "_"));
        let component = bounded(format!("{service}#{name}"));
        Self {
            service: cut(service, VectorClock::MAX_COMPONENT_BYTES),
            name: cut(name, VectorClock::MAX_COMPONENT_BYTES),
            component,
        }
    }

    /// The service's name.
    pub fn service(&self) -> &str {
        &self.service
    }

    /// The instance's own name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The component of a vector clock that this instance advances: `service#instance`.
    pub fn component(&self) -> &str {
        &self.component
    }
}

fn bounded(component: String) -> String {
    if component.len() <= VectorClock::MAX_COMPONENT_BYTES {
        return component;
    }
    let hash = format!("~{:016x}", fnv1a(component.as_bytes()));
    cut(component, VectorClock::MAX_COMPONENT_BYTES - hash.len()) + &hash
}

/// At most `most` bytes of the text, in whole characters.
fn cut(mut text: String, most: usize) -> String {
    let end = (0..=most.min(text.len())).rev().find(|at| text.is_char_boundary(*at));
    text.truncate(end.unwrap_or(0));
    text
}

/// The same on every machine and in every release, which std's hashes do not promise.
fn fnv1a(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn components_are_bounded_and_distinct() {
        let (long, longer) = ("ä".repeat(128), "ä".repeat(5000));
        for (service, name) in [("s", "i"), ("", ""), (&long, "i"), (&long, &long), (&longer, &longer)] {
            let instance = Instance::new(service, name);
            let lens = [instance.service(), instance.name(), instance.component()].map(str::len);
            assert!(lens.iter().all(|len| *len <= VectorClock::MAX_COMPONENT_BYTES), "{lens:?}");
            let other = Instance::new(service, &format!("{name}2"));
            assert_ne!(instance.component(), other.component());
            assert_eq!(VectorClock::new().advance(instance.component()), 1);
        }
        assert_eq!(Instance::new("a\nb", "c\0\u{7f}\u{85}d").component(), "a_b#c___d");
        assert_eq!(fnv1a(b"foobar"), 0x8594_4171_f739_67e8);
    }
}
