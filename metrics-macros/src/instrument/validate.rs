//! From an attribute's arguments and its item to the model: every mistake is reported, and without any the model is built.

use proc_macro2::{Span, TokenStream};
use quote::ToTokens as _;
use syn::{Ident, ImplItemMacro};

use super::model::{
    BlockMember, Constant, FamilyTarget, InstrumentedFunction, Item, RecordTarget, Records, SiteKind,
    SiteLabel, SiteModel, SiteText, VerdictKind,
};
use super::refusal::{self, refusal};
use crate::errors::Errors;
use crate::function::body::Body;
use crate::function::impl_block::{ImplBlock, ImplItem, holds_function};
use crate::function::item::{Function, has_attribute, take_attribute};
use crate::function::returns::{is_task, may_fail, never_fails};
use crate::function::shape::BodyShape;
use crate::grammar::args::Args;
use crate::grammar::attribute::{self, Attribute, AttributeKey, Requirement, ValueKind};
use crate::grammar::outcome_filter::OutcomeFilter;
use crate::tokens::{mentions, names_static};

/// The mistakes, and the arguments that have none.
pub(crate) struct RefusedItem {
    pub(crate) errors: Errors,
    pub(crate) args: Args,
}

/// The model of an attribute over this item.
pub(crate) fn item(attribute: Attribute, args: TokenStream, item: &TokenStream) -> Result<Item, RefusedItem> {
    let mut errors = Errors::default();
    let args = Args::read(attribute, args, &mut errors);
    if args.has(attribute::SKIP) {
        let name = attribute.name();
        let message = format!(
            "`{name}(skip)` excludes a method from {name} over the impl block around it, and there is none"
        );
        // A misspelling of `skip` was reported before.
        if args.is_there(attribute::SKIP) {
            errors.push_over(args.tokens(attribute::SKIP), message);
        }
        return Err(RefusedItem { errors, args });
    }
    check_ages(&args, &mut errors);
    let item = if let Some(block) = ImplBlock::of(item) {
        Some(members(attribute, &args, block, &mut errors))
    } else {
        refusal::function(attribute, item, &mut errors)
            .and_then(|function| {
                args.require(attribute, &mut errors);
                instrumented(attribute, &args, function, &mut errors)
            })
            .map(|instrumented| Item::Function(Box::new(instrumented)))
    };
    match item {
        Some(item) if errors.is_empty() => Ok(item),
        _ => Err(RefusedItem { errors, args }),
    }
}

/// Whether a method under an attribute over its block is left as it is: it skips the attribute, has its own, or is `const`.
pub(crate) fn is_kept(attribute: Attribute, method: &mut Function) -> bool {
    take_attribute(&mut method.attrs, attribute.name(), attribute::SKIP)
        || method.has_attribute(attribute.name())
        || method.sig.constness.is_some()
}

/// Whether a macro call in a block skips the attribute over the block, or has its own, which refuses it.
pub(crate) fn is_kept_call(attribute: Attribute, call: &mut ImplItemMacro) -> bool {
    take_attribute(&mut call.attrs, attribute.name(), attribute::SKIP)
        || has_attribute(&call.attrs, attribute.name())
}

/// Refuses an age at which the subsystem would be stalled although it runs as often as it should.
fn check_ages(args: &Args, errors: &mut Errors) {
    let (Some(every), Some(max_age)) = (args.duration(attribute::EVERY), args.duration(attribute::MAX_AGE))
    else {
        return;
    };
    if max_age <= every {
        let message =
            "`max_age` is longer than `every`, or the subsystem would count as stalled before each run";
        errors.push_over(args.tokens(attribute::MAX_AGE), message);
    }
}

/// The parts of a block. A mistake in one of them does not keep the others from being checked.
fn members(attribute: Attribute, args: &Args, block: ImplBlock, errors: &mut Errors) -> Item {
    let ImplBlock { head, braces, items } = block;
    let is_method_name = |key: &&AttributeKey| key.requirement == Requirement::MethodName;
    for key in attribute.keys().filter(is_method_name).filter(|key| args.has(key.name)) {
        let message =
            format!("over an impl block each method's name is its `{}`: leave it out here", key.name);
        errors.push_over(args.tokens(key.name), message);
    }
    if items.iter().all(|item| matches!(item, ImplItem::Other(_))) {
        errors
            .push_over(&head, format!("{} measures methods, and this impl block has none", attribute.name()));
    }
    args.for_method(attribute, &Ident::new("any", Span::call_site())).require(attribute, errors);
    let member = |item| match item {
        ImplItem::Other(tokens) => {
            if holds_function(&tokens) {
                let message = format!(
                    "{} cannot read this method, which would stay unmeasured: move it to a block of its own",
                    attribute.name()
                );
                errors.push_over(&tokens, message);
            }
            BlockMember::Kept(tokens)
        }
        ImplItem::MacroCall(mut call) => {
            if !is_kept_call(attribute, &mut call) {
                let (name, path) = (attribute.name(), call.mac.path.to_token_stream());
                let message = format!(
                    "{name} cannot see the methods that a macro makes: put {name} over them in the macro, and \
                     `#[{name}(skip)]` over this call"
                );
                errors.push_over(path, message);
            }
            BlockMember::Kept(call.into_token_stream())
        }
        ImplItem::Method(mut method) => {
            let args = args.for_method(attribute, &method.sig.ident);
            if is_kept(attribute, &mut method) {
                return BlockMember::Kept(method.to_token_stream());
            }
            match instrumented(attribute, &args, *method, errors) {
                Some(instrumented) => BlockMember::Instrumented(Box::new(instrumented)),
                None => BlockMember::Kept(TokenStream::new()),
            }
        }
    };
    Item::Impl { head, braces, items: items.into_iter().map(member).collect() }
}

fn instrumented(
    attribute: Attribute,
    args: &Args,
    mut function: Function,
    errors: &mut Errors,
) -> Option<InstrumentedFunction> {
    let target = target(attribute, args)?;
    args.require_names(&function.sig, errors);
    if attribute == Attribute::OperationalEvent {
        check_overlap(args, &function, errors);
    }
    let starts_task = counts_start_of_task(&target, &function);
    let verdict = verdict(&target, args, &function, starts_task);
    let body = Body::of_function(&function.body);
    let needs_value = !matches!(verdict, VerdictKind::Outcome | VerdictKind::AlwaysOk | VerdictKind::Class);
    let shape = BodyShape::of(&function, &body, needs_value);
    let is_future =
        function.sig.asyncness.is_some() || !matches!(shape, BodyShape::Guarded | BodyShape::Called(_));
    let may_fail = args.has(attribute::CLASSIFY) || !(starts_task || never_fails(&function.sig.output));
    let unreachable = args.outcomes(attribute::ON).and_then(|filter| filter.unreachable(is_future, may_fail));
    if let Some(never) = unreachable {
        let on = args.tokens(attribute::ON).map(ToString::to_string).unwrap_or_default();
        let message = format!("`{on}` requires {never}: leave it out to count each call");
        errors.push_over(args.tokens(attribute::ON), message);
    }
    if let Some((span, message)) = refusal(attribute, &function, &shape) {
        errors.push(span, message);
        return None;
    }
    // In the expansion of an attribute above, names that look like statics are not the user's.
    let is_users = !mentions(&body.statements, "__private");
    if is_users && !matches!(shape, BodyShape::Guarded) && names_static(&body.statements) {
        // Clippy does not look for changes of statics in the closure or future that the body becomes.
        function.allow_must_use_candidate();
    }
    Some(InstrumentedFunction {
        function,
        body,
        shape,
        target,
        verdict,
        private: args.private(),
        attribute,
        arguments: args.written().clone(),
        labels: args.path(attribute::LABELS).cloned(),
    })
}

/// Whether the attribute counts calls of a function that starts a task. To have started it is a success; a duration would
/// be mistaken for the task's.
fn counts_start_of_task(target: &RecordTarget, function: &Function) -> bool {
    let counts = matches!(
        target,
        RecordTarget::Site(SiteModel { kind: SiteKind::Event, .. })
            | RecordTarget::Family(FamilyTarget { records: Records::End(_), .. })
    );
    counts && function.sig.asyncness.is_none() && is_task(&function.sig.output)
}

fn verdict(target: &RecordTarget, args: &Args, function: &Function, starts_task: bool) -> VerdictKind {
    let output = &function.sig.output;
    match (target, args.path(attribute::CLASSIFY)) {
        (RecordTarget::Site(SiteModel { kind: SiteKind::Capital, .. }), _) => VerdictKind::Capital,
        (RecordTarget::Site(SiteModel { kind: SiteKind::Reconciliation, .. }), _) => VerdictKind::Report,
        (_, Some(classify)) => VerdictKind::Classified(classify.clone()),
        _ if starts_task || function.sig.asyncness.is_some() && !may_fail(output) => VerdictKind::AlwaysOk,
        _ if args.outcomes(attribute::ON).is_some_and(OutcomeFilter::needs_classes) => VerdictKind::Class,
        _ => VerdictKind::Outcome,
    }
}

fn target(attribute: Attribute, args: &Args) -> Option<RecordTarget> {
    let label = |ty, key| SiteLabel { ty, written: args.label(key).cloned() };
    let required = |ty, key| Some(label(ty, key)).filter(|label| label.written.is_some());
    let (kind, labels) = match attribute {
        Attribute::TimedSubsystem => {
            (SiteKind::Subsystem, vec![required("Subsystem", attribute::SUBSYSTEM)?])
        }
        Attribute::ExchangeCall => (
            SiteKind::Exchange,
            vec![label("Exchange", attribute::EXCHANGE), required("Operation", attribute::OP)?],
        ),
        Attribute::OperationalEvent => (
            SiteKind::Event,
            vec![required("Severity", attribute::SEVERITY)?, required("EventType", attribute::TYPE)?],
        ),
        Attribute::CapitalCheck => (SiteKind::Capital, vec![]),
        Attribute::Reconciliation => (SiteKind::Reconciliation, vec![]),
        Attribute::Timed => return family(args, Records::Duration),
        Attribute::Counted => {
            return family(args, Records::End(args.outcomes(attribute::ON).cloned()));
        }
    };
    let constants = attribute.keys().filter_map(|key| constant(key, args)).collect();
    let texts = attribute.keys().filter(|key| key.value == ValueKind::Text);
    let texts = texts.map(|key| text(key, args)).collect::<Option<_>>()?;
    Some(RecordTarget::Site(SiteModel { kind, labels, constants, texts }))
}

/// The argument for a key's value that is known at compile time, unless the value is a label or a path.
fn constant(key: &AttributeKey, args: &Args) -> Option<Constant> {
    match key.value {
        ValueKind::Duration => Some(Constant::Duration(args.duration(key.name))),
        ValueKind::Outcomes => Some(Constant::Outcomes(args.outcomes(key.name).cloned())),
        ValueKind::Word(_) | ValueKind::Nothing if key.name != attribute::SKIP => {
            Some(Constant::Flag(args.has(key.name)))
        }
        ValueKind::Label(_)
        | ValueKind::Path(_)
        | ValueKind::Text
        | ValueKind::Word(_)
        | ValueKind::Nothing => None,
    }
}

/// The text of a key, unless it is required and missing.
fn text(key: &AttributeKey, args: &Args) -> Option<SiteText> {
    let expr = args.text(key.name);
    let is_missing = expr.is_none() && key.requirement != Requirement::Optional;
    (!is_missing).then_some(SiteText { name: key.name, expr })
}

fn family(args: &Args, records: Records) -> Option<RecordTarget> {
    let family = args.path(attribute::FAMILY)?.clone();
    Some(RecordTarget::Family(FamilyTarget { family, labels: args.labels().to_vec(), records }))
}

/// Refuses two events over one function if one names an outcome that the other includes in a group.
fn check_overlap(args: &Args, function: &Function, errors: &mut Errors) {
    let attribute = Attribute::OperationalEvent;
    let Some(filter) = args.outcomes(attribute::ON) else { return };
    for below in function.arguments_of(attribute.name()) {
        // The attribute below reports its own mistakes.
        let below = Args::read(attribute, below, &mut Errors::default());
        let overlap = below.outcomes(attribute::ON).and_then(|below| filter.overlap(below));
        if let Some(message) = overlap {
            errors.push_over(args.tokens(attribute::ON), message);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use quote::quote;

    #[test]
    fn a_method_that_cannot_be_parsed_is_reported() {
        let block = quote!(impl A { strange fn a() {} fn get_ticker() {} });
        let refused = item(Attribute::ExchangeCall, TokenStream::new(), &block);
        let message = refused.map_err(|refused| refused.errors.bare().to_string()).err();
        assert!(message.is_some_and(|message| message.contains("exchange_call cannot read this method")));
    }
}
