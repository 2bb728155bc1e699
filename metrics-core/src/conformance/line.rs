//! One line of a page in the two text formats.

use std::borrow::Cow;

use super::page_fault::PageFault;
use crate::catalogue::is_name;
use crate::exposition::rules::description::{LabelDescription, Style};
use crate::exposition::rules::fault::Fault;

/// A line, without its end.
#[derive(Debug)]
pub(super) enum Line<'a> {
    /// A comment, or in the text format a blank line.
    Other,
    /// Text about a family.
    About {
        keyword: Keyword,
        name: &'a str,
        text: Cow<'a, str>,
    },
    Eof,
    Sample(SampleLine<'a>),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Keyword {
    Help,
    Type,
    Unit,
}

#[derive(Debug)]
pub(super) struct SampleLine<'a> {
    pub(super) name: &'a str,
    pub(super) labels: Vec<LabelDescription<'a>>,
    pub(super) value: Number<'a>,
    pub(super) timestamp_ms: Option<i64>,
    /// The labels of its exemplar.
    pub(super) exemplar: Option<Vec<LabelDescription<'a>>>,
}

/// A number as it is written.
#[derive(Clone, Copy, Debug)]
pub(super) struct Number<'a> {
    pub(super) text: &'a str,
    pub(super) value: f64,
}

impl Keyword {
    const ALL: [Self; 3] = [Self::Help, Self::Type, Self::Unit];

    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Help => "HELP",
            Self::Type => "TYPE",
            Self::Unit => "UNIT",
        }
    }
}

impl<'a> Number<'a> {
    /// Reads what both formats and Rust call a number, if a float can hold it.
    pub(super) fn parse(text: &'a str) -> Result<Self, PageFault> {
        let wrong = || PageFault::Number(text.to_owned());
        let value: f64 = text.parse().map_err(|_| wrong())?;
        let unsigned = text.trim_start_matches(['+', '-']);
        // Rust reads a number that is too large as an infinity, and NaN with a sign.
        let is_word = unsigned.starts_with(|first: char| first.is_ascii_alphabetic());
        let is_legal =
            if is_word { !(value.is_nan() && unsigned.len() < text.len()) } else { value.is_finite() };
        if is_legal { Ok(Self { text, value }) } else { Err(wrong()) }
    }

    /// The number as a count, exactly.
    pub(super) fn integer(self) -> Result<u64, PageFault> {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "it is in the range")]
        let of_float = || {
            let is_integer = self.value.fract() == 0.0 && (0.0..2f64.powi(64)).contains(&self.value);
            is_integer.then_some(self.value as u64)
        };
        let integer = self.text.parse().ok().or_else(of_float);
        integer.ok_or_else(|| PageFault::Integer(self.text.to_owned()))
    }
}

/// Reads a line.
pub(super) fn parse(line: &str, style: Style) -> Result<Line<'_>, PageFault> {
    let is_openmetrics = style == Style::OpenMetrics;
    if let Some(comment) = line.strip_prefix('#') {
        return parse_comment(comment, is_openmetrics);
    }
    if line.chars().all(is_blank) {
        return if is_openmetrics { Err(PageFault::BlankLine) } else { Ok(Line::Other) };
    }
    let mut rest = Rest { text: line, is_openmetrics };
    rest.skip_blanks();
    let sample = rest.sample()?;
    rest.skip_blanks();
    if rest.text.is_empty() { Ok(Line::Sample(sample)) } else { syntax("nothing may follow here") }
}

/// Reads a line after its `#`.
fn parse_comment(comment: &str, is_openmetrics: bool) -> Result<Line<'_>, PageFault> {
    if is_openmetrics && comment == " EOF" {
        return Ok(Line::Eof);
    }
    let word = comment.trim_start_matches(is_blank).split(is_blank).next().unwrap_or_default();
    let keywords = if is_openmetrics { &Keyword::ALL[..] } else { &Keyword::ALL[..2] };
    let keyword = keywords.iter().copied().find(|keyword| keyword.as_str() == word);
    let Some(keyword) = keyword else {
        return if is_openmetrics { Err(PageFault::NoComments) } else { Ok(Line::Other) };
    };
    let prefix = format!(" {} ", keyword.as_str());
    let text = comment.strip_prefix(&*prefix).ok_or(PageFault::Comment)?;
    let (name, text) = match text.split_once(' ') {
        Some(parts) => parts,
        None if keyword != Keyword::Type => (text, ""),
        None => return syntax("a space and the type have to follow the name"),
    };
    if !is_name(name, true) {
        return Err(Fault::Name.into());
    }
    let text = match keyword {
        Keyword::Help => unescape(text, if is_openmetrics { &['\\', '"'] } else { &['\\'] })?,
        Keyword::Type | Keyword::Unit => text.into(),
    };
    Ok(Line::About { keyword, name, text })
}

/// The unread part of a line.
struct Rest<'a> {
    text: &'a str,
    is_openmetrics: bool,
}

impl<'a> Rest<'a> {
    fn sample(&mut self) -> Result<SampleLine<'a>, PageFault> {
        let name = self.until(|c| c == '{' || is_blank(c));
        if !is_name(name, true) {
            return Err(Fault::Name.into());
        }
        let behind = self.text;
        self.skip_blanks();
        let labels = if self.text.starts_with('{') {
            self.labels()?
        } else {
            self.text = behind;
            Vec::new()
        };
        self.separator("a space and the value have to follow")?;
        let value = Number::parse(self.until(is_blank))?;
        let timestamp_ms = self.timestamp()?;
        let exemplar = if self.is_openmetrics { self.exemplar()? } else { None };
        Ok(SampleLine { name, labels, value, timestamp_ms, exemplar })
    }

    /// Reads labels in braces. Another rule checks their names.
    fn labels(&mut self) -> Result<Vec<LabelDescription<'a>>, PageFault> {
        let mut labels = Vec::new();
        self.expect('{', "the labels begin with {")?;
        loop {
            self.skip_blanks();
            // The text format allows a comma after the last label.
            if (labels.is_empty() || !self.is_openmetrics) && self.take('}') {
                return Ok(labels);
            }
            let name = self.until(|c| matches!(c, '=' | '{' | '}' | ',' | '"') || is_blank(c));
            self.skip_blanks();
            self.expect('=', "a label and = have to come here")?;
            self.skip_blanks();
            self.expect('"', "the value of a label is in double quotes")?;
            let end = self.end_of_quoted()?;
            let value = unescape(&self.text[..end], &['\\', '"'])?;
            self.text = &self.text[end + 1..];
            labels.push((name.into(), value));
            self.skip_blanks();
            if self.take('}') {
                return Ok(labels);
            }
            self.expect(',', "a comma or } has to follow the value of a label")?;
        }
    }

    /// The position of the quote that ends a value.
    fn end_of_quoted(&self) -> Result<usize, PageFault> {
        let mut is_escaped = false;
        for (index, byte) in self.text.bytes().enumerate() {
            match byte {
                b'"' if !is_escaped => return Ok(index),
                byte => is_escaped = byte == b'\\' && !is_escaped,
            }
        }
        syntax("the value of a label does not end with a double quote")
    }

    fn timestamp(&mut self) -> Result<Option<i64>, PageFault> {
        if self.text.trim_start_matches(is_blank).is_empty() || self.text.starts_with(" # ") {
            return Ok(None);
        }
        self.separator("a space has to come before the time")?;
        let text = self.until(is_blank);
        let wrong = || PageFault::Time(text.to_owned());
        if !self.is_openmetrics {
            return text.parse().map(Some).map_err(|_| wrong());
        }
        let seconds = Number::parse(text).map_err(|_| wrong())?.value;
        #[expect(clippy::cast_possible_truncation, reason = "it is cut to the range, which is another rule")]
        if seconds.is_finite() { Ok(Some((seconds * 1_000.0) as i64)) } else { Err(wrong()) }
    }

    fn exemplar(&mut self) -> Result<Option<Vec<LabelDescription<'a>>>, PageFault> {
        let Some(rest) = self.text.strip_prefix(" # ") else { return Ok(None) };
        self.text = rest;
        let labels = self.labels()?;
        self.separator("a space and the value of the exemplar have to follow")?;
        Number::parse(self.until(is_blank))?;
        self.timestamp()?;
        Ok(Some(labels))
    }

    /// Skips blanks, where the format allows any number of them, and returns how many there were.
    fn skip_blanks(&mut self) -> usize {
        let rest = self.text.trim_start_matches(is_blank);
        let blanks = self.text.len() - rest.len();
        if !self.is_openmetrics {
            self.text = rest;
        }
        blanks
    }

    fn separator(&mut self, expected: &'static str) -> Result<(), PageFault> {
        if self.is_openmetrics {
            self.expect(' ', expected)
        } else if self.skip_blanks() > 0 {
            Ok(())
        } else {
            syntax(expected)
        }
    }

    fn expect(&mut self, character: char, expected: &'static str) -> Result<(), PageFault> {
        if self.take(character) { Ok(()) } else { syntax(expected) }
    }

    fn take(&mut self, character: char) -> bool {
        let rest = self.text.strip_prefix(character);
        self.text = rest.unwrap_or(self.text);
        rest.is_some()
    }

    fn until(&mut self, is_end: impl Fn(char) -> bool) -> &'a str {
        let (word, rest) = self.text.split_at(self.text.find(is_end).unwrap_or(self.text.len()));
        self.text = rest;
        word
    }
}

/// Resolves backslashes. `escaped` are the characters that must have one, beside a line feed.
fn unescape<'a>(text: &'a str, escaped: &[char]) -> Result<Cow<'a, str>, PageFault> {
    if !text.contains(escaped) {
        return Ok(text.into());
    }
    let mut plain = String::with_capacity(text.len());
    let mut characters = text.chars();
    while let Some(character) = characters.next() {
        plain.push(match (character, if character == '\\' { characters.next() } else { None }) {
            ('\\', Some('n')) => '\n',
            ('\\', Some(escape)) if escaped.contains(&escape) => escape,
            (plain, None) if !escaped.contains(&plain) => plain,
            (_, wrong) => return Err(PageFault::Escape(wrong.unwrap_or(character))),
        });
    }
    Ok(plain.into())
}

fn is_blank(character: char) -> bool {
    matches!(character, ' ' | '\t')
}

fn syntax<T>(expected: &'static str) -> Result<T, PageFault> {
    Err(PageFault::Syntax(expected))
}
