//! What an event of a batch says, as text. Names and values are as they are; whoever shows them escapes them.

use trackside_wire::{Batch, Event, Kind, Raw, Strand};

/// The longest value that is told, in characters.
const VALUE_MAX: usize = 500;

/// What a kind is called on the command line: `atomic_read`.
pub(super) fn kind_name(kind: Kind) -> String {
    let mut name = String::new();
    for char in format!("{kind:?}").chars() {
        if char.is_ascii_uppercase() && !name.is_empty() {
            name.push('_');
        }
        name.push(char.to_ascii_lowercase());
    }
    name
}

/// The kind of this name.
pub(super) fn kind_of(name: &str) -> Result<Kind, String> {
    let known = Kind::ALL.iter().find(|kind| kind_name(**kind) == name.replace('-', "_"));
    known.copied().ok_or_else(|| {
        let names: Vec<String> = Kind::ALL.iter().map(|kind| kind_name(*kind)).collect();
        format!("give one of {}", names.join(", "))
    })
}

/// Where an event was recorded, as `file:line`.
pub(super) fn site(batch: &Batch<'_>, event: &Event<'_>) -> Option<String> {
    let site = batch.sites.get(event.site? as usize)?;
    Some(format!("{}:{}", batch.string(site.file), site.line))
}

/// A strand's own name, or the thread's, or its number.
pub(super) fn strand_name(batch: &Batch<'_>, strand: &Strand, thread: Option<&str>) -> String {
    let id = format!("rust-{}-{}", batch.header.pid, strand.number);
    match strand.name.map(|name| batch.string(name)).or(thread) {
        Some(name) => format!("{name} [{id}]"),
        None => id,
    }
}

/// A value, cut to a bearable length.
pub(super) fn value(raw: Raw<'_>) -> String {
    let text = raw.to_string();
    match text.char_indices().nth(VALUE_MAX) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}

/// Both values: of an access `old -> new`, as far as they are known.
pub(super) fn values(event: &Event<'_>) -> String {
    let [a, b] = [event.a, event.b];
    match (a.is_nil(), b.is_nil()) {
        (true, true) => String::new(),
        (false, true) => value(a),
        (true, false) => value(b),
        (false, false) if event.kind.access().is_some() => format!("{} -> {}", value(a), value(b)),
        (false, false) => format!("{} {}", value(a), value(b)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_kind_has_a_name_that_is_understood() {
        assert_eq!(kind_name(Kind::AtomicRmw), "atomic_rmw");
        Kind::ALL.iter().for_each(|kind| assert_eq!(kind_of(&kind_name(*kind)), Ok(*kind)));
        assert_eq!(kind_of("lock-acquire"), Ok(Kind::LockAcquire));
        assert!(kind_of("nonsense").unwrap_err().contains("lock_acquire"));
    }
}
