//! Arguments that are missing, unknown, duplicate, of the wrong kind or unreadable.

use super::Malformed;

/// The kind of value that a key takes.
#[derive(Clone, Copy, PartialEq)]
enum Takes {
    Label,
    Duration,
    Path,
    Text,
    Word,
    Nothing,
}

/// A key of an attribute with a valid value.
struct Key {
    /// Empty for the positional value.
    name: &'static str,
    value: &'static str,
    takes: Takes,
    required: bool,
}

const fn key(name: &'static str, value: &'static str, takes: Takes, required: bool) -> Key {
    Key { name, value, takes, required }
}

/// Each attribute with its keys; the required ones alone make a valid attribute.
const ATTRIBUTES: [(&str, &[Key]); 7] = [
    (
        "timed_subsystem",
        &[
            key("", "\"trading\"", Takes::Label, true),
            key("every", "\"5s\"", Takes::Duration, false),
            key("max_age", "\"1m\"", Takes::Duration, false),
            key("optional", "", Takes::Nothing, false),
            key("on_cancel", "observe", Takes::Word, false),
            key("classify", "crate::case_0", Takes::Path, false),
            key("labels", "bot_metrics::labels", Takes::Path, false),
            key("crate", "::bot_metrics", Takes::Path, false),
        ],
    ),
    (
        "exchange_call",
        &[
            key("op", "\"place_order\"", Takes::Label, true),
            key("exchange", "\"binance\"", Takes::Label, false),
            key("labels", "bot_metrics::labels", Takes::Path, false),
            key("crate", "::bot_metrics", Takes::Path, false),
        ],
    ),
    (
        "operational_event",
        &[
            key("type", "\"ORDER_FAILURE\"", Takes::Label, true),
            key("severity", "\"ERROR\"", Takes::Label, true),
            key("on", "err", Takes::Word, false),
            key("profile", "\"maker\"", Takes::Text, false),
            key("symbol", "\"BTCUSDT\"", Takes::Text, false),
            key("text", "\"refused\"", Takes::Text, false),
            key("labels", "bot_metrics::labels", Takes::Path, false),
        ],
    ),
    (
        "capital_check",
        &[key("profile", "\"maker\"", Takes::Text, true), key("crate", "::bot_metrics", Takes::Path, false)],
    ),
    ("reconciliation", &[key("crate", "::bot_metrics", Takes::Path, false)]),
    (
        "timed",
        &[
            key("", "crate::families::calls_seconds", Takes::Path, true),
            key("severity", "\"INFO\"", Takes::Text, true),
            key("crate", "::bot_metrics", Takes::Path, false),
        ],
    ),
    (
        "counted",
        &[
            key("", "crate::families::calls_total", Takes::Path, true),
            key("severity", "\"INFO\"", Takes::Text, true),
            key("on", "err", Takes::Word, false),
            key("classify", "crate::case_0", Takes::Path, false),
        ],
    ),
];

impl Key {
    fn with(&self, value: &str) -> String {
        match (self.name, value) {
            ("", value) => value.to_owned(),
            (name, "") => name.to_owned(),
            (name, value) => format!("{name} = {value}"),
        }
    }

    fn right(&self) -> String {
        self.with(self.value)
    }

    /// Values of other kinds.
    fn wrong(&self) -> Vec<&'static str> {
        const NO_TEXT: [&str; 6] = ["1", "1.5", "'c'", "b\"x\"", "true", "c\"x\""];
        const NO_PATH: [&str; 6] = ["\"crate::labels\"", "1", "true", "a + b", "run()", "|x| x"];
        const NO_WORD: [&str; 9] =
            ["1", "\"nope\"", "[]", "[[err]]", "[!err]", "[err; 2]", "[err, !ok]", "ok | err", "self"];
        const NO_DURATION: [&str; 36] = [
            "\"\"",
            "\" \"",
            "\"5\"",
            "\"s\"",
            "\"5 s\"",
            "\" 5s\"",
            "\"5s \"",
            "\"5sec\"",
            "\"5S\"",
            "\"-5s\"",
            "\"+5s\"",
            "\"0.5s\"",
            "\"5e3s\"",
            "\"1m30s\"",
            "\"0s\"",
            "\"0ms\"",
            "\"1d\"",
            "\"9000h\"",
            "\"99999999999999999999s\"",
            "\"５s\"",
            "\"5ｓ\"",
            "\"5s\\n\"",
            "\"∞\"",
            "\"5us\"",
            "\"5ns\"",
            "\"5µs\"",
            "5",
            "5.0",
            "5s",
            "5u64",
            "true",
            "'5'",
            "b\"5s\"",
            "Duration::from_secs(5)",
            "\"5s\"x",
            "{ \"5s\" }",
        ];
        match self.takes {
            Takes::Label => [&NO_TEXT[..], &["\"trading\"s", "()", "[1]", "-1", "&\"trading\""]].concat(),
            Takes::Text => [&NO_TEXT[..], &["-1", "()", "Some(1)"]].concat(),
            Takes::Duration => NO_DURATION.to_vec(),
            Takes::Path => NO_PATH.to_vec(),
            Takes::Word => NO_WORD.to_vec(),
            Takes::Nothing => vec!["true", "\"yes\"", "1"],
        }
    }
}

pub(super) fn malformed() -> Vec<Malformed> {
    let mut all = Vec::new();
    for (attribute, keys) in ATTRIBUTES {
        let mut add = |arguments: String| all.push(Malformed::over_function(attribute, arguments));
        let required: Vec<_> = keys.iter().filter(|key| key.required).map(Key::right).collect();
        let before = |entry: &str| [&required[..], &[entry.to_owned()]].concat().join(", ");
        for (index, missing) in keys.iter().enumerate().filter(|(_, key)| key.required) {
            let others = keys.iter().enumerate().filter(|(other, key)| *other != index && key.required);
            add(others.map(|(_, key)| key.right()).collect::<Vec<_>>().join(", "));
            add(missing.right().replace('"', ""));
        }
        for key in keys {
            for entry in mistakes(key) {
                // The mistake is added to the required arguments, or replaces the one of the same key.
                let others = keys.iter().filter(|other| other.required && other.name != key.name);
                let others: Vec<_> = others.map(Key::right).chain([entry]).collect();
                add(others.join(", "));
            }
            add(format!("{}, {}", before(&key.right()), key.right()));
        }
        for entry in GARBAGE {
            add(before(entry));
            add((*entry).to_owned());
        }
        add(format!(", {}", before("skip")));
        add("skip".to_owned());
    }
    // An empty list of arguments equals none, which is valid if no key is required.
    all.retain(|case| case.attribute != "reconciliation" || !case.arguments.is_empty());
    all
}

/// The entries of a key with one mistake each.
fn mistakes(key: &Key) -> Vec<String> {
    let mut entries: Vec<String> = key.wrong().into_iter().map(|value| key.with(value)).collect();
    if key.name.is_empty() {
        return entries;
    }
    let (name, value) = (key.name, key.value);
    entries.push(format!("{name} ="));
    entries.push(format!("{name} = ,"));
    entries.push(format!("{name}_ = {value}").trim_end_matches([' ', '=']).to_owned());
    entries.push(format!("{} = 1", &name[..name.len() - 1]));
    if key.takes != Takes::Nothing {
        entries.push(name.to_owned());
        entries.push(format!("{name}: {value}"));
        entries.push(format!("{name}({value})"));
        entries.push(format!("{name} == {value}"));
        entries.push(format!("{name} => {value}"));
        entries.push(format!("{name} = = {value}"));
    }
    if value.starts_with('"') {
        entries.push(format!("{name} {value}"));
        entries.push(format!("{name} = {value} {value}"));
    }
    entries
}

/// Arguments that no attribute can parse, alone or after valid ones.
const GARBAGE: &[&str] = &[
    "color = \"red\"",
    "color",
    "@",
    "#",
    ";",
    "=",
    "= \"x\"",
    "==",
    "=>",
    "..",
    "? ?",
    "{ { [ ( ) ] } }",
    "fn f() {}",
    "let x = 1",
    "struct",
    "<>",
    "'a",
    "_",
    "1 2 3",
    "\"a\" \"b\"",
    "()",
    "x = y = z",
    "a::b::<>",
    "#[inline]",
    "unsafe",
];
