//! The value of one key, read as the key's kind of value.

use std::time::Duration;

use quote::ToTokens as _;
use syn::ext::IdentExt as _;
use syn::{Expr, ExprLit, ExprPath, Lit, LitInt, LitStr, Path};

use super::attribute::ValueKind;
use super::outcome_filter::OutcomeFilter;
use crate::errors::did_you_mean;

/// A value of the kind that its key takes.
#[derive(Clone)]
pub(crate) enum ArgumentValue {
    Label(WrittenLabel),
    Duration(Duration),
    Path(Path),
    Text(Box<Expr>),
    Word,
    Outcomes(OutcomeFilter),
    Nothing,
    /// A value with a mistake, which was reported. The key counts as written.
    Invalid,
}

/// A label's value as it was written.
#[derive(Clone)]
pub(crate) enum WrittenLabel {
    /// A text, checked against the label's type.
    Text(LitStr),
    /// The name of a method, checked against the label's type.
    MethodName(LitStr),
    /// A variant, known at compile time.
    Variant(ExprPath),
    /// An expression of the label's type, evaluated at each call.
    Expression(Box<Expr>),
}

/// Reads a value of this kind, or returns what a message adds to the list of valid values.
///
/// Outcomes have mistakes of their own, and are read by [`OutcomeFilter::read`].
pub(super) fn value(kind: ValueKind, expr: &Expr) -> Result<ArgumentValue, String> {
    match (kind, expr) {
        // A `macro_rules!` passes an expression on in a group without delimiters.
        (_, Expr::Group(group)) => value(kind, &group.expr),
        (ValueKind::Label(_), expr) => label(expr).map(ArgumentValue::Label),
        (ValueKind::Duration, Expr::Lit(ExprLit { lit: Lit::Str(text), .. })) if text.suffix().is_empty() => {
            duration(&text.value()).map(ArgumentValue::Duration)
        }
        (ValueKind::Duration, Expr::Lit(ExprLit { lit: Lit::Int(number), .. })) => Err(unquoted(number)),
        (ValueKind::Path(_), Expr::Path(path)) if path.qself.is_none() => {
            Ok(ArgumentValue::Path(path.path.clone()))
        }
        (ValueKind::Text, Expr::Lit(ExprLit { lit, .. })) if !matches!(lit, Lit::Str(_)) => {
            Err(String::new())
        }
        (ValueKind::Text, expr) => Ok(ArgumentValue::Text(Box::new(expr.clone()))),
        (ValueKind::Word(word), expr) => is_word(word, expr).map(|()| ArgumentValue::Word),
        (ValueKind::Nothing | ValueKind::Path(_) | ValueKind::Duration | ValueKind::Outcomes, _) => {
            Err(String::new())
        }
    }
}

/// Whether a text in quotes contains `{}`, `{name}` or `{name:?}`, which only a formatting macro would replace.
pub(super) fn has_placeholder(expr: &Expr) -> bool {
    let Expr::Lit(ExprLit { lit: Lit::Str(text), .. }) = expr else { return false };
    text.value().split('{').skip(1).filter_map(|rest| rest.split_once('}')).any(|(inside, _)| {
        let name = inside.split(':').next().unwrap_or_default().trim();
        name.chars().all(|character| character.is_alphanumeric() || character == '_')
    })
}

/// The suggestion for a time without quotes.
fn unquoted(number: &LitInt) -> String {
    let unit = if number.suffix().is_empty() { "s" } else { number.suffix() };
    let text = format!("{}{unit}", number.base10_digits());
    duration(&text).map_or_else(|_| String::new(), |_| format!("; did you mean {text:?}?"))
}

/// Checks that the expression is the word, with or without quotes.
fn is_word(word: &str, expr: &Expr) -> Result<(), String> {
    let written = match expr {
        Expr::Lit(ExprLit { lit: Lit::Str(text), .. }) => text.value(),
        _ => expr.to_token_stream().to_string(),
    };
    if written == word {
        return Ok(());
    }
    Err(did_you_mean(&written, std::iter::once(word)))
}

fn label(expr: &Expr) -> Result<WrittenLabel, String> {
    match expr {
        Expr::Lit(ExprLit { lit: Lit::Str(text), .. }) if text.suffix().is_empty() => {
            Ok(WrittenLabel::Text(text.clone()))
        }
        Expr::Lit(_) => Err(String::new()),
        Expr::Path(path) if is_variant(path) => Ok(WrittenLabel::Variant(path.clone())),
        _ => Ok(WrittenLabel::Expression(Box::new(expr.clone()))),
    }
}

/// Whether a path looks like a variant, which can be used in the call site's `static`. `Self` cannot.
fn is_variant(path: &ExprPath) -> bool {
    let segments = &path.path.segments;
    let name = segments.last().map(|segment| segment.ident.unraw().to_string()).unwrap_or_default();
    segments.len() > 1
        && segments.first().is_some_and(|first| first.ident != "Self")
        && path.qself.is_none()
        && name.starts_with(char::is_uppercase)
        && (name.len() == 1 || name.contains(char::is_lowercase))
}

/// Reads a whole number and a unit.
fn duration(text: &str) -> Result<Duration, String> {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (number, unit) = text.split_at(digits);
    let refuse = |why: &str| Err(format!(", not {text:?}{why}"));
    let milliseconds: u64 = match unit {
        "ms" => 1,
        "s" => 1_000,
        "m" => 60_000,
        "h" => 3_600_000,
        _ => return refuse(""),
    };
    if number.is_empty() {
        return refuse("");
    }
    match number.parse::<u64>().ok().and_then(|number| number.checked_mul(milliseconds)) {
        Some(0) => refuse(": it must be longer than 0"),
        Some(total) if Duration::from_millis(total) <= LONGEST => Ok(Duration::from_millis(total)),
        Some(_) | None => refuse(": the longest is 365 days"),
    }
}

/// A longer period is a mistake: no loop of a bot runs once a year.
const LONGEST: Duration = Duration::from_secs(365 * 24 * 60 * 60);
