//! The function under an attribute: its signature parsed, its body kept as it is.
//!
//! The body stays a token tree. Parsing it would cost compile time, lose spans, and crash the compiler on nesting
//! that it survives by itself.

use proc_macro2::{Delimiter, Group, TokenStream, TokenTree};
use quote::ToTokens;
use syn::parse::{Parse, ParseStream};
use syn::{Attribute, ReturnType, Signature, Token, Type, Visibility};

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
        let vis = input.parse()?;
        let defaultness = input.parse()?;
        let sig = input.parse()?;
        let body = match input.parse()? {
            TokenTree::Group(body) if body.delimiter() == Delimiter::Brace => body,
            _ => return Err(input.error("expected a body")),
        };
        Ok(Self { attrs, vis, defaultness, sig, body })
    }
}

impl Function {
    /// Whether the value that it returns can say how the call went.
    pub(crate) fn may_fail(&self) -> bool {
        match &self.sig.output {
            ReturnType::Default => false,
            ReturnType::Type(_, ty) => may_be_result(ty),
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

/// Types that are visibly no `Result` and no alias of one.
fn may_be_result(ty: &Type) -> bool {
    match ty {
        Type::Path(path) => {
            path.qself.is_some() || path.path.get_ident().is_none_or(|name| !is_primitive(name))
        }
        Type::Paren(inner) => may_be_result(&inner.elem),
        Type::Group(inner) => may_be_result(&inner.elem),
        Type::Macro(_) | Type::Infer(_) | Type::Verbatim(_) => true,
        _ => false,
    }
}

fn is_primitive(name: &syn::Ident) -> bool {
    const PRIMITIVES: [&str; 17] = [
        "bool", "char", "str", "f32", "f64", "i8", "i16", "i32", "i64", "i128", "isize", "u8", "u16", "u32",
        "u64", "u128", "usize",
    ];
    PRIMITIVES.iter().any(|primitive| name == primitive)
}
