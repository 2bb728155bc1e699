//! How a function's body can be run under a guard, told from its signature.

use syn::{
    GenericArgument, Lifetime, PathArguments, PathSegment, ReturnType, Type, TypeParamBound, parse_quote,
};

use crate::body::{Body, TailFuture, calls_macros, mentions};
use crate::item::Function;

pub(crate) enum Shape {
    /// A guard in front of the body, which stays where it is: its value says nothing.
    Guarded,
    /// The body as a closure of this type.
    Called(ReturnType),
    /// The body of an `async fn` as a block of this type.
    Async(Output),
    /// The future in which the body ends.
    Tail(TailFuture),
    /// The future to which the body evaluates, boxed where the type says so.
    Future { boxed: Option<Type> },
}

/// What an asynchronous body is known to return.
pub(crate) enum Output {
    Value(Box<Type>),
    Nothing,
    Never,
}

impl Shape {
    /// `judged` where the attribute must see the returned value whatever its type.
    pub(crate) fn of(function: &Function, body: &Body, judged: bool) -> Self {
        let output = &function.sig.output;
        let ty = match output {
            ReturnType::Default => None,
            ReturnType::Type(_, ty) => Some(&**ty),
        };
        // A body that nowhere waits runs at once, `async fn` or not; with a block around it, clippy would no longer
        // see that.
        let waits = mentions(&body.statements, "await") || calls_macros(&body.statements);
        if function.sig.asyncness.is_some() && waits {
            return Self::Async(match ty {
                None => Output::Nothing,
                Some(Type::Never(_)) => Output::Never,
                Some(ty) => Output::Value(Box::new(inside_body(ty))),
            });
        }
        let boxed = ty.is_some_and(is_boxed_future);
        if boxed || ty.is_some_and(is_impl_future) {
            let boxed = ty.filter(|_| boxed).map(inside_body);
            return match TailFuture::of(&body.statements)
                .filter(|tail| tail.boxed.is_some() == boxed.is_some())
            {
                Some(tail) => Self::Tail(tail),
                None => Self::Future { boxed },
            };
        }
        match ty {
            Some(Type::Never(_)) => Self::Guarded,
            Some(ty) if judged || may_be_result(ty) => {
                let ty = inside_body(ty);
                Self::Called(parse_quote!(-> #ty))
            }
            None if judged => Self::Called(ReturnType::Default),
            _ => Self::Guarded,
        }
    }
}

/// Whether the value that a function returns can say how the call went: whether its type is not visibly something
/// else than a `Result` or an alias of one.
pub(crate) fn may_fail(output: &ReturnType) -> bool {
    match output {
        ReturnType::Default => false,
        ReturnType::Type(_, ty) => may_be_result(ty),
    }
}

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

pub(crate) fn is_primitive(name: &syn::Ident) -> bool {
    const PRIMITIVES: [&str; 17] = [
        "bool", "char", "str", "f32", "f64", "i8", "i16", "i32", "i64", "i128", "isize", "u8", "u16", "u32",
        "u64", "u128", "usize",
    ];
    PRIMITIVES.iter().any(|primitive| name == primitive)
}

/// `impl Future<…>`, and other traits that are called some kind of future.
fn is_impl_future(ty: &Type) -> bool {
    match ty {
        Type::ImplTrait(ty) => ty.bounds.iter().any(is_future_bound),
        Type::Paren(inner) => is_impl_future(&inner.elem),
        Type::Group(inner) => is_impl_future(&inner.elem),
        _ => false,
    }
}

/// `Pin<Box<dyn Future<…>>>`, or one of the names that the crate `futures` gives it.
fn is_boxed_future(ty: &Type) -> bool {
    match ty {
        Type::Paren(inner) => is_boxed_future(&inner.elem),
        Type::Group(inner) => is_boxed_future(&inner.elem),
        Type::Path(path) => path.path.segments.last().is_some_and(|last| {
            last.ident == "BoxFuture"
                || last.ident == "LocalBoxFuture"
                || last.ident == "Pin" && argument(last).is_some_and(is_box_of_future)
        }),
        _ => false,
    }
}

/// What the future that a function returns ends with.
pub(crate) fn future_output(ty: &Type) -> Option<Type> {
    let output = match ty {
        Type::Paren(inner) => return future_output(&inner.elem),
        Type::Group(inner) => return future_output(&inner.elem),
        Type::ImplTrait(ty) => bound_output(ty.bounds.iter()),
        Type::TraitObject(ty) => bound_output(ty.bounds.iter()),
        Type::Path(path) => match (path.path.segments.last()?, argument(path.path.segments.last()?)?) {
            (last, inner) if last.ident == "Pin" || last.ident == "Box" => return future_output(inner),
            (_, output) => Some(output),
        },
        _ => None,
    };
    output.map(inside_body)
}

/// The type in `Future<Output = …>`.
fn bound_output<'a>(mut bounds: impl Iterator<Item = &'a TypeParamBound>) -> Option<&'a Type> {
    bounds.find_map(|bound| {
        let TypeParamBound::Trait(bound) = bound else { return None };
        let PathArguments::AngleBracketed(arguments) = &bound.path.segments.last()?.arguments else {
            return None;
        };
        arguments.args.iter().find_map(|argument| match argument {
            GenericArgument::AssocType(output) if output.ident == "Output" => Some(&output.ty),
            _ => None,
        })
    })
}

fn is_box_of_future(ty: &Type) -> bool {
    let Type::Path(path) = ty else { return false };
    path.path.segments.last().is_some_and(|last| {
        last.ident == "Box"
            && match argument(last) {
                Some(Type::TraitObject(ty)) => ty.bounds.iter().any(is_future_bound),
                Some(ty) => is_impl_future(ty),
                None => false,
            }
    })
}

fn argument(segment: &PathSegment) -> Option<&Type> {
    let PathArguments::AngleBracketed(arguments) = &segment.arguments else { return None };
    arguments.args.iter().find_map(|argument| match argument {
        GenericArgument::Type(ty) => Some(ty),
        _ => None,
    })
}

fn is_future_bound(bound: &TypeParamBound) -> bool {
    let TypeParamBound::Trait(bound) = bound else { return false };
    bound.path.segments.last().is_some_and(|last| last.ident.to_string().ends_with("Future"))
}

/// The type as it can be written inside a body: `_` for each `impl Trait`, and lifetimes left to inference, since
/// clippy would take their names for used.
fn inside_body(ty: &Type) -> Type {
    let mut ty = ty.clone();
    infer(&mut ty);
    ty
}

fn infer(ty: &mut Type) {
    match ty {
        Type::ImplTrait(_) => *ty = parse_quote!(_),
        Type::Paren(inner) => infer(&mut inner.elem),
        Type::Group(inner) => infer(&mut inner.elem),
        Type::Reference(inner) => {
            inner.lifetime = inner.lifetime.take().filter(is_static);
            infer(&mut inner.elem);
        }
        Type::Array(inner) => infer(&mut inner.elem),
        Type::Slice(inner) => infer(&mut inner.elem),
        Type::Tuple(inner) => inner.elems.iter_mut().for_each(infer),
        Type::Path(path) => path.path.segments.iter_mut().for_each(|segment| {
            if let PathArguments::AngleBracketed(arguments) = &mut segment.arguments {
                for argument in &mut arguments.args {
                    match argument {
                        GenericArgument::Type(ty) => infer(ty),
                        GenericArgument::Lifetime(lifetime) if !is_static(lifetime) => {
                            *lifetime = parse_quote!('_)
                        }
                        _ => {}
                    }
                }
            }
        }),
        _ => {}
    }
}

fn is_static(lifetime: &Lifetime) -> bool {
    lifetime.ident == "static"
}
