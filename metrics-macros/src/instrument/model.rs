//! A validated attribute with the function that it measures.

use std::time::Duration;

use proc_macro2::{Group, Span, TokenStream};
use quote::ToTokens;
use syn::{Expr, Ident, Path, ReturnType, Type, parse_quote};

use crate::function::body::Body;
use crate::function::item::Function;
use crate::function::returns::{future_output, inside_body};
use crate::function::shape::BodyShape;
use crate::grammar::args::FamilyLabel;
use crate::grammar::attribute::Attribute;
use crate::grammar::outcome_filter::OutcomeFilter;
use crate::grammar::value::WrittenLabel;
use crate::library::Private;
use crate::tokens::mentions;

/// An item, divided into measured functions and unchanged tokens.
pub(crate) enum Item {
    Function(Box<InstrumentedFunction>),
    Impl { head: TokenStream, braces: Group, items: Vec<BlockMember> },
}

/// A part of an `impl` block.
pub(crate) enum BlockMember {
    Instrumented(Box<InstrumentedFunction>),
    Kept(TokenStream),
}

/// A function and how it is measured.
pub(crate) struct InstrumentedFunction {
    pub(crate) function: Function,
    pub(crate) body: Body,
    pub(crate) shape: BodyShape,
    pub(crate) target: RecordTarget,
    pub(crate) verdict: VerdictKind,
    pub(crate) private: Private,
    pub(crate) attribute: Attribute,
    /// The attribute's arguments, as they would be written over this function alone.
    pub(crate) arguments: TokenStream,
    /// The module with the label types, unless it is `labels` in scope.
    pub(crate) labels: Option<Path>,
}

/// Where a call is recorded.
pub(crate) enum RecordTarget {
    Site(SiteModel),
    Family(FamilyTarget),
}

/// A call site of the library, which records to families of the catalogue.
pub(crate) struct SiteModel {
    pub(crate) kind: SiteKind,
    pub(crate) labels: Vec<SiteLabel>,
    /// Further arguments of the function that makes the site.
    pub(crate) constants: Vec<Constant>,
    pub(crate) texts: Vec<SiteText>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum SiteKind {
    Subsystem,
    Exchange,
    Event,
    Capital,
    Reconciliation,
}

/// A label of one of the types in `labels`. Unless it was written, the settings say its value.
pub(crate) struct SiteLabel {
    pub(crate) ty: &'static str,
    pub(crate) written: Option<WrittenLabel>,
}

/// A text that is evaluated at each call, if it was written.
pub(crate) struct SiteText {
    pub(crate) name: &'static str,
    pub(crate) expr: Option<Box<Expr>>,
}

pub(crate) enum Constant {
    Duration(Option<Duration>),
    Flag(bool),
    /// The outcomes that are an event; only a success unless they were written.
    Outcomes(Option<OutcomeFilter>),
}

/// A declared family.
pub(crate) struct FamilyTarget {
    pub(crate) family: Path,
    pub(crate) labels: Vec<FamilyLabel>,
    pub(crate) records: Records,
}

/// The part of a call that a declared family records.
pub(crate) enum Records {
    Duration,
    /// That it ended with one of these outcomes; with any outcome unless they were written.
    End(Option<OutcomeFilter>),
}

/// How a returned value is turned into the guard's verdict.
#[derive(Clone)]
pub(crate) enum VerdictKind {
    /// By its type.
    Outcome,
    /// By its type, which must be able to tell the class of an error.
    Class,
    /// By this function.
    Classified(Path),
    /// Not at all: a value of this type always means success.
    AlwaysOk,
    Capital,
    Report,
}

impl SiteModel {
    /// The function that makes the site's static, and the method that starts a guard.
    pub(crate) fn functions(&self) -> (&'static str, &'static str) {
        match self.kind {
            SiteKind::Subsystem => ("new_subsystem", "subsystem"),
            SiteKind::Exchange => ("new_exchange", "exchange"),
            SiteKind::Event if self.is_bare() => ("new_event", "bare_event"),
            SiteKind::Event => ("new_event", "event"),
            SiteKind::Capital => ("new_capital", "capital"),
            SiteKind::Reconciliation => ("new_reconciliation", "reconciliation"),
        }
    }

    /// Whether the method that starts a guard takes no arguments, since every call is the same event.
    pub(crate) fn is_bare(&self) -> bool {
        self.kind == SiteKind::Event && self.expressions().next().is_none()
    }

    /// The expressions that are evaluated at each call.
    fn expressions(&self) -> impl Iterator<Item = &Expr> {
        let labels = self.labels.iter().filter_map(|label| match &label.written {
            Some(WrittenLabel::Expression(expr)) => Some(&**expr),
            _ => None,
        });
        labels.chain(self.texts.iter().filter_map(|text| text.expr.as_deref()))
    }
}

impl InstrumentedFunction {
    /// Whether the guard borrows the texts from variables of the function. A returned future outlives those.
    pub(crate) fn borrows_texts(&self, site: &SiteModel) -> bool {
        match site.kind {
            SiteKind::Event => !matches!(self.shape, BodyShape::Tail(_) | BodyShape::Future { .. }),
            SiteKind::Reconciliation => true,
            SiteKind::Subsystem | SiteKind::Exchange | SiteKind::Capital => false,
        }
    }

    /// The function with the attribute below `tracing::instrument`, if that is expanded next and looks for a future that
    /// the expansion would hide.
    ///
    /// It looks for `Box::pin(async { … })` at the body's end. Behind a statement that may return, the expansion cannot
    /// keep it there, since the earlier return must be measured too.
    pub(crate) fn deferred(&mut self) -> Option<TokenStream> {
        if !matches!(self.shape, BodyShape::Future { ends_in_block: true, .. }) {
            return None;
        }
        let Self { function, private, attribute, arguments, .. } = self;
        let name = Ident::new(attribute.name(), Span::call_site());
        let is_deferred = function.defer(parse_quote!(#[#private::#name(#arguments)]));
        is_deferred.then(|| function.to_token_stream())
    }

    /// The output of the returned future, where the signature names it.
    pub(crate) fn future_output(&self) -> Option<Type> {
        match (&self.shape, &self.function.sig.output) {
            (BodyShape::Tail(_) | BodyShape::Future { .. }, ReturnType::Type(_, ty)) => {
                future_output(ty).map(|ty| inside_body(ty, &self.function.sig))
            }
            _ => None,
        }
    }

    /// The type of the classified value, where it must be checked and can be named.
    pub(crate) fn classified_type(&self) -> Option<Type> {
        if matches!(self.verdict, VerdictKind::Outcome | VerdictKind::AlwaysOk) {
            return None;
        }
        let ty = match &self.shape {
            BodyShape::Called(ReturnType::Type(_, ty)) | BodyShape::Async(ty) => (**ty).clone(),
            BodyShape::Called(ReturnType::Default) => parse_quote!(()),
            BodyShape::Tail(_) | BodyShape::Future { .. } => self.future_output()?,
            BodyShape::Guarded => return None,
        };
        (!mentions(&ty.to_token_stream(), "_") && !matches!(ty, Type::Never(_))).then_some(ty)
    }

    /// The expressions of the attribute and of the attributes below it, which can use arguments.
    pub(crate) fn expressions(&self) -> TokenStream {
        self.own_expressions().into_iter().chain(self.function.attribute_arguments().flatten()).collect()
    }

    /// The expressions of the attribute.
    pub(crate) fn own_expressions(&self) -> TokenStream {
        match &self.target {
            RecordTarget::Site(site) => site.expressions().map(ToTokens::to_token_stream).collect(),
            RecordTarget::Family(FamilyTarget { labels, .. }) => {
                labels.iter().map(|label| label.value.to_token_stream()).collect()
            }
        }
    }
}
