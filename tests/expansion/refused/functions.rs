//! Refused.
#![allow(dead_code)]
use bot_metrics::prelude::*;
use std::future::{Future, Ready, ready};
use std::pin::Pin;

//~ a const fn cannot be measured: remove `const` or timed_subsystem
#[timed_subsystem("trading")]
const fn constant() -> u8 {
    1
}

const KEPT: u8 = constant();

//~ `#[track_caller]`
#[exchange_call(op = "get_order")]
#[track_caller]
fn tracks_its_caller() -> Result<u8, String> {
    Ok(1)
}

//~ measures functions, methods and impl blocks
#[timed_subsystem("trading")]
struct Kept;

//~ measures functions, methods and impl blocks
#[exchange_call(op = "get_order")]
enum Either {}

//~ measures functions, methods and impl blocks
#[reconciliation]
mod module {
    pub fn kept() {}
}

trait Venue {
    //~ this function has none: put it over the implementation
    #[exchange_call(op = "get_order")]
    fn without_body(&self) -> Result<u8, String>;
}

impl Venue for Kept {
    fn without_body(&self) -> Result<u8, String> {
        module::kept();
        Ok(1)
    }
}

//~ this function returns a future that the attribute cannot measure
#[exchange_call(op = "get_order")]
fn named_future() -> Ready<Result<u8, String>> {
    ready(Ok(1))
}

type Alias<T> = Pin<Box<dyn Future<Output = T>>>;

//~ this function returns a future that the attribute cannot measure
#[exchange_call(op = "get_order")]
fn future_behind_an_alias() -> Alias<u8> {
    Box::pin(ready(1))
}

//~ `Capital` or `Result<Capital, E>`
#[capital_check(profile = "maker")]
fn no_capital() -> Result<u8, String> {
    Ok(1)
}

//~ `Capital` or `Result<Capital, E>`
#[capital_check(profile = "maker")]
async fn no_capital_later() -> f64 {
    ready(1.0).await
}

//~ `Capital` or `Result<Capital, E>`
#[capital_check(profile = "maker")]
fn nothing() {}

//~ `ReconciliationReport` or `Result<ReconciliationReport, E>`
#[reconciliation]
fn no_report() -> Option<ReconciliationReport> {
    None
}

//~ `ReconciliationReport` or `Result<ReconciliationReport, E>`
#[reconciliation]
fn no_report_boxed() -> Pin<Box<dyn Future<Output = u8>>> {
    Box::pin(async move { ready(1).await })
}

//~ `exchange_call(skip)` excludes a method
#[exchange_call(skip)]
fn skipped_alone() {}

//~ each method's name is its `op`
#[exchange_call(op = "get_order")]
impl Kept {
    fn get_order() {}
}

struct Misnamed;

#[exchange_call]
impl Misnamed {
    //~ unknown operation "get_oder"; did you mean "get_order"?
    fn get_oder() {}
}

//~ `u32` is no text
#[operational_event(type = "STARTED", severity = "INFO", symbol = number)]
fn no_text(number: u32) {}

//~ `always`, or several in brackets such as `[err, !rejected]`; did you mean `err`?
#[operational_event(type = "STARTED", severity = "INFO", on = er)]
fn no_end() {}

//~ `on_cancel` takes `observe`
#[timed_subsystem("trading", on_cancel = true)]
fn no_word() {}

//~ `optional` takes no value
#[timed_subsystem("trading", optional = true)]
fn with_a_value() {}

//~ capital_check needs `profile`
#[capital_check]
fn whose() -> Capital {
    Capital::default()
}

//~ and nothing else: return `impl Future<Output = …>`
#[exchange_call(op = "get_order")]
fn not_yet_a_future() -> impl IntoFuture<Output = Result<u8, String>> {
    ready(Ok(1))
}

//~ and nothing else: return `impl Future<Output = …>`
#[exchange_call(op = "get_order")]
fn future_that_clones() -> impl Future<Output = Result<u8, String>> + Send + Clone {
    ready(Ok(1))
}

//~ and nothing else: return `impl Future<Output = …>`
#[exchange_call(op = "get_order")]
fn future_that_prints() -> impl std::fmt::Debug + Future<Output = Result<u8, String>> {
    ready(Ok(1))
}

trait Request: Future<Output = Result<u8, String>> {}
impl Request for Ready<Result<u8, String>> {}

//~ this function returns a future that the attribute cannot measure
#[exchange_call(op = "get_order")]
fn future_by_a_trait() -> impl Request {
    ready(Ok(1))
}

trait RequestFuture: Future<Output = Result<u8, String>> {}
impl RequestFuture for Ready<Result<u8, String>> {}

//~ this function returns a future that the attribute cannot measure
#[exchange_call(op = "get_order")]
fn future_by_a_trait_that_says_so() -> impl RequestFuture + Send {
    ready(Ok(1))
}

//~ this function returns a future that the attribute cannot measure
#[exchange_call(op = "get_order")]
async fn future_by_a_trait_later() -> impl Request {
    ready(()).await;
    ready(Ok(1))
}

//~ this `async fn` ends before the future that it returns runs
#[exchange_call(op = "get_order")]
async fn future_after_a_future() -> impl Future<Output = Result<u8, String>> {
    ready(()).await;
    ready(Ok(1))
}

//~ this `async fn` ends before the future that it returns runs
#[exchange_call(op = "get_order")]
async fn boxed_future_after_a_future() -> Pin<Box<dyn Future<Output = Result<u8, String>>>> {
    Box::pin(async move { ready(Ok(1)).await })
}

//~ this function returns a future that the attribute cannot measure
#[exchange_call(op = "get_order")]
fn boxed_request() -> Pin<Box<dyn Request>> {
    Box::pin(ready(Ok(1)))
}
