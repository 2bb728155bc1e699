//! The call site's statics, and how a guard is started from them.

use proc_macro2::{Delimiter, Group, Ident, Literal, Span, TokenStream, TokenTree};
use quote::{ToTokens as _, format_ident, quote, quote_spanned};
use syn::ext::IdentExt as _;
use syn::spanned::Spanned as _;
use syn::{
    Expr, ExprLit, ExprPath, ExprUnary, FnArg, Lit, LitStr, Pat, PatType, Path, Signature, Type, TypePath,
    UnOp,
};

use crate::args::{Args, FamilyLabel, Label};
use crate::attr::{self, Attribute, Key, Takes};
use crate::expand::located;
use crate::label_case::words;
use crate::model::{Instrumented, Records, Site};
use crate::private::Private;
use crate::shape::Shape;
use crate::text_key;

/// How a guard is made: variables that are bound before the body may move what they are made of, and an expression
/// that uses them.
pub(crate) struct Start {
    pub(crate) bindings: TokenStream,
    pub(crate) guard: TokenStream,
}

/// What checks a function's labels where it is not measured: the bindings are never run.
pub(crate) fn checks(private: &Private, instrumented: &Instrumented) -> TokenStream {
    let context = Context::of(private, instrumented, false);
    if let Site::Family { family, labels, records } = &instrumented.site {
        let Start { bindings, guard } = family_start(private, family, labels, records);
        return quote!(if false { #bindings let _ = #guard; });
    }
    let Parts { choices, texts, .. } = context.parts(&instrumented.site);
    let checks = choices.iter().filter_map(|choice| choice.check(private));
    let values = choices.iter().filter(|choice| choice.is_path).map(|choice| &choice.value);
    let varying =
        choices.iter().filter_map(|choice| Some((choice.binding.as_ref()?, choice.index.to_token_stream())));
    let open = texts.iter().filter_map(|text| Some((text.binding.as_ref()?, text.value.clone())));
    let never_run = varying.chain(open).map(|(binding, name)| quote!(#binding let _ = #name;));
    let never_run: TokenStream = never_run.collect();
    let never_run = (!never_run.is_empty()).then(|| quote!(if false { #never_run }));
    quote! {
        #(#checks)*
        #(const _: &#private::str = #values;)*
        #never_run
    }
}

/// The checks of those labels that are texts, whatever is wrong with the rest.
pub(crate) fn text_checks(attribute: Attribute, args: &Args) -> TokenStream {
    let private = args.private();
    let labels = args.path(attr::LABELS);
    let context = Context { private: &private, labels, sig: None, in_static: false };
    let check = |key: &Key| match (key.takes, args.label(key.name)) {
        (Takes::Label(label), written @ Some(Label::Text(_) | Label::MethodName(_))) => {
            context.choice(label, written).check(&private)
        }
        _ => None,
    };
    attribute.keys().filter_map(check).collect()
}

impl Start {
    pub(crate) fn new(private: &Private, instrumented: &Instrumented) -> Self {
        let context = Context::of(private, instrumented, true);
        if let Site::Family { family, labels, records } = &instrumented.site {
            let Start { bindings, guard } = family_start(private, family, labels, records);
            let listed = listed(private, instrumented, family, records);
            return Self { bindings: quote!(#listed #bindings), guard };
        }
        let Parts { kind, new, choices, texts } = context.parts(&instrumented.site);
        let name = instrumented.function.sig.ident.unraw().to_string();
        let checks = choices.iter().filter_map(|choice| choice.check(private));
        let varies = choices.iter().any(|choice| choice.binding.is_some());
        let (cells, with_cells) = if varies { cells(private, &choices) } else { Default::default() };
        let make = Ident::new(&format!("new_{kind}"), Span::call_site());
        // Of an event that is the same at each call nothing need be carried through it.
        let bare = texts.len() == 3 && !varies && texts.iter().all(|text| text.binding.is_none());
        let start = if bare { format_ident!("bare_{kind}") } else { Ident::new(kind, Span::call_site()) };
        let borrows = match instrumented.site {
            // A future that is returned outlives the variables here.
            Site::Event { .. } => !matches!(instrumented.shape, Shape::Tail(_) | Shape::Future { .. }),
            // It is read at once.
            Site::Reconciliation { .. } => true,
            _ => false,
        };
        let borrow = borrows.then(|| quote!(&));
        let values = texts.iter().map(|text| &text.value).map(|value| quote!(#borrow #value));
        let arguments =
            choices.iter().map(|choice| choice.index.to_token_stream()).chain(values).filter(|_| !bare);
        let guard = quote! {
            {
                #(#checks)*
                #cells
                #private::site!(#name, #make(#new) #with_cells)
            }.#start(#(#arguments),*)
        };
        let bindings = choices.iter().filter_map(|choice| choice.binding.as_ref());
        let texts = texts.iter().filter_map(|text| text.binding.as_ref());
        Self { bindings: quote!(#(#bindings)* #(#texts)*), guard }
    }
}

/// The function's place in the list of all that are annotated, where nothing is looked up: its family keeps the series.
fn listed(private: &Private, instrumented: &Instrumented, family: &Path, records: &Records) -> TokenStream {
    let name = instrumented.function.sig.ident.unraw().to_string();
    let kind = match records {
        Records::Duration => quote!(new_timed),
        Records::End(_) => quote!(new_counted),
    };
    // By a pattern, as below: what is wrong with the family is then told once.
    let family = quote_spanned!(family.span()=> |#family { .. }| ());
    quote!(let _ = #private::site!(#name, #kind(#private::family_name(#family)));)
}

/// A series of a declared family, found before the body may move what its labels are made of.
///
/// The pattern lets the compiler tell which labels are missing and which there are, each once; a method of the field that
/// it binds knows the label's type, so that `&String` will do for a text.
fn family_start(private: &Private, family: &Path, labels: &[FamilyLabel], records: &Records) -> Start {
    let span = Span::call_site().located_at(family.span());
    let at_family = private.at(span);
    let series = Ident::new("series", Span::mixed_site());
    let names: Vec<_> = labels.iter().map(|label| &label.name).collect();
    let fields: Vec<_> =
        (0..labels.len()).map(|index| format_ident!("label_{index}", span = Span::mixed_site())).collect();
    let given = labels.iter().zip(&fields).map(|(FamilyLabel { name, value }, field)| {
        let span = Span::call_site().located_at(value.span());
        match value {
            Expr::Lit(ExprLit { lit: Lit::Str(text), .. }) => {
                let at_text = private.at(span);
                quote_spanned!(span=>
                    const POSITION: #at_text::usize = #family::#name.position(#text);
                    #field.set_text(POSITION, #text);
                )
            }
            value => quote_spanned!(span=> #field.set(#value);),
        }
    });
    // At the family's place, or the compiler takes its fields for a macro's own and does not name them.
    let mut pattern = Group::new(Delimiter::Brace, quote!(#(#names: #fields),*));
    pattern.set_span(family.span());
    let bindings = quote! {
        let mut #series = #private::blank();
        {
            let #family #pattern = &mut #series;
            #({ #given })*
        }
        let #series = #private::Declared::handle(#series);
    };
    let guard = match records {
        Records::Duration => quote_spanned!(span=> #at_family::timed(#series)),
        Records::End(on) => {
            let always = || quote_spanned!(span=> #at_family::On::ALWAYS);
            let on = on.as_ref().map_or_else(always, |on| located(&on.value(private), span));
            quote_spanned!(span=> #at_family::counted(#series, #on))
        }
    };
    Start { bindings, guard }
}

/// A static with a cell for each set of values, and how the site is told of it.
fn cells(private: &Private, choices: &[Choice]) -> (TokenStream, TokenStream) {
    let counts = choices.iter().map(Choice::count);
    let ty = quote!([#private::SlotCell<#private::Found>; 1 #(* #counts)*]);
    let (first, second) = (values(choices.first()), values(choices.get(1)));
    (quote!(static CELLS: #ty = #private::slot_cells();), quote!(, [#first, #second], &CELLS))
}

/// The values of a label that varies; none of one that does not.
fn values(choice: Option<&Choice>) -> TokenStream {
    choice
        .filter(|choice| choice.binding.is_some())
        .map_or_else(|| quote!(&[]), |choice| choice.values.clone())
}

/// What a kind of site consists of.
struct Parts {
    kind: &'static str,
    /// The arguments of what makes its static.
    new: TokenStream,
    choices: Vec<Choice>,
    texts: Vec<Text>,
}

/// What a label contributes to its site.
struct Choice {
    /// Its value, which does not evaluate where the label is wrong, and where it stands.
    checked: Option<(Span, TokenStream)>,
    /// Its text; empty where it varies or the settings say it.
    value: TokenStream,
    /// Whether it was written as a path.
    is_path: bool,
    /// Those that it can have, where it varies.
    values: TokenStream,
    /// Where it varies: the statement that finds out which.
    binding: Option<TokenStream>,
    /// Which of its values it has.
    index: TokenTree,
}

impl Choice {
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

    /// How many values it can have.
    fn count(&self) -> TokenStream {
        let values = &self.values;
        if self.binding.is_some() { quote!(#values.len()) } else { quote!(1) }
    }

    /// A constant that does not evaluate where the label is wrong.
    fn check(&self, private: &Private) -> Option<TokenStream> {
        let (span, checked) = self.checked.as_ref()?;
        let private = private.at(*span);
        Some(quote_spanned!(*span=> const _: &#private::str = #checked;))
    }
}

/// An open label's text.
struct Text {
    binding: Option<TokenStream>,
    value: TokenStream,
}

fn nanoseconds(duration: std::time::Duration) -> u64 {
    // The longest that can be written is a year.
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

struct Context<'a> {
    private: &'a Private,
    labels: Option<&'a Path>,
    /// The function's, whose arguments' types are known.
    sig: Option<&'a Signature>,
    /// Whether there is a static in which a label can be checked.
    in_static: bool,
}

impl<'a> Context<'a> {
    fn of(private: &'a Private, instrumented: &'a Instrumented, in_static: bool) -> Self {
        let sig = Some(&instrumented.function.sig);
        Self { private, labels: instrumented.labels.as_ref(), sig, in_static }
    }

    /// Each constant is an item that takes the compiler as long as the static: the first label is checked in that one
    /// instead, and only the first, since an evaluation that fails says nothing of what stands behind.
    fn checked<const N: usize>(&self, mut choices: [Choice; N]) -> [Choice; N] {
        if self.in_static
            && let Some(choice) = choices.iter_mut().find(|choice| choice.checked.is_some())
            && let Some((_, checked)) = choice.checked.take()
        {
            choice.value = checked;
        }
        choices
    }

    fn parts(&self, site: &Site) -> Parts {
        let private = self.private;
        match site {
            Site::Subsystem { subsystem, every, max_age, flags } => {
                let [subsystem] = self.checked([self.choice("Subsystem", Some(subsystem))]);
                let [every, max_age] = [every, max_age].map(|duration| duration.map_or(0, nanoseconds));
                let (optional, observes_cancelled) = (flags.optional, flags.observe_cancelled);
                let value = &subsystem.value;
                let new = quote!(#value, #every, #max_age, #optional, #observes_cancelled);
                Parts { kind: "subsystem", new, choices: vec![subsystem], texts: Vec::new() }
            }
            Site::Exchange { exchange, operation } => {
                let [exchange, operation] = self.checked([
                    self.choice("Exchange", exchange.as_ref()),
                    self.choice("Operation", Some(operation)),
                ]);
                let (exchanges, operations) = (&exchange.value, &operation.value);
                let new = quote!(#exchanges, #operations);
                Parts { kind: "exchange", new, choices: vec![exchange, operation], texts: Vec::new() }
            }
            Site::Event { severity, kind: event, on, profile, symbol, text } => {
                let [severity, event] = self.checked([
                    self.choice("Severity", Some(severity)),
                    self.choice("EventType", Some(event)),
                ]);
                let (severities, events) = (&severity.value, &event.value);
                let on = on.as_ref().map_or_else(|| quote!(#private::On::OK), |on| on.value(private));
                let new = quote!(#severities, #events, #on);
                let texts = [("profile", profile), ("symbol", symbol), ("text", text)];
                let texts = texts.map(|(name, expr)| self.text(name, expr.as_deref())).into();
                Parts { kind: "event", new, choices: vec![severity, event], texts }
            }
            Site::Capital { profile } => {
                let texts = vec![self.text("profile", Some(profile))];
                Parts { kind: "capital", new: TokenStream::new(), choices: Vec::new(), texts }
            }
            Site::Family { .. } => unreachable!("a declared family has no site of its own"),
            Site::Reconciliation { name } => {
                let texts = vec![self.text("name", name.as_deref())];
                Parts { kind: "reconciliation", new: TokenStream::new(), choices: Vec::new(), texts }
            }
        }
    }

    fn text(&self, name: &str, expr: Option<&Expr>) -> Text {
        let private = self.private;
        let Some(expr) = expr else {
            return Text { binding: None, value: quote!(#private::Text::NONE) };
        };
        let span = Span::call_site().located_at(expr.span());
        let name = format_ident!("{name}", span = Span::mixed_site());
        let private = private.at(span);
        let binding = quote_spanned!(span=> let #name = #private::Text::of(&(#expr)););
        Text { binding: Some(binding), value: quote!(#name) }
    }

    /// The type of a label, for an error that is to stand at `span`; a path that was written stays where it is.
    fn label_type(&self, label: &str, span: Span) -> TokenStream {
        let label = Ident::new(label, span);
        self.labels.map_or_else(|| quote_spanned!(span=> labels::#label), |labels| quote!(#labels::#label))
    }

    /// A text, and a constant that does not evaluate where it is wrong. Nothing uses the constant: whatever did would
    /// be told a second time.
    fn text_choice(&self, label: &str, text: &LitStr, fixed: &str) -> Choice {
        let private = self.private;
        // The whole call stands at the literal, so that its panic points there and nowhere else.
        let span = Span::call_site().located_at(text.span());
        let (at_text, ty) = (private.at(span), self.label_type(label, span));
        let fixed = Ident::new(fixed, span);
        // Zeros are no value's key: a text that is too long for one is looked for among all values.
        let [low, high] = text_key::key(&text.value()).unwrap_or_default();
        let checked = quote_spanned!(span=> #at_text::#fixed::<#ty>(#text, #low, #high));
        Choice { checked: Some((span, checked)), ..Choice::known(text.to_token_stream()) }
    }

    fn choice(&self, label: &str, written: Option<&Label>) -> Choice {
        let private = self.private;
        match written {
            None => Choice::known(quote!("")),
            Some(Label::Text(text)) => self.text_choice(label, text, "fixed_text"),
            Some(Label::MethodName(text)) => self.text_choice(label, text, "fixed_method_name"),
            Some(Label::Variant(path)) => {
                Choice { is_path: true, ..Choice::known(self.variant_text(label, path)) }
            }
            Some(Label::Expression(expr)) => {
                let span = Span::call_site().located_at(expr.span());
                let (expr, ty) = match self.own_type(label, expr) {
                    Some((expr, ty)) => (expr, located(&ty.to_token_stream(), span)),
                    None => (&**expr, self.label_type(label, span)),
                };
                let index = format_ident!("{}", label.to_lowercase(), span = Span::mixed_site());
                let values = quote_spanned!(span=> <#ty as #private::LabelValue>::VALUES);
                Choice {
                    checked: None,
                    value: quote!(""),
                    is_path: false,
                    values,
                    binding: Some(quote_spanned!(span=>
                        let #index = <#ty as #private::LabelValue>::index(#expr);
                    )),
                    index: index.into(),
                }
            }
        }
    }

    /// The text of a variant: its own type tells which set it is of, unless the attribute names a module.
    fn variant_text(&self, label: &str, path: &ExprPath) -> TokenStream {
        let span = Span::call_site().located_at(path.span());
        let ty = self.labels.map(|_| self.label_type(label, span)).map(|ty| quote_spanned!(span=> : #ty));
        let value = Ident::new("value", Span::mixed_site().located_at(span));
        let is_named = path.path.segments.iter().rev().nth(1).is_some_and(|ty| ty.ident == label);
        let text = if is_named || ty.is_some() {
            quote_spanned!(span=> text())
        } else {
            let wanted = words(label).join(" ");
            quote_spanned!(span=> text_of(#wanted))
        };
        quote_spanned!(span=> {
            let #value #ty = #path;
            #value.__bot_metrics_position().#text
        })
    }

    /// An expression and its type, where `as` or the type of an argument says it by the label type's name: no module need
    /// be in scope for that.
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
