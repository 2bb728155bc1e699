//! Entries between commas, as attributes contain them: `key = value`, a key alone, or a value alone.

use proc_macro2::TokenStream;
use quote::quote;
use syn::ext::IdentExt as _;
use syn::parse::discouraged::Speculative as _;
use syn::parse::{ParseStream, Parser as _};
use syn::{Expr, ExprLit, Ident, Lit, LitStr, Token};

use crate::errors::Errors;

/// The entries that an attribute takes.
pub(crate) struct Keys<'a> {
    pub(crate) is_key: &'a dyn Fn(&Ident) -> bool,
    /// Whether one value is written without a key.
    pub(crate) positional: bool,
}

/// `key = value`, a key alone, or a value alone.
pub(crate) struct AttributeEntry {
    pub(crate) name: Option<Ident>,
    pub(crate) written: EntryValue,
}

pub(crate) enum EntryValue {
    Nothing,
    /// `=` and nothing behind it.
    Missing,
    Value(Expr),
    /// A value that could not be read, which was reported.
    Invalid,
}

impl AttributeEntry {
    pub(crate) fn tokens(&self) -> TokenStream {
        let name = &self.name;
        match (&self.written, name) {
            (EntryValue::Value(value), Some(name)) => quote!(#name = #value),
            (EntryValue::Value(value), None) => quote!(#value),
            (EntryValue::Nothing | EntryValue::Missing | EntryValue::Invalid, _) => quote!(#name),
        }
    }
}

/// Reads all entries. Of an entry that cannot be read only the key is kept.
pub(crate) fn entries(keys: &Keys<'_>, tokens: TokenStream, errors: &mut Errors) -> Vec<AttributeEntry> {
    let mut entries: Vec<AttributeEntry> = Vec::new();
    let mut wrong = Vec::new();
    let read = |input: ParseStream<'_>| {
        while !input.is_empty() {
            let has_positional = entries.iter().any(|entry| entry.name.is_none());
            match entry(keys, has_positional, input) {
                Ok(entry) => entries.push(entry),
                Err((name, error)) => {
                    entries.extend(
                        name.map(|name| AttributeEntry { name: Some(name), written: EntryValue::Invalid }),
                    );
                    wrong.push(error);
                    skip_to_comma(input)?;
                }
            }
            if !input.is_empty() && input.parse::<Token![,]>().is_err() {
                wrong.push(input.error("expected a comma before this"));
                if !begins_entry(input) {
                    skip_to_comma(input)?;
                    let _: Option<Token![,]> = input.parse()?;
                }
            }
        }
        Ok(())
    };
    // An entry that could not be skipped was reported before.
    let _ = read.parse2(tokens);
    for error in wrong {
        errors.ok::<()>(Err(error));
    }
    entries
}

/// Reads one entry, or returns its name and its mistake.
fn entry(
    keys: &Keys<'_>,
    has_positional: bool,
    input: ParseStream<'_>,
) -> Result<AttributeEntry, (Option<Ident>, syn::Error)> {
    let Some(name) = input.fork().call(Ident::parse_any).ok() else {
        return expression(input).map_err(|error| (None, error));
    };
    let is_key = (keys.is_key)(&name.unraw());
    let ahead = input.fork();
    let _ = ahead.call(Ident::parse_any);
    if ends(&ahead) && (is_key || has_positional || !keys.positional) {
        let _ = input.call(Ident::parse_any);
        return Ok(AttributeEntry { name: Some(name), written: EntryValue::Nothing });
    }
    if begins_entry(input) {
        return named(input).map_err(|error| (Some(name), error));
    }
    let colon = ahead.peek(Token![:]) && !ahead.peek(Token![::]);
    if colon || ahead.peek(Lit) || is_key && ahead.peek(syn::token::Paren) {
        let message = format!("the value of `{name}` is written behind `=`: `{name} = …`");
        let error = syn::Error::new(name.span(), message);
        return Err((Some(name), error));
    }
    if is_key && ahead.peek(Ident) {
        let error = ahead.error("expected a comma or `=` before this");
        return Err((Some(name), error));
    }
    expression(input).map_err(|error| (None, error))
}

/// Whether a key and its `=` are next.
fn begins_entry(input: ParseStream<'_>) -> bool {
    input.peek(Ident::peek_any)
        && input.peek2(Token![=])
        && !input.peek2(Token![==])
        && !input.peek2(Token![=>])
}

fn named(input: ParseStream<'_>) -> syn::Result<AttributeEntry> {
    let name = input.call(Ident::parse_any)?;
    input.parse::<Token![=]>()?;
    let written = if ends(input) { EntryValue::Missing } else { EntryValue::Value(value(input)?) };
    Ok(AttributeEntry { name: Some(name), written })
}

fn expression(input: ParseStream<'_>) -> syn::Result<AttributeEntry> {
    if ends(input) {
        return Err(input.error("expected a value before this"));
    }
    Ok(AttributeEntry { name: None, written: EntryValue::Value(value(input)?) })
}

/// Reads an expression. Most are a single text, which is faster to read by itself.
fn value(input: ParseStream<'_>) -> syn::Result<Expr> {
    if input.peek(LitStr) {
        let ahead = input.fork();
        if let Ok(text) = ahead.parse::<LitStr>()
            && ends(&ahead)
        {
            input.advance_to(&ahead);
            return Ok(Expr::Lit(ExprLit { attrs: Vec::new(), lit: Lit::Str(text) }));
        }
    }
    input.parse()
}

fn ends(input: ParseStream<'_>) -> bool {
    input.is_empty() || input.peek(Token![,])
}

fn skip_to_comma(input: ParseStream<'_>) -> syn::Result<()> {
    while !input.is_empty() && !input.peek(Token![,]) {
        input.parse::<proc_macro2::TokenTree>()?;
    }
    Ok(())
}
