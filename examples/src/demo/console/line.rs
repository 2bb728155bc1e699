//! A line of text, its colour and its width.

use std::fmt::{self, Display, Write as _};

use crossterm::style::Stylize as _;
use unicode_width::{UnicodeWidthChar as _, UnicodeWidthStr as _};

/// Indentation of the continuation of a wrapped line.
const INDENT: &str = "            ";

/// The meaning of a text, which a terminal shows as a colour. `NO_COLOR` leaves the colours out.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Tone {
    /// Ordinary text.
    #[default]
    Plain,
    /// Less important than ordinary text.
    Dim,
    /// Well.
    Good,
    /// Not well.
    Warning,
    /// Needs attention.
    Bad,
}

impl Tone {
    /// The text with the escape sequences of the tone.
    #[must_use]
    pub fn paint(self, text: &str) -> String {
        match self {
            Self::Plain => text.to_owned(),
            Self::Dim => text.dark_grey().to_string(),
            Self::Good => text.green().to_string(),
            Self::Warning => text.yellow().to_string(),
            Self::Bad => text.red().to_string(),
        }
    }
}

/// A line without control characters; only a long message has line breaks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// Its tone.
    pub tone: Tone,
    /// Its text.
    pub text: String,
}

impl Line {
    /// A line in which control characters are escaped, because lines contain text from exchanges.
    pub fn new(tone: Tone, text: impl Display) -> Self {
        Self {
            tone,
            text: escaped(text.to_string(), |character| character.is_control() && character != '\n'),
        }
    }

    /// A JSON object, in which control characters are escaped as JSON does, also those that it need not escape.
    pub(super) fn of_json(object: &str) -> Self {
        let mut text = String::with_capacity(object.len());
        for character in object.chars() {
            if character.is_control() {
                // Writing to a text cannot fail.
                let _ = write!(text, "\\u{:04x}", u32::from(character));
            } else {
                text.push(character);
            }
        }
        Self { tone: Tone::Plain, text }
    }

    /// The rows that the line takes on a terminal of this many columns: it is broken at spaces.
    #[must_use]
    pub fn rows(&self, columns: usize) -> Vec<String> {
        self.text.lines().flat_map(|line| wrapped(line, columns)).collect()
    }

    /// The text of the line for a terminal of this many columns.
    pub(super) fn painted(&self, columns: usize) -> String {
        self.rows(columns).iter().map(|row| self.tone.paint(row)).collect::<Vec<_>>().join("\n")
    }
}

impl Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// Escapes the characters for which `is_unsafe` holds, as Rust does.
#[must_use]
pub fn escaped(text: String, is_unsafe: impl Fn(char) -> bool) -> String {
    if !text.contains(&is_unsafe) {
        return text;
    }
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        if is_unsafe(character) {
            escaped.extend(character.escape_default());
        } else {
            escaped.push(character);
        }
    }
    escaped
}

/// Breaks a text at spaces into rows of at most `columns`, the later ones indented. A word that is longer than a row is
/// left whole, and so is everything on a terminal too narrow for the indentation.
fn wrapped(text: &str, columns: usize) -> Vec<String> {
    if text.width() <= columns || columns < 2 * INDENT.len() {
        return vec![text.to_owned()];
    }
    let mut rows = Vec::new();
    let mut row = String::new();
    for word in text.split_inclusive(' ') {
        if row.width() + word.trim_end().width() > columns && !row.trim().is_empty() {
            rows.push(std::mem::replace(&mut row, INDENT.to_owned()));
        }
        row.push_str(word);
    }
    rows.push(row);
    for row in &mut rows {
        row.truncate(row.trim_end().len());
    }
    rows
}

/// The beginning of a text that fits into `columns`; if something is left out, it ends with an ellipsis.
#[must_use]
pub fn shortened(text: &str, columns: usize) -> String {
    if text.width() <= columns {
        return text.to_owned();
    }
    let mut shortened = String::new();
    let mut width = 0;
    for character in text.chars() {
        width += character.width().unwrap_or(0);
        // One column is for the ellipsis.
        if width >= columns {
            break;
        }
        shortened.push(character);
    }
    if columns > 0 {
        shortened.push('…');
    }
    shortened
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn control_characters_of_a_line_are_escaped() {
        let plain = "größer 價格 \"x\" \\\nsecond line";
        assert_eq!(Line::new(Tone::Plain, plain).text, plain);
        assert_eq!(Line::new(Tone::Plain, "a\x1b[2J\r\u{9b}1m").text, "a\\u{1b}[2J\\r\\u{9b}1m");
    }

    #[test]
    fn control_characters_of_an_object_are_escaped_as_json_does() {
        let object = serde_json::json!({ "text": "a\u{9b}1m\n\u{7f}" });
        let line = Line::of_json(&object.to_string());
        assert!(!line.text.contains(char::is_control), "{line:?}");
        assert_eq!(serde_json::from_str::<serde_json::Value>(&line.text).unwrap(), object);
    }

    #[test]
    fn a_long_line_is_wrapped_at_spaces_and_indented() {
        let text = "[    1.0s] ERROR ORDER_UNKNOWN maker-tight: no answer came in time";
        assert_eq!(
            wrapped(text, 40),
            [
                "[    1.0s] ERROR ORDER_UNKNOWN",
                "            maker-tight: no answer came",
                "            in time"
            ]
        );
        assert_eq!(wrapped(text, 200), [text]);
        assert_eq!(wrapped(text, 0), [text], "the width is unknown");
        let word = "x".repeat(50);
        assert_eq!(wrapped(&word, 40), [word.as_str()]);
    }

    #[test]
    fn a_shortened_text_fits_by_its_width_on_the_screen() {
        assert_eq!(shortened("trading", 7), "trading");
        assert_eq!(shortened("trading", 6), "tradi…");
        assert_eq!(shortened("價格價格", 8), "價格價格");
        assert_eq!(shortened("價格價格", 6), "價格…", "each takes two columns");
        assert_eq!(shortened("trading", 0), "");
    }
}
