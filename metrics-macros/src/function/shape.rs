//! How a function's body can be run under a guard, told from its signature.

use proc_macro2::Span;
use syn::{ReturnType, Token, Type, parse_quote};

use super::body::{Body, TailFuture};
use super::item::Function;
use super::returns::{inside_body, is_boxed_future, is_impl_future, may_be_result};
use crate::tokens::{calls_macros, mentions};

pub(crate) enum Shape {
    /// A guard in front of the body, which stays where it is: its value says nothing.
    Guarded,
    /// The body as a closure of this type.
    Called(ReturnType),
    /// The body of an `async fn` as a block of this type.
    Async(Box<Type>),
    /// The future in which the body ends.
    Tail(TailFuture),
    /// The future to which the body evaluates, boxed where the type says so.
    Future {
        boxed: Option<Type>,
        /// Whether the body ends in `Box::pin(async { … })`, behind statements that may return.
        ends_in_block: bool,
    },
}

impl Shape {
    /// `judged` where the attribute must see the returned value whatever its type.
    pub(crate) fn of(function: &Function, body: &Body, judged: bool) -> Self {
        let sig = &function.sig;
        let ty = match &sig.output {
            ReturnType::Default => None,
            ReturnType::Type(_, ty) => Some(&**ty),
        };
        // A body that nowhere waits runs at once, `async fn` or not; with a block around it, clippy would no longer
        // see that.
        let waits = || mentions(&body.statements, "await") || calls_macros(&body.statements);
        if sig.asyncness.is_some() && waits() {
            return Self::Async(Box::new(ty.map_or_else(|| parse_quote!(()), |ty| inside_body(ty, sig))));
        }
        let boxed = ty.is_some_and(is_boxed_future);
        if boxed || ty.is_some_and(is_impl_future) {
            let boxed = ty.filter(|_| boxed).map(|ty| inside_body(ty, sig));
            let tail = TailFuture::of(&body.statements);
            return match tail.filter(|tail| tail.boxed.is_some() == boxed.is_some()) {
                Some(tail) if !tail.may_be_preceded() => Self::Tail(tail),
                tail => Self::Future { boxed, ends_in_block: tail.is_some_and(|tail| tail.block.is_some()) },
            };
        }
        match ty {
            Some(Type::Never(_)) => Self::Guarded,
            Some(ty) if judged || may_be_result(ty) => {
                let arrow = Token![->](Span::call_site());
                Self::Called(ReturnType::Type(arrow, Box::new(inside_body(ty, sig))))
            }
            None if judged => Self::Called(ReturnType::Default),
            _ => Self::Guarded,
        }
    }
}
