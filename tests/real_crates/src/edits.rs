//! Insertions of text into a source file, with a mapping from positions of the result to the original.

/// Insertions into one file.
#[derive(Clone, Debug, Default)]
pub struct Edits(Vec<(usize, String)>);

impl Edits {
    /// Inserts `text` at this byte of the original, after earlier insertions there.
    pub fn insert(&mut self, offset: usize, text: impl Into<String>) {
        let index = self.0.partition_point(|(other, _)| *other <= offset);
        self.0.insert(index, (offset, text.into()));
    }

    /// Adds insertions, after existing ones at the same bytes.
    pub fn extend(&mut self, others: &Self) {
        for (offset, text) in &others.0 {
            self.insert(*offset, text.clone());
        }
    }

    /// The file with the insertions.
    pub fn apply(&self, original: &str) -> String {
        let mut text = String::with_capacity(original.len() + self.0.len() * 100);
        let mut copied = 0;
        for (offset, inserted) in &self.0 {
            text.push_str(&original[copied..*offset]);
            text.push_str(inserted);
            copied = *offset;
        }
        text.push_str(&original[copied..]);
        text
    }

    /// The byte of the original for `offset` of the result; for an insertion, the byte after it.
    pub fn original(&self, offset: usize) -> usize {
        let mut inserted = 0;
        for (at, text) in &self.0 {
            let start = at + inserted;
            if offset < start {
                break;
            }
            if offset < start + text.len() {
                return *at;
            }
            inserted += text.len();
        }
        offset - inserted
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn positions_are_mapped_back_through_insertions() {
        let mut edits = Edits::default();
        edits.insert(3, "XX");
        edits.insert(0, "Y");
        edits.insert(3, "Z");
        let text = edits.apply("abcdef");
        assert_eq!(text, "YabcXXZdef");
        for (offset, byte) in text.bytes().enumerate().filter(|(_, byte)| byte.is_ascii_lowercase()) {
            assert_eq!(b"abcdef"[edits.original(offset)], byte, "{offset}");
        }
        assert_eq!((edits.original(0), edits.original(4), edits.original(6)), (0, 3, 3));
        assert_eq!(edits.original(text.len()), 6);
    }
}
