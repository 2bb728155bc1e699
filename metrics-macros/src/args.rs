//! What was written between an attribute's parentheses.

use std::time::Duration;

use proc_macro2::{Span, TokenStream};
use syn::ext::IdentExt as _;
use syn::parse::{ParseStream, Parser as _};
use syn::spanned::Spanned as _;
use syn::{Expr, ExprLit, ExprPath, Ident, Lit, LitStr, Path, Token};

use crate::attr::{Attribute, Key, Takes};
use crate::errors::{Errors, nearest};

/// The arguments of one attribute, each with its key from the table.
pub(crate) struct Args(Vec<(&'static Key, Value)>);

/// A value of the kind that its key takes.
#[derive(Clone)]
pub(crate) enum Value {
    Label(Label),
    Duration(Duration),
    Path(Path),
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
        for entry in entries(tokens, errors) {
            args.take(attribute, &entry, errors);
        }
        for key in attribute.keys().filter(|key| key.required) {
            if !args.0.iter().any(|(known, _)| known.name == key.name) {
                let name = attribute.name();
                let missing = if key.positional { "a" } else { "the argument" };
                let message = format!("{name} needs {missing} {}: {}", key.name, attribute.example());
                errors.push(Span::call_site(), message);
            }
        }
        args
    }

    pub(crate) fn label(&self, name: &str) -> Option<&Label> {
        self.value(name).and_then(|value| if let Value::Label(label) = value { Some(label) } else { None })
    }

    pub(crate) fn duration(&self, name: &str) -> Option<Duration> {
        self.value(name)
            .and_then(|value| if let Value::Duration(duration) = value { Some(*duration) } else { None })
    }

    pub(crate) fn path(&self, name: &str) -> Option<&Path> {
        self.value(name).and_then(|value| if let Value::Path(path) = value { Some(path) } else { None })
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
        match value(key.takes, &entry.value) {
            Ok(value) => self.0.push((key, value)),
            Err(found) => {
                let message = format!("`{}` takes {}{found}", key.name, key.takes.allowed());
                errors.push(entry.value.span(), message);
                // The key is there all the same: no second message that it is missing.
                if let Some(stand_in) = stand_in(key.takes) {
                    self.0.push((key, stand_in));
                }
            }
        }
    }
}

/// Something of the right kind for a value that was refused already.
fn stand_in(takes: Takes) -> Option<Value> {
    match takes {
        Takes::Label(_) => Some(Value::Label(Label::Text(LitStr::new("", Span::call_site())))),
        Takes::Duration | Takes::Path => None,
    }
}

/// `key = value`, or a value alone.
struct Entry {
    name: Option<Ident>,
    value: Expr,
}

impl Entry {
    fn span(&self) -> Span {
        self.name.as_ref().map_or_else(|| self.value.span(), Ident::span)
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
fn entries(tokens: TokenStream, errors: &mut Errors) -> Vec<Entry> {
    let read = |input: ParseStream<'_>| {
        let mut entries = Vec::new();
        while !input.is_empty() {
            match entry(input) {
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

fn entry(input: ParseStream<'_>) -> syn::Result<Entry> {
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
    Ok(Entry { name, value: input.parse()? })
}

fn skip_to_comma(input: ParseStream<'_>) -> syn::Result<()> {
    while !input.is_empty() && !input.peek(Token![,]) {
        input.parse::<proc_macro2::TokenTree>()?;
    }
    Ok(())
}

/// The value as its key takes it, or what is to be said of it beside what is allowed.
fn value(takes: Takes, expr: &Expr) -> Result<Value, String> {
    match (takes, expr) {
        (Takes::Label(_), _) => label(expr).map(Value::Label),
        (Takes::Duration, Expr::Lit(ExprLit { lit: Lit::Str(text), .. })) => {
            duration(&text.value()).map(Value::Duration)
        }
        (Takes::Path, Expr::Path(path)) if path.qself.is_none() => Ok(Value::Path(path.path.clone())),
        (Takes::Duration | Takes::Path, _) => Err(String::new()),
    }
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
