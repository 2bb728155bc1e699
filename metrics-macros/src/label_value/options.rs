//! What `#[label(…)]` says over an enum and over a variant.

use proc_macro2::Span;
use syn::ext::IdentExt as _;
use syn::parse::{ParseStream, Parser as _};
use syn::spanned::Spanned as _;
use syn::{Attribute, Expr, ExprLit, Ident, Lit, LitStr, Meta, Path, Token, Variant};

use super::case::Case;
use crate::errors::{Errors, known, known_with};

/// The keys over an enum, each with what it takes.
pub(crate) const KEYS: [(&str, &str); 3] = [
    (RENAME_ALL, "a case in quotes, such as \"SCREAMING_SNAKE_CASE\""),
    (NAME, "a text in quotes, such as \"event type\""),
    (CRATE, "a path without quotes, such as `::bot_metrics`"),
];

const RENAME_ALL: &str = "rename_all";
const NAME: &str = "name";
const CRATE: &str = "crate";

/// The word over a variant that holds a value of another set.
const EXTENDS: &str = "extends";

/// What stands over an enum.
#[derive(Default)]
pub(crate) struct Options {
    pub(crate) name: Option<String>,
    pub(crate) case: Case,
    pub(crate) library: Option<Path>,
}

impl Options {
    pub(crate) fn read(attrs: &[Attribute], errors: &mut Errors) -> Self {
        let mut options = Self::default();
        let mut seen: Vec<String> = Vec::new();
        for attr in labels(attrs) {
            for entry in entries(attr, errors) {
                let name = entry.name.unraw().to_string();
                if seen.contains(&name) {
                    errors.push(entry.name.span(), format!("`{name}` stands here a second time"));
                } else if let Err(error) = options.take(&name, &entry) {
                    errors.ok::<()>(Err(error));
                }
                seen.push(name);
            }
        }
        options
    }

    fn take(&mut self, name: &str, entry: &Entry) -> syn::Result<()> {
        match name {
            RENAME_ALL => {
                let text = entry.text()?;
                self.case =
                    Case::of(&text.value()).map_err(|message| syn::Error::new(text.span(), message))?;
            }
            NAME => {
                let text = entry.text()?;
                if text.value().trim().is_empty() {
                    return Err(syn::Error::new(
                        text.span(),
                        "messages call the set by its name: it is not empty",
                    ));
                }
                self.name = Some(text.value());
            }
            CRATE => {
                let Some(Expr::Path(path)) = &entry.value else { return Err(entry.wrong_kind()) };
                self.library = Some(path.path.clone());
            }
            EXTENDS => {
                let message = "write `extends` over a variant that holds a value of the set to extend: \
                               `#[label(extends)] Common(bot_metrics::labels::Operation)`";
                return Err(syn::Error::new(entry.name.span(), message));
            }
            unknown => {
                let message = format!(
                    "`label` has no key `{unknown}`{}",
                    known(unknown, KEYS.iter().map(|(key, _)| *key))
                );
                return Err(syn::Error::new(entry.name.span(), message));
            }
        }
        Ok(())
    }
}

/// The `#[label(…)]` over a variant.
pub(crate) enum VariantLabel {
    Nothing,
    /// A text of its own.
    Text(LitStr),
    /// `extends`, and its span: the variant holds a value of another set.
    Extends(Span),
}

impl VariantLabel {
    pub(crate) fn over(variant: &Variant, errors: &mut Errors) -> Self {
        let mut written = Self::Nothing;
        for attr in labels(&variant.attrs) {
            let read = match attr.parse_args::<LitStr>() {
                Ok(text) if text.suffix().is_empty() => Self::Text(text),
                _ if attr.parse_args::<Ident>().is_ok_and(|word| word == EXTENDS) => {
                    Self::Extends(attr.meta.span())
                }
                _ => {
                    let text = written_otherwise(attr)
                        .unwrap_or_else(|| Case::default().spell(&variant.ident.to_string()));
                    let message =
                        format!("a variant's text stands in parentheses and quotes: `#[label({text:?})]`");
                    errors.push_over(&attr.meta, message);
                    continue;
                }
            };
            match written {
                Self::Nothing => written = read,
                Self::Text(_) => {
                    errors.push_over(attr, "a variant has one text, and one stands before this");
                }
                Self::Extends(_) => {
                    errors.push_over(attr, "a variant that extends another set has no text of its own");
                }
            }
        }
        written
    }
}

/// The text in `label = "text"`, `label(rename = "text")` and the like.
fn written_otherwise(attr: &Attribute) -> Option<String> {
    let text = |expr: &Expr| match expr {
        Expr::Lit(ExprLit { lit: Lit::Str(text), .. }) => Some(text.value()),
        Expr::Lit(ExprLit { lit: Lit::Int(number), .. }) => Some(number.to_string()),
        _ => None,
    };
    match &attr.meta {
        Meta::NameValue(meta) => text(&meta.value),
        Meta::List(list) => match syn::parse2::<Expr>(list.tokens.clone()).ok()? {
            Expr::Assign(assign) => text(&assign.right),
            expr => text(&expr),
        },
        Meta::Path(_) => None,
    }
}

fn labels(attrs: &[Attribute]) -> impl Iterator<Item = &Attribute> {
    attrs.iter().filter(|attr| attr.path().is_ident("label"))
}

/// `key = value`
struct Entry {
    name: Ident,
    value: Option<Expr>,
}

impl Entry {
    fn text(&self) -> syn::Result<&LitStr> {
        match &self.value {
            Some(Expr::Lit(ExprLit { lit: Lit::Str(text), .. })) if text.suffix().is_empty() => Ok(text),
            _ => Err(self.wrong_kind()),
        }
    }

    fn wrong_kind(&self) -> syn::Error {
        let takes =
            KEYS.iter().find(|(key, _)| self.name.unraw() == key).map_or("a value", |(_, takes)| takes);
        let message = format!("`{}` takes {takes}", self.name);
        self.value.as_ref().map_or_else(
            || syn::Error::new(self.name.span(), &message),
            |value| syn::Error::new_spanned(value, &message),
        )
    }
}

/// The entries over an enum, up to one that cannot be read.
fn entries(attr: &Attribute, errors: &mut Errors) -> Vec<Entry> {
    let mut entries = Vec::new();
    let read = |input: ParseStream<'_>| {
        while !input.is_empty() {
            let Ok(name) = input.call(Ident::parse_any) else { return Err(input.error(no_key())) };
            let value =
                if input.parse::<Option<Token![=]>>()?.is_some() { Some(input.parse()?) } else { None };
            entries.push(Entry { name, value });
            if !input.is_empty() {
                input
                    .parse::<Token![,]>()
                    .map_err(|error| syn::Error::new(error.span(), "expected a comma before this"))?;
            }
        }
        Ok(())
    };
    let read = match &attr.meta {
        Meta::List(list) => read.parse2(list.tokens.clone()),
        meta => Err(syn::Error::new(meta.span(), no_key())),
    };
    if let Err(error) = read {
        // The rest of the tokens is of no interest.
        errors.ok::<()>(Err(error
            .into_iter()
            .next()
            .unwrap_or_else(|| syn::Error::new(attr.span(), no_key()))));
    }
    entries
}

fn no_key() -> String {
    let known = known_with(None, KEYS.iter().map(|(key, _)| *key));
    format!("over an enum `label` takes `key = value`; a text of its own stands over a variant{known}")
}
