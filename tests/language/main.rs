//! Counts the words and phrases that the comments and documents of the repository avoid, and the type names that are
//! defined more than once.
//!
//! `cargo test -p bot-metrics-tests --test language -- --nocapture` prints each figure with its places.

mod lexer;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use bot_metrics_tests::workspace::root;

/// The occurrences of each phrase that are allowed in comments and documents.
const PHRASE_LIMIT: usize = 5;
/// The type names that may be defined more than once in `metrics-core` and `metrics-macros`.
const REPEATED_TYPE_LIMIT: usize = 10;

#[test]
fn comments_and_documents_avoid_phrases_that_have_to_be_decoded() {
    let mut places = BTreeMap::<&str, Vec<String>>::new();
    let texts = texts();
    for text in &texts {
        for sentence in sentences(&text.prose) {
            for (phrase, line) in avoided(&sentence) {
                places.entry(phrase).or_default().push(format!("{}:{line}", text.path.display()));
            }
        }
    }
    let words = texts.iter().map(|text| text.prose.split_whitespace().count()).sum::<usize>();
    println!("{words} words of comments and documents");
    for (phrase, places) in &places {
        println!("{}: {phrase}\n  {}", places.len(), places.join("\n  "));
    }
    let above: Vec<_> =
        places.iter().filter(|(_, places)| places.len() > PHRASE_LIMIT).map(|(phrase, _)| phrase).collect();
    assert!(above.is_empty(), "more than {PHRASE_LIMIT} times each: {above:?}");
}

#[test]
fn type_names_are_defined_once() {
    let mut places = BTreeMap::<String, Vec<String>>::new();
    for path in files(&["metrics-core/src", "metrics-macros/src"]) {
        if path.file_name().is_some_and(|name| name == "tests.rs") || path.iter().any(|part| part == "tests")
        {
            continue; // tests define types to derive traits on
        }
        let code = lexer::separate(&read(&path)).code;
        for (number, line) in code.lines().enumerate() {
            if let Some(name) = defined_type(line) {
                places.entry(name.to_owned()).or_default().push(format!("{}:{}", path.display(), number + 1));
            }
        }
    }
    let repeated: Vec<_> = places.iter().filter(|(_, places)| places.len() > 1).collect();
    println!("{} of {} type names are defined more than once", repeated.len(), places.len());
    for (name, places) in &repeated {
        println!("{name}: {}", places.join(", "));
    }
    assert!(
        repeated.len() <= REPEATED_TYPE_LIMIT,
        "{} type names are defined more than once",
        repeated.len()
    );
}

/// The prose of one file, with the file's line numbers.
struct Text {
    path: PathBuf,
    prose: String,
}

/// The comments of Rust, TOML and shell files, and Markdown without its code blocks.
fn texts() -> Vec<Text> {
    let this_test = Path::new("tests/language");
    let files = files(&["."]).into_iter().filter(|path| !path.starts_with(this_test));
    files.filter_map(|path| prose(&path).map(|prose| Text { path, prose })).collect()
}

fn prose(path: &Path) -> Option<String> {
    let read = || read(path);
    match path.extension().and_then(|extension| extension.to_str()) {
        Some("rs") => Some(without_code_blocks(&without_slashes(&lexer::separate(&read()).comments))),
        Some("md") => Some(without_code_blocks(&read())),
        Some("toml") => Some(hash_comments(&read())),
        None if path.starts_with(".ci") => Some(hash_comments(&read())),
        _ => None,
    }
}

fn without_slashes(comments: &str) -> String {
    comments.replace("///", "").replace("//!", "").replace("//", "")
}

fn without_code_blocks(markdown: &str) -> String {
    let mut inside = false;
    let lines = markdown.lines().map(|line| {
        let fence = line.trim_start().starts_with("```");
        inside ^= fence;
        if inside || fence { "" } else { line }
    });
    lines.collect::<Vec<_>>().join("\n")
}

fn hash_comments(text: &str) -> String {
    let comments = text.lines().map(|line| line.trim_start().strip_prefix('#').unwrap_or_default());
    comments.collect::<Vec<_>>().join("\n")
}

/// A sentence, or a cell of a table, in lower-case words with their line numbers.
struct Sentence {
    words: Vec<(String, usize)>,
    is_question: bool,
}

/// Splits prose at full stops, semicolons, colons, question marks, the bars of a table and empty lines. Text between
/// backticks is code, or a message that is quoted, and is left out.
fn sentences(prose: &str) -> Vec<Sentence> {
    let mut sentences = Vec::new();
    let mut words = Vec::new();
    let mut line = 1;
    let mut quoted = false;
    let mut word = String::new();
    let mut previous = ' ';
    for c in prose.chars().chain("\n\n".chars()) {
        let ends = matches!(c, '.' | ';' | ':' | '?' | '|') && !quoted || c == '\n' && previous == '\n';
        if c == '`' {
            quoted ^= previous != '`'; // a run of backticks is one delimiter
        } else if !quoted && (c.is_alphanumeric() || c == '\'' || c == '_') {
            word.extend(c.to_lowercase());
        } else if !word.is_empty() {
            words.push((std::mem::take(&mut word), line));
        }
        if ends && !words.is_empty() {
            sentences.push(Sentence { words: std::mem::take(&mut words), is_question: c == '?' });
        }
        if c == '\n' {
            line += 1;
            quoted &= previous != '\n'; // an unpaired backtick ends with its paragraph
        }
        if c == '\n' || !c.is_whitespace() {
            previous = c;
        }
    }
    sentences
}

/// The avoided phrases of a sentence, each with its line:
///
/// * "stand", "stands" and "standing", whatever they mean;
/// * "whoever", "nobody", and "who" before a form of "have" or "be";
/// * "what" before a form of "be" or "have", unless the sentence is a question: "what is missing" was used as a noun, where
///   the field has a noun of its own.
fn avoided(sentence: &Sentence) -> Vec<(&'static str, usize)> {
    let is_verb = |word: &str| matches!(word, "is" | "are" | "was" | "were" | "has" | "have" | "had");
    let next = |at: usize| sentence.words.get(at + 1).map_or("", |(word, _)| word.as_str());
    let phrases = sentence.words.iter().enumerate().filter_map(|(at, (word, line))| {
        let phrase = match word.as_str() {
            "stand" | "stands" | "standing" | "stood" => "stand, stands, standing",
            "whoever" | "nobody" => "whoever, nobody, who has",
            "who" if is_verb(next(at)) => "whoever, nobody, who has",
            "what" if is_verb(next(at)) && !sentence.is_question => "what is, what has",
            _ => return None,
        };
        Some((phrase, *line))
    });
    phrases.collect()
}

/// The name of the type or trait that a line of code defines.
fn defined_type(line: &str) -> Option<&str> {
    let mut words =
        line.split(|c: char| !c.is_alphanumeric() && c != '_' && c != '$').filter(|word| !word.is_empty());
    let keyword = words.find(|word| !matches!(*word, "pub" | "crate" | "super" | "in" | "unsafe"))?;
    let name = words.next()?;
    let defines = matches!(keyword, "struct" | "enum" | "union" | "trait");
    (defines && name.starts_with(|c: char| c.is_ascii_uppercase())).then_some(name)
}

/// The files under some folders of the repository, by their paths from its root, without build output and dot files.
fn files(folders: &[&str]) -> Vec<PathBuf> {
    let mut files = Vec::new();
    let mut folders: Vec<_> = folders.iter().map(|folder| root().join(folder)).collect();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).expect("the folder is readable").flatten() {
            let name = entry.file_name();
            let hidden = name.to_string_lossy().starts_with('.') && name != ".ci";
            if hidden || name == "target" {
                continue;
            }
            if entry.path().is_dir() {
                folders.push(entry.path());
            } else {
                files.push(
                    entry.path().strip_prefix(root()).expect("the file is in the repository").to_owned(),
                );
            }
        }
    }
    files.sort();
    files
}

fn read(path: &Path) -> String {
    fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}
