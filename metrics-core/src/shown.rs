//! Formats text from outside for errors and reports: a gateway's answer, an address, a label's value.
//!
//! Such text must not control a terminal or flood a log: characters that do not print are escaped, and long text is
//! cut, followed by its original length.

use std::fmt::{self, Write as _};

/// The number of bytes of a text that are shown.
const LONGEST: usize = 200;

/// The number of bytes shown of another library's message, which may contain text from outside.
pub(crate) const LONGEST_MESSAGE: usize = 1_000;

/// A text from outside.
#[derive(Clone, Copy)]
pub(crate) struct Shown<'a> {
    text: &'a str,
    longest: usize,
    is_quoted: bool,
}

/// `text` without quotes, if its context makes clear where it ends.
pub(crate) fn shown(text: &str) -> Shown<'_> {
    Shown { text, longest: LONGEST, is_quoted: false }
}

/// `text` in double quotes.
pub(crate) fn quoted(text: &str) -> Shown<'_> {
    Shown { is_quoted: true, ..shown(text) }
}

impl Shown<'_> {
    /// With up to this many bytes.
    pub(crate) fn up_to(self, longest: usize) -> Self {
        Self { longest, ..self }
    }

    /// Writes the characters that fit, and returns whether all did.
    fn write(self, f: &mut fmt::Formatter<'_>) -> Result<bool, fmt::Error> {
        let mut room = self.longest;
        for character in self.text.chars() {
            let is_plain = matches!(character, '\'') || (!self.is_quoted && matches!(character, '"' | '\\'));
            let length =
                if is_plain { 1 } else { character.escape_debug().map(char::len_utf8).sum::<usize>() };
            let Some(rest) = room.checked_sub(length) else { return Ok(false) };
            room = rest;
            if is_plain { f.write_char(character)? } else { write!(f, "{}", character.escape_debug())? }
        }
        Ok(true)
    }
}

impl fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let quote = if self.is_quoted { "\"" } else { "" };
        f.write_str(quote)?;
        if self.write(f)? { f.write_str(quote) } else { write!(f, "…{quote} ({} bytes)", self.text.len()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn printable_text_is_unchanged() {
        for text in ["", "127.0.0.1:5000", "it's \"quoted\" \\ and a path/", "größer 価格 €"] {
            assert_eq!(shown(text).to_string(), text);
            assert_eq!(quoted(text).to_string(), format!("{text:?}"));
        }
    }

    #[test]
    fn control_characters_are_escaped() {
        let text = "\x1b[2J\r\n\x07\u{9b}31m\u{202e}\u{2028}\u{feff}\x7f";
        for shown in [shown(text).to_string(), quoted(text).to_string()] {
            assert!(
                shown.contains("\\u{1b}[2J\\r\\n\\u{7}\\u{9b}31m\\u{202e}\\u{2028}\\u{feff}\\u{7f}"),
                "{shown}"
            );
        }
    }

    #[test]
    fn long_text_is_cut_between_two_characters_with_its_length() {
        assert_eq!(shown(&"x".repeat(LONGEST)).to_string(), "x".repeat(LONGEST));
        assert_eq!(shown(&"x".repeat(10_240)).to_string(), format!("{}… (10240 bytes)", "x".repeat(LONGEST)));
        assert_eq!(quoted("äöü").up_to(5).to_string(), "\"äö…\" (6 bytes)");
        assert_eq!(quoted("a\x1b").up_to(6).to_string(), "\"a…\" (2 bytes)", "escaped it takes six");
    }
}
