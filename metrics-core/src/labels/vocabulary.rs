//! The compile-time check of a label literal against its type.
//!
//! An attribute emits a call of [`fixed_text`] in a constant, at the literal's span: a wrong label is then a
//! compile error at the literal only, and every wrong label of a crate is reported in one run.

use crate::LabelValue;
use crate::labels::{EventType, Exchange, Operation, RateLimit, Severity, Subsystem};

/// Whether a value of `L` has the text with this key; equal keys mean equal texts. Returns false without a table of
/// keys, and for a text that is too long for a key.
pub(crate) const fn has_key<L: LabelValue>(low: u128, high: u128) -> bool {
    let entry = L::KEYS[((low ^ high) % L::KEYS.len() as u128) as usize];
    // An empty entry contains zeros; the high number of a key contains the length of its text.
    high != 0 && entry[0] == low && entry[1] == high
}

const fn unknown_value<L: LabelValue>(text: &str) -> Message {
    let message = unknown(L::NAME, L::VALUES, text);
    if let Some(library) = library_set(L::NAME)
        && contains(library.0, text)
    {
        return message
            .push("; `")
            .push(L::PATH)
            .push("` replaces `bot_metrics::labels::")
            .push(library.1)
            .push("`, which has this value: add a variant `#[label(extends)] Common(bot_metrics::labels::")
            .push(library.1)
            .push(")` to keep its values");
    }
    if nearest(L::VALUES, text).is_some() { message } else { origin(message, L::PATH) }
}

/// The library's set with this name in messages: its values and its type.
const fn library_set(name: &str) -> Option<(&'static [&'static str], &'static str)> {
    const SETS: [(&str, &[&str], &str); 6] = [
        (Subsystem::NAME, Subsystem::VALUES, "Subsystem"),
        (Operation::NAME, Operation::VALUES, "Operation"),
        (Exchange::NAME, Exchange::VALUES, "Exchange"),
        (RateLimit::NAME, RateLimit::VALUES, "RateLimit"),
        (Severity::NAME, Severity::VALUES, "Severity"),
        (EventType::NAME, EventType::VALUES, "EventType"),
    ];
    let mut index = 0;
    while index < SETS.len() {
        let (known, values, ty) = SETS[index];
        if equal(known, name) {
            return Some((values, ty));
        }
        index += 1;
    }
    None
}

/// The path of the type that was searched, since usually another one was intended.
const fn origin(message: Message, path: &str) -> Message {
    let Some(name) = after(path, "bot_metrics::labels::") else {
        return if path.is_empty() { message } else { message.push("; they are defined in ").push(path) };
    };
    message
        .push("; define your own values in an enum `")
        .push(name)
        .push("` in a module `labels`, and import it with `use crate::labels;`")
}

/// The rest of `text` after `start`.
const fn after<'a>(text: &'a str, start: &str) -> Option<&'a str> {
    let Some((head, tail)) = text.split_at_checked(start.len()) else { return None };
    if equal(head, start) { Some(tail) } else { None }
}

pub(crate) const fn contains(values: &[&str], text: &str) -> bool {
    position(values, text).is_some()
}

/// The index of the value with this text.
pub(crate) const fn position(values: &[&str], text: &str) -> Option<usize> {
    let mut index = 0;
    while index < values.len() {
        if equal(values[index], text) {
            return Some(index);
        }
        index += 1;
    }
    None
}

/// Rejects a label type that is used in place of another.
///
/// # Panics
///
/// If `L` is not the type `wanted`; meant for constants.
#[track_caller]
pub const fn require_type<L: LabelValue>(wanted: &str) {
    if !equal(L::NAME, wanted) {
        let message =
            Message::new().push("expected a label of the type ").push(wanted).push(", found ").push(L::NAME);
        panic!("{}", message.as_str());
    }
}

pub(crate) const fn unknown(name: &str, values: &[&str], text: &str) -> Message {
    let mut message =
        Message::new().push("unknown ").push(name).push(" \"").push_visible(excerpt(text)).push("\"");
    if let Some(nearest) = nearest(values, text) {
        message = message.push("; did you mean \"").push(nearest).push("\"?");
    } else {
        message = message.push(";");
    }
    message = message.push(" known: ");
    let mut index = 0;
    while index < values.len() {
        if index > 0 {
            message = message.push(", ");
        }
        message = message.push(values[index]);
        index += 1;
    }
    message
}

/// The value with the fewest edits from `text`, if it is near enough to be a typing mistake.
const fn nearest<'a>(values: &[&'a str], text: &str) -> Option<&'a str> {
    let mut best = None;
    // A third of the text may be wrong, which is the rule that rustc uses for its own suggestions.
    let mut least = if text.len() < 6 { 2 } else { text.len() / 3 } + 1;
    let mut index = 0;
    while index < values.len() {
        let edits = distance(values[index].as_bytes(), text.as_bytes());
        if edits < least {
            least = edits;
            best = Some(values[index]);
        }
        index += 1;
    }
    if best.is_some() { best } else { abbreviated(values, text) }
}

/// The value that begins with `text`, or with which `text` begins, ignoring case: `WARN` for `WARNING`.
const fn abbreviated<'a>(values: &[&'a str], text: &str) -> Option<&'a str> {
    let mut index = 0;
    while index < values.len() {
        let (a, b) = (values[index].as_bytes(), text.as_bytes());
        let least = min(a.len(), b.len());
        if least >= SHORTEST_PART && distance(a.split_at(least).0, b.split_at(least).0) == 0 {
            return Some(values[index]);
        }
        index += 1;
    }
    None
}

/// Fewer letters than this begin too many words.
const SHORTEST_PART: usize = 3;

/// The maximum length of a text that is compared; a longer one is never a typing mistake.
const LONGEST: usize = 64;

/// Insertions, deletions, replacements and swaps of neighbours between two texts, ignoring case.
pub(crate) const fn distance(a: &[u8], b: &[u8]) -> usize {
    if a.len() > LONGEST || b.len() > LONGEST {
        return usize::MAX;
    }
    // Three rows of the edit matrix, because a swap refers to the row before the last.
    let mut rows = [[0usize; LONGEST + 1]; 3];
    let mut j = 0;
    while j <= b.len() {
        rows[0][j] = j;
        j += 1;
    }
    let mut i = 1;
    while i <= a.len() {
        let (row, above, two_above) = (i % 3, (i + 2) % 3, (i + 1) % 3);
        rows[row][0] = i;
        let mut j = 1;
        while j <= b.len() {
            let same = a[i - 1].eq_ignore_ascii_case(&b[j - 1]);
            let mut edits = rows[above][j - 1] + if same { 0 } else { 1 };
            edits = min(edits, rows[above][j] + 1);
            edits = min(edits, rows[row][j - 1] + 1);
            if i > 1
                && j > 1
                && a[i - 1].eq_ignore_ascii_case(&b[j - 2])
                && a[i - 2].eq_ignore_ascii_case(&b[j - 1])
            {
                edits = min(edits, rows[two_above][j - 2] + 1);
            }
            rows[row][j] = edits;
            j += 1;
        }
        i += 1;
    }
    rows[a.len() % 3][b.len()]
}

const fn min(a: usize, b: usize) -> usize {
    if a < b { a } else { b }
}

pub(crate) const fn equal(a: &str, b: &str) -> bool {
    let (a, b) = (a.as_bytes(), b.as_bytes());
    if a.len() != b.len() {
        return false;
    }
    let mut index = 0;
    while index < a.len() {
        if a[index] != b[index] {
            return false;
        }
        index += 1;
    }
    true
}

/// The character encoded by these bytes of UTF-8.
const fn code_point(bytes: &[u8]) -> u32 {
    let first = bytes[0] as u32;
    let mut code_point = match bytes.len() {
        1 => first,
        2 => first & 0x1f,
        3 => first & 0x0f,
        _ => first & 0x07,
    };
    let mut index = 1;
    while index < bytes.len() {
        code_point = code_point << 6 | (bytes[index] & 0x3f) as u32;
        index += 1;
    }
    code_point
}

/// The part of `text` that helps to find it.
const fn excerpt(text: &str) -> &str {
    let mut end = 80;
    if text.len() <= end {
        return text;
    }
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text.split_at(end).0
}

/// A message built at compile time, where `format!` is not available.
pub(crate) struct Message {
    bytes: [u8; Message::CAPACITY],
    len: usize,
    is_cut: bool,
}

impl Message {
    const CAPACITY: usize = 2048;
    const CUT: &'static str = " …";

    pub(crate) const fn new() -> Self {
        Self { bytes: [0; Self::CAPACITY], len: 0, is_cut: false }
    }

    /// Appends `text`, or as much of it as fits, followed by a sign that something was cut.
    pub(crate) const fn push(mut self, text: &str) -> Self {
        if self.is_cut {
            return self;
        }
        self.is_cut = self.len + text.len() + Self::CUT.len() > Self::CAPACITY;
        let text = if self.is_cut { Self::CUT } else { text };
        self.append(text)
    }

    /// Appends a number in digits.
    pub(crate) const fn push_number(self, number: usize) -> Self {
        const DIGITS: &str = "0123456789";
        let message = if number < 10 { self } else { self.push_number(number / 10) };
        message.push(DIGITS.split_at(number % 10).1.split_at(1).0)
    }

    /// Appends `text` with an escape for each character that is invisible or looks like another.
    pub(crate) const fn push_visible(mut self, text: &str) -> Self {
        let mut rest = text;
        while !rest.is_empty() {
            let mut end = 1;
            while !rest.is_char_boundary(end) {
                end += 1;
            }
            let (character, tail) = rest.split_at(end);
            let bytes = character.as_bytes();
            self = if end == 1 && !bytes[0].is_ascii_control() {
                self.push(character)
            } else {
                self.push_escape(code_point(bytes))
            };
            rest = tail;
        }
        self
    }

    /// Appends `\u{…}`.
    const fn push_escape(mut self, code_point: u32) -> Self {
        const DIGITS: &str = "0123456789abcdef";
        self = self.push("\\u{");
        let mut shift = 24;
        let mut begun = false;
        while shift > 0 {
            shift -= 4;
            let digit = (code_point >> shift & 0xf) as usize;
            begun = begun || digit > 0 || shift == 0;
            if begun {
                self = self.push(DIGITS.split_at(digit).1.split_at(1).0);
            }
        }
        self.push("}")
    }

    const fn append(mut self, text: &str) -> Self {
        let (_, free) = self.bytes.split_at_mut(self.len);
        free.split_at_mut(text.len()).0.copy_from_slice(text.as_bytes());
        self.len += text.len();
        self
    }

    pub(crate) const fn as_str(&self) -> &str {
        match std::str::from_utf8(self.bytes.split_at(self.len).0) {
            Ok(text) => text,
            Err(_) => "unknown label value",
        }
    }
}

/// A text that is a value of `L`, and its [key](LabelValue::KEYS).
///
/// # Panics
///
/// If no value has that text; the message suggests the nearest one and lists all. Meant for statics, where the panic
/// is a compile error.
#[must_use]
#[track_caller]
pub const fn fixed_text<L: LabelValue>(text: &'static str, low: u128, high: u128) -> &'static str {
    let is_known = has_key::<L>(low, high) || contains(L::VALUES, text);
    assert!(is_known, "{}", unknown_value::<L>(text).as_str());
    text
}

/// Like [`fixed_text`], for the name of a method.
///
/// # Panics
///
/// Like [`fixed_text`].
#[must_use]
#[track_caller]
pub const fn fixed_method_name<L: LabelValue>(name: &'static str, low: u128, high: u128) -> &'static str {
    const OVER_METHOD: &str = "; over this method `#[exchange_call(op = \"…\")]` names its operation, `#[exchange_call(skip)]` leaves it out";
    let is_known = has_key::<L>(low, high) || contains(L::VALUES, name);
    assert!(is_known, "{}", unknown_value::<L>(name).push(OVER_METHOD).as_str());
    name
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Outcome;

    fn message_of<L: LabelValue>(text: &'static str) -> String {
        *std::panic::catch_unwind(|| fixed_text::<L>(text, 0, 0))
            .expect_err("the text is unknown")
            .downcast::<String>()
            .expect("a message")
    }

    #[test]
    fn a_known_text_is_accepted_while_compiling() {
        const _: &str = fixed_text::<Subsystem>("monitor", 0, 0);
        const _: &str = fixed_method_name::<Operation>("place_order", 0, 0);
    }

    #[test]
    fn each_key_of_a_table_is_found_there() {
        fn found<L: LabelValue>() -> [usize; 2] {
            [L::KEYS.iter().filter(|[low, high]| has_key::<L>(*low, *high)).count(), L::VALUES.len()]
        }
        for [found, values] in [found::<Subsystem>(), found::<Operation>(), found::<EventType>()] {
            assert_eq!(found, values, "a text that is not found is compared byte by byte");
        }
    }

    #[test]
    fn a_text_without_a_key_is_compared_with_all() {
        assert!(!has_key::<Subsystem>(0, 0), "an empty entry is no value");
        assert_eq!(fixed_text::<Subsystem>("trading", 0, 0), "trading");
        std::panic::catch_unwind(|| fixed_text::<Subsystem>("tradng", 0, 0))
            .expect_err("the text is unknown");
    }

    #[test]
    fn an_unknown_text_names_the_nearest_and_all() {
        assert_eq!(
            message_of::<Subsystem>("tradng"),
            "unknown subsystem \"tradng\"; did you mean \"trading\"? known: trading, monitor, reconciliation"
        );
        for (text, nearest) in [("Trading", "trading"), ("moni", "monitor"), ("trading_loop", "trading")] {
            let message = message_of::<Subsystem>(text);
            assert!(message.contains(&format!("did you mean \"{nearest}\"?")), "{message}");
        }
        assert!(message_of::<Operation>("plaec_order").contains("did you mean \"place_order\"?"));
    }

    #[test]
    fn a_text_far_from_all_gets_no_suggestion_but_a_hint_on_own_values() {
        assert_eq!(
            message_of::<Subsystem>("zzzzzzzz"),
            "unknown subsystem \"zzzzzzzz\"; known: trading, monitor, reconciliation; define your own values in \
             an enum `Subsystem` in a module `labels`, and import it with `use crate::labels;`"
        );
        assert!(!message_of::<Subsystem>("").contains("did you mean"));
    }

    #[test]
    fn a_type_outside_the_librarys_labels_is_named_by_its_path() {
        let message = message_of::<Outcome>("flat");
        assert!(message.starts_with("unknown outcome \"flat\"; known: ok, rejected, "), "{message}");
        assert!(message.ends_with("; they are defined in bot_metrics::outcome::Outcome"), "{message}");
    }

    #[test]
    fn invisible_characters_are_escaped() {
        for (text, shown) in [
            ("trading\n", r"trading\u{a}"),
            ("tr\u{430}ding", r"tr\u{430}ding"),
            ("\0", r"\u{0}"),
            ("\u{202e}trading", r"\u{202e}trading"),
            ("trading\u{1f680}", r"trading\u{1f680}"),
        ] {
            let message = message_of::<Subsystem>(text);
            assert!(message.contains(&format!("unknown subsystem \"{shown}\"")), "{message}");
        }
    }

    #[test]
    fn a_message_too_long_is_cut_and_says_so() {
        #[derive(Clone, Copy)]
        struct Many;
        impl crate::labels::value::Derived for Many {}
        impl LabelValue for Many {
            const NAME: &'static str = "many";
            const VALUES: &'static [&'static str] = &["a value of some length"; 1000];
            fn index(self) -> usize {
                0
            }
        }
        assert!(message_of::<Many>("none of them").ends_with('…'));
    }

    #[test]
    fn a_text_too_long_is_quoted_in_part() {
        let long: &'static str = Box::leak("ä".repeat(10_000).into_boxed_str());
        let message = message_of::<Subsystem>(long);
        assert!(message.len() < 600 && message.contains("reconciliation"), "{message}");
    }

    #[test]
    fn distance_counts_edits_and_swaps() {
        let of = |a: &str, b: &str| distance(a.as_bytes(), b.as_bytes());
        assert_eq!(of("trading", "trading"), 0);
        assert_eq!(of("trading", "tradng"), 1);
        assert_eq!(of("trading", "tradign"), 1);
        assert_eq!(of("", "abc"), 3);
        assert_eq!(of("kitten", "sitting"), 3);
    }
}
