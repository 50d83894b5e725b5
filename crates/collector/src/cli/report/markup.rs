//! HTML as text. Whatever is not a literal of this program is escaped on its way in, in this one place.

use std::fmt::{self, Display, Write as _};

/// A piece of HTML: what was put into it as text cannot be anything else.
#[derive(Debug, Default)]
pub(super) struct Markup(String);

impl Markup {
    /// Appends what is markup already, because this program says so.
    pub(super) fn raw(&mut self, markup: &'static str) -> &mut Self {
        self.0.push_str(markup);
        self
    }

    /// Appends text.
    pub(super) fn text(&mut self, text: impl Display) -> &mut Self {
        // Fails only if the text's own Display does.
        let _ = write!(Escaped(&mut self.0), "{text}");
        self
    }

    /// Appends a piece that was made apart.
    pub(super) fn piece(&mut self, piece: &Markup) -> &mut Self {
        self.0.push_str(&piece.0);
        self
    }

    /// Appends text in an element, given as what begins and what ends it.
    pub(super) fn within(&mut self, begin: &'static str, text: impl Display, end: &'static str) -> &mut Self {
        self.raw(begin).text(text).raw(end)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn into_string(self) -> String {
        self.0
    }
}

/// How many times something was seen or done.
pub(super) fn times(count: u64) -> String {
    if count == 1 { "once".to_owned() } else { format!("{count} times") }
}

struct Escaped<'a>(&'a mut String);

impl fmt::Write for Escaped<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        for char in text.chars() {
            match char {
                '&' => self.0.push_str("&amp;"),
                '<' => self.0.push_str("&lt;"),
                '>' => self.0.push_str("&gt;"),
                '"' => self.0.push_str("&quot;"),
                '\'' => self.0.push_str("&#39;"),
                // Control characters, and those that turn the direction of what follows, are shown as what they are.
                char if char.is_control() || is_invisible(char) => self.0.extend(char.escape_unicode()),
                char => self.0.push(char),
            }
        }
        Ok(())
    }
}

/// Characters without a shape of their own, by which a name could look like another one.
fn is_invisible(char: char) -> bool {
    matches!(char, '\u{ad}' | '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_text() {
        let mut markup = Markup::default();
        markup.within("<b>", "</b><script>alert('x' & \"y\")</script>\u{202e}\n\0", "</b>");
        assert_eq!(
            markup.into_string(),
            "<b>&lt;/b&gt;&lt;script&gt;alert(&#39;x&#39; &amp; &quot;y&quot;)&lt;/script&gt;\\u{202e}\\u{a}\\u{0}</b>"
        );
    }
}
