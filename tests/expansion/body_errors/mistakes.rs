#![allow(unused)]
use bot_metrics::prelude::*;
use std::future::{Future, ready};
use std::pin::Pin;

struct Order {
    symbol: String,
    quantity: u32,
}

type Alias<T> = Result<T, String>;

fn main() {}

// ---
#[exchange_call(op = "get_order")]
fn wrong_type_at_the_end(order: &Order) -> Result<u32, String> {
    let symbol = order.symbol.clone();
    Ok(symbol)
}
// ---
#[exchange_call(op = "get_order")]
fn wrong_type_in_a_return(order: &Order) -> Result<u32, String> {
    if order.quantity == 0 {
        return Err(7);
    }
    Ok(order.quantity)
}
// ---
#[exchange_call(op = "get_order")]
fn missing_value(order: &Order) -> Result<u32, String> {
    let _ = order.quantity;
}
// ---
#[timed_subsystem("trading")]
fn missing_primitive(order: &Order) -> u32 {
    order.quantity;
}
// ---
#[exchange_call(op = "get_order")]
fn question_mark_without_conversion(text: &str) -> Result<u32, String> {
    let value: u32 = text.parse()?;
    Ok(value)
}
// ---
#[exchange_call(op = "get_order")]
fn unknown_name() -> Result<u32, String> {
    Ok(quantity)
}
// ---
#[exchange_call(op = "get_order")]
fn unknown_method(order: Order) -> Result<u32, String> {
    Ok(order.amount())
}
// ---
#[exchange_call(op = "get_order")]
fn used_after_move(order: Order) -> Result<u32, String> {
    drop(order);
    Ok(order.quantity)
}
// ---
#[exchange_call(op = "get_order")]
fn assigned_though_not_mutable(text: String) -> Result<String, String> {
    text = String::new();
    Ok(text)
}
// ---
#[exchange_call(op = "get_order")]
fn borrowed_mutably_though_not_mutable(order: Order) -> Result<Order, String> {
    order.symbol.push('x');
    Ok(order)
}
// ---
#[exchange_call(op = "get_order")]
fn two_mutable_borrows(values: &mut Vec<u8>) -> Result<u8, String> {
    let first = &mut values[0];
    values.push(1);
    *first = 2;
    Ok(1)
}
// ---
#[exchange_call(op = "get_order")]
fn returns_a_local<'a>() -> Result<&'a str, String> {
    let text = String::new();
    Ok(&text)
}
// ---
#[exchange_call(op = "get_order")]
fn returns_an_argument(order: Order) -> Result<&'static str, String> {
    Ok(&order.symbol)
}
// ---
#[exchange_call(op = "get_order")]
fn moves_out_of_a_borrow(order: &Order) -> Result<String, String> {
    Ok(order.symbol)
}
// ---
#[exchange_call(op = "get_order")]
fn wrong_lifetime<'a, 'b>(left: &'a str, right: &'b str) -> Result<&'a str, String> {
    if left.is_empty() {
        return Ok(right);
    }
    Ok(left)
}
// ---
#[exchange_call(op = "get_order")]
fn elided_wrong_lifetime(values: &mut Vec<&str>, text: &str) -> Result<(), String> {
    values.push(text);
    Ok(())
}
// ---
#[timed_subsystem("trading")]
fn wrong_operand(order: &Order) -> u32 {
    order.quantity + order.symbol
}
// ---
#[timed_subsystem("trading")]
fn two_mistakes(order: &Order) -> u32 {
    let a: u8 = "one";
    let b: u8 = "two";
    order.quantity
}
// ---
#[exchange_call(op = "get_order")]
fn arms_differ(flag: bool) -> Result<u32, String> {
    let value = match flag {
        true => 1_u32,
        false => "two",
    };
    Ok(value)
}
// ---
#[exchange_call(op = "get_order")]
fn wrong_error_type() -> Alias<u32> {
    Err(std::fmt::Error)
}
// ---
#[exchange_call(op = "get_order")]
fn cannot_infer() -> Result<u32, String> {
    let values = Vec::new();
    Ok(values.len() as u32)
}
// ---
#[exchange_call(op = "get_order")]
fn unsafe_call() -> Result<u32, String> {
    unsafe fn quantity() -> u32 { 1 }
    Ok(quantity())
}
// ---
#[exchange_call(op = "get_order")]
fn break_outside_a_loop() -> Result<u32, String> {
    break;
    Ok(1)
}
// ---
#[exchange_call(op = "get_order")]
fn await_outside_async() -> Result<u32, String> {
    Ok(ready(1).await)
}
// ---
#[exchange_call(op = "get_order")]
async fn async_wrong_type_at_the_end(order: &Order) -> Result<u32, String> {
    ready(()).await;
    Ok(order.symbol.clone())
}
// ---
#[exchange_call(op = "get_order")]
async fn async_wrong_type_in_a_return(order: &Order) -> Result<u32, String> {
    if ready(order.quantity).await == 0 {
        return Err(7);
    }
    Ok(order.quantity)
}
// ---
#[exchange_call(op = "get_order")]
async fn async_missing_value(order: &Order) -> Result<u32, String> {
    let _ = ready(order.quantity).await;
}
// ---
#[timed_subsystem("trading")]
async fn async_value_of_unit(order: &Order) {
    ready(order.quantity).await
}
// ---
#[exchange_call(op = "get_order")]
async fn async_question_mark_without_conversion(text: &str) -> Result<u32, String> {
    ready(()).await;
    let value: u32 = text.parse()?;
    Ok(value)
}
// ---
#[exchange_call(op = "get_order")]
async fn async_used_after_move(order: Order) -> Result<u32, String> {
    ready(order).await;
    Ok(order.quantity)
}
// ---
#[exchange_call(op = "get_order")]
async fn async_assigned_though_not_mutable(count: u32) -> Result<u32, String> {
    count += ready(1).await;
    Ok(count)
}
// ---
#[exchange_call(op = "get_order")]
async fn async_returns_a_local<'a>() -> Result<&'a str, String> {
    let text = ready(String::new()).await;
    Ok(&text)
}
// ---
#[exchange_call(op = "get_order")]
async fn async_wrong_lifetime<'a, 'b>(left: &'a str, right: &'b str) -> Result<&'a str, String> {
    if ready(left).await.is_empty() {
        return Ok(right);
    }
    Ok(left)
}
// ---
#[exchange_call(op = "get_order")]
async fn async_moves_out_of_a_borrow(order: &Order) -> Result<String, String> {
    ready(()).await;
    Ok(order.symbol)
}
// ---
#[exchange_call(op = "get_order")]
async fn async_two_mutable_borrows(values: &mut Vec<u8>) -> Result<u8, String> {
    let first = &mut values[0];
    values.push(ready(1).await);
    *first = 2;
    Ok(1)
}
// ---
#[exchange_call(op = "get_order")]
fn future_with_a_wrong_type(order: Order) -> impl Future<Output = Result<u32, String>> {
    async move {
        ready(()).await;
        Ok::<_, String>(order.symbol)
    }
}
// ---
#[exchange_call(op = "get_order")]
fn boxed_with_a_wrong_type(order: Order) -> Pin<Box<dyn Future<Output = Result<u32, String>>>> {
    Box::pin(async move {
        ready(()).await;
        Ok::<_, String>(order.symbol)
    })
}
// ---
fn assert_send(_: impl Send) {}

#[exchange_call(op = "get_order")]
async fn not_send(order: std::rc::Rc<Order>) -> Result<u32, String> {
    ready(()).await;
    Ok(order.quantity)
}

fn spawn() {
    assert_send(not_send(std::rc::Rc::new(Order { symbol: String::new(), quantity: 1 })));
}
// ---
#[exchange_call(op = "get_order")]
fn unknown_error_type() -> Result<u32, Mising> {
    Ok(1)
}
// ---
#[exchange_call(op = "get_order")]
fn unknown_type() -> Mising {
    Ok(1)
}
// ---
#[exchange_call(op = "get_order")]
fn missing_error_type() -> Result<u32> {
    Ok(1)
}
// ---
#[exchange_call(op = "get_order")]
async fn async_unknown_error_type() -> Result<u32, Mising> {
    ready(Ok(1)).await
}
// ---
#[exchange_call(op = "get_order")]
fn unknown_error_type_of_a_future() -> impl Future<Output = Result<u32, Mising>> {
    async move { Ok(ready(1).await) }
}
// ---
#[exchange_call(op = "get_order")]
fn unknown_error_type_of_a_boxed_future() -> Pin<Box<dyn Future<Output = Result<u32, Mising>>>> {
    Box::pin(async move { Ok(ready(1).await) })
}
