//! Separates Rust source into code and comments.

/// The comments of a Rust source file, and its code without comments and string contents. Both have the file's line
/// numbers.
pub(crate) struct Separated {
    pub(crate) code: String,
    pub(crate) comments: String,
}

/// Separates the code of `source` from its comments. Newlines appear in both, so that line numbers are kept.
pub(crate) fn separate(source: &str) -> Separated {
    let mut separated = Separated { code: String::new(), comments: String::new() };
    let mut rest = source;
    while let Some(first) = rest.chars().next() {
        let (kind, length) = token(rest, first);
        let (text, after) = rest.split_at(length);
        separated.code += &if kind == Kind::Code { text.to_owned() } else { newlines(text) };
        separated.comments += &if kind == Kind::Comment { text.to_owned() } else { newlines(text) };
        rest = after;
    }
    separated
}

#[derive(Clone, Copy, PartialEq)]
enum Kind {
    Code,
    Comment,
    Literal,
}

fn token(rest: &str, first: char) -> (Kind, usize) {
    if rest.starts_with("//") {
        return (Kind::Comment, rest.find('\n').unwrap_or(rest.len()));
    }
    if rest.starts_with("/*") {
        return (Kind::Comment, rest.find("*/").map_or(rest.len(), |end| end + 2));
    }
    if first == '"' {
        return (Kind::Literal, quoted_length(rest));
    }
    if let Some(length) = raw_string_length(rest) {
        return (Kind::Literal, length);
    }
    if let Some(length) = char_length(rest) {
        return (Kind::Literal, length);
    }
    // An identifier is one token, so that its last letter is not taken for the prefix of a raw string.
    let word = rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(rest.len());
    (Kind::Code, word.max(first.len_utf8()))
}

fn quoted_length(rest: &str) -> usize {
    let mut escaped = false;
    for (at, c) in rest.char_indices().skip(1) {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '"' => return at + 1,
            _ => {}
        }
    }
    rest.len()
}

fn raw_string_length(rest: &str) -> Option<usize> {
    let after = ["r", "br", "cr"].iter().find_map(|prefix| rest.strip_prefix(prefix))?;
    let hashes = after.len() - after.trim_start_matches('#').len();
    let body = after[hashes..].strip_prefix('"')?;
    let end = format!("\"{}", "#".repeat(hashes));
    let length = body.find(&end).map_or(body.len(), |at| at + end.len());
    Some(rest.len() - body.len() + length)
}

/// The length of a `char` literal; a lifetime is none.
fn char_length(rest: &str) -> Option<usize> {
    let mut chars = rest.char_indices().skip(1);
    let (_, first) = chars.next().filter(|_| rest.starts_with('\''))?;
    if first == '\\' {
        return rest[3..].find('\'').map(|at| at + 4);
    }
    chars.next().filter(|(_, close)| *close == '\'').map(|(at, _)| at + 1)
}

fn newlines(text: &str) -> String {
    text.chars().filter(|&c| c == '\n').collect()
}
