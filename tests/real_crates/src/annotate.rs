//! Finds the functions of a source file, and the positions at which an attribute and a counter are inserted for each.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use proc_macro2::Span;
use syn::spanned::Spanned;
use syn::visit::{self, Visit};
use syn::{
    AttrStyle, Attribute, Block, ImplItemFn, ItemFn, Meta, ReturnType, Signature, Stmt, TraitItemFn, Type,
    TypeParamBound, Visibility,
};

use crate::crates::Crate;
use crate::edits::Edits;

/// The maximum number of functions whose labels are in one module: a set of label values has at most 1,000.
pub const LABELS_PER_MODULE: usize = 900;

/// An annotated function.
#[derive(Clone, Debug)]
pub struct Function {
    /// Its file below the package's directory, its line and its name.
    pub place: String,
    pub is_async: bool,
    pub is_async_trait: bool,
    pub attributes: Attributes,
}

/// The attributes of a function.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Attributes {
    Call,
    Run,
    /// An event on a call.
    EventAndCall,
}

impl Attributes {
    fn of(function: usize) -> Self {
        [Self::Call, Self::Run, Self::EventAndCall][function % 3]
    }

    fn text(self, function: usize, package: &str) -> String {
        let module = function / LABELS_PER_MODULE;
        let labels = format!("labels = ::{package}::labels_{module}");
        let call = format!(
            r#"#[::bot_metrics::exchange_call(op = "f{function}", exchange = "binance", {labels})] "#
        );
        match self {
            Self::Call => call,
            Self::Run => format!(r#"#[::bot_metrics::timed_subsystem("f{function}", {labels})] "#),
            Self::EventAndCall => format!(
                r#"#[::bot_metrics::operational_event(type = "f{function}", severity = "INFO", on = always, {labels})] {call}"#
            ),
        }
    }
}

/// The functions of a file, and the text that measures and counts them.
#[derive(Debug, Default)]
pub struct Annotated {
    pub functions: Vec<Function>,
    /// The reasons why functions were left out, once for each function.
    pub skipped: Vec<String>,
    pub attributes: Edits,
    pub counters: Edits,
    /// Files of modules that exist only in tests.
    pub test_modules: BTreeSet<PathBuf>,
}

impl Annotated {
    /// Parses the file at `path` below the directory of `krate`. Its first function gets the number `first`.
    ///
    /// # Errors
    ///
    /// If the file is not valid Rust.
    pub fn of(path: &Path, text: &str, first: usize, krate: &Crate) -> syn::Result<Self> {
        let file = syn::parse_file(text)?;
        // syn omits a byte order mark.
        let shift = if text.starts_with('\u{feff}') { 3 } else { 0 };
        let package = krate.counters();
        let mut visitor = Visitor {
            path,
            first,
            krate,
            package: &package,
            shift,
            in_async_trait: false,
            annotated: Self::default(),
        };
        visitor.visit_file(&file);
        Ok(visitor.annotated)
    }
}

struct Visitor<'a> {
    path: &'a Path,
    first: usize,
    krate: &'a Crate,
    /// The crate that contains labels and counters.
    package: &'a str,
    shift: usize,
    in_async_trait: bool,
    annotated: Annotated,
}

impl<'ast> Visit<'ast> for Visitor<'_> {
    fn visit_item_mod(&mut self, module: &'ast syn::ItemMod) {
        if !module.attrs.iter().any(is_for_tests) {
            visit::visit_item_mod(self, module);
        } else if module.content.is_none() {
            let directory = self.path.parent().unwrap_or(Path::new(""));
            let is_root = self
                .path
                .file_name()
                .is_some_and(|name| ["lib.rs", "main.rs", "mod.rs"].iter().any(|root| name == *root));
            let directory = if is_root { directory.to_owned() } else { self.path.with_extension("") };
            self.annotated.test_modules.insert(directory.join(module.ident.to_string()));
        }
    }

    fn visit_item_fn(&mut self, function: &'ast ItemFn) {
        self.function(&function.attrs, Some(&function.vis), &function.sig, &function.block, None);
        visit::visit_item_fn(self, function);
    }

    fn visit_item_impl(&mut self, block: &'ast syn::ItemImpl) {
        self.within(&block.attrs, |visitor| visit::visit_item_impl(visitor, block));
    }

    fn visit_item_trait(&mut self, item: &'ast syn::ItemTrait) {
        self.within(&item.attrs, |visitor| visit::visit_item_trait(visitor, item));
    }

    fn visit_impl_item_fn(&mut self, method: &'ast ImplItemFn) {
        let defaultness = method.modifiers.defaultness.map(|token| token.span);
        self.function(&method.attrs, Some(&method.vis), &method.sig, &method.block, defaultness);
        visit::visit_impl_item_fn(self, method);
    }

    fn visit_trait_item_fn(&mut self, method: &'ast TraitItemFn) {
        if let Some(block) = &method.default {
            self.function(&method.attrs, None, &method.sig, block, None);
        }
        visit::visit_trait_item_fn(self, method);
    }
}

impl Visitor<'_> {
    /// Visits a block whose attributes may be `#[async_trait]` or `#[cfg(test)]`.
    fn within(&mut self, attributes: &[Attribute], visit: impl FnOnce(&mut Self)) {
        if attributes.iter().any(is_for_tests) {
            return;
        }
        let outside = self.in_async_trait;
        self.in_async_trait = attributes.iter().any(|attribute| ends_in(attribute, "async_trait"));
        visit(self);
        self.in_async_trait = outside;
    }

    fn function(
        &mut self,
        attributes: &[Attribute],
        visibility: Option<&Visibility>,
        signature: &Signature,
        body: &Block,
        defaultness: Option<Span>,
    ) {
        if attributes.iter().any(|attribute| is_for_tests(attribute) || is_test(attribute)) {
            return;
        }
        if let Some(reason) = self.reason_to_skip(attributes, signature) {
            self.annotated.skipped.push(reason);
            return;
        }
        let index = self.first + self.annotated.functions.len();
        let place =
            format!("{}:{} {}", self.path.display(), signature.fn_token.span.start().line, signature.ident);
        let future = ReturnedFuture::of(signature);
        let kind = Attributes::of(index);
        self.annotated.functions.push(Function {
            place,
            is_async: signature.asyncness.is_some() || future.is_some(),
            is_async_trait: self.in_async_trait && signature.asyncness.is_some(),
            attributes: kind,
        });
        let outer = attributes.iter().filter(|attribute| matches!(attribute.style, AttrStyle::Outer));
        let above = outer.map(|attribute| self.start(attribute.span())).min();
        let signature_start = self.start(signature.span());
        let below = visibility
            .filter(|visibility| !matches!(visibility, Visibility::Inherited))
            .map(|visibility| self.start(visibility.span()))
            .or(defaultness.map(|span| self.start(span)))
            .unwrap_or(signature_start);
        // Half of the functions get it above their other attributes, half below.
        let at = if (index / 3).is_multiple_of(2) { above.unwrap_or(below) } else { below };
        self.annotated.attributes.insert(at, kind.text(index, self.package));
        self.count(index, signature, attributes, body, future);
    }

    fn reason_to_skip(&self, attributes: &[Attribute], signature: &Signature) -> Option<String> {
        let has = |name| attributes.iter().any(|attribute| ends_in(attribute, name));
        if signature.constness.is_some() {
            return Some("const fn".to_owned());
        }
        if signature.variadic.is_some() {
            return Some("variadic".to_owned());
        }
        if ["proc_macro", "proc_macro_attribute", "proc_macro_derive"].into_iter().any(has) {
            return Some("procedural macro".to_owned());
        }
        if has("track_caller") && may_be_result(&signature.output) {
            return Some("#[track_caller] over a function that may return a Result".to_owned());
        }
        if self.krate.futures.iter().any(|name| returns(signature, name)) {
            return Some("a future in a named type is returned".to_owned());
        }
        let place = format!("{}::{}", self.path.display(), signature.ident);
        let exception = self.krate.exceptions.iter().find(|(name, _)| place.starts_with(name));
        exception.map(|(_, reason)| (*reason).to_owned())
    }

    fn count(
        &mut self,
        index: usize,
        signature: &Signature,
        attributes: &[Attribute],
        body: &Block,
        future: Option<ReturnedFuture>,
    ) {
        let package = self.package;
        let Some(future) = future.filter(|_| signature.asyncness.is_none()) else {
            let inner = attributes.iter().filter(|attribute| !matches!(attribute.style, AttrStyle::Outer));
            let start = inner.map(|attribute| self.end(attribute.span())).max();
            let start = start.unwrap_or_else(|| self.start(body.brace_token.span.open()) + 1);
            self.annotated.counters.insert(start, format!(" ::{package}::called({index});"));
            return;
        };
        let mut values = Values::default();
        values.visit_block(body);
        if let Some(Stmt::Expr(tail, None)) = body.stmts.last() {
            values.spans.push(tail.span());
        }
        let open = match future {
            ReturnedFuture::Opaque => format!("::{package}::future({index}, "),
            ReturnedFuture::Boxed(ty) => format!("::{package}::boxed::<{}>({index}, ", source(ty)),
        };
        for span in values.spans {
            let (start, end) = (self.start(span), self.end(span));
            self.annotated.counters.insert(start, open.clone());
            self.annotated.counters.insert(end, ")");
        }
    }

    fn start(&self, span: Span) -> usize {
        span.byte_range().start + self.shift
    }

    fn end(&self, span: Span) -> usize {
        span.byte_range().end + self.shift
    }
}

/// A future that a function returns without being an `async fn`.
enum ReturnedFuture<'a> {
    Opaque,
    Boxed(&'a Type),
}

impl<'a> ReturnedFuture<'a> {
    fn of(signature: &'a Signature) -> Option<Self> {
        let ReturnType::Type(_, ty) = &signature.output else { return None };
        match &**ty {
            Type::ImplTrait(opaque) => {
                opaque.bounds.iter().any(|bound| is_trait(bound, "Future")).then_some(Self::Opaque)
            }
            Type::Path(path) => {
                let is_boxed = ["BoxFuture", "LocalBoxFuture"].iter().any(|name| is_last(&path.path, name))
                    || is_last(&path.path, "Pin")
                        && source(ty).contains("dyn")
                        && source(ty).contains("Future");
                is_boxed.then_some(Self::Boxed(ty))
            }
            _ => None,
        }
    }
}

/// The values that a body returns early.
#[derive(Default)]
struct Values {
    spans: Vec<Span>,
}

impl<'ast> Visit<'ast> for Values {
    fn visit_expr_return(&mut self, expr: &'ast syn::ExprReturn) {
        if let Some(value) = &expr.expr {
            self.spans.push(value.span());
        }
        visit::visit_expr_return(self, expr);
    }

    fn visit_expr_closure(&mut self, _: &'ast syn::ExprClosure) {}
    fn visit_expr_async(&mut self, _: &'ast syn::ExprAsync) {}
    fn visit_item(&mut self, _: &'ast syn::Item) {}
}

fn source(ty: &Type) -> String {
    ty.span().source_text().unwrap_or_default()
}

/// Whether the returned type, or a trait that it implements, has this name.
fn returns(signature: &Signature, name: &str) -> bool {
    let ReturnType::Type(_, ty) = &signature.output else { return false };
    match &**ty {
        Type::Path(path) => is_last(&path.path, name),
        Type::ImplTrait(opaque) => opaque.bounds.iter().any(|bound| is_trait(bound, name)),
        _ => false,
    }
}

fn is_trait(bound: &TypeParamBound, name: &str) -> bool {
    matches!(bound, TypeParamBound::Trait(bound) if is_last(&bound.path, name))
}

fn is_last(path: &syn::Path, name: &str) -> bool {
    path.segments.last().is_some_and(|segment| segment.ident == name)
}

fn ends_in(attribute: &Attribute, name: &str) -> bool {
    is_last(attribute.path(), name)
}

fn is_test(attribute: &Attribute) -> bool {
    ["test", "rstest", "bench", "quickcheck", "test_case"].iter().any(|name| ends_in(attribute, name))
}

/// Whether it is `#[cfg(test)]` or a combination that needs `test`.
fn is_for_tests(attribute: &Attribute) -> bool {
    let Meta::List(list) = &attribute.meta else { return false };
    let condition = list.tokens.to_string();
    list.path.is_ident("cfg")
        && (condition == "test" || condition.starts_with("all (test") || condition.starts_with("all(test"))
}

/// Whether the macros must inspect the returned value.
fn may_be_result(output: &ReturnType) -> bool {
    const PRIMITIVES: [&str; 17] = [
        "bool", "char", "str", "f32", "f64", "i8", "i16", "i32", "i64", "i128", "isize", "u8", "u16", "u32",
        "u64", "u128", "usize",
    ];
    let ReturnType::Type(_, ty) = output else { return false };
    match &**ty {
        Type::Path(path) => {
            path.path.get_ident().is_none_or(|name| !PRIMITIVES.iter().any(|primitive| name == primitive))
        }
        Type::ImplTrait(_) => true,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crates::ANY;

    const KRATE: Crate = Crate {
        name: "some-crate",
        futures: &["Answer"],
        exceptions: &[("src/lib.rs::excepted", "a reason of its own")],
        ..ANY
    };

    fn annotated(text: &str, first: usize) -> Annotated {
        Annotated::of(Path::new("src/lib.rs"), text, first, &KRATE).unwrap()
    }

    fn counted(text: &str) -> String {
        annotated(text, 7).counters.apply(text)
    }

    #[test]
    fn the_attribute_is_above_or_below_the_others() {
        let text = "/// Says it.\n#[inline]\npub(crate) fn say() {}\nunsafe extern \"C\" fn bare() {}\n";
        let below = annotated(text, 3);
        let attribute = |function| Attributes::of(function).text(function, "counters_of_some_crate");
        assert_eq!(
            below.attributes.apply(text),
            format!(
                "/// Says it.\n#[inline]\n{}pub(crate) fn say() {{}}\n{}unsafe extern \"C\" fn bare() {{}}\n",
                attribute(3),
                attribute(4)
            )
        );
        assert!(annotated(text, 0).attributes.apply(text).starts_with(&format!("{}/// Says", attribute(0))));
        assert_eq!(below.functions[1].place, "src/lib.rs:4 bare");
    }

    #[test]
    fn methods_nested_functions_and_provided_methods_are_found() {
        let text = "trait T { fn must(); fn may() { fn inner() {} } }\nimpl T for u8 { default fn must() {} }\n\
                    mod m { pub fn deep() {} }\n#[async_trait::async_trait] impl U for u8 { async fn a() {} }";
        let found = annotated(text, 0);
        let names: Vec<_> =
            found.functions.iter().map(|function| function.place.split(' ').nth(1).unwrap()).collect();
        assert_eq!(names, ["may", "inner", "must", "deep", "a"]);
        assert_eq!(
            found.functions.iter().map(|function| function.is_async_trait).filter(|is| *is).count(),
            1
        );
        assert!(found.attributes.apply(text).contains(")] default fn must"));
    }

    #[test]
    fn tests_are_unchanged_and_each_function_left_out_has_a_reason() {
        let text = "#[test] fn a() {}\n#[tokio::test] async fn b() {}\n#[cfg(test)] mod tests { fn c() {} }\n\
                    #[cfg(all(test, unix))] fn d() {}\n#[cfg(test)] mod cases;\n\
                    const fn e() {}\n#[track_caller] fn f() -> Own { todo!() }\nfn excepted() {}\n\
                    fn g() -> m::Answer { todo!() }\nfn h() -> impl Send + Answer {}";
        let found = annotated(text, 0);
        assert!(found.functions.is_empty());
        assert_eq!(
            found.skipped,
            [
                "const fn",
                "#[track_caller] over a function that may return a Result",
                "a reason of its own",
                "a future in a named type is returned",
                "a future in a named type is returned"
            ]
        );
        assert_eq!(found.test_modules, [PathBuf::from("src/cases")].into());
    }

    #[test]
    fn calls_are_counted_at_the_start_of_the_body() {
        assert_eq!(
            counted("fn a() {\n    #![allow(unused)]\n    1;\n}"),
            "fn a() {\n    #![allow(unused)] ::counters_of_some_crate::called(7);\n    1;\n}"
        );
        assert_eq!(counted("async fn a() {}"), "async fn a() { ::counters_of_some_crate::called(7);}");
    }

    #[test]
    fn returned_futures_are_counted_at_their_first_poll() {
        assert_eq!(
            counted("fn a() -> impl Future<Output = ()> { async {} }"),
            "fn a() -> impl Future<Output = ()> { ::counters_of_some_crate::future(7, async {}) }"
        );
        assert_eq!(
            counted(
                "fn a() -> BoxFuture<'static, u8> { if b() { return x; } let f = || return 1; Box::pin(y) }"
            ),
            "fn a() -> BoxFuture<'static, u8> { if b() { return ::counters_of_some_crate::boxed::<BoxFuture<'static, u8>>(7, x); } \
             let f = || return 1; ::counters_of_some_crate::boxed::<BoxFuture<'static, u8>>(7, Box::pin(y)) }"
        );
    }
}
