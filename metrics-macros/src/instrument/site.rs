//! The call site's statics, and how a guard is started from them.

use proc_macro2::{Ident, Literal, Span, TokenStream, TokenTree};
use quote::{ToTokens as _, format_ident, quote, quote_spanned};
use syn::ext::IdentExt as _;
use syn::spanned::Spanned as _;
use syn::{Expr, ExprPath, ExprUnary, FnArg, LitStr, Pat, PatType, Path, Signature, Type, TypePath, UnOp};

use super::family_site;
use super::model::{Constant, InstrumentedFunction, RecordTarget, SiteLabel, SiteModel, SiteText};
use crate::grammar::args::Args;
use crate::grammar::attribute::{self, Attribute, AttributeKey, ValueKind};
use crate::grammar::value::WrittenLabel;
use crate::label_value::case::words;
use crate::label_value::key;
use crate::library::Private;
use crate::spans::{at, located};

/// How a guard is made: variables that are bound before the body may move the values they are made of, and an expression
/// that uses them.
pub(crate) struct GuardCode {
    pub(crate) bindings: TokenStream,
    pub(crate) guard: TokenStream,
}

impl GuardCode {
    pub(crate) fn new(instrumented: &InstrumentedFunction) -> Self {
        let private = &instrumented.private;
        let function = instrumented.function.sig.ident.unraw().to_string();
        match &instrumented.target {
            RecordTarget::Site(site) => site_start(instrumented, site, &function),
            RecordTarget::Family(family) => {
                let Self { bindings, guard } = family_site::start(private, family);
                let listed = family_site::listed(private, &function, family);
                Self { bindings: quote!(#listed #bindings), guard }
            }
        }
    }
}

fn site_start(instrumented: &InstrumentedFunction, site: &SiteModel, function: &str) -> GuardCode {
    let private = &instrumented.private;
    let mut choices = Context::of(instrumented).choices(site);
    check_in_static(&mut choices);
    let checks = choices.iter().filter_map(|choice| choice.check(private));
    let varies = choices.iter().any(|choice| choice.binding.is_some());
    let (cells, with_cells) = if varies { cells(private, &choices) } else { Default::default() };
    let (constructor, method) = site.functions();
    let [constructor, method] = [constructor, method].map(|name| Ident::new(name, Span::call_site()));
    let values = choices.iter().map(|choice| choice.value.clone());
    let constants = values.chain(site.constants.iter().map(|constant| constant.value(private)));
    let texts: Vec<_> = site.texts.iter().map(|text| TextCode::of(text, private)).collect();
    let borrow = instrumented.borrows_texts(site).then(|| quote!(&));
    let values = texts.iter().map(|TextCode { value, .. }| quote!(#borrow #value));
    let indices = choices.iter().map(|choice| choice.index.to_token_stream());
    let arguments = indices.chain(values).filter(|_| !site.is_bare());
    let guard = quote! {
        {
            #(#checks)*
            #cells
            #private::site!(#function, #constructor(#(#constants),*) #with_cells)
        }.#method(#(#arguments),*)
    };
    let bindings = choices.iter().filter_map(|choice| choice.binding.as_ref());
    let texts = texts.iter().filter_map(|text| text.binding.as_ref());
    GuardCode { bindings: quote!(#(#bindings)* #(#texts)*), guard }
}

/// The statements that check a function's labels where it is not measured. Its bindings never run.
pub(crate) fn checks(instrumented: &InstrumentedFunction) -> TokenStream {
    let private = &instrumented.private;
    let site = match &instrumented.target {
        RecordTarget::Site(site) => site,
        RecordTarget::Family(family) => {
            let GuardCode { bindings, guard } = family_site::start(private, family);
            return quote!(if false { #bindings let _ = #guard; });
        }
    };
    let choices = Context::of(instrumented).choices(site);
    let checks = choices.iter().filter_map(|choice| choice.check(private));
    let values = choices.iter().filter(|choice| choice.is_path).map(|choice| &choice.value);
    let varying =
        choices.iter().filter_map(|choice| Some((choice.binding.clone()?, choice.index.to_token_stream())));
    let texts = site.texts.iter().map(|text| TextCode::of(text, private));
    let texts = texts.filter_map(|TextCode { binding, value }| Some((binding?, value)));
    let never_run: TokenStream =
        varying.chain(texts).map(|(binding, name)| quote!(#binding let _ = #name;)).collect();
    let never_run = (!never_run.is_empty()).then(|| quote!(if false { #never_run }));
    quote! {
        #(#checks)*
        #(const _: &#private::str = #values;)*
        #never_run
    }
}

/// The checks of the labels that are texts, for an attribute with mistakes elsewhere.
pub(crate) fn text_checks(attribute: Attribute, args: &Args) -> TokenStream {
    let private = args.private();
    let context = Context { private: &private, labels: args.path(attribute::LABELS), sig: None };
    let check = |key: &AttributeKey| match (key.value, args.label(key.name)) {
        (ValueKind::Label(label), written @ Some(WrittenLabel::Text(_) | WrittenLabel::MethodName(_))) => {
            context.choice(label, written).check(&private)
        }
        _ => None,
    };
    attribute.keys().filter_map(check).collect()
}

/// Moves the first label's check into the site's static.
///
/// Each constant is an item that takes the compiler as long as the static. Only the first, since an evaluation that fails
/// says nothing of the labels behind it.
fn check_in_static(choices: &mut [LabelCode]) {
    if let Some(choice) = choices.iter_mut().find(|choice| choice.checked.is_some())
        && let Some((_, checked)) = choice.checked.take()
    {
        choice.value = checked;
    }
}

/// A static with a cell for each set of values, and the arguments that pass it to the site.
fn cells(private: &Private, choices: &[LabelCode]) -> (TokenStream, TokenStream) {
    let counts = choices.iter().map(LabelCode::count);
    let ty = quote!([#private::SlotCell<#private::SiteSeries>; 1 #(* #counts)*]);
    let values = |index: usize| {
        let varying = choices.get(index).filter(|choice| choice.binding.is_some());
        varying.map_or_else(|| quote!(&[]), |choice| choice.values.clone())
    };
    let (first, second) = (values(0), values(1));
    (quote!(static CELLS: #ty = #private::slot_cells();), quote!(, [#first, #second], &CELLS))
}

impl Constant {
    fn value(&self, private: &Private) -> TokenStream {
        match self {
            Self::Duration(duration) => {
                // The longest duration that can be written is a year.
                let nanoseconds =
                    duration.map_or(0, |duration| u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX));
                nanoseconds.to_token_stream()
            }
            Self::Flag(flag) => flag.to_token_stream(),
            Self::Outcomes(Some(on)) => on.value(private),
            Self::Outcomes(None) => quote!(#private::On::OK),
        }
    }
}

/// What a label contributes to its site.
struct LabelCode {
    /// The value in an expression that does not evaluate if the label is wrong, and its span.
    checked: Option<(Span, TokenStream)>,
    /// The text; empty if it varies or the settings say it.
    value: TokenStream,
    /// Whether it was written as a path.
    is_path: bool,
    /// The possible values, if it varies.
    values: TokenStream,
    /// The statement that evaluates the index, if it varies.
    binding: Option<TokenStream>,
    /// The index among the possible values.
    index: TokenTree,
}

impl LabelCode {
    /// One value, which needs no check.
    fn known(value: TokenStream) -> Self {
        Self {
            checked: None,
            value,
            is_path: false,
            values: TokenStream::new(),
            binding: None,
            index: Literal::usize_unsuffixed(0).into(),
        }
    }

    /// The number of possible values.
    fn count(&self) -> TokenStream {
        let values = &self.values;
        if self.binding.is_some() { quote!(#values.len()) } else { quote!(1) }
    }

    /// A constant that does not evaluate if the label is wrong.
    fn check(&self, private: &Private) -> Option<TokenStream> {
        let (span, checked) = self.checked.as_ref()?;
        let private = private.at(*span);
        Some(quote_spanned!(*span=> const _: &#private::str = #checked;))
    }
}

/// The value of an open label.
struct TextCode {
    binding: Option<TokenStream>,
    value: TokenStream,
}

impl TextCode {
    fn of(text: &SiteText, private: &Private) -> Self {
        let Some(expr) = &text.expr else {
            return Self { binding: None, value: quote!(#private::Text::NONE) };
        };
        let span = at(expr.span());
        let name = format_ident!("{}", text.name, span = Span::mixed_site());
        let private = private.at(span);
        let binding = quote_spanned!(span=> let #name = #private::Text::of(&(#expr)););
        Self { binding: Some(binding), value: quote!(#name) }
    }
}

/// What the labels of one attribute are resolved against.
struct Context<'a> {
    private: &'a Private,
    labels: Option<&'a Path>,
    /// The function's signature, for the types of its arguments.
    sig: Option<&'a Signature>,
}

impl<'a> Context<'a> {
    fn of(instrumented: &'a InstrumentedFunction) -> Self {
        let InstrumentedFunction { private, labels, function, .. } = instrumented;
        Self { private, labels: labels.as_ref(), sig: Some(&function.sig) }
    }

    fn choices(&self, site: &SiteModel) -> Vec<LabelCode> {
        site.labels.iter().map(|SiteLabel { ty, written }| self.choice(ty, written.as_ref())).collect()
    }

    fn choice(&self, label: &str, written: Option<&WrittenLabel>) -> LabelCode {
        match written {
            None => LabelCode::known(quote!("")),
            Some(WrittenLabel::Text(text)) => self.text_choice(label, text, "fixed_text"),
            Some(WrittenLabel::MethodName(text)) => self.text_choice(label, text, "fixed_method_name"),
            Some(WrittenLabel::Variant(path)) => {
                LabelCode { is_path: true, ..LabelCode::known(self.variant_text(label, path)) }
            }
            Some(WrittenLabel::Expression(expr)) => self.varying_choice(label, expr),
        }
    }

    /// The type of a label, for an error at `span`. The span of a written path is kept.
    fn label_type(&self, label: &str, span: Span) -> TokenStream {
        let label = Ident::new(label, span);
        self.labels.map_or_else(|| quote_spanned!(span=> labels::#label), |labels| quote!(#labels::#label))
    }

    /// A text that `check`, a function of the library, compares with the values of the label's type.
    fn text_choice(&self, label: &str, text: &LitStr, check: &str) -> LabelCode {
        // The whole call is at the literal's span, so that its panic points there and nowhere else.
        let span = at(text.span());
        let (at_text, ty) = (self.private.at(span), self.label_type(label, span));
        let check = Ident::new(check, span);
        // Zeros are no value's key: a text too long for a key is compared with all values.
        let [low, high] = key::key(&text.value()).unwrap_or_default();
        let checked = quote_spanned!(span=> #at_text::#check::<#ty>(#text, #low, #high));
        LabelCode { checked: Some((span, checked)), ..LabelCode::known(text.to_token_stream()) }
    }

    /// The text of a variant. The variant's type is its set of values, unless the attribute names a module.
    fn variant_text(&self, label: &str, path: &ExprPath) -> TokenStream {
        let span = at(path.span());
        let ty = self.labels.map(|_| self.label_type(label, span)).map(|ty| quote_spanned!(span=> : #ty));
        let value = Ident::new("value", Span::mixed_site().located_at(span));
        let is_named = path.path.segments.iter().rev().nth(1).is_some_and(|ty| ty.ident == label);
        let text = if is_named || ty.is_some() {
            quote_spanned!(span=> text())
        } else {
            let expected = words(label).join(" ");
            quote_spanned!(span=> text_of(#expected))
        };
        quote_spanned!(span=> {
            let #value #ty = #path;
            #value.__bot_metrics_position().#text
        })
    }

    fn varying_choice(&self, label: &str, expr: &Expr) -> LabelCode {
        let private = self.private;
        let span = at(expr.span());
        let (expr, ty) = match self.own_type(label, expr) {
            Some((expr, ty)) => (expr, located(&ty.to_token_stream(), span)),
            None => (expr, self.label_type(label, span)),
        };
        let index = format_ident!("{}", label.to_lowercase(), span = Span::mixed_site());
        let values = quote_spanned!(span=> <#ty as #private::LabelValue>::VALUES);
        let binding = quote_spanned!(span=> let #index = <#ty as #private::LabelValue>::index(#expr););
        LabelCode { values, binding: Some(binding), index: index.into(), ..LabelCode::known(quote!("")) }
    }

    /// An expression and its type, if `as` or the type of an argument names the label type. No module need be in scope
    /// for that.
    fn own_type<'e>(&self, label: &str, expr: &'e Expr) -> Option<(&'e Expr, &'e Type)>
    where
        'a: 'e,
    {
        if self.labels.is_some() {
            return None;
        }
        let (expr, ty) = match expr {
            Expr::Group(group) => return self.own_type(label, &group.expr),
            Expr::Cast(cast) => (&*cast.expr, &*cast.ty),
            Expr::Path(path) => (expr, self.argument_type(path.path.get_ident()?)?),
            Expr::Unary(ExprUnary { op: UnOp::Deref(_), expr: reference, .. }) => {
                let Expr::Path(path) = &**reference else { return None };
                match self.argument_type(path.path.get_ident()?)? {
                    Type::Reference(reference) => (expr, &*reference.elem),
                    _ => return None,
                }
            }
            _ => return None,
        };
        let Type::Path(TypePath { qself: None, path, .. }) = ty else { return None };
        let is_parameter =
            self.sig?.generics.type_params().any(|parameter| path.get_ident() == Some(&parameter.ident));
        let is_named =
            path.segments.last().is_some_and(|last| last.ident == label && last.arguments.is_none());
        (is_named && !is_parameter && path.segments[0].ident != "Self").then_some((expr, ty))
    }

    fn argument_type(&self, name: &Ident) -> Option<&'a Type> {
        self.sig?.inputs.iter().find_map(|input| match input {
            FnArg::Typed(PatType { pat, ty, .. }) => match &**pat {
                Pat::Ident(argument) if argument.ident == *name && argument.by_ref.is_none() => Some(&**ty),
                _ => None,
            },
            FnArg::Receiver(_) => None,
        })
    }
}
