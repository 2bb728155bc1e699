//! How a function's body can be run under a guard, determined from its signature.

use proc_macro2::Span;
use syn::{ReturnType, Token, Type, parse_quote};

use super::body::{Body, TailFuture};
use super::item::Function;
use super::returns::{inside_body, is_boxed_future, is_impl_future, may_be_result, written};
use crate::tokens::{calls_macros, mentions};

pub(crate) enum BodyShape {
    /// Behind a guard, unchanged: its value does not determine the outcome.
    Guarded,
    /// As a closure of this type.
    Called(ReturnType),
    /// As an `async` block of this type, in an `async fn`.
    Async(Box<Type>),
    /// Up to its end, which is a future to be wrapped.
    Tail(TailFuture),
    /// As a closure that returns a future, boxed if the type is.
    Future {
        boxed: Option<Type>,
        /// Whether the body ends in `Box::pin(async { … })`, behind statements that may return.
        ends_in_block: bool,
    },
}

impl BodyShape {
    /// `needs_value` if the attribute must see the returned value whatever its type.
    pub(crate) fn of(function: &Function, body: &Body, needs_value: bool) -> Self {
        let sig = &function.sig;
        let ty = written(&sig.output);
        // A body without `await` runs at once, also in an `async fn`. In a block clippy would not see that it has none.
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
            Some(ty) if needs_value || may_be_result(ty) => {
                let arrow = Token![->](Span::call_site());
                Self::Called(ReturnType::Type(arrow, Box::new(inside_body(ty, sig))))
            }
            None if needs_value => Self::Called(ReturnType::Default),
            _ => Self::Guarded,
        }
    }
}
