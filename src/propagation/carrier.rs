//! What headers are read from and written to.

use std::collections::{BTreeMap, HashMap};
use std::hash::{BuildHasher, Hash};

/// Something that headers can be read from.
///
/// Implemented for maps and lists of pairs, whose keys are compared without regard to case, and, with the feature
/// `http`, for `http::HeaderMap`.
///
/// # Examples
///
/// ```
/// use trackside::propagation::{Extract, Received};
///
/// /// The headers of a message queue, as one text.
/// struct Lines(String);
///
/// impl Extract for Lines {
///     fn values_of<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a [u8]> {
///         let pairs = self.0.lines().filter_map(|line| line.split_once(": "));
///         pairs.filter(move |(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_bytes())
///     }
/// }
///
/// let message = Lines("Traceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01".into());
/// assert!(Received::parse(&message).distributed);
/// ```
pub trait Extract {
    /// The values of all headers of this name, in order. `name` is in lower case; the case of the carrier's own names
    /// makes no difference.
    fn values_of<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a [u8]>;
}

/// Something that headers can be written to. Implemented for what [`Extract`] is implemented for, if it can grow.
pub trait Inject {
    /// Sets a header, in place of all of the same name that are there, whatever their case. `name` is in lower case, and
    /// `value` visible ASCII and blanks.
    fn set(&mut self, name: &'static str, value: String);
}

impl<C: Extract + ?Sized> Extract for &C {
    fn values_of<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a [u8]> {
        (**self).values_of(name)
    }
}

impl<K: AsRef<str>, V: AsRef<[u8]>> Extract for [(K, V)] {
    fn values_of<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a [u8]> {
        named(self.iter().map(|(key, value)| (key, value)), name)
    }
}

impl<K: AsRef<str>, V: AsRef<[u8]>, const N: usize> Extract for [(K, V); N] {
    fn values_of<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a [u8]> {
        self.as_slice().values_of(name)
    }
}

impl<K: AsRef<str>, V: AsRef<[u8]>> Extract for Vec<(K, V)> {
    fn values_of<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a [u8]> {
        self.as_slice().values_of(name)
    }
}

impl<K: AsRef<str>, V: AsRef<[u8]>> Extract for BTreeMap<K, V> {
    fn values_of<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a [u8]> {
        named(self.iter(), name)
    }
}

impl<K: AsRef<str>, V: AsRef<[u8]>, S> Extract for HashMap<K, V, S> {
    fn values_of<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a [u8]> {
        named(self.iter(), name)
    }
}

impl<K: AsRef<str> + From<&'static str>, V: From<String>> Inject for Vec<(K, V)> {
    fn set(&mut self, name: &'static str, value: String) {
        self.retain(|(key, _)| !key.as_ref().eq_ignore_ascii_case(name));
        self.push((name.into(), value.into()));
    }
}

impl<K: AsRef<str> + From<&'static str> + Ord, V: From<String>> Inject for BTreeMap<K, V> {
    fn set(&mut self, name: &'static str, value: String) {
        self.retain(|key, _| !key.as_ref().eq_ignore_ascii_case(name));
        self.insert(name.into(), value.into());
    }
}

impl<K: AsRef<str> + From<&'static str> + Eq + Hash, V: From<String>, S: BuildHasher> Inject for HashMap<K, V, S> {
    fn set(&mut self, name: &'static str, value: String) {
        self.retain(|key, _| !key.as_ref().eq_ignore_ascii_case(name));
        self.insert(name.into(), value.into());
    }
}

/// The values whose key is `name`, in whatever case.
fn named<'a, K: AsRef<str> + 'a, V: AsRef<[u8]> + 'a>(
    pairs: impl Iterator<Item = (&'a K, &'a V)>,
    name: &'a str,
) -> impl Iterator<Item = &'a [u8]> {
    pairs.filter(move |(key, _)| key.as_ref().eq_ignore_ascii_case(name)).map(|(_, value)| value.as_ref())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(mut carrier: impl Extract + Inject) {
        carrier.set("other", "o".into());
        carrier.set("tracestate", "new".into());
        assert_eq!(carrier.values_of("tracestate").collect::<Vec<_>>(), [b"new"]);
        let borrowed = &carrier;
        assert_eq!(Extract::values_of(&borrowed, "other").collect::<Vec<_>>(), [b"o"]);
        assert_eq!(carrier.values_of("absent").count(), 0);
    }

    #[test]
    fn every_carrier_replaces_and_finds() {
        let pairs =
            || [("Tracestate", "a"), ("TRACESTATE", "b")].map(|(name, value)| (name.to_owned(), value.to_owned()));
        assert_eq!(pairs().values_of("tracestate").collect::<Vec<_>>(), [b"a", b"b"]);
        assert_eq!(pairs()[1..].values_of("tracestate").collect::<Vec<_>>(), [b"b"]);
        assert_eq!(BTreeMap::from(pairs()).values_of("tracestate").count(), 2);
        assert_eq!(HashMap::from(pairs()).values_of("tracestate").count(), 2);
        check(pairs().to_vec());
        check(BTreeMap::from(pairs()));
        check(HashMap::from(pairs()));
        check(Vec::<(&'static str, Vec<u8>)>::new());
    }
}
