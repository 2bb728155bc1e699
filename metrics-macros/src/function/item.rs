//! A function with its attributes and its parsed signature.
//!
//! The body is kept as a token tree. Parsing it would cost compile time, lose spans, and crash the compiler on deep
//! nesting, which the compiler's own parser copes with.

use proc_macro2::{Delimiter, Group, Span, TokenStream, TokenTree};
use quote::ToTokens;
use syn::parse::{Parse, ParseStream};
use syn::spanned::Spanned as _;
use syn::{Attribute, ReturnType, Signature, Token, Visibility, parse_quote};

use crate::grammar::attribute;
use crate::tokens::mentions;

/// A function with a body.
pub(crate) struct Function {
    pub(crate) attrs: Vec<Attribute>,
    pub(crate) vis: Visibility,
    pub(crate) defaultness: Option<Token![default]>,
    pub(crate) sig: Signature,
    pub(crate) body: Group,
}

impl Parse for Function {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let attrs = input.call(Attribute::parse_outer)?;
        let passed_on = input.cursor().token_tree().is_some_and(|(token, _)| is_passed_on(&token));
        let vis = input.parse()?;
        let defaultness = input.parse()?;
        let sig = input.parse()?;
        let body = braces(input.parse()?).ok_or_else(|| input.error("expected a body"))?;
        let mut function = Self { attrs, vis, defaultness, sig, body };
        if passed_on {
            // Clippy does not see that a macro wrote the function.
            function.allow_must_use_candidate();
        }
        Ok(function)
    }
}

impl Function {
    /// For a function that clippy sees less of than without the attribute, and would propose a `#[must_use]` for.
    pub(crate) fn allow_must_use_candidate(&mut self) {
        if matches!(self.vis, Visibility::Public(_)) {
            self.attrs.push(parse_quote!(#[allow(clippy::must_use_candidate)]));
        }
    }

    pub(crate) fn has_attribute(&self, name: &str) -> bool {
        has_attribute(&self.attrs, name)
    }

    /// Whether an attribute of another crate may be expanded later, and look at the body.
    pub(crate) fn may_be_seen(&self) -> bool {
        self.attrs.iter().any(is_foreign)
    }

    /// Puts `attribute` below the attributes of `tracing::instrument` that are expanded next, and below those that were
    /// put there before. Returns whether there are any.
    pub(crate) fn defer(&mut self, attribute: Attribute) -> bool {
        let next = self.attrs.iter().position(is_foreign);
        let Some(next) = next.filter(|next| is_tracing(&self.attrs[*next])) else { return false };
        let behind = self.attrs[next..].iter().take_while(|attr| is_tracing(attr) || is_deferred(attr));
        let behind = next + behind.count();
        self.attrs.insert(behind, attribute);
        true
    }

    /// The tokens between the parentheses of every attribute.
    pub(crate) fn attribute_arguments(&self) -> impl Iterator<Item = TokenStream> {
        self.attrs.iter().filter_map(arguments)
    }

    /// The tokens between the parentheses of attributes of other crates.
    pub(crate) fn foreign_arguments(&self) -> TokenStream {
        self.attrs.iter().filter(|attr| is_foreign(attr)).filter_map(arguments).collect()
    }

    /// The tokens between the parentheses of each attribute of this name.
    pub(crate) fn arguments_of(&self, name: &str) -> impl Iterator<Item = TokenStream> {
        self.attrs.iter().filter(move |attr| is_named(attr, name)).filter_map(arguments)
    }

    /// Where the returned type is written; without one, the function's name.
    pub(crate) fn output_span(&self) -> Span {
        match &self.sig.output {
            ReturnType::Default => self.sig.ident.span(),
            ReturnType::Type(_, ty) => ty.span(),
        }
    }

    /// Everything in front of the body.
    pub(crate) fn head(&self) -> TokenStream {
        let Self { attrs, vis, defaultness, sig, body: _ } = self;
        let mut head = TokenStream::new();
        for attr in attrs {
            attr.to_tokens(&mut head);
        }
        vis.to_tokens(&mut head);
        defaultness.to_tokens(&mut head);
        sig.to_tokens(&mut head);
        head
    }
}

impl ToTokens for Function {
    fn to_tokens(&self, tokens: &mut TokenStream) {
        tokens.extend(self.head());
        self.body.to_tokens(tokens);
    }
}

/// Whether the attribute of this name was written there.
pub(crate) fn has_attribute(attrs: &[Attribute], name: &str) -> bool {
    attrs.iter().any(|attr| is_named(attr, name) && !is_deferred(attr))
}

/// Removes `#[name(word)]`, and returns whether it was there.
pub(crate) fn take_attribute(attrs: &mut Vec<Attribute>, name: &str, word: &str) -> bool {
    let before = attrs.len();
    attrs.retain(|attr| {
        let argument = attr.parse_args::<syn::Ident>();
        !(is_named(attr, name) && argument.is_ok_and(|argument| argument == word))
    });
    attrs.len() < before
}

/// Attributes of the compiler and its tools, which are not expanded.
const INERT: [&str; 20] = [
    "allow",
    "clippy",
    "cold",
    "deny",
    "deprecated",
    "diagnostic",
    "doc",
    "expect",
    "export_name",
    "forbid",
    "inline",
    "link_section",
    "must_use",
    "no_mangle",
    "rustfmt",
    "target_feature",
    "track_caller",
    "unsafe",
    "warn",
    "cfg",
];

fn arguments(attr: &Attribute) -> Option<TokenStream> {
    Some(attr.meta.require_list().ok()?.tokens.clone())
}

fn is_foreign(attr: &Attribute) -> bool {
    let is_ours = attribute::Attribute::ALL.iter().any(|ours| is_named(attr, ours.name()));
    let first = attr.path().segments.first();
    !is_ours && !first.is_some_and(|first| INERT.iter().any(|name| first.ident == name))
}

/// Whether this is `tracing::instrument`. It keeps every statement in front of the future that it looks for, which
/// `fastrace::trace` and `logcall` do not.
fn is_tracing(attr: &Attribute) -> bool {
    is_named(attr, "instrument")
        || attr.path().is_ident("cfg_attr") && mentions(&attr.meta.to_token_stream(), "instrument")
}

/// Whether one of our attributes was put here by its own expansion.
fn is_deferred(attr: &Attribute) -> bool {
    attr.path().segments.iter().rev().nth(1).is_some_and(|module| module.ident == "__private")
}

fn is_named(attr: &Attribute, name: &str) -> bool {
    attr.path().segments.last().is_some_and(|segment| segment.ident == name)
}

/// Whether this is a group without delimiters, in which a `macro_rules!` passes tokens on.
fn is_passed_on(token: &TokenTree) -> bool {
    matches!(token, TokenTree::Group(group) if group.delimiter() == Delimiter::None)
}

/// A body's braces, also inside a group without delimiters.
pub(crate) fn braces(tree: TokenTree) -> Option<Group> {
    let TokenTree::Group(group) = tree else { return None };
    match group.delimiter() {
        Delimiter::Brace => Some(group),
        Delimiter::None => group.stream().into_iter().next().and_then(braces),
        _ => None,
    }
}
