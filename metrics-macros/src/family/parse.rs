//! The grammar of `metrics!`, and checks of what the grammar allows.

use proc_macro2::TokenStream;
use quote::ToTokens as _;
use syn::ext::IdentExt as _;
use syn::parse::{Parse, ParseStream, Parser as _};
use syn::punctuated::Punctuated;
use syn::{
    Attribute, Expr, ExprUnary, Ident, Lit, LitInt, Meta, Path, Token, Type, TypePath, UnOp, Visibility,
    braced, parenthesized,
};

use crate::errors::{Errors, did_you_mean, known, repeated};
use crate::function::returns::is_primitive;
use crate::library;

/// A declared family.
pub(crate) struct DeclaredFamily {
    pub(crate) attrs: Vec<Attribute>,
    pub(crate) vis: Visibility,
    pub(crate) kind: FamilyKind,
    pub(crate) name: Ident,
    pub(crate) labels: Vec<DeclaredLabel>,
    pub(crate) options: FamilyOptions,
}

/// The type of a family.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum FamilyKind {
    Counter,
    FloatCounter,
    Gauge,
    Histogram,
}

impl FamilyKind {
    /// The name of the library's type for a handle to such a family.
    pub(crate) fn handle(self) -> &'static str {
        match self {
            Self::FloatCounter => "FloatCounter",
            _ => self.kind(),
        }
    }

    /// The keyword, which is also the name of the library's function that makes such a handle.
    pub(crate) fn method(self) -> &'static str {
        match self {
            Self::Counter => "counter",
            Self::FloatCounter => "float_counter",
            Self::Gauge => "gauge",
            Self::Histogram => "histogram",
        }
    }

    /// The name of the library's kind, which is the type that Prometheus knows.
    pub(crate) fn kind(self) -> &'static str {
        match self {
            Self::Counter | Self::FloatCounter => "Counter",
            Self::Gauge => "Gauge",
            Self::Histogram => "Histogram",
        }
    }
}

/// `name: Type`
pub(crate) struct DeclaredLabel {
    pub(crate) name: Ident,
    pub(crate) ty: Type,
}

/// The options behind the labels.
#[derive(Default)]
pub(crate) struct FamilyOptions {
    pub(crate) buckets: Option<Buckets>,
    pub(crate) objective: Option<DeclaredObjective>,
    pub(crate) budget: Option<LitInt>,
    pub(crate) library: Option<Path>,
}

/// `buckets(0.1, 0.5, 1)`
pub(crate) struct Buckets {
    pub(crate) word: Ident,
    pub(crate) bounds: Vec<Expr>,
}

/// `objective(threshold = 0.5, ratio = 0.99)`
pub(crate) struct DeclaredObjective {
    pub(crate) word: Ident,
    pub(crate) threshold: Expr,
    pub(crate) ratio: Expr,
}

const KINDS: [FamilyKind; 4] =
    [FamilyKind::Counter, FamilyKind::FloatCounter, FamilyKind::Gauge, FamilyKind::Histogram];

/// Every family that can be expanded, and all mistakes.
pub(crate) fn read(declarations: TokenStream) -> (Vec<DeclaredFamily>, Errors) {
    let mut errors = Errors::default();
    let mut families = Vec::new();
    let read = |input: ParseStream<'_>| {
        while !input.is_empty() {
            match DeclaredFamily::parse(input) {
                Ok(mut family) => {
                    // The family's function is defined whatever other mistakes there are.
                    family.check_labels(&mut errors);
                    family.check(&mut errors);
                    families.push(family);
                }
                Err(error) => {
                    errors.ok::<()>(Err(error));
                    skip_declaration(input)?;
                }
            }
            let _: Option<Token![;]> = input.parse()?;
        }
        Ok(())
    };
    let read = read.parse2(declarations);
    errors.ok(read);
    (families, errors)
}

/// Skips to the next possible start of a declaration: a semicolon, a doc comment or a kind.
fn skip_declaration(input: ParseStream<'_>) -> syn::Result<()> {
    loop {
        if !input.is_empty() {
            input.parse::<proc_macro2::TokenTree>()?;
        }
        let doc_comment = input.peek(Token![#]) && input.peek2(syn::token::Bracket);
        if input.is_empty() || input.peek(Token![;]) || doc_comment || begins_declaration(input) {
            return Ok(());
        }
    }
}

impl Parse for DeclaredFamily {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let attrs = input.call(Attribute::parse_outer)?;
        let vis = input.parse()?;
        let (word, kind) = kind(input)?;
        let name = input.call(Ident::parse_any).map_err(|_| {
            let message = format!("`{word}` is followed by the metric's name, without quotes");
            syn::Error::new(if input.is_empty() { word.span() } else { input.span() }, message)
        })?;
        let labels = if input.peek(syn::token::Brace) { labels(input)? } else { Vec::new() };
        let options = FamilyOptions::parse(input)?;
        if !(input.is_empty() || input.peek(Token![;]) || input.peek(Token![#]) || begins_declaration(input))
        {
            let message = if input.peek(syn::token::Paren) || input.peek(syn::token::Bracket) {
                "labels are written in braces: `{ side: labels::Side }`"
            } else {
                "expected an option, a semicolon or the next declaration before this"
            };
            return Err(input.error(message));
        }
        Ok(Self { attrs, vis, kind, name, labels, options })
    }
}

fn kind(input: ParseStream<'_>) -> syn::Result<(Ident, FamilyKind)> {
    const BEGINS: &str = "a declaration begins with `counter`, `float_counter`, `gauge` or `histogram`";
    let word = input.call(Ident::parse_any).map_err(|_| input.error(BEGINS))?;
    if let Some(kind) = KINDS.into_iter().find(|kind| word == kind.method()) {
        return Ok((word, kind));
    }
    let guess = did_you_mean(&word.to_string(), KINDS.iter().map(|kind| kind.method()));
    Err(syn::Error::new(word.span(), format!("{BEGINS}, not `{word}`{guess}")))
}

fn labels(input: ParseStream<'_>) -> syn::Result<Vec<DeclaredLabel>> {
    let content;
    braced!(content in input);
    let mut labels = Vec::new();
    while !content.is_empty() {
        labels.push(label(&content).or_else(|error| abandon(&content, error))?);
        if !content.is_empty() && content.parse::<Token![,]>().is_err() {
            let error = content.error("expected a comma before this");
            return abandon(&content, error);
        }
    }
    Ok(labels)
}

fn label(input: ParseStream<'_>) -> syn::Result<DeclaredLabel> {
    let name = input.call(Ident::parse_any).map_err(|_| input.error("a label is `name: Type`"))?;
    if input.parse::<Token![:]>().is_err() {
        return Err(syn::Error::new(
            name.span(),
            format!("a label is `name: Type`: which type has `{name}`?"),
        ));
    }
    Ok(DeclaredLabel { name, ty: input.parse()? })
}

/// Skips the rest of parentheses or braces, which would be a second error if it were left unread.
fn abandon<T>(content: ParseStream<'_>, error: syn::Error) -> syn::Result<T> {
    content.parse::<TokenStream>()?;
    Err(error)
}

impl FamilyOptions {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        const KNOWN: [&str; 4] = ["buckets", "objective", "budget", "crate"];
        let mut options = Self::default();
        while input.peek(Ident::peek_any) && !begins_declaration(input) {
            let word = input.call(Ident::parse_any)?;
            let again = match word.to_string().as_str() {
                "buckets" => options.buckets.replace(Buckets::parse(word.clone(), input)?).is_some(),
                "objective" => {
                    options.objective.replace(DeclaredObjective::parse(word.clone(), input)?).is_some()
                }
                "budget" => options.budget.replace(value(&word, "10_000", input)?).is_some(),
                "crate" => options.library.replace(value(&word, "::bot_metrics", input)?).is_some(),
                unknown => {
                    let known = known(unknown, KNOWN.into_iter());
                    return Err(syn::Error::new(
                        word.span(),
                        format!("a metric has no option `{unknown}`{known}"),
                    ));
                }
            };
            if again {
                return Err(syn::Error::new(word.span(), repeated(&word)));
            }
        }
        Ok(options)
    }
}

/// Reads `= value` behind `word`.
fn value<T: Parse>(word: &Ident, example: &str, input: ParseStream<'_>) -> syn::Result<T> {
    let wrong = |span| syn::Error::new(span, format!("write `{word} = {example}`"));
    input.parse::<Token![=]>().map_err(|_| wrong(word.span()))?;
    let span = input.span();
    input.parse().map_err(|_| wrong(span))
}

/// Opens the parentheses behind `word`.
fn parentheses<'a>(
    word: &Ident,
    example: &str,
    input: ParseStream<'a>,
) -> syn::Result<syn::parse::ParseBuffer<'a>> {
    let read = || {
        let content;
        parenthesized!(content in input);
        Ok(content)
    };
    read().map_err(|_: syn::Error| syn::Error::new(word.span(), format!("write `{example}`")))
}

/// Whether the next declaration follows. A semicolon before it is optional.
fn begins_declaration(input: ParseStream<'_>) -> bool {
    let ahead = input.fork();
    ahead.parse::<Visibility>().is_ok_and(|vis| !matches!(vis, Visibility::Inherited))
        || ahead
            .call(Ident::parse_any)
            .is_ok_and(|word| KINDS.iter().any(|kind| word == kind.method()) && ahead.peek(Ident::peek_any))
}

impl Buckets {
    fn parse(word: Ident, input: ParseStream<'_>) -> syn::Result<Self> {
        let content = parentheses(&word, "buckets(0.1, 0.5, 1)", input)?;
        let bounds = Punctuated::<Expr, Token![,]>::parse_terminated(&content)
            .or_else(|error| abandon(&content, error))?;
        Ok(Self { word, bounds: bounds.into_iter().map(number).collect() })
    }
}

impl DeclaredObjective {
    fn parse(word: Ident, input: ParseStream<'_>) -> syn::Result<Self> {
        const EXAMPLE: &str = "objective(threshold = 0.5, ratio = 0.99)";
        let content = parentheses(&word, EXAMPLE, input)?;
        let (mut threshold, mut ratio) = (None, None);
        while !content.is_empty() {
            let (name, value) = Self::entry(&content).or_else(|error| abandon(&content, error))?;
            let entry = if name == "threshold" { &mut threshold } else { &mut ratio };
            if entry.replace(number(value)).is_some() {
                let error = syn::Error::new(name.span(), repeated(&name));
                return abandon(&content, error);
            }
        }
        let message = format!("an objective has a threshold and a ratio: `{EXAMPLE}`");
        let (threshold, ratio) = threshold.zip(ratio).ok_or_else(|| syn::Error::new(word.span(), message))?;
        Ok(Self { word, threshold, ratio })
    }

    /// `threshold = …` or `ratio = …`, and the comma behind it.
    fn entry(input: ParseStream<'_>) -> syn::Result<(Ident, Expr)> {
        const KEYS: [&str; 2] = ["threshold", "ratio"];
        let name = input.call(Ident::parse_any).map_err(|_| {
            input.error("an objective takes `key = value`: `objective(threshold = 0.5, ratio = 0.99)`")
        })?;
        if !KEYS.iter().any(|key| name == key) {
            let known = known(&name.to_string(), KEYS.into_iter());
            return Err(syn::Error::new(name.span(), format!("an objective has no `{name}`{known}")));
        }
        input.parse::<Token![=]>()?;
        let value = input.parse()?;
        if !input.is_empty() {
            input.parse::<Token![,]>()?;
        }
        Ok((name, value))
    }
}

/// A whole number as a floating-point number; any other expression unchanged.
fn number(expr: Expr) -> Expr {
    match &expr {
        Expr::Unary(ExprUnary { op: UnOp::Neg(minus), expr, .. }) => {
            let positive = number((**expr).clone());
            syn::parse_quote!(#minus #positive)
        }
        Expr::Lit(literal) => match &literal.lit {
            Lit::Int(whole) if whole.suffix().is_empty() => {
                let float = syn::LitFloat::new(&format!("{}.0", whole.base10_digits()), whole.span());
                syn::parse_quote!(#float)
            }
            _ => expr,
        },
        _ => expr,
    }
}

impl DeclaredFamily {
    /// Reports labels that the compiler would report once for each occurrence in an expansion, and once for each use.
    fn check_labels(&mut self, errors: &mut Errors) {
        let mut names: Vec<Ident> = Vec::new();
        let library = library::path(self.options.library.clone());
        self.labels.retain_mut(|DeclaredLabel { name, ty }| {
            if is_text_or_number(ty) {
                let written = as_written(ty);
                let message = format!(
                    "`{written}` is no label: use `Symbol`, `ProfileId`, an enum that derives `LabelValue`, or a type that \
                     implements `Label`"
                );
                errors.push_over(&*ty, message);
                *ty = match ty {
                    Type::Reference(_) => syn::parse_quote!(#library::Symbol),
                    // With this type a use of the label is not reported too.
                    _ => syn::parse_quote!(#library::__private::NoLabel<#ty>),
                };
            }
            let again = names.contains(name);
            if again {
                errors.push(name.span(), format!("the label {}", repeated(&*name)));
            }
            names.push(name.clone());
            !again
        });
    }

    /// Reports options that the family's kind does not have.
    fn check(&self, errors: &mut Errors) {
        match (self.kind, &self.options.buckets) {
            (FamilyKind::Histogram, None) => {
                errors.push(self.name.span(), "a histogram needs its bucket bounds: `buckets(0.1, 0.5, 1)`");
            }
            (FamilyKind::Counter | FamilyKind::FloatCounter | FamilyKind::Gauge, Some(buckets)) => {
                errors.push(buckets.word.span(), "only a histogram has buckets");
            }
            _ => {}
        }
        if let Some(objective) =
            self.options.objective.as_ref().filter(|_| self.kind != FamilyKind::Histogram)
        {
            let message = "only a histogram has an objective: its threshold is one of the bucket bounds";
            errors.push(objective.word.span(), message);
        }
    }

    /// The doc comment as one line.
    pub(crate) fn help(&self) -> String {
        let lines = self.attrs.iter().filter_map(|attr| match &attr.meta {
            Meta::NameValue(doc) if doc.path.is_ident("doc") => match &doc.value {
                Expr::Lit(literal) => match &literal.lit {
                    Lit::Str(text) => Some(text.value().trim().to_owned()),
                    _ => None,
                },
                _ => None,
            },
            _ => None,
        });
        lines.collect::<Vec<_>>().join(" ").trim().to_owned()
    }
}

/// Whether this is a type of the language or of its standard library that is not a label.
fn is_text_or_number(ty: &Type) -> bool {
    const NAMES: [&str; 7] = ["Arc", "Box", "Cow", "Option", "Rc", "String", "Vec"];
    match ty {
        Type::Reference(_) => true,
        Type::Group(group) => is_text_or_number(&group.elem),
        Type::Path(TypePath { qself: None, path, .. }) => {
            let of_the_library = path.segments.len() == 1
                || ["alloc", "core", "std"].iter().any(|library| path.segments[0].ident == library);
            let is_known = |name: &Ident| is_primitive(name) || NAMES.iter().any(|known| name == known);
            of_the_library && path.segments.last().is_some_and(|last| is_known(&last.ident))
        }
        _ => false,
    }
}

/// The text of a type without the blanks that printed tokens have between them.
fn as_written(ty: &Type) -> String {
    let mut text = ty.to_token_stream().to_string();
    for (spaced, written) in [(" :: ", "::"), (" < ", "<"), (" >", ">"), ("& ", "&"), (" ,", ",")] {
        text = text.replace(spaced, written);
    }
    text
}
