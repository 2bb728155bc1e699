//! The arguments of an attribute, read by the table of keys.

use std::time::Duration;

use proc_macro2::{Span, TokenStream};
use quote::{ToTokens, quote};
use syn::ext::IdentExt as _;
use syn::{Expr, Ident, LitStr, Path, Signature};

use super::attribute::{self, Attribute, AttributeKey, Requirement, ValueKind};
use super::entries::{AttributeEntry, EntryValue, Keys, entries};
use super::outcome_filter::OutcomeFilter;
use super::value::{ArgumentValue, WrittenLabel, has_placeholder, value};
use crate::errors::{Errors, known_with, nearest, repeated};
use crate::library::Private;
use crate::tokens::mentions;

/// The arguments of one attribute, each with its key from the table.
#[derive(Clone, Default)]
pub(crate) struct Args {
    arguments: Vec<Argument>,
    labels: Vec<FamilyLabel>,
    written: TokenStream,
}

/// A label of a declared family, and its value.
#[derive(Clone)]
pub(crate) struct FamilyLabel {
    pub(crate) name: Ident,
    pub(crate) value: Expr,
}

#[derive(Clone)]
struct Argument {
    key: &'static AttributeKey,
    value: ArgumentValue,
    /// The tokens of the whole argument, for messages.
    tokens: TokenStream,
}

impl Args {
    /// Reads `tokens` by the attribute's keys, and reports each mistake under its own token.
    pub(crate) fn read(attribute: Attribute, tokens: TokenStream, errors: &mut Errors) -> Self {
        let mut args = Self { written: tokens.clone(), ..Self::default() };
        let key = |name: &Option<Ident>| match name {
            Some(name) => attribute.key(name),
            None => attribute.positional(),
        };
        let keys = Keys {
            is_key: &|name| attribute.key(name).is_some(),
            positional: attribute.positional().is_some(),
        };
        let mut unknown = Vec::new();
        for entry in entries(&keys, tokens, errors) {
            match key(&entry.name) {
                Some(key) => args.arguments.extend(args.take(attribute, key, entry, errors)),
                None => unknown.push(entry),
            }
        }
        for entry in unknown {
            if attribute.family_suffix().is_some() {
                args.take_label(attribute, entry, errors);
            } else {
                args.refuse(attribute, &entry, errors);
            }
        }
        args.check_family(attribute, errors);
        args
    }

    /// The labels of the family that the attribute names.
    pub(crate) fn labels(&self) -> &[FamilyLabel] {
        &self.labels
    }

    /// The tokens between the attribute's parentheses.
    pub(crate) fn written(&self) -> &TokenStream {
        &self.written
    }

    /// Takes an entry as a label of the family. The compiler compares it with the family's labels.
    fn take_label(&mut self, attribute: Attribute, entry: AttributeEntry, errors: &mut Errors) {
        let Some(name) = entry.name else {
            let tokens = entry.tokens();
            let message = format!("{} takes one family, then `label = value` only", attribute.name());
            errors.push_over(tokens, message);
            return;
        };
        if let Some(first) = self.labels.iter().find(|label| label.name == name) {
            let first = first.value.to_token_stream();
            let message = format!("{}, after `{name} = {first}`", repeated(&name));
            errors.push(name.span(), message);
            return;
        }
        match entry.written {
            EntryValue::Value(value) => self.labels.push(FamilyLabel { name, value }),
            EntryValue::Nothing | EntryValue::Missing => {
                let message =
                    format!("`{name}` needs a value behind `=`: one of the label's, or a text in quotes");
                errors.push(name.span(), message);
            }
            EntryValue::Invalid => {}
        }
    }

    /// Reports a family whose name is that of another kind.
    fn check_family(&self, attribute: Attribute, errors: &mut Errors) {
        let (Some(suffix), Some(path)) = (attribute.family_suffix(), self.path(attribute::FAMILY)) else {
            return;
        };
        let Some(name) = path.segments.last().map(|segment| segment.ident.unraw().to_string()) else {
            return;
        };
        if !name.ends_with(suffix) {
            let records = if attribute == Attribute::Timed {
                "observes seconds: the name of its histogram ends in"
            } else {
                "counts: the name of its counter ends in"
            };
            let other = Attribute::ALL.into_iter().find(|other| {
                *other != attribute && other.family_suffix().is_some_and(|suffix| name.ends_with(suffix))
            });
            let other =
                other.map(|other| format!("; for `{name}` there is `{}`", other.name())).unwrap_or_default();
            errors.push_over(path, format!("{} {records} `{suffix}`{other}", attribute.name()));
        }
    }

    /// Reports missing keys.
    pub(crate) fn require(&self, attribute: Attribute, errors: &mut Errors) {
        let missing: Vec<_> = self.missing(attribute).collect();
        if missing.iter().any(|key| key.requirement == Requirement::Positional) {
            errors.push(Span::call_site(), needs(attribute, &format!("a {}", missing[0].name)));
        } else if !missing.is_empty() {
            let names: Vec<_> = missing.iter().map(|key| format!("`{}`", key.name)).collect();
            errors.push(Span::call_site(), needs(attribute, &names.join(" and ")));
        }
    }

    fn missing(&self, attribute: Attribute) -> impl Iterator<Item = &'static AttributeKey> {
        attribute.keys().filter(|key| key.requirement != Requirement::Optional && !self.has(key.name))
    }

    /// These arguments for a method of a block, with the method's name for the keys that take it.
    pub(crate) fn for_method(&self, attribute: Attribute, name: &Ident) -> Self {
        let mut args = self.clone();
        for key in
            attribute.keys().filter(|key| key.requirement == Requirement::MethodName && !self.has(key.name))
        {
            let text = LitStr::new(&name.unraw().to_string(), name.span());
            let (key_name, written) = (Ident::new(key.name, name.span()), &self.written);
            args.written = quote!(#key_name = #text, #written);
            let value = ArgumentValue::Label(WrittenLabel::MethodName(text));
            args.arguments.push(Argument { key, value, tokens: name.to_token_stream() });
        }
        args
    }

    /// The tokens of this key's argument, for messages.
    pub(crate) fn tokens(&self, name: &str) -> Option<&TokenStream> {
        self.argument(name).map(|argument| &argument.tokens)
    }

    /// Reports expressions that are one word, but not the name of an argument: usually texts without quotes.
    pub(crate) fn require_names(&self, sig: &Signature, errors: &mut Errors) {
        let arguments = self.arguments.iter().filter_map(|argument| match &argument.value {
            ArgumentValue::Label(WrittenLabel::Expression(expr)) | ArgumentValue::Text(expr) => Some(&**expr),
            _ => None,
        });
        for expr in arguments.chain(self.labels.iter().map(|label| &label.value)) {
            let Some(name) = single_word(expr) else { continue };
            if !mentions(&sig.inputs.to_token_stream(), &name) {
                let message = format!(
                    "this function has no argument `{name}`; a text is written in quotes: \"{name}\""
                );
                errors.push_over(expr, message);
            }
        }
    }

    pub(crate) fn has(&self, name: &str) -> bool {
        self.value(name).is_some()
    }

    /// The path of the library's module for expansions.
    pub(crate) fn private(&self) -> Private {
        Private::of(self.path(attribute::CRATE))
    }

    /// Whether a key without a value is written correctly.
    pub(crate) fn is_there(&self, name: &str) -> bool {
        matches!(self.value(name), Some(ArgumentValue::Nothing))
    }

    pub(crate) fn label(&self, name: &str) -> Option<&WrittenLabel> {
        if let Some(ArgumentValue::Label(label)) = self.value(name) { Some(label) } else { None }
    }

    pub(crate) fn duration(&self, name: &str) -> Option<Duration> {
        if let Some(ArgumentValue::Duration(duration)) = self.value(name) { Some(*duration) } else { None }
    }

    pub(crate) fn path(&self, name: &str) -> Option<&Path> {
        if let Some(ArgumentValue::Path(path)) = self.value(name) { Some(path) } else { None }
    }

    pub(crate) fn text(&self, name: &str) -> Option<Box<Expr>> {
        if let Some(ArgumentValue::Text(text)) = self.value(name) { Some(text.clone()) } else { None }
    }

    pub(crate) fn outcomes(&self, name: &str) -> Option<&OutcomeFilter> {
        if let Some(ArgumentValue::Outcomes(filter)) = self.value(name) { Some(filter) } else { None }
    }

    fn value(&self, name: &str) -> Option<&ArgumentValue> {
        self.argument(name).map(|argument| &argument.value)
    }

    fn argument(&self, name: &str) -> Option<&Argument> {
        self.arguments.iter().find(|argument| argument.key.name == name)
    }

    fn take(
        &self,
        attribute: Attribute,
        key: &'static AttributeKey,
        entry: AttributeEntry,
        errors: &mut Errors,
    ) -> Option<Argument> {
        let tokens = entry.tokens();
        if let Some(first) = self.argument(key.name) {
            let first = &first.tokens;
            let message = if entry.name.is_some() {
                format!("{}, after `{first}`", repeated(&key.name))
            } else {
                format!("{} takes one {}, and `{first}` is before this", attribute.name(), key.name)
            };
            errors.push_over(entry.name.map_or(tokens, Ident::into_token_stream), message);
            return None;
        }
        let value = match &entry.written {
            EntryValue::Invalid => ArgumentValue::Invalid,
            EntryValue::Nothing if key.value == ValueKind::Nothing => ArgumentValue::Nothing,
            EntryValue::Nothing | EntryValue::Missing => {
                let allowed = key.value.allowed();
                let message = match key.value {
                    ValueKind::Nothing => format!("`{}` takes {allowed}", key.name),
                    _ => format!("`{}` needs a value behind `=`: {allowed}", key.name),
                };
                errors.push_over(&entry.name, message);
                ArgumentValue::Invalid
            }
            EntryValue::Value(expr) if key.value == ValueKind::Outcomes => {
                OutcomeFilter::read(expr, errors).map_or(ArgumentValue::Invalid, ArgumentValue::Outcomes)
            }
            EntryValue::Value(expr) if key.value == ValueKind::Text && has_placeholder(expr) => {
                let format = format!("{} = format!({})", key.name, expr.to_token_stream());
                let message =
                    format!("`{}` is taken as written, braces included: write `{format}`", key.name);
                errors.push_over(expr, message);
                ArgumentValue::Invalid
            }
            EntryValue::Value(expr) => value(key.value, expr).unwrap_or_else(|found| {
                errors.push_over(expr, format!("`{}` takes {}{found}", key.name, key.value.allowed()));
                ArgumentValue::Invalid
            }),
        };
        Some(Argument { key, value, tokens })
    }

    /// Reports an entry that has no key. It is taken for a key that is missing, so that no second message reports that.
    fn refuse(&mut self, attribute: Attribute, entry: &AttributeEntry, errors: &mut Errors) {
        let names = attribute.keys().map(|key| key.name);
        let missing = self.missing(attribute).next();
        let Some(name) = &entry.name else {
            let example = missing
                .map_or_else(String::new, |key| format!(": write `{} = {}`", key.name, entry.tokens()));
            let known = known_with(None, names);
            errors.push_over(
                entry.tokens(),
                format!("{} takes `key = value` only{example}{known}", attribute.name()),
            );
            self.arguments.extend(missing.map(Argument::invalid));
            return;
        };
        let written = name.unraw().to_string();
        let guess = nearest(&written, names.clone());
        let guessed = attribute.keys().find(|key| Some(key.name) == guess).or(missing);
        let known = known_with(guessed.map(|key| key.name), names);
        errors.push(name.span(), format!("{} has no key `{written}`{known}", attribute.name()));
        self.arguments.extend(guessed.filter(|key| !self.has(key.name)).map(Argument::invalid));
    }
}

impl Argument {
    fn invalid(key: &'static AttributeKey) -> Self {
        Self { key, value: ArgumentValue::Invalid, tokens: TokenStream::new() }
    }
}

fn needs(attribute: Attribute, what: &str) -> String {
    format!("{} needs {what}: {}", attribute.name(), attribute.example())
}

/// The word of an expression that is a single lower-case word.
fn single_word(expr: &Expr) -> Option<String> {
    let Expr::Path(path) = expr else { return None };
    let name = path.path.get_ident()?.to_string();
    (name != "self" && name.starts_with(char::is_lowercase)).then_some(name)
}
