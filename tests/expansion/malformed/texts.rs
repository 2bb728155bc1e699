//! Labels that no type has: misspelled, with invisible characters, too long, or valid for another type.

use super::Malformed;

/// Each key that takes a label, with its context and a valid value.
const LABELS: [(&str, &str, &str); 6] = [
    ("timed_subsystem", "{}", "trading"),
    ("timed_subsystem", "{}, every = \"5s\", optional", "monitor"),
    ("exchange_call", "op = {}", "place_order"),
    ("exchange_call", "op = \"get_order\", exchange = {}", "binance"),
    ("operational_event", "type = {}, severity = \"INFO\"", "STARTED"),
    ("operational_event", "type = \"STARTED\", severity = {}", "INFO"),
];

/// Texts that no set has, as written in a source.
const TEXTS: [&str; 24] = [
    r#""""#,
    r#"" ""#,
    r#""a\"b""#,
    r#""a\nb""#,
    r#""a\0b""#,
    r#""\u{202e}a""#,
    r#""a\u{200b}""#,
    r#""other""#,
    r#""fn""#,
    r#""self""#,
    r#""crate""#,
    r#""le""#,
    r#""{}""#,
    r#""{0:?}""#,
    r#""%s""#,
    r#""\\""#,
    r#"r"a\b""#,
    "r#\"a\"b\"#",
    r#""😀""#,
    r#""e\u{301}""#,
    r#""عربي""#,
    r#""<script>""#,
    "\"a\nb\"",
    r#""a\tb""#,
];

pub(super) fn malformed() -> Vec<Malformed> {
    let mut all = Vec::new();
    for (attribute, around, right) in LABELS {
        let own = [
            format!("\"{}\"", &right[1..]),
            format!("\"{right}s\""),
            format!("\" {right}\""),
            format!("\"{right}\\n\""),
            format!(
                "\"{}\"",
                right.replace(['a', 'A'], "\u{430}").replace('e', "\u{435}").replace(['I', 'i'], "\u{456}")
            ),
            format!(
                "\"{}\"",
                if right.starts_with(char::is_lowercase) {
                    right.to_uppercase()
                } else {
                    right.to_lowercase()
                }
            ),
            format!("\"{}\"", right.repeat(10_000 / right.len())),
        ];
        let texts = TEXTS.iter().map(|text| (*text).to_owned()).chain(own);
        all.extend(texts.map(|text| Malformed::over_function(attribute, around.replace("{}", &text))));
    }
    all
}
