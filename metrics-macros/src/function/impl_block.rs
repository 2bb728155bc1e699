//! An `impl` block, divided into methods and everything else.

use proc_macro2::{Delimiter, Group, TokenStream, TokenTree};
use syn::parse::discouraged::Speculative as _;
use syn::parse::{ParseStream, Parser as _};
use syn::{Attribute, ImplItemMacro, Token};

use super::body::Body;
use super::item::{Function, braces};
use crate::tokens::is_punct;

/// An `impl` block.
pub(crate) struct ImplBlock {
    pub(crate) head: TokenStream,
    pub(crate) braces: Group,
    pub(crate) items: Vec<ImplItem>,
}

pub(crate) enum ImplItem {
    Method(Box<Function>),
    /// It may expand to methods, which the attribute cannot see.
    MacroCall(Box<ImplItemMacro>),
    /// Any other item, and the block's inner attributes.
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

/// Whether `impl` or a group without delimiters comes before the first `fn`. Most items are functions, which this tells
/// without parsing them.
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
            TokenTree::Group(group) => group.delimiter() == Delimiter::Brace,
            token => is_punct(token, ';'),
        };
        tokens.extend([token]);
        if ends {
            break;
        }
    }
    Ok(tokens)
}

/// Whether `tokens`, which could not be parsed as a method, contain a function with a body.
pub(crate) fn holds_function(tokens: &TokenStream) -> bool {
    let mut tokens = tokens.clone().into_iter().peekable();
    let (mut named, mut has_body) = (false, false);
    while let Some(token) = tokens.next() {
        match token {
            // Without a name behind it, `fn` is part of a type, such as that of a constant.
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
    fn a_method_that_cannot_be_parsed_is_told_from_other_items() {
        for method in [quote!(strange fn a() {}), quote!(pub fn a(untyped) -> u8 { 1 })] {
            assert!(holds_function(&method), "{method}");
        }
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
