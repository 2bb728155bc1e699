//! What may be expanded: an attribute's arguments and its function, found to be right.

use std::time::Duration;

use proc_macro2::{Group, Span, TokenStream, TokenTree};
use quote::ToTokens;
use syn::spanned::Spanned as _;
use syn::{Expr, ImplItemMacro, Path, ReturnType, Type, parse_quote};

use crate::args::{Args, FamilyLabel, Label};
use crate::attr::{self, Attribute};
use crate::body::{Body, mentions, names_static};
use crate::ends::Ends;
use crate::errors::Errors;
use crate::item::{Function, ImplBlock, ImplItem, has_attribute, holds_function, take_attribute};
use crate::private::Private;
use crate::returns::{
    future_output, inside_body, is_boxed_future, is_impl_future, is_task, may_fail, never_fails, unkept_bound,
};
use crate::shape::Shape;

/// An item with what is to be measured in it.
pub(crate) enum Item {
    Function(Box<Instrumented>),
    Impl { head: TokenStream, braces: Group, items: Vec<Member> },
}

/// A part of an `impl` block.
pub(crate) enum Member {
    Instrumented(Box<Instrumented>),
    Kept(TokenStream),
}

/// A function and how it is to be measured.
pub(crate) struct Instrumented {
    pub(crate) function: Function,
    pub(crate) body: Body,
    pub(crate) shape: Shape,
    pub(crate) site: Site,
    pub(crate) verdict: Verdict,
    pub(crate) private: Private,
    attribute: Attribute,
    /// The attribute's arguments, as they would be written over this function alone.
    arguments: TokenStream,
    /// The module in which the label types stand, where it is not `labels` in scope.
    pub(crate) labels: Option<Path>,
}

/// What the attribute measures.
pub(crate) enum Site {
    Subsystem {
        subsystem: Label,
        every: Option<Duration>,
        max_age: Option<Duration>,
        flags: SubsystemFlags,
    },
    Exchange {
        exchange: Option<Label>,
        operation: Label,
    },
    Event {
        severity: Label,
        kind: Label,
        on: Option<Ends>,
        profile: Option<Box<Expr>>,
        symbol: Option<Box<Expr>>,
        text: Option<Box<Expr>>,
    },
    Capital {
        profile: Box<Expr>,
    },
    Reconciliation {
        name: Option<Box<Expr>>,
    },
    /// A declared family.
    Family {
        family: Path,
        labels: Vec<FamilyLabel>,
        records: Records,
    },
}

/// What of a call a declared family records.
pub(crate) enum Records {
    Duration,
    /// Whether it ended so; however it ended unless that is said.
    End(Option<Ends>),
}

pub(crate) struct SubsystemFlags {
    pub(crate) optional: bool,
    pub(crate) observe_cancelled: bool,
}

/// What is asked of a returned value.
pub(crate) enum Verdict {
    /// How the call ended, which the value's type says.
    Outcome,
    /// The same, where what is an error must tell its class.
    Class,
    /// How the call ended, which this function says.
    Classified(Path),
    /// Nothing: a value of this type always means success.
    AlwaysOk,
    Capital,
    Report,
}

/// What is wrong, and the arguments as far as they are not.
pub(crate) struct Refused {
    pub(crate) errors: Errors,
    pub(crate) args: Args,
}

impl Item {
    pub(crate) fn new(attribute: Attribute, args: TokenStream, item: &TokenStream) -> Result<Self, Refused> {
        let mut errors = Errors::default();
        let args = Args::read(attribute, args, &mut errors);
        if args.has(attr::SKIP) {
            let name = attribute.name();
            let message = format!(
                "`{name}(skip)` leaves a method out where {name} stands over the impl block around it, and none does"
            );
            // Nothing more is to be said of a word that was reported as a slip of `skip`.
            if args.is_there(attr::SKIP) {
                errors.push_over(args.tokens(attr::SKIP), message);
            }
            return Err(Refused { errors, args });
        }
        check_ages(&args, &mut errors);
        let item = if let Some(block) = ImplBlock::of(item) {
            Some(members(attribute, &args, block, &mut errors))
        } else {
            function(attribute, item, &mut errors)
                .and_then(|function| {
                    args.require(attribute, &mut errors);
                    Instrumented::new(attribute, &args, function, &mut errors)
                })
                .map(|instrumented| Self::Function(Box::new(instrumented)))
        };
        match item {
            Some(item) if errors.is_empty() => Ok(item),
            _ => Err(Refused { errors, args }),
        }
    }
}

/// Refuses an age at which the subsystem would count as stalled although it runs as often as it should.
fn check_ages(args: &Args, errors: &mut Errors) {
    let (Some(every), Some(max_age)) = (args.duration(attr::EVERY), args.duration(attr::MAX_AGE)) else {
        return;
    };
    if max_age <= every {
        let message =
            "`max_age` is longer than `every`, or the subsystem would count as stalled before each run";
        errors.push_over(args.tokens(attr::MAX_AGE), message);
    }
}

/// The methods of a block, except those that skip the attribute, have their own or cannot be measured.
fn members(attribute: Attribute, args: &Args, block: ImplBlock, errors: &mut Errors) -> Item {
    let ImplBlock { head, braces, items } = block;
    for key in attribute.keys().filter(|key| key.is == attr::Is::MethodName && args.has(key.name)) {
        let message =
            format!("over an impl block each method's name is its `{}`: leave it out here", key.name);
        errors.push_over(args.tokens(key.name), message);
    }
    if items.iter().all(|item| matches!(item, ImplItem::Other(_))) {
        errors
            .push_over(&head, format!("{} measures methods, and this impl block has none", attribute.name()));
    }
    args.for_method(attribute, &syn::Ident::new("any", Span::call_site())).require(attribute, errors);
    let member = |item| match item {
        ImplItem::Other(tokens) => {
            if holds_function(&tokens) {
                let message = format!(
                    "{} cannot read this method, which would stay unmeasured: move it to a block of its own",
                    attribute.name()
                );
                errors.push_over(&tokens, message);
            }
            Member::Kept(tokens)
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
            Member::Kept(call.into_token_stream())
        }
        ImplItem::Method(mut method) => {
            let args = args.for_method(attribute, &method.sig.ident);
            if is_kept(attribute, &mut method) {
                return Member::Kept(quote::quote!(#method));
            }
            match Instrumented::new(attribute, &args, *method, errors) {
                Some(instrumented) => Member::Instrumented(Box::new(instrumented)),
                None => Member::Kept(TokenStream::new()),
            }
        }
    };
    Item::Impl { head, braces, items: items.into_iter().map(member).collect() }
}

/// Whether a method skips the attribute over its block, has its own or cannot be measured.
pub(crate) fn is_kept(attribute: Attribute, method: &mut Function) -> bool {
    take_attribute(&mut method.attrs, attribute.name(), attr::SKIP)
        || method.has_attribute(attribute.name())
        || method.sig.constness.is_some()
}

/// Whether a macro call skips the attribute over its block, or has its own, which refuses it.
pub(crate) fn is_kept_call(attribute: Attribute, call: &mut ImplItemMacro) -> bool {
    take_attribute(&mut call.attrs, attribute.name(), attr::SKIP)
        || has_attribute(&call.attrs, attribute.name())
}

impl Instrumented {
    fn new(attribute: Attribute, args: &Args, mut function: Function, errors: &mut Errors) -> Option<Self> {
        let site = site(attribute, args)?;
        let classify = args.path(attr::CLASSIFY);
        // That the task was started is an end by itself; its duration would be mistaken for the task's.
        let is_counted = matches!(site, Site::Event { .. } | Site::Family { records: Records::End(_), .. });
        let starts_task = is_counted && function.sig.asyncness.is_none() && is_task(&function.sig.output);
        let verdict = match (&site, classify) {
            (Site::Capital { .. }, _) => Verdict::Capital,
            (Site::Reconciliation { .. }, _) => Verdict::Report,
            (_, Some(classify)) => Verdict::Classified(classify.clone()),
            (_, None) if function.sig.asyncness.is_some() && !may_fail(&function.sig.output) => {
                Verdict::AlwaysOk
            }
            (_, None) if starts_task => Verdict::AlwaysOk,
            (_, None) if args.ends(attr::ON).is_some_and(Ends::need_classes) => Verdict::Class,
            (_, None) => Verdict::Outcome,
        };
        args.require_names(&function.sig, errors);
        if attribute == Attribute::OperationalEvent {
            check_doubled(args, &function, errors);
        }
        let body = Body::of_function(&function.body);
        let judged = !matches!(verdict, Verdict::Outcome | Verdict::AlwaysOk | Verdict::Class);
        let shape = Shape::of(&function, &body, judged);
        let is_future =
            function.sig.asyncness.is_some() || !matches!(shape, Shape::Guarded | Shape::Called(_));
        let may_fail = classify.is_some() || !(starts_task || never_fails(&function.sig.output));
        if let Some(missed) = args.ends(attr::ON).and_then(|ends| ends.missed(is_future, may_fail)) {
            let on = args.tokens(attr::ON).map(ToString::to_string).unwrap_or_default();
            let message = format!("`{on}` waits for {missed}: leave it out for each call");
            errors.push_over(args.tokens(attr::ON), message);
        }
        if let Some((span, message)) = refusal(attribute, &function, &shape) {
            errors.push(span, message);
            return None;
        }
        // In the expansion of an attribute above, names like those of statics are not the user's.
        let is_plain = !mentions(&body.statements, "__private");
        if is_plain && !matches!(shape, Shape::Guarded) && names_static(&body.statements) {
            // Clippy does not look into the closure or future that the body becomes, where a static may be changed.
            function.allow_must_use_candidate();
        }
        Some(Self {
            function,
            body,
            shape,
            site,
            verdict,
            attribute,
            arguments: args.written().clone(),
            private: args.private(),
            labels: args.path(attr::LABELS).cloned(),
        })
    }

    /// The function with the attribute below `tracing::instrument`, if that is expanded next and looks for a future that
    /// the expansion would hide.
    ///
    /// It looks for `Box::pin(async { … })` at the body's end. Behind a statement that may return, the expansion cannot
    /// keep it there, since the earlier return must be measured too.
    pub(crate) fn deferred(&mut self) -> Option<TokenStream> {
        if !matches!(self.shape, Shape::Future { ends_in_block: true, .. }) {
            return None;
        }
        let Self { function, private, attribute, arguments, .. } = self;
        let name = syn::Ident::new(attribute.name(), Span::call_site());
        let is_deferred = function.defer(parse_quote!(#[#private::#name(#arguments)]));
        is_deferred.then(|| function.to_token_stream())
    }

    /// The type of what the returned future ends with, where the signature names it.
    pub(crate) fn future_output(&self) -> Option<Type> {
        match (&self.shape, &self.function.sig.output) {
            (Shape::Tail(_) | Shape::Future { .. }, ReturnType::Type(_, ty)) => {
                future_output(ty).map(|ty| inside_body(ty, &self.function.sig))
            }
            _ => None,
        }
    }

    /// The type of what is judged by more than the way in which the function ended, where it can be named.
    pub(crate) fn judged_type(&self) -> Option<Type> {
        if matches!(self.verdict, Verdict::Outcome | Verdict::AlwaysOk) {
            return None;
        }
        let ty = match &self.shape {
            Shape::Called(ReturnType::Type(_, ty)) | Shape::Async(ty) => (**ty).clone(),
            Shape::Called(ReturnType::Default) => parse_quote!(()),
            Shape::Tail(_) | Shape::Future { .. } => self.future_output()?,
            Shape::Guarded => return None,
        };
        (!mentions(&ty.to_token_stream(), "_") && !matches!(ty, Type::Never(_))).then_some(ty)
    }

    /// The expressions of the attribute and of those below it, which can name arguments.
    pub(crate) fn expressions(&self) -> TokenStream {
        let below =
            self.function.attrs.iter().filter_map(|attr| Some(attr.meta.require_list().ok()?.tokens.clone()));
        self.own_expressions().into_iter().chain(below.flatten()).collect()
    }

    /// The expressions of the attribute.
    pub(crate) fn own_expressions(&self) -> TokenStream {
        let (labels, texts) = match &self.site {
            Site::Subsystem { subsystem, .. } => (vec![subsystem], vec![]),
            Site::Exchange { exchange, operation } => (exchange.iter().chain([operation]).collect(), vec![]),
            Site::Event { severity, kind, profile, symbol, text, on: _ } => {
                (vec![severity, kind], profile.iter().chain(symbol).chain(text).collect())
            }
            Site::Capital { profile } => (vec![], vec![profile]),
            Site::Reconciliation { name } => (vec![], name.iter().collect()),
            Site::Family { .. } => (vec![], vec![]),
        };
        let given = match &self.site {
            Site::Family { labels, .. } => labels.as_slice(),
            _ => &[],
        };
        let given = given.iter().map(|label| label.value.to_token_stream());
        let varying = labels.into_iter().filter_map(|label| match label {
            Label::Expression(expr) => Some(expr.to_token_stream()),
            _ => None,
        });
        varying.chain(texts.into_iter().map(ToTokens::to_token_stream)).chain(given).collect()
    }
}

fn site(attribute: Attribute, args: &Args) -> Option<Site> {
    Some(match attribute {
        Attribute::TimedSubsystem => Site::Subsystem {
            subsystem: args.label(attr::SUBSYSTEM)?.clone(),
            every: args.duration(attr::EVERY),
            max_age: args.duration(attr::MAX_AGE),
            flags: SubsystemFlags {
                optional: args.has(attr::OPTIONAL),
                observe_cancelled: args.has(attr::ON_CANCEL),
            },
        },
        Attribute::ExchangeCall => Site::Exchange {
            exchange: args.label(attr::EXCHANGE).cloned(),
            operation: args.label(attr::OP)?.clone(),
        },
        Attribute::OperationalEvent => Site::Event {
            severity: args.label(attr::SEVERITY)?.clone(),
            kind: args.label(attr::TYPE)?.clone(),
            on: args.ends(attr::ON).cloned(),
            profile: args.text(attr::PROFILE),
            symbol: args.text(attr::SYMBOL),
            text: args.text(attr::TEXT),
        },
        Attribute::CapitalCheck => Site::Capital { profile: args.text(attr::PROFILE)? },
        Attribute::Reconciliation => Site::Reconciliation { name: args.text(attr::NAME) },
        Attribute::Timed | Attribute::Counted => Site::Family {
            family: args.path(attr::FAMILY)?.clone(),
            labels: args.labels().to_vec(),
            records: match attribute {
                Attribute::Timed => Records::Duration,
                _ => Records::End(args.ends(attr::ON).cloned()),
            },
        },
    })
}

/// Refuses two events over one function that both take in an end which only one of them names: a reject is the one or the
/// other.
fn check_doubled(args: &Args, function: &Function, errors: &mut Errors) {
    let attribute = Attribute::OperationalEvent;
    let Some(ends) = args.ends(attr::ON) else { return };
    for below in function.arguments_of(attribute.name()) {
        // What is wrong with it, it says itself.
        let below = Args::read(attribute, below, &mut Errors::default());
        let doubled = below.ends(attr::ON).and_then(|below| ends.doubled(below));
        if let Some(message) = doubled {
            errors.push_over(args.tokens(attr::ON), message);
        }
    }
}

/// Why a function cannot be measured, if it cannot, and what of it stands in the way.
fn refusal(attribute: Attribute, function: &Function, shape: &Shape) -> Option<(Span, String)> {
    let name = attribute.name();
    if let Some(constness) = &function.sig.constness {
        return Some((constness.span, format!("a const fn cannot be measured: remove `const` or {name}")));
    }
    if let Some(variadic) = &function.sig.variadic {
        let message = format!("a variadic function cannot be measured: put {name} over one that it calls");
        return Some((variadic.dots.spans[0], message));
    }
    if let ReturnType::Type(_, ty) = &function.sig.output {
        if let Some(bound) = unkept_bound(ty) {
            let message = format!(
                "the future that {name} returns is a `Future`, `Send`, `Sync` and `Unpin` where this one is, and \
                 nothing else: return `impl Future<Output = …>`, or put {name} over an `async fn` that awaits this one"
            );
            return Some((bound.span(), message));
        }
        if function.sig.asyncness.is_some() && (is_impl_future(ty) || is_boxed_future(ty)) {
            let message = format!(
                "this `async fn` ends before the future that it returns runs: remove `async`, or await that future \
                 and return what it ends with, so that {name} measures both"
            );
            return Some((ty.span(), message));
        }
    }
    // The body becomes a closure, and a closure hides the caller.
    if matches!(shape, Shape::Called(_)) && function.has_attribute("track_caller") {
        let message = format!(
            "{name} must see what this function returns, and would hide its caller: remove `#[track_caller]`, \
             or put {name} over a function that it calls"
        );
        return Some((function.sig.ident.span(), message));
    }
    None
}

fn function(attribute: Attribute, item: &TokenStream, errors: &mut Errors) -> Option<Function> {
    if let Ok(function) = syn::parse2(item.clone()) {
        return Some(function);
    }
    let name = attribute.name();
    let (span, what) = kind(item);
    errors.push(
        span,
        if what == "a fn" {
            format!("{name} measures a body, and this function has none: put it over the implementation")
        } else {
            format!("{name} measures functions, methods and impl blocks, not {what}: put it over one")
        },
    );
    None
}

/// Whether an item that cannot be measured might stand in an `impl`, `trait` or `extern` block.
pub(crate) fn may_be_member(item: &TokenStream) -> bool {
    matches!(kind(item).1, "a fn" | "a constant" | "a static" | "a type" | "what stands here")
}

/// The word that says what kind of item stands under an attribute, and what that is.
fn kind(item: &TokenStream) -> (Span, &'static str) {
    const KINDS: [(&str, &str); 13] = [
        ("fn", "a fn"),
        ("struct", "a struct"),
        ("enum", "an enum"),
        ("union", "a union"),
        ("trait", "a trait"),
        ("impl", "this block"),
        ("mod", "a module"),
        ("static", "a static"),
        ("const", "a constant"),
        ("type", "a type"),
        ("use", "an import"),
        ("macro_rules", "a macro"),
        ("extern", "an extern item"),
    ];
    const QUALIFIED: [&str; 5] = ["fn", "extern", "unsafe", "async", "trait"];
    let words: Vec<_> = item
        .clone()
        .into_iter()
        .filter_map(|token| if let TokenTree::Ident(word) = token { Some(word) } else { None })
        .collect();
    let qualifies =
        |index: usize| words.get(index + 1).is_some_and(|next| QUALIFIED.iter().any(|word| next == word));
    let found = words.iter().enumerate().find_map(|(index, word)| {
        let (_, what) = KINDS.iter().find(|(keyword, _)| word == keyword)?;
        (!qualifies(index)).then_some((word.span(), *what))
    });
    let first = || item.clone().into_iter().next().map_or_else(Span::call_site, |token| token.span());
    found.unwrap_or_else(|| (first(), "what stands here"))
}
