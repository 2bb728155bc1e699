//! Functions for which the compiler and clippy report lints, which they must keep reporting.

#[allow(unused_imports)]
use bot_metrics::prelude::*;
use std::future::{Future, ready};

#[exchange_call(op = "get_order")]
fn dead_code() -> Result<u8, String> {
    Ok(1)
}

#[exchange_call(op = "get_order")]
pub fn unused(argument: String, mut unchanged: Vec<u8>, copied: u8) -> Result<(), String> {
    let variable = 1;
    let mut never_changed = 2;
    println!("{never_changed} {unchanged:?}");
    Ok(())
}

#[exchange_call(op = "get_order")]
pub async fn unused_async(argument: String, mut unchanged: Vec<u8>) -> Result<(), String> {
    let variable = 1;
    ready(unchanged.len()).await;
    Ok(())
}

#[operational_event(type = "STARTED", severity = "INFO", symbol = text, profile = format!("{name}"))]
pub fn used_in_the_attribute_too(text: String, mut name: String, unused: Vec<u8>) -> Result<String, String> {
    println!("{text}");
    name.push('x');
    Ok(name)
}

#[operational_event(type = "STARTED", severity = "INFO", symbol = text)]
pub async fn parts_used_in_the_attribute_too(
    (text, mut unchanged, unused): (String, Vec<u8>, u8),
    _name: String,
) -> Result<String, String> {
    ready(unchanged.len()).await;
    Ok(text)
}

#[exchange_call(op = "get_order")]
pub async fn without_waiting(value: u8) -> Result<u8, String> {
    Ok(value + 1)
}

#[operational_event(type = "STARTED", severity = "INFO")]
#[timed_subsystem("trading")]
#[exchange_call(op = "get_order")]
pub async fn stacked_without_waiting(value: u8) -> Result<u8, String> {
    Ok(value + 1)
}

#[timed_subsystem("trading")]
#[operational_event(type = "STARTED", severity = "INFO")]
pub async fn unit_stacked_without_waiting(value: &mut u8) {
    *value += 1;
}

#[timed_subsystem("trading")]
pub async fn unit_without_waiting(value: &mut u8) {
    *value += 1;
}

#[exchange_call(op = "get_order")]
pub fn unused_results(value: u8) -> Result<u8, String> {
    dead_result();
    value.checked_add(1);
    Ok(value)
}

#[exchange_call(op = "get_order")]
fn dead_result() -> Result<u8, String> {
    return Ok(1);
}

#[exchange_call(op = "get_order")]
pub fn needless_return(value: u8) -> Result<u8, String> {
    println!("{value}");
    return Ok(value);
}

#[exchange_call(op = "get_order")]
pub async fn needless_async_return(value: u8) -> Result<u8, String> {
    ready(()).await;
    return Ok(value);
}

#[timed_subsystem("trading")]
pub fn needless_unit_return() {
    println!();
    return;
}

#[exchange_call(op = "get_order")]
pub fn let_and_return(value: u8) -> Result<u8, String> {
    let result = Ok(value);
    result
}

#[exchange_call(op = "get_order")]
pub fn unreachable_code(value: u8) -> Result<u8, String> {
    return Ok(value);
    println!("never");
}

#[exchange_call(op = "get_order")]
pub fn unused_braces(value: u8) -> Result<u8, String> {
    let sum = { value + 1 };
    if (sum == 0) {
        return Err(String::new());
    }
    Ok({ sum })
}

#[exchange_call(op = "get_order")]
pub fn unneeded_block(value: u8) -> Result<u8, String> {
    { Ok(value) }
}

#[exchange_call(op = "get_order")]
pub fn pointer_argument(texts: &Vec<String>, text: &String) -> Result<usize, String> {
    Ok(texts.len() + text.len())
}

#[exchange_call(op = "get_order")]
pub fn needless_borrow(text: &str) -> Result<usize, String> {
    let unit = println!("{}", &text.to_string());
    Ok(text.clone().len())
}

#[exchange_call(op = "get_order")]
#[must_use]
pub fn double_must_use(text: &str) -> Result<usize, String> {
    Ok(text.len())
}

#[exchange_call(op = "get_order")]
pub fn named_lifetime<'a>(text: &'a str) -> Result<&'a str, String> {
    println!("{text}");
    Ok(text)
}

#[exchange_call(op = "get_order")]
pub async fn named_lifetime_async<'a>(text: &'a str) -> Result<&'a str, String> {
    ready(()).await;
    Ok(text)
}

#[exchange_call(op = "get_order")]
pub fn too_many(a: u8, b: u8, c: u8, d: u8, e: u8, f: u8, g: u8, h: u8) -> Result<u8, String> {
    Ok(a + b + c + d + e + f + g + h)
}

#[exchange_call(op = "get_order")]
pub fn shadowed_and_overwritten(mut value: u8) -> Result<u8, String> {
    let start = value;
    value = 3;
    let value = value.max(2);
    let mut other = 1;
    other = start;
    Ok(value + other)
}

#[exchange_call(op = "get_order")]
pub fn NotSnakeCase(value: u8) -> Result<u8, String> {
    let Upper = value;
    Ok(Upper)
}

#[exchange_call(op = "get_order")]
pub fn old_fashioned(values: &[u8]) -> Result<u8, String> {
    let mut sum = 0;
    for index in 0..values.len() {
        sum += values[index];
    }
    match values.first() {
        Some(first) => println!("{}", first),
        None => {}
    }
    Ok(sum as u8)
}

#[expect(dead_code)]
#[exchange_call(op = "get_order")]
fn expected_dead_code() -> Result<(), String> {
    Ok(())
}

#[exchange_call(op = "get_order")]
#[expect(unused_variables, reason = "and fulfilled")]
pub fn expected_unused(argument: String) -> Result<(), String> {
    Ok(())
}

#[exchange_call(op = "get_order")]
#[expect(unused_variables, reason = "but there is none")]
pub fn unfulfilled(argument: String) -> Result<String, String> {
    Ok(argument)
}

pub struct Bot {
    name: String,
}

impl Bot {
    #[exchange_call(op = "get_order")]
    fn dead_method(&self) -> Result<(), String> {
        Ok(())
    }

    #[exchange_call(op = "get_order")]
    pub fn unused_self(&self, text: &str) -> Result<usize, String> {
        println!("{text}");
        text.parse().map_err(|_| String::new())
    }

    #[exchange_call(op = "get_order")]
    pub fn could_borrow(self) -> Result<usize, String> {
        Ok(self.name.len())
    }

    #[timed_subsystem("trading")]
    pub async fn hold_a_lock(&self, lock: &std::sync::Mutex<u8>) -> u8 {
        let guard = lock.lock().unwrap();
        ready(()).await;
        *guard
    }
}

#[timed_subsystem("trading")]
pub fn begins_with_items(value: u64) -> u64 {
    use std::collections::BTreeMap;
    /// Most that is taken.
    const MOST: u64 = 7;
    let most: BTreeMap<u64, u64> = [(value, MOST)].into();
    most.len() as u64
}

#[timed_subsystem("trading")]
pub fn begins_with_an_item_and_moves(text: String, texts: Vec<String>) -> Result<usize, String> {
    fn length(text: &str) -> usize {
        text.len()
    }
    drop(texts);
    Ok(length(&text))
}

#[timed_subsystem("trading")]
pub async fn begins_with_an_item_and_waits(value: u8) -> Result<u8, String> {
    #[derive(Clone, Copy)]
    struct Pair(u8, u8);
    let pair = Pair(value, 1);
    ready(()).await;
    Ok(pair.0 + pair.1)
}

#[operational_event(type = "STARTED", severity = "INFO", symbol = text)]
pub fn begins_with_an_item_and_names_arguments(text: String) -> String {
    static ONCE: std::sync::Once = std::sync::Once::new();
    ONCE.call_once(|| {});
    text
}

#[timed_subsystem("trading")]
pub fn begins_with_what_is_no_item(value: u8) -> u8 {
    const { assert!(size_of::<u8>() == 1) };
    const MOST: u8 = 7;
    value.min(MOST)
}

#[timed_subsystem("trading")]
pub fn declares_an_item_after_statements(value: u8) -> u8 {
    let value = value + 1;
    const MOST: u8 = 7;
    value.min(MOST)
}

macro_rules! declared {
    ($(#[$attr:meta])* $vis:vis fn $name:ident($argument:ident: $ty:ty) -> $output:ty $body:block) => {
        $(#[$attr])*
        $vis fn $name($argument: $ty) -> $output $body
    };
}

macro_rules! named {
    ($($name:ident)*) => {$(
        #[timed_subsystem("trading")]
        pub fn $name(value: u64) -> u64 {
            const MOST: u64 = 7;
            value.min(MOST)
        }
    )*};
}

macro_rules! with_a_body {
    ($name:ident, $value:ident, $body:expr) => {
        #[timed_subsystem("trading")]
        #[inline]
        pub fn $name($value: u64) -> u64 {
            $body
        }
    };
}

declared! {
    #[timed_subsystem("trading")]
    pub fn declared_by_a_macro(value: u64) -> u64 {
        value + 1
    }
}

declared! {
    #[exchange_call(op = "get_order")]
    pub fn declared_by_a_macro_and_may_fail(value: u64) -> Option<u64> {
        const MOST: u64 = 7;
        Some(value.min(MOST))
    }
}

named!(named_by_a_macro);
with_a_body!(body_by_a_macro, value, value + 1);

macro_rules! methods {
    ($name:ident) => {
        impl Bot {
            #[timed_subsystem("trading")]
            pub fn $name(&self) -> usize {
                self.name.len()
            }
        }
    };
}

methods!(method_by_a_macro);

/// Clippy accepts complex types in the methods of an `impl` of a trait.
trait Feed {
    fn complex(&self) -> std::task::Poll<Option<Result<std::vec::IntoIter<(u64, String)>, std::io::Error>>>;
    fn boxed(
        &self,
    ) -> std::pin::Pin<Box<dyn Future<Output = Result<Box<Vec<(u64, String)>>, Box<dyn std::error::Error>>> + '_>>;
}

struct Quiet {
    name: String,
}

impl Feed for Quiet {
    #[exchange_call(op = "get_order")]
    fn complex(&self) -> std::task::Poll<Option<Result<std::vec::IntoIter<(u64, String)>, std::io::Error>>> {
        std::task::Poll::Ready(Some(Ok(vec![(1, self.name.clone())].into_iter())))
    }

    #[exchange_call(op = "get_order")]
    fn boxed(
        &self,
    ) -> std::pin::Pin<Box<dyn Future<Output = Result<Box<Vec<(u64, String)>>, Box<dyn std::error::Error>>> + '_>>
    {
        let value = self.name.parse();
        if self.name.is_empty() {
            return Box::pin(ready(Err("empty".into())));
        }
        Box::pin(async move { Ok(Box::new(vec![(value?, self.name.clone())])) })
    }
}

#[derive(Debug)]
pub struct LargeError {
    pub text: [u8; 500],
}

#[exchange_call(op = "get_order")]
pub fn large_error(value: u8) -> Result<u8, LargeError> {
    let parse = |text: [u8; 500]| -> Result<u8, LargeError> { Err(LargeError { text }) };
    if value == 0 { parse([0; 500]) } else { Ok(value) }
}

#[exchange_call(op = "get_order")]
pub async fn large_error_async(value: u8) -> Result<u8, LargeError> {
    ready(()).await;
    if value == 0 { Err(LargeError { text: [0; 500] }) } else { Ok(value) }
}

#[exchange_call(op = "get_order")]
pub fn optional_reference(text: &str) -> Option<&u8> {
    println!("{text}");
    text.as_bytes().first()
}

#[exchange_call(op = "get_order")]
pub async fn optional_reference_async(text: &str) -> Option<&u8> {
    ready(()).await;
    text.as_bytes().first()
}

#[exchange_call(op = "get_order")]
#[timed_subsystem("trading")]
pub async fn optional_reference_stacked(text: &str) -> Option<&u8> {
    ready(()).await;
    text.as_bytes().first()
}

#[exchange_call(op = "get_order")]
pub fn optional_reference_future(text: &str) -> impl Future<Output = Option<&u8>> {
    println!("{text}");
    async move { text.as_bytes().first() }
}

trait IntoText {
    fn into_text(self) -> String;
}

impl IntoText for String {
    #[exchange_call(op = "get_order")]
    fn into_text(self) -> String {
        self
    }
}
