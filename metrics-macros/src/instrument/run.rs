//! How a body is run under its guard.

use proc_macro2::{Delimiter, Group, Ident, Span, TokenStream};
use quote::{ToTokens as _, quote, quote_spanned};
use syn::{ReturnType, Type};

use super::classify::rewritten;
use crate::function::body::{AsyncBlock, TailFuture};
use crate::function::returns::can_be_written;
use crate::library::{FutureRunner, Private};
use crate::spans::braced;

/// The parts of an expansion that do not depend on the function's shape.
pub(crate) struct GuardedBody {
    pub(crate) private: Private,
    pub(crate) guard: TokenStream,
    /// How the guard ends: the verdict on the variable `value`, or a function from a reference to the value to the
    /// verdict; for a future a function that ends its guard.
    pub(crate) end: TokenStream,
    /// Whether the signature names the output of a returned future.
    pub(crate) is_typed: bool,
    /// Whether an attribute of another crate may look for the future at the body's end.
    pub(crate) is_seen: bool,
    /// Whether the attribute's expressions may be evaluated inside that future.
    pub(crate) binds_inside: bool,
    /// The span of the body's braces.
    pub(crate) span: Span,
}

impl GuardedBody {
    pub(crate) fn guarded(&self, statements: &TokenStream) -> TokenStream {
        let Self { private, guard, .. } = self;
        let held = Ident::new("_guard", Span::mixed_site());
        quote! {
            let #held = #private::returned(#guard);
            #statements
        }
    }

    pub(crate) fn called(&self, output: &ReturnType, statements: TokenStream) -> TokenStream {
        let Self { private, guard, end, span, .. } = self;
        let [pending, value] = ["pending", "value"].map(|name| Ident::new(name, Span::mixed_site()));
        let body = braced(statements, *span);
        let is_written = can_be_written(output);
        let output = match output {
            ReturnType::Type(arrow, ty) if is_written => {
                let ty = rewritten(private, ty);
                quote!(#arrow #ty)
            }
            output => output.to_token_stream(),
        };
        // At the span of the user's body: clippy does not look into closures that a macro wrote.
        let closure = quote_spanned!(*span=> move || #output #body);
        if !is_written {
            // Through this call the body's type is inferred from the signature.
            return quote!(#private::call(#guard, #closure, #end));
        }
        quote! {
            let #pending = #private::enter(#guard);
            let #value = #private::evaluate(#closure);
            #pending.end(#end);
            #value
        }
    }

    pub(crate) fn asynchronous(&self, output: &Type, statements: &TokenStream) -> TokenStream {
        let Self { private, guard, end, span, .. } = self;
        // A return that never runs has the block's type inferred from the signature, as in the plain function. Of the type
        // `!` there is no value to return.
        let diverges = matches!(output, Type::Never(_));
        let edge = (!diverges).then(|| quote!(if false { return #private::never::<#output>(); }));
        let body = braced(quote!(#edge #statements), *span);
        let block = quote_spanned!(*span=> async move #body);
        let instrument = FutureRunner::Async.function();
        let run = quote!(#private::#instrument(#private::enter(#guard), #block, #end).await);
        if diverges { quote!(#private::diverge(#run)) } else { run }
    }

    /// `added` is the future, or the body of its block, with the guard added to the guards that it already has.
    pub(crate) fn tail(
        &self,
        tail: &TailFuture,
        bindings: &TokenStream,
        added: Option<TokenStream>,
    ) -> TokenStream {
        let TailFuture { statements, future, block, boxed } = tail;
        let kept = block.as_ref().filter(|_| added.is_some() || self.is_seen);
        let (before, inside) =
            if kept.is_some() && self.binds_inside { (None, Some(bindings)) } else { (Some(bindings), None) };
        let future = match kept {
            Some(AsyncBlock { moves, body }) => {
                let run = added.unwrap_or_else(|| {
                    let future = self.wrapped(future);
                    quote!(#future.await)
                });
                let moves = (*moves || !bindings.is_empty()).then(|| quote!(move));
                let body = braced(quote!(#inside #run), body.span());
                quote!(async #moves #body)
            }
            None => added.unwrap_or_else(|| self.wrapped(future)),
        };
        match boxed {
            None => quote!(#before #statements #future),
            Some((path, parens)) => {
                let mut around = Group::new(Delimiter::Parenthesis, future);
                around.set_span(parens.span());
                quote!(#before #statements #path #around)
            }
        }
    }

    pub(crate) fn future(&self, boxed: Option<&Type>, statements: TokenStream) -> TokenStream {
        let private = &self.private;
        let output = boxed.map(|ty| rewritten(private, ty)).map(|ty| quote!(-> #ty));
        let body = braced(statements, self.span);
        let future = self.wrapped(&quote!(#private::evaluate(move || #output #body)));
        if boxed.is_some() { quote!(#private::pinned(#future)) } else { future }
    }

    fn wrapped(&self, future: &TokenStream) -> TokenStream {
        let Self { private, guard, end, .. } = self;
        let runner = if self.is_typed { FutureRunner::Typed } else { FutureRunner::Untyped };
        let (instrument, output) = (runner.function(), runner.output(private));
        quote!(#private::#instrument(#output move || #private::enter(#guard), #future, #end))
    }
}
