use crate::Kind;
use std::fmt;

/// A set of kinds of events, such as those that a client records.
///
/// On the wire it is one unsigned integer: the bit of value 2ⁿ stands for the kind with the code n.
///
/// # Examples
///
/// ```
/// use trackside_wire::{Kind, Kinds};
///
/// let kinds = Kinds::ALL.without(Kind::FunctionCall).without(Kind::FunctionReturn);
/// assert!(kinds.contains(Kind::Error) && !kinds.contains(Kind::FunctionCall));
/// assert_eq!(format!("{:?}", Kinds::only([Kind::Read, Kind::Write])), "{Read, Write}");
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Kinds(u64);

impl Kinds {
    /// No kind.
    pub const NONE: Kinds = Kinds(0);

    /// Every kind.
    pub const ALL: Kinds = {
        let (mut all, mut at) = (Kinds::NONE, 0);
        while at < Kind::ALL.len() {
            all = all.with(Kind::ALL[at]);
            at += 1;
        }
        all
    };

    /// These kinds and no other.
    pub const fn only<const N: usize>(kinds: [Kind; N]) -> Self {
        let (mut only, mut at) = (Kinds::NONE, 0);
        while at < N {
            only = only.with(kinds[at]);
            at += 1;
        }
        only
    }

    /// The set, and `kind`.
    #[must_use]
    pub const fn with(self, kind: Kind) -> Self {
        Kinds(self.0 | 1 << kind.code())
    }

    /// The set, less `kind`.
    #[must_use]
    pub const fn without(self, kind: Kind) -> Self {
        Kinds(self.0 & !(1 << kind.code()))
    }

    /// Both sets together.
    #[must_use]
    pub const fn union(self, other: Kinds) -> Self {
        Kinds(self.0 | other.0)
    }

    /// Whether `kind` is in the set.
    pub const fn contains(self, kind: Kind) -> bool {
        self.0 & (1 << kind.code()) != 0
    }

    /// Whether there is no kind in the set.
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Its kinds, by ascending code.
    pub fn iter(self) -> impl Iterator<Item = Kind> {
        Kind::ALL.iter().copied().filter(move |kind| self.contains(*kind))
    }

    /// The set as it stands on the wire.
    pub const fn bits(self) -> u64 {
        self.0
    }

    /// The set that these bits stand for. Nothing if one of them is no kind's of this version.
    pub const fn from_bits(bits: u64) -> Option<Self> {
        if bits & !Kinds::ALL.0 == 0 { Some(Kinds(bits)) } else { None }
    }
}

impl FromIterator<Kind> for Kinds {
    fn from_iter<T: IntoIterator<Item = Kind>>(kinds: T) -> Self {
        kinds.into_iter().fold(Kinds::NONE, Kinds::with)
    }
}

impl fmt::Debug for Kinds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.iter()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_set_holds_what_was_put_in() {
        for kind in Kinds::ALL.iter() {
            let (one, others) = (Kinds::only([kind]), Kinds::ALL.without(kind));
            assert!(one.contains(kind) && !others.contains(kind));
            assert_eq!(one.iter().collect::<Vec<_>>(), [kind]);
            assert_eq!((others.with(kind), others.union(one)), (Kinds::ALL, Kinds::ALL));
            assert_eq!(others.iter().collect::<Kinds>(), others);
        }
        assert_eq!(Kinds::ALL.iter().count(), Kind::ALL.len());
        assert!(Kinds::NONE.is_empty() && Kinds::NONE.iter().next().is_none());
    }

    #[test]
    fn only_bits_of_kinds_are_a_set() {
        for kind in Kinds::ALL.iter() {
            assert_eq!(Kinds::from_bits(1 << kind.code()), Some(Kinds::only([kind])));
        }
        assert_eq!(Kinds::from_bits(Kinds::ALL.bits()), Some(Kinds::ALL));
        assert_eq!(Kinds::from_bits(1 << Kind::ALL.len()), None);
        assert_eq!(Kinds::from_bits(u64::MAX), None);
    }
}
