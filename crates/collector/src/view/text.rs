use std::fmt::{self, Display, Write};

/// Longest name that is handed to the page, in bytes; for the rest there is the finding, or the record itself.
pub(super) const NAME_MAX: usize = 256;
/// Longest value.
pub(super) const VALUE_MAX: usize = 4096;

/// What `value` displays, with an ellipsis for what is beyond `max` bytes. Does no more work than that.
pub(super) fn bounded(value: impl Display, max: usize) -> String {
    let mut text = Bounded { text: String::new(), max };
    // An error says that there was more, which the ellipsis says as well.
    let _ = write!(text, "{value}");
    text.text
}

/// A name, cut to what a list has room for.
pub(super) fn name(text: &str) -> String {
    bounded(text, NAME_MAX)
}

struct Bounded {
    text: String,
    max: usize,
}

impl Write for Bounded {
    fn write_str(&mut self, more: &str) -> fmt::Result {
        let room = self.max.saturating_sub(self.text.len());
        if more.len() <= room {
            self.text.push_str(more);
            return Ok(());
        }
        let end = (0..=room).rev().find(|end| more.is_char_boundary(*end)).unwrap_or(0);
        self.text.push_str(&more[..end]);
        self.text.push('…');
        self.max = 0;
        Err(fmt::Error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_text_is_cut_between_characters() {
        assert_eq!(bounded("short", 5), "short");
        assert_eq!(bounded("longer", 5), "longe…");
        assert_eq!(bounded("äöü", 3), "ä…");
        assert_eq!(bounded(format_args!("{}{}", "abc", "def"), 4), "abcd…");
    }
}
