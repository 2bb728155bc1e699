//! A copy of an open label's text, made before the body may move the text's owner.

/// Texts up to this length are copied without an allocation: symbols, names, UUIDs.
const INLINE: usize = 38;

/// The text of a profile or a symbol.
#[derive(Clone, Debug)]
pub struct Text(TextStorage);

#[derive(Clone, Debug)]
enum TextStorage {
    Inline { bytes: [u8; INLINE], len: u8 },
    Shared(Box<str>),
}

impl Text {
    /// No text: the label is empty.
    pub const NONE: Self = Self(TextStorage::Inline { bytes: [0; INLINE], len: 0 });

    /// A copy of `text`.
    pub fn of<T: TextValue + ?Sized>(text: &T) -> Self {
        Self::copied(text.text())
    }

    fn copied(text: &str) -> Self {
        let mut bytes = [0; INLINE];
        match (bytes.get_mut(..text.len()), u8::try_from(text.len())) {
            (Some(start), Ok(len)) => {
                start.copy_from_slice(text.as_bytes());
                Self(TextStorage::Inline { bytes, len })
            }
            _ => Self(TextStorage::Shared(text.into())),
        }
    }

    pub(crate) fn as_bytes(&self) -> &[u8] {
        match &self.0 {
            TextStorage::Inline { bytes, len } => &bytes[..usize::from(*len)],
            TextStorage::Shared(text) => text.as_bytes(),
        }
    }

    pub(crate) fn as_str(&self) -> &str {
        match &self.0 {
            // The copy has the boundaries of a `str`.
            TextStorage::Inline { .. } => str::from_utf8(self.as_bytes()).unwrap_or_default(),
            TextStorage::Shared(text) => text,
        }
    }
}

/// The type of an attribute's `profile`, `symbol`, `text` and `name`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no text: an attribute's `profile`, `symbol`, `text` and `name` are a `&str` or `String`",
    label = "neither `&str` nor `String`",
    note = "of an `Option` write `….as_deref().unwrap_or_default()`: an empty text is none; any type that implements \
            `AsRef<str>` is a text"
)]
pub trait TextValue {
    /// The text.
    fn text(&self) -> &str;
}

// Otherwise the error would only say that `AsRef` is missing.
#[diagnostic::do_not_recommend]
impl<T: AsRef<str> + ?Sized> TextValue for T {
    fn text(&self) -> &str {
        self.as_ref()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_length_is_copied_completely() {
        for length in [0, 1, INLINE - 1, INLINE, INLINE + 1, 300] {
            let text = "ä".repeat(length);
            assert_eq!(Text::of(&text).as_str(), text);
            let text = "x".repeat(length);
            assert_eq!(Text::of(text.as_str()).as_str(), text);
        }
        assert_eq!(Text::NONE.as_str(), "");
    }
}
