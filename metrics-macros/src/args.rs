//! What was written between an attribute's parentheses.

use std::time::Duration;

use proc_macro2::{Span, TokenStream};
use quote::ToTokens as _;
use syn::ext::IdentExt as _;
use syn::parse::{ParseStream, Parser as _};
use syn::spanned::Spanned as _;
use syn::{Expr, ExprLit, ExprPath, Ident, Lit, LitStr, Path, Token};

use crate::attr::{Attribute, Is, Key, Takes};
use crate::errors::{Errors, nearest};

/// The arguments of one attribute, each with its key from the table.
#[derive(Clone)]
pub(crate) struct Args(Vec<(&'static Key, Value)>);

/// A value of the kind that its key takes.
#[derive(Clone)]
pub(crate) enum Value {
    Label(Label),
    Duration(Duration),
    Path(Path),
    Text(Box<Expr>),
    /// What the word stands for.
    Word(&'static str),
    Nothing,
}

/// A label as it was written.
#[derive(Clone)]
pub(crate) enum Label {
    /// A text, checked against the label's type.
    Text(LitStr),
    /// A variant, known while compiling.
    Variant(ExprPath),
    /// An expression of the label's type, evaluated at each call.
    Expression(Box<Expr>),
}

impl Args {
    /// Reads `tokens` by the attribute's keys; what is wrong goes to `errors`, each under its own token.
    pub(crate) fn read(attribute: Attribute, tokens: TokenStream, errors: &mut Errors) -> Self {
        let mut args = Self(Vec::new());
        for entry in entries(attribute, tokens, errors) {
            args.take(attribute, &entry, errors);
        }
        args
    }

    /// Reports the keys that must be there and are not.
    pub(crate) fn require(&self, attribute: Attribute, errors: &mut Errors) {
        for key in attribute.keys().filter(|key| key.is != Is::Optional && !self.has(key.name)) {
            let missing = if key.is == Is::Positional { "a" } else { "the argument" };
            let message =
                format!("{} needs {missing} {}: {}", attribute.name(), key.name, attribute.example());
            errors.push(Span::call_site(), message);
        }
    }

    /// These arguments for a method of a block: what is named after the method has its name.
    pub(crate) fn for_method(&self, attribute: Attribute, name: &Ident) -> Self {
        let mut args = self.clone();
        for key in attribute.keys().filter(|key| key.is == Is::MethodName && !self.has(key.name)) {
            let text = LitStr::new(&name.unraw().to_string(), name.span());
            args.0.push((key, Value::Label(Label::Text(text))));
        }
        args
    }

    pub(crate) fn has(&self, name: &str) -> bool {
        self.value(name).is_some()
    }

    pub(crate) fn label(&self, name: &str) -> Option<&Label> {
        if let Some(Value::Label(label)) = self.value(name) { Some(label) } else { None }
    }

    pub(crate) fn duration(&self, name: &str) -> Option<Duration> {
        if let Some(Value::Duration(duration)) = self.value(name) { Some(*duration) } else { None }
    }

    pub(crate) fn path(&self, name: &str) -> Option<&Path> {
        if let Some(Value::Path(path)) = self.value(name) { Some(path) } else { None }
    }

    pub(crate) fn text(&self, name: &str) -> Option<Box<Expr>> {
        if let Some(Value::Text(text)) = self.value(name) { Some(text.clone()) } else { None }
    }

    pub(crate) fn word(&self, name: &str) -> Option<&'static str> {
        if let Some(Value::Word(word)) = self.value(name) { Some(word) } else { None }
    }

    fn value(&self, name: &str) -> Option<&Value> {
        self.0.iter().find(|(key, _)| key.name == name).map(|(_, value)| value)
    }

    fn take(&mut self, attribute: Attribute, entry: &Entry, errors: &mut Errors) {
        let Some(key) = entry.key(attribute, errors) else { return };
        if self.0.iter().any(|(known, _)| known.name == key.name) {
            errors.push(entry.span(), format!("`{}` stands here a second time", key.name));
            return;
        }
        match value(key.takes, entry.value.as_ref()) {
            Ok(value) => self.0.push((key, value)),
            Err(found) => {
                let message = format!("`{}` takes {}{found}", key.name, key.takes.allowed());
                errors.push(entry.value_span(), message);
                // The key is there all the same: no second message that it is missing or stands twice.
                self.0.push((key, Value::Nothing));
            }
        }
    }
}

/// `key = value`, or a value alone.
struct Entry {
    name: Option<Ident>,
    /// None for a key that stands alone.
    value: Option<Expr>,
}

impl Entry {
    fn span(&self) -> Span {
        self.name.as_ref().map_or_else(|| self.value.span(), Ident::span)
    }

    fn value_span(&self) -> Span {
        self.value.as_ref().map_or_else(|| self.span(), syn::spanned::Spanned::span)
    }

    fn key(&self, attribute: Attribute, errors: &mut Errors) -> Option<&'static Key> {
        let Some(name) = &self.name else {
            let positional = attribute.positional();
            if positional.is_none() {
                let known = known(attribute);
                errors.push(
                    self.span(),
                    format!("{} takes `key = value` only; keys: {known}", attribute.name()),
                );
            }
            return positional;
        };
        let written = name.unraw().to_string();
        let found = attribute.keys().find(|key| key.name == written);
        if found.is_none() {
            let guess = nearest(&written, attribute.keys().map(|key| key.name))
                .map(|key| format!("; did you mean `{key}`?"))
                .unwrap_or_default();
            let message =
                format!("{} has no key `{written}`{guess} Known: {}", attribute.name(), known(attribute));
            errors.push(name.span(), message.replace("` Known", "`; known"));
        }
        found
    }
}

fn known(attribute: Attribute) -> String {
    attribute.keys().map(|key| key.name).collect::<Vec<_>>().join(", ")
}

/// The entries between commas; one that cannot be read is reported and skipped.
fn entries(attribute: Attribute, tokens: TokenStream, errors: &mut Errors) -> Vec<Entry> {
    let read = |input: ParseStream<'_>| {
        let mut entries = Vec::new();
        while !input.is_empty() {
            match entry(attribute, input) {
                Ok(entry) => entries.push(Ok(entry)),
                Err(error) => {
                    entries.push(Err(error));
                    skip_to_comma(input)?;
                }
            }
            if !input.is_empty() && input.parse::<Token![,]>().is_err() {
                entries.push(Err(input.error("expected a comma before this")));
                skip_to_comma(input)?;
                let _: Option<Token![,]> = input.parse()?;
            }
        }
        Ok(entries)
    };
    let entries: Vec<syn::Result<Entry>> = errors.ok(read.parse2(tokens)).unwrap_or_default();
    entries.into_iter().filter_map(|entry| errors.ok(entry)).collect()
}

fn entry(attribute: Attribute, input: ParseStream<'_>) -> syn::Result<Entry> {
    if let Some(name) = standing_alone(attribute, input) {
        input.call(Ident::parse_any)?;
        return Ok(Entry { name: Some(name), value: None });
    }
    let named = input.peek(Ident::peek_any) && input.peek2(Token![=]) && !input.peek2(Token![==]);
    let name = if named {
        let name = input.call(Ident::parse_any)?;
        input.parse::<Token![=]>()?;
        Some(name)
    } else {
        None
    };
    if input.is_empty() || input.peek(Token![,]) {
        let span = name.as_ref().map_or_else(|| input.span(), Ident::span);
        return Err(syn::Error::new(span, "expected a value"));
    }
    Ok(Entry { name, value: Some(input.parse()?) })
}

/// A word between commas that is a key of the attribute and no value.
fn standing_alone(attribute: Attribute, input: ParseStream<'_>) -> Option<Ident> {
    let ahead = input.fork();
    let name = ahead.call(Ident::parse_any).ok()?;
    let alone = ahead.is_empty() || ahead.peek(Token![,]);
    (alone && attribute.keys().any(|key| name == key.name)).then_some(name)
}

fn skip_to_comma(input: ParseStream<'_>) -> syn::Result<()> {
    while !input.is_empty() && !input.peek(Token![,]) {
        input.parse::<proc_macro2::TokenTree>()?;
    }
    Ok(())
}

/// The value as its key takes it, or what is to be said of it beside what is allowed.
fn value(takes: Takes, expr: Option<&Expr>) -> Result<Value, String> {
    match (takes, expr) {
        // What a `macro_rules!` passes on stands in a group without delimiters.
        (_, Some(Expr::Group(group))) => value(takes, Some(&group.expr)),
        (Takes::Nothing, None) => Ok(Value::Nothing),
        (Takes::Label(_), Some(expr)) => label(expr).map(Value::Label),
        (Takes::Duration, Some(Expr::Lit(ExprLit { lit: Lit::Str(text), .. }))) => {
            duration(&text.value()).map(Value::Duration)
        }
        (Takes::Path, Some(Expr::Path(path))) if path.qself.is_none() => Ok(Value::Path(path.path.clone())),
        (Takes::Text, Some(Expr::Lit(ExprLit { lit, .. }))) if !matches!(lit, Lit::Str(_)) => {
            Err(String::new())
        }
        (Takes::Text, Some(expr)) => Ok(Value::Text(Box::new(expr.clone()))),
        (Takes::Word(words), Some(expr)) => word(words, expr).map(Value::Word),
        _ => Err(String::new()),
    }
}

/// What the word stands for; it may stand in quotes.
fn word(words: &[(&str, &'static str)], expr: &Expr) -> Result<&'static str, String> {
    let written = match expr {
        Expr::Lit(ExprLit { lit: Lit::Str(text), .. }) => text.value(),
        _ => expr.to_token_stream().to_string(),
    };
    let found = words.iter().find(|(word, _)| *word == written).map(|(_, meaning)| *meaning);
    found.ok_or_else(|| {
        let guess = nearest(&written, words.iter().map(|(word, _)| *word));
        guess.map(|word| format!("; did you mean `{word}`?")).unwrap_or_default()
    })
}

fn label(expr: &Expr) -> Result<Label, String> {
    match expr {
        Expr::Lit(ExprLit { lit: Lit::Str(text), .. }) if text.suffix().is_empty() => {
            Ok(Label::Text(text.clone()))
        }
        Expr::Lit(_) => Err(String::new()),
        Expr::Path(path) if is_variant(path) => Ok(Label::Variant(path.clone())),
        _ => Ok(Label::Expression(Box::new(expr.clone()))),
    }
}

/// Whether a path reads like a variant: those can be used in the call site's `static`. `Self` cannot.
fn is_variant(path: &ExprPath) -> bool {
    let segments = &path.path.segments;
    let name = segments.last().map(|segment| segment.ident.unraw().to_string()).unwrap_or_default();
    segments.len() > 1
        && segments.first().is_some_and(|first| first.ident != "Self")
        && path.qself.is_none()
        && name.starts_with(char::is_uppercase)
        && (name.len() == 1 || name.contains(char::is_lowercase))
}

/// A whole number and a unit.
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

/// Longer periods are slips: no loop of a bot runs once a year.
const LONGEST: Duration = Duration::from_hours(365 * 24);
