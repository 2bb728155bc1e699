//! `#[label(…)]` over an enum and over a variant.

use proc_macro2::Span;
use syn::ext::IdentExt as _;
use syn::spanned::Spanned as _;
use syn::{Attribute, Expr, ExprLit, Ident, Lit, LitStr, Meta, Path, Variant};

use super::case::Case;
use crate::errors::{Errors, known, known_with, repeated};
use crate::grammar::entries::{AttributeEntry, EntryValue, Keys, entries};

/// The keys over an enum, each with a description of its value.
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

/// The options over an enum.
#[derive(Default)]
pub(crate) struct EnumOptions {
    pub(crate) name: Option<String>,
    pub(crate) case: Case,
    pub(crate) library: Option<Path>,
}

impl EnumOptions {
    pub(crate) fn read(attrs: &[Attribute], errors: &mut Errors) -> Self {
        let mut options = Self::default();
        let mut seen: Vec<String> = Vec::new();
        for attr in labels(attrs) {
            for entry in enum_entries(attr, errors) {
                let Some(name) = &entry.name else {
                    errors.push_over(entry.tokens(), no_key());
                    continue;
                };
                let key = name.unraw().to_string();
                if seen.contains(&key) {
                    errors.push(name.span(), repeated(&key));
                } else if let Err(error) = options.take(name, &key, &entry.written) {
                    errors.ok::<()>(Err(error));
                }
                seen.push(key);
            }
        }
        options
    }

    fn take(&mut self, name: &Ident, key: &str, written: &EntryValue) -> syn::Result<()> {
        match (key, written) {
            // The mistake was reported.
            (_, EntryValue::Invalid) => {}
            (RENAME_ALL, EntryValue::Value(Expr::Lit(ExprLit { lit: Lit::Str(text), .. }))) => {
                self.case =
                    Case::of(&text.value()).map_err(|message| syn::Error::new(text.span(), message))?;
            }
            (NAME, EntryValue::Value(Expr::Lit(ExprLit { lit: Lit::Str(text), .. }))) => {
                if text.value().trim().is_empty() {
                    return Err(syn::Error::new(
                        text.span(),
                        "messages use the name of the set: it is not empty",
                    ));
                }
                self.name = Some(text.value());
            }
            (CRATE, EntryValue::Value(Expr::Path(path))) => self.library = Some(path.path.clone()),
            (EXTENDS, _) => {
                let message = "write `extends` over a variant that holds a value of the set to extend: \
                               `#[label(extends)] Common(bot_metrics::labels::Operation)`";
                return Err(syn::Error::new(name.span(), message));
            }
            (key, written) => {
                let Some((_, takes)) = KEYS.iter().find(|(known, _)| *known == key) else {
                    let known = known(key, KEYS.iter().map(|(key, _)| *key));
                    return Err(syn::Error::new(name.span(), format!("`label` has no key `{key}`{known}")));
                };
                let message = format!("`{name}` takes {takes}");
                return Err(match written {
                    EntryValue::Value(value) => syn::Error::new_spanned(value, message),
                    _ => syn::Error::new(name.span(), message),
                });
            }
        }
        Ok(())
    }
}

fn enum_entries(attr: &Attribute, errors: &mut Errors) -> Vec<AttributeEntry> {
    let Meta::List(list) = &attr.meta else {
        errors.push(attr.meta.span(), no_key());
        return Vec::new();
    };
    let keys = Keys { is_key: &|name| KEYS.iter().any(|(key, _)| name == key), positional: false };
    entries(&keys, list.tokens.clone(), errors)
}

fn no_key() -> String {
    let known = known_with(None, KEYS.iter().map(|(key, _)| *key));
    format!("over an enum `label` takes `key = value`; a text is written over its variant{known}")
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
                    let message = format!(
                        "a variant's text is written in parentheses and quotes: `#[label({text:?})]`"
                    );
                    errors.push_over(&attr.meta, message);
                    continue;
                }
            };
            match written {
                Self::Nothing => written = read,
                Self::Text(_) => {
                    errors.push_over(attr, "a variant has one text, and this is the second");
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
