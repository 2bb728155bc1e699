//! Functions that are not async.

use bot_metrics::prelude::*;
use std::cell::Cell;
use std::collections::BTreeMap;
use std::fmt::{Debug, Display};
use std::io;
use std::ops::Deref;

type Alias<T> = Result<T, io::Error>;

#[timed_subsystem("trading", every = "5s")]
pub fn unit() {}

#[timed_subsystem("trading")]
pub fn unit_with_statements(counter: &Cell<u32>) {
    counter.set(counter.get() + 1);
}

#[timed_subsystem("trading")]
pub fn unit_spelled_out() -> () {
    unit();
}

#[timed_subsystem("trading")]
#[must_use]
pub fn primitive() -> u32 {
    7
}

#[timed_subsystem("trading")]
#[must_use]
pub fn tuple(a: u8) -> (u8, char) {
    (a, 'x')
}

#[timed_subsystem("trading")]
#[must_use]
pub fn array() -> [u8; 3] {
    [1, 2, 3]
}

#[timed_subsystem("trading")]
#[must_use]
pub fn reference(text: &str) -> &str {
    text.trim()
}

#[timed_subsystem("trading")]
#[must_use]
pub fn owned() -> String {
    String::from("owned")
}

#[timed_subsystem("trading")]
#[must_use]
pub fn option(text: &str) -> Option<char> {
    let first = text.chars().next()?;
    Some(first)
}

#[exchange_call(op = "get_order")]
pub fn question_mark(text: &str) -> Result<i32, std::num::ParseIntError> {
    let number: i32 = text.parse()?;
    Ok(number + 1)
}

#[exchange_call(op = "get_order")]
pub fn early_return(flag: bool) -> Result<u8, String> {
    if flag {
        return Err("early".into());
    }
    for index in 0..3 {
        if index == 2 {
            return Ok(index);
        }
    }
    Ok(0)
}

#[exchange_call(op = "get_order")]
pub fn through_an_alias(fail: bool) -> Alias<()> {
    if fail { Err(io::Error::from(io::ErrorKind::TimedOut)) } else { Ok(()) }
}

#[exchange_call(op = "get_order")]
pub fn boxed_error(text: &str) -> Result<u64, Box<dyn std::error::Error + Send + Sync>> {
    let value: u64 = text.parse()?;
    if value == 0 {
        return Err("zero".into());
    }
    Ok(value)
}

#[exchange_call(op = "get_order")]
pub fn collect_inference(texts: &[&str]) -> Result<Vec<u8>, std::num::ParseIntError> {
    texts.iter().map(|text| text.parse()).collect()
}

#[exchange_call(op = "get_order")]
pub fn sum_inference(numbers: &[u64]) -> Result<u64, ()> {
    Ok(numbers.iter().sum())
}

#[exchange_call(op = "get_order")]
pub fn into_inference(value: u8) -> Result<u64, String> {
    Ok(value.into())
}

#[exchange_call(op = "get_order")]
pub fn dyn_coercion(flag: bool) -> Result<Box<dyn Display>, Box<dyn Debug>> {
    if flag { Ok(Box::new(1_u8)) } else { Err(Box::new("no")) }
}

#[timed_subsystem("trading")]
#[must_use]
pub fn dyn_value(flag: bool) -> Box<dyn Display> {
    if flag {
        return Box::new(1_u8);
    }
    Box::new("text")
}

#[exchange_call(op = "get_order")]
pub fn generic<T, E>(value: T, check: impl Fn(&T) -> Result<(), E>) -> Result<T, E>
where
    T: Clone + Debug,
    E: Debug,
{
    check(&value)?;
    Ok(value)
}

#[timed_subsystem("trading")]
#[must_use]
pub fn const_generic<const N: usize>(values: [u8; N]) -> [u8; N] {
    values
}

#[exchange_call(op = "get_order")]
pub fn const_generics_called_like_ours<const CHOICES: usize, const CELLS: usize, const SITE: usize>(
    numbers: &[usize; SITE],
) -> Result<usize, String> {
    numbers.get(CHOICES + CELLS).copied().ok_or_else(|| "short".to_owned())
}

#[exchange_call(op = "get_order")]
pub fn mutable_return<'a>(map: &'a mut BTreeMap<u8, String>, key: u8) -> Result<&'a mut String, u8> {
    map.get_mut(&key).ok_or(key)
}

#[exchange_call(op = "get_order")]
pub fn mutable_reborrow<'a>(values: &'a mut Vec<u8>) -> Alias<&'a mut u8> {
    values.push(1);
    let last = values.len() - 1;
    Ok(&mut values[last])
}

#[exchange_call(op = "get_order")]
pub fn two_lifetimes<'a, 'b: 'a>(left: &'a str, right: &'b str) -> Result<&'a str, &'b str> {
    if left.is_empty() { Err(right) } else { Ok(left) }
}

#[timed_subsystem("trading")]
pub fn impl_argument(values: impl IntoIterator<Item = u8>) -> u32 {
    values.into_iter().map(u32::from).sum()
}

#[timed_subsystem("trading")]
pub fn impl_return(limit: u8) -> impl Iterator<Item = u8> + Clone {
    (0..limit).filter(|value| value % 2 == 0)
}

#[timed_subsystem("trading")]
pub fn impl_closure(step: u8) -> impl Fn(u8) -> u8 {
    move |value| value + step
}

#[exchange_call(op = "get_order")]
pub fn impl_in_result(limit: u8) -> Result<impl Iterator<Item = u8>, Box<dyn std::error::Error>> {
    let limit: u8 = limit.to_string().parse()?;
    Ok(0..limit)
}

#[exchange_call(op = "get_order")]
pub fn impl_error() -> Result<u8, impl Debug> {
    if primitive() == 0 {
        return Err("zero");
    }
    Ok(1)
}

#[timed_subsystem("trading")]
pub fn diverges() -> ! {
    panic!("always")
}

#[timed_subsystem("trading")]
pub fn loops_for_ever(counter: &Cell<u32>) -> ! {
    loop {
        counter.set(counter.get() + 1);
    }
}

#[timed_subsystem("trading")]
pub fn endless_loop_in_unit(counter: &Cell<u32>) {
    loop {
        counter.set(counter.get() + 1);
    }
}

#[exchange_call(op = "get_order")]
pub fn endless_loop_in_result(counter: &Cell<u32>) -> Result<(), String> {
    loop {
        counter.set(counter.get() + 1);
    }
}

#[exchange_call(op = "get_order")]
pub fn recursion(depth: u32) -> Result<u32, String> {
    if depth == 0 { Ok(0) } else { recursion(depth - 1).map(|depth| depth + 1) }
}

#[exchange_call(op = "get_order")]
pub fn labelled_loops(limit: u32) -> Result<u32, String> {
    let mut found = 0;
    'outer: for left in 0..limit {
        for right in 0..limit {
            if left * right > 12 {
                break 'outer;
            }
            found = left * right;
        }
    }
    let block = 'block: {
        if found > 3 {
            break 'block 1;
        }
        2
    };
    Ok(found + block)
}

#[exchange_call(op = "get_order")]
pub unsafe fn unsafe_function(pointer: *const u8) -> Result<u8, String> {
    if pointer.is_null() {
        return Err("null".to_owned());
    }
    Ok(unsafe { *pointer })
}

#[timed_subsystem("trading")]
pub extern "C" fn extern_c(value: u32) -> u32 {
    value + 1
}

#[exchange_call(op = "get_order")]
#[inline]
pub fn inlined(value: u8) -> Result<u8, u8> {
    if value > 3 { Err(value) } else { Ok(value) }
}

#[inline(never)]
#[cold]
#[timed_subsystem("trading")]
pub fn attributes_above() {}

#[timed_subsystem("trading")]
#[track_caller]
#[must_use]
pub fn tracks_its_caller() -> u32 {
    std::panic::Location::caller().line()
}

#[timed_subsystem("trading")]
#[cfg(any(unix, windows))]
pub fn conditional() {}

#[timed_subsystem("trading")]
#[cfg(not(any(unix, windows)))]
pub fn left_out() -> Missing {}

#[exchange_call(op = "get_order")]
#[deprecated(note = "for the test")]
#[doc(hidden)]
pub fn deprecated() -> Result<(), ()> {
    Ok(())
}

pub struct Order {
    pub symbol: String,
    pub quantity: u32,
}

#[exchange_call(op = "place_order")]
pub fn patterns(
    (left, mut right): (u8, u8),
    Order { symbol, .. }: Order,
    [first, .., last]: [u8; 4],
    _: String,
    &reference: &u8,
    whole @ 0..=255: u8,
) -> Result<String, String> {
    right += left + first + last + reference + whole;
    if right == 0 { Err(symbol) } else { Ok(symbol) }
}

#[exchange_call(op = "place_order")]
pub fn attributes_of_arguments(
    #[cfg(any(unix, windows))] quantity: u32,
    #[cfg(not(any(unix, windows)))] quantity: Missing,
    #[allow(unused_variables)] unused: String,
    #[allow(unused_mut)] mut unchanged: Vec<u8>,
    #[expect(unused_variables)] expected: String,
) -> Result<u32, Vec<u8>> {
    if quantity == 0 { Err(unchanged) } else { Ok(quantity) }
}

#[exchange_call(op = "place_order")]
pub fn underscored(_order: Order, _quantity: u32) -> Result<(), String> {
    Ok(())
}

#[exchange_call(op = "place_order")]
pub fn mutable_arguments(mut text: String, mut count: u32, mut rest: &str) -> Result<String, u32> {
    while count > 0 {
        text.push_str(rest);
        rest = "";
        count -= 1;
    }
    Ok(text)
}

#[exchange_call(op = "place_order")]
pub fn r#type(r#match: u8) -> Result<u8, u8> {
    Ok(r#match)
}

#[exchange_call(op = "place_order")]
pub fn names_like_ours(value: u8, _guard: u8, body: u8, guard: u8) -> Result<u8, u8> {
    let profile = value;
    let symbol = guard;
    let exchange = body;
    Ok(profile + symbol + exchange)
}

#[exchange_call(op = "place_order", exchange = "binance")]
#[timed_subsystem("trading")]
#[operational_event(type = "ORDER_FAILURE", severity = "ERROR", on = err)]
#[exchange_call(op = "get_order")]
pub fn stacked(value: u8) -> Result<u8, u8> {
    Ok(value)
}

#[operational_event(type = "ORDER_FAILURE", severity = "ERROR", on = err, symbol = order.symbol)]
pub fn event(order: Order) -> Result<u32, Order> {
    if order.quantity == 0 { Err(order) } else { Ok(order.quantity) }
}

#[operational_event(type = "RECONNECT", severity = "WARNING", profile = name, symbol = symbol)]
pub fn event_without_result(name: &str, (symbol, _count): (String, u8)) -> usize {
    name.len() + symbol.len()
}

#[capital_check(profile = profile)]
#[must_use]
pub fn capital(profile: &str) -> Capital {
    Capital { allocated: profile.len().to_string().parse().unwrap_or_default(), ..Capital::default() }
}

#[reconciliation]
pub fn reconciled() -> Alias<ReconciliationReport> {
    let report = ReconciliationReport::new();
    Ok(report)
}

#[exchange_call(op = "get_order", exchange = exchange)]
pub fn label_at_run_time(exchange: labels::Exchange) -> Result<(), ()> {
    let _ = exchange;
    Ok(())
}

#[exchange_call(op = labels::Operation::GetOrder, exchange = labels::Exchange::Okx)]
pub fn label_by_path() -> Result<(), ()> {
    Ok(())
}

#[allow(clippy::ref_option, clippy::trivially_copy_pass_by_ref)]
#[must_use]
pub fn judge(value: &Option<u8>) -> Outcome {
    if value.is_some() { Outcome::Ok } else { Outcome::Skipped }
}

#[timed_subsystem("trading", classify = judge)]
#[must_use]
pub fn classified(value: u8) -> Option<u8> {
    value.checked_sub(1)
}

#[exchange_call(op = "get_order")]
pub fn functions_inside(value: u8) -> Result<u8, u8> {
    #[exchange_call(op = "get_order")]
    fn inside(value: u8) -> Result<u8, u8> {
        Ok(value)
    }
    #[timed_subsystem("monitor")]
    fn helper() {}
    helper();
    inside(value)
}

#[timed_subsystem("trading")]
pub fn inner_attributes(value: Option<u8>) -> u8 {
    #![allow(clippy::unwrap_used)]
    value.unwrap()
}

#[exchange_call(op = "get_order")]
pub fn inner_attributes_in_result(value: Option<u8>) -> Result<u8, ()> {
    #![allow(clippy::unwrap_used)]
    Ok(value.unwrap())
}

#[timed_subsystem("trading")]
#[must_use]
pub fn stream() -> impl Deref<Target = [u8]> {
    vec![1, 2, 3]
}

macro_rules! measured {
    ($(#[$attr:meta])* $vis:vis fn $name:ident($($arg:ident: $ty:ty),*) -> $ret:ty $body:block) => {
        $(#[$attr])*
        $vis fn $name($($arg: $ty),*) -> $ret $body
    };
}

measured! {
    // The position of a lint whose span covers a macro and its arguments depends on both.
    #[allow(clippy::missing_errors_doc)]
    #[exchange_call(op = "get_order")]
    pub fn inside_a_macro(value: u8, text: String) -> Result<String, u8> {
        if value == 0 { return Err(value); }
        Ok(text)
    }
}

macro_rules! by_name {
    ($name:ident, $op:literal) => {
        #[exchange_call(op = $op)]
        pub fn $name() -> Result<(), ()> {
            let value = Ok(());
            value
        }
    };
}

by_name!(written_by_a_macro, "get_order");

pub trait Greet {
    fn greet(&self, name: &str) -> String;
}

impl<F: Fn(&str) -> String> Greet for F {
    fn greet(&self, name: &str) -> String {
        self(name)
    }
}

#[timed_subsystem("trading")]
pub fn impl_of_a_trait_of_ones_own<'a>(hello: &'a str) -> impl Greet + 'a {
    move |name: &str| format!("{hello}, {name}")
}

#[timed_subsystem("trading")]
pub fn impl_of_two_traits(numbers: &[u8]) -> impl Iterator<Item = u8> + Clone + '_ {
    numbers.iter().copied()
}

#[timed_subsystem("trading")]
#[unsafe(no_mangle)]
pub extern "C" fn shape_exported_below(value: u8) -> u8 {
    value
}

#[unsafe(no_mangle)]
#[operational_event(type = "STARTED", severity = "INFO", on = always)]
pub unsafe extern "C" fn shape_exported_above(pointer: *const u8) -> u8 {
    unsafe { *pointer }
}

#[exchange_call(op = "get_order")]
#[operational_event(type = "STARTED", severity = "INFO", symbol = symbol)]
pub fn part_named_by_the_attribute_below((symbol, quantity): (String, u8), _: String) -> Result<u8, String> {
    if symbol.is_empty() { Err(symbol) } else { Ok(quantity) }
}

#[operational_event(type = "STARTED", severity = "INFO", symbol = symbol)]
#[exchange_call(op = "get_order")]
pub async fn part_named_by_the_attribute_above((symbol, quantity): (String, u8), _: String) -> Result<u8, String> {
    std::future::ready(()).await;
    if symbol.is_empty() { Err(symbol) } else { Ok(quantity) }
}

// Before edition 2024 the guard is dropped after the body's variables, and before the arguments.
#[allow(clippy::needless_pass_by_value)]
#[exchange_call(op = "get_order")]
pub fn argument_borrowed_to_the_end(orders: std::sync::Mutex<Vec<u8>>) -> Option<u8> {
    orders.lock().unwrap_or_else(std::sync::PoisonError::into_inner).pop()
}

#[exchange_call(op = "get_order")]
#[timed_subsystem("trading")]
pub fn arguments_borrowed_to_the_end(
    (orders, _): (std::sync::Mutex<Vec<u8>>, u8),
    other: impl AsRef<std::sync::Mutex<Vec<u8>>>,
) -> Result<u8, String> {
    let Some(first) = other.as_ref().lock().map_err(|error| error.to_string())?.pop() else {
        return Ok(orders.into_inner().map_err(|error| error.to_string())?.len() as u8);
    };
    orders.lock().map_err(|error| error.to_string())?.pop().map(|last| last + first).ok_or_else(String::new)
}
