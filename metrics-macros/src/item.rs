//! What stands under an attribute: a function or a block of them, the signatures parsed, the bodies kept as they are.
//!
//! A body stays a token tree. Parsing it would cost compile time, lose spans, and crash the compiler on nesting
//! that it survives by itself.

use proc_macro2::{Delimiter, Group, TokenStream, TokenTree};
use quote::ToTokens;
use syn::parse::discouraged::Speculative as _;
use syn::parse::{Parse, ParseStream, Parser as _};
use syn::{Attribute, ImplItemMacro, Signature, Token, Visibility, parse_quote};

use crate::attr;
use crate::body::{Body, mentions};

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
            // Clippy no longer sees that a macro wrote the function.
            function.allow_must_use_candidate();
        }
        Ok(function)
    }
}

impl Function {
    /// Where clippy sees less of the function than without the attribute, it would propose a `#[must_use]`.
    pub(crate) fn allow_must_use_candidate(&mut self) {
        if matches!(self.vis, Visibility::Public(_)) {
            self.attrs.push(parse_quote!(#[allow(clippy::must_use_candidate)]));
        }
    }

    pub(crate) fn has_attribute(&self, name: &str) -> bool {
        has_attribute(&self.attrs, name)
    }

    /// Whether an attribute of another crate may be expanded next, and look at the body.
    pub(crate) fn may_be_seen(&self) -> bool {
        self.attrs.iter().any(is_anothers)
    }

    /// Puts `attribute` below the attributes of `tracing::instrument` that are expanded next, and below those that were
    /// put there before. Returns whether there are any.
    pub(crate) fn defer(&mut self, attribute: Attribute) -> bool {
        let next = self.attrs.iter().position(is_anothers);
        let Some(next) = next.filter(|next| is_tracing(&self.attrs[*next])) else { return false };
        let behind = self.attrs[next..].iter().take_while(|attr| is_tracing(attr) || is_deferred(attr));
        let behind = next + behind.count();
        self.attrs.insert(behind, attribute);
        true
    }

    /// The arguments of those attributes.
    pub(crate) fn arguments_of_others(&self) -> TokenStream {
        let others = self.attrs.iter().filter(|attr| is_anothers(attr));
        others.filter_map(|attr| Some(attr.meta.require_list().ok()?.tokens.clone())).collect()
    }

    /// What stands between the parentheses of each attribute of this name.
    pub(crate) fn arguments_of(&self, name: &str) -> impl Iterator<Item = TokenStream> {
        let named = self.attrs.iter().filter(move |attr| is_named(attr, name));
        named.filter_map(|attr| Some(attr.meta.require_list().ok()?.tokens.clone()))
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

/// Takes away `#[name(word)]`, and says whether it was there.
pub(crate) fn take_attribute(attrs: &mut Vec<Attribute>, name: &str, word: &str) -> bool {
    let before = attrs.len();
    attrs.retain(|attr| {
        let argument = attr.parse_args::<syn::Ident>();
        !(is_named(attr, name) && argument.is_ok_and(|argument| argument == word))
    });
    attrs.len() < before
}

/// Attributes of the compiler and its tools that a function can have and that expand to nothing.
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

fn is_anothers(attr: &Attribute) -> bool {
    let is_ours = attr::Attribute::ALL.iter().any(|ours| is_named(attr, ours.name()));
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

/// Whether a `macro_rules!` passed this on in a group without delimiters.
fn is_passed_on(token: &TokenTree) -> bool {
    matches!(token, TokenTree::Group(group) if group.delimiter() == Delimiter::None)
}

/// A body, also where a `macro_rules!` passed it on in a group without delimiters.
fn braces(tree: TokenTree) -> Option<Group> {
    let TokenTree::Group(group) = tree else { return None };
    match group.delimiter() {
        Delimiter::Brace => Some(group),
        Delimiter::None => group.stream().into_iter().next().and_then(braces),
        _ => None,
    }
}

/// An `impl` block.
pub(crate) struct ImplBlock {
    pub(crate) head: TokenStream,
    pub(crate) braces: Group,
    pub(crate) items: Vec<ImplItem>,
}

pub(crate) enum ImplItem {
    Method(Box<Function>),
    /// It may expand to methods, which cannot be seen.
    MacroCall(Box<ImplItemMacro>),
    /// Whatever else stands in a block, its inner attributes included.
    Other(TokenStream),
}

impl ImplBlock {
    pub(crate) fn of(item: &TokenStream) -> Option<Self> {
        if !may_be_impl(item) {
            return None;
        }
        let mut head: Vec<TokenTree> = item.clone().into_iter().collect();
        let braces = head.pop().and_then(braces)?;
        let starts = |input: ParseStream<'_>| {
            input.call(Attribute::parse_outer)?;
            input.parse::<Option<Token![default]>>()?;
            input.parse::<Option<Token![unsafe]>>()?;
            input.parse::<Token![impl]>()?;
            input.parse::<TokenStream>()
        };
        let head: TokenStream = head.into_iter().collect();
        starts.parse2(head.clone()).ok()?;
        let Body { inner_attributes, statements } = Body::of(&braces);
        let mut all = vec![ImplItem::Other(inner_attributes)];
        all.extend(items.parse2(statements).ok()?);
        Some(Self { head, braces, items: all })
    }
}

/// Whether `impl` stands in front of the first `fn`, or what stands there is not to be seen: most items are functions,
/// and need not be taken apart to know that.
fn may_be_impl(item: &TokenStream) -> bool {
    for token in item.clone() {
        match token {
            TokenTree::Ident(word) => match word.to_string().as_str() {
                "fn" => return false,
                "impl" => return true,
                _ => {}
            },
            TokenTree::Group(group) if group.delimiter() == Delimiter::None => return true,
            _ => {}
        }
    }
    false
}

fn items(input: ParseStream<'_>) -> syn::Result<Vec<ImplItem>> {
    let mut items = Vec::new();
    while !input.is_empty() {
        let ahead = input.fork();
        items.push(if let Ok(method) = ahead.parse() {
            input.advance_to(&ahead);
            ImplItem::Method(Box::new(method))
        } else {
            let tokens = other_item(input)?;
            syn::parse2(tokens.clone())
                .map_or(ImplItem::Other(tokens), |call| ImplItem::MacroCall(Box::new(call)))
        });
    }
    Ok(items)
}

/// The tokens up to a semicolon or a pair of braces.
fn other_item(input: ParseStream<'_>) -> syn::Result<TokenStream> {
    let mut tokens = TokenStream::new();
    while !input.is_empty() {
        let token: TokenTree = input.parse()?;
        let ends = match &token {
            TokenTree::Punct(punct) => punct.as_char() == ';',
            TokenTree::Group(group) => group.delimiter() == Delimiter::Brace,
            _ => false,
        };
        tokens.extend([token]);
        if ends {
            break;
        }
    }
    Ok(tokens)
}

/// Whether `tokens`, which could not be read as a method, hold a function with a body all the same.
pub(crate) fn holds_function(tokens: &TokenStream) -> bool {
    let mut tokens = tokens.clone().into_iter().peekable();
    let (mut named, mut has_body) = (false, false);
    while let Some(token) = tokens.next() {
        match token {
            // Without a name behind it, it is a type: that of a constant, say.
            TokenTree::Ident(word) => {
                named |= word == "fn" && matches!(tokens.peek(), Some(TokenTree::Ident(_)));
            }
            TokenTree::Group(group) => match group.delimiter() {
                Delimiter::Brace => has_body |= named,
                Delimiter::None if holds_function(&group.stream()) => return true,
                _ => {}
            },
            _ => {}
        }
    }
    has_body
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Item;
    use quote::quote;

    fn methods(block: &TokenStream) -> usize {
        let items = ImplBlock::of(block).expect("an impl block").items;
        items.iter().filter(|item| matches!(item, ImplItem::Method(_))).count()
    }

    #[test]
    fn inner_attributes_hide_no_method() {
        assert_eq!(methods(&quote!(impl A { #![allow(unused)] fn a() {} fn b() {} })), 2);
        assert_eq!(
            methods(&quote!(impl A { #![doc = "of all"] #![allow(unused)] /** of a */ fn a() {} })),
            1
        );
    }

    #[test]
    fn a_method_that_cannot_be_read_is_told_from_what_is_none() {
        for method in [quote!(strange fn a() {}), quote!(pub fn a(untyped) -> u8 { 1 })] {
            assert!(holds_function(&method), "{method}");
        }
        let block = quote!(impl A { strange fn a() {} fn get_ticker() {} });
        let refused = Item::new(attr::Attribute::ExchangeCall, TokenStream::new(), &block);
        let message = refused.map_err(|refused| refused.errors.bare().to_string()).err();
        assert!(message.is_some_and(|message| message.contains("exchange_call cannot read this method")));
        for other in [
            quote!(
                const A: fn() -> u8 = { a };
            ),
            quote!(methods! { fn a() {} }),
            quote!(
                type A = fn();
            ),
        ] {
            assert!(!holds_function(&other), "{other}");
        }
    }
}
