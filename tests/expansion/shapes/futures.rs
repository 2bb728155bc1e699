//! Functions whose work is done by a future.

use bot_metrics::prelude::*;
use std::cell::Cell;
use std::fmt::Debug;
use std::future::{Future, ready};
use std::io;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};

type Alias<T> = Result<T, io::Error>;

#[timed_subsystem("trading", every = "5s")]
pub async fn unit() {
    ready(()).await;
}

#[timed_subsystem("trading", every = "5s", on_cancel = "observe")]
pub async fn value() -> u8 {
    ready(1).await
}

#[timed_subsystem("monitor", optional)]
pub async fn reference(text: &str) -> &str {
    ready(()).await;
    text.trim()
}

#[exchange_call(op = "get_order")]
pub async fn question_mark(text: &str) -> Result<i32, std::num::ParseIntError> {
    ready(()).await;
    let number: i32 = text.parse()?;
    Ok(number + 1)
}

#[exchange_call(op = "get_order")]
pub async fn early_return(flag: bool) -> Result<u8, String> {
    if flag {
        return Err("early".into());
    }
    ready(()).await;
    Ok(0)
}

#[exchange_call(op = "get_order")]
pub async fn through_an_alias(fail: bool) -> Alias<()> {
    ready(()).await;
    if fail { Err(io::Error::from(io::ErrorKind::TimedOut)) } else { Ok(()) }
}

#[exchange_call(op = "get_order")]
pub async fn boxed_error(text: &str) -> Result<u64, Box<dyn std::error::Error + Send + Sync>> {
    let value: u64 = text.parse()?;
    if ready(value).await == 0 {
        return Err("zero".into());
    }
    Ok(value)
}

#[exchange_call(op = "get_order")]
pub async fn collect_inference(texts: &[&str]) -> Result<Vec<u8>, std::num::ParseIntError> {
    ready(()).await;
    texts.iter().map(|text| text.parse()).collect()
}

#[exchange_call(op = "get_order")]
pub async fn dyn_coercion(flag: bool) -> Result<Box<dyn Debug>, Box<dyn Debug>> {
    ready(()).await;
    if flag { Ok(Box::new(1_u8)) } else { Err(Box::new("no")) }
}

#[exchange_call(op = "get_order")]
pub async fn generic<T, E>(value: T, check: impl AsyncFn(&T) -> Result<(), E>) -> Result<T, E>
where
    T: Clone + Debug,
{
    check(&value).await?;
    Ok(value)
}

#[exchange_call(op = "get_order")]
pub async fn mutable_return<'a>(values: &'a mut Vec<u8>, key: &usize) -> Result<&'a mut u8, usize> {
    ready(()).await;
    values.get_mut(*key).ok_or(*key)
}

#[exchange_call(op = "get_order")]
pub async fn not_send(counter: Rc<Cell<u8>>) -> Result<u8, ()> {
    ready(()).await;
    Ok(counter.get())
}

#[exchange_call(op = "get_order")]
pub async fn impl_in_result(limit: u8) -> Result<impl Iterator<Item = u8>, Box<dyn std::error::Error>> {
    ready(()).await;
    let limit: u8 = limit.to_string().parse()?;
    Ok(0..limit)
}

#[timed_subsystem("trading")]
pub async fn impl_return(limit: u8) -> impl Iterator<Item = u8> {
    ready(()).await;
    0..limit
}

#[exchange_call(op = "get_order")]
pub async fn recursion(depth: u32) -> Result<u32, String> {
    if depth == 0 {
        return Ok(0);
    }
    let inner = Box::pin(recursion(depth - 1)).await?;
    Ok(inner + 1)
}

#[timed_subsystem("trading")]
pub async fn diverges() -> ! {
    loop {
        std::future::pending::<()>().await;
    }
}

#[timed_subsystem("trading")]
pub async fn endless_loop(counter: &Cell<u8>) {
    loop {
        counter.set(ready(1).await);
    }
}

#[exchange_call(op = "get_order")]
pub async fn endless_loop_in_result(counter: &Cell<u8>) -> Result<(), String> {
    loop {
        counter.set(ready(1).await);
    }
}

#[exchange_call(op = "place_order")]
pub async fn patterns((left, mut right): (u8, u8), _: String, [first, ..]: [u8; 2]) -> Result<u8, ()> {
    right += ready(left + first).await;
    Ok(right)
}

#[exchange_call(op = "place_order")]
pub async unsafe fn unsafe_function(pointer: *const u8) -> Result<u8, ()> {
    ready(()).await;
    Ok(unsafe { *pointer })
}

#[exchange_call(op = "place_order")]
pub async fn hides_its_waiting(value: u8) -> Result<u8, ()> {
    macro_rules! wait {
        ($future:expr) => {
            $future.await
        };
    }
    wait!(ready(()));
    Ok(value)
}

#[operational_event(type = "ORDER_FAILURE", severity = "ERROR", on = "err", symbol = symbol, profile = name)]
#[exchange_call(op = "place_order")]
#[timed_subsystem("trading")]
pub async fn stacked(symbol: String, name: &str) -> Result<String, ()> {
    ready(name).await;
    Ok(symbol)
}

#[capital_check(profile = profile)]
pub async fn capital(profile: &str) -> Capital {
    ready(profile).await;
    Capital::default()
}

#[reconciliation]
pub async fn reconciled() -> Alias<ReconciliationReport> {
    ready(()).await;
    Ok(ReconciliationReport::new())
}

#[timed_subsystem("trading")]
pub fn impl_future(text: &str) -> impl Future<Output = usize> + '_ {
    async move {
        ready(()).await;
        text.len()
    }
}

#[exchange_call(op = "get_order")]
pub fn impl_future_after_statements(text: &str) -> impl Future<Output = Alias<usize>> + Send + 'static {
    let owned = text.to_owned();
    async move {
        ready(()).await;
        Ok(owned.len())
    }
}

#[exchange_call(op = "get_order")]
pub fn impl_future_by_a_call(value: u8) -> impl Future<Output = Result<u8, ()>> + Unpin {
    ready(Ok(value))
}

#[exchange_call(op = "get_order")]
pub fn impl_try_future(value: u8) -> impl futures_core::TryFuture<Ok = u8, Error = String> {
    ready(if value == 0 { Err("zero".to_owned()) } else { Ok(value) })
}

#[exchange_call(op = "get_order")]
pub fn impl_future_that_captures<'a>(text: &'a str) -> impl Future<Output = Result<u8, ()>> + Send + use<'a> {
    ready(text.parse().map_err(|_| ()))
}

#[exchange_call(op = "get_order")]
pub fn boxed(value: u8) -> Pin<Box<dyn Future<Output = Result<u8, String>> + Send>> {
    Box::pin(async move {
        ready(()).await;
        if value == 0 {
            return Err("zero".to_owned());
        }
        Ok(value)
    })
}

#[exchange_call(op = "get_order")]
pub fn boxed_earlier(value: u8) -> Pin<Box<dyn Future<Output = Result<u8, String>> + Send>> {
    if value == 0 {
        return Box::pin(ready(Err("zero".to_owned())));
    }
    Box::pin(async move { Ok(ready(value).await) })
}

#[exchange_call(op = "get_order")]
pub fn boxed_with_a_trailing_comma(value: u8) -> Pin<Box<dyn Future<Output = Result<u8, String>> + Send>> {
    Box::pin(async move {
        ready(()).await;
        Ok(value)
    },)
}

#[exchange_call(op = "get_order")]
pub fn boxed_borrowing<'a>(text: &'a str) -> std::pin::Pin<std::boxed::Box<dyn Future<Output = Result<&'a str, ()>> + 'a>> {
    std::boxed::Box::pin(async move { Ok(ready(text).await) })
}

pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

#[exchange_call(op = "get_order")]
pub fn by_a_known_alias(text: &str) -> BoxFuture<'_, Result<&str, ()>> {
    Box::pin(async move { Ok(ready(text).await) })
}

#[exchange_call(op = "get_order")]
pub fn by_a_known_alias_through_a_call(text: &str) -> BoxFuture<'_, Result<&str, ()>> {
    by_a_known_alias(text)
}

pub struct Countdown(u8);

impl Future for Countdown {
    type Output = Result<(), io::Error>;

    #[timed_subsystem("monitor")]
    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        if self.0 == 0 {
            return Poll::Ready(Ok(()));
        }
        self.0 -= 1;
        context.waker().wake_by_ref();
        Poll::Pending
    }
}

#[exchange_call(op = "get_order")]
pub fn written_by_hand(polls: u8) -> impl Future<Output = Alias<()>> {
    Countdown(polls)
}

pub struct Bot(pub String);

impl Bot {
    #[timed_subsystem("trading")]
    pub async fn by_reference(&self) -> usize {
        ready(self.0.len()).await
    }

    #[exchange_call(op = "get_order")]
    pub async fn by_mutable_reference(&mut self, add: &str) -> Result<&mut String, ()> {
        self.0.push_str(ready(add).await);
        Ok(&mut self.0)
    }

    #[exchange_call(op = "get_order")]
    pub async fn by_value(self) -> Result<String, Self> {
        ready(()).await;
        if self.0.is_empty() { Err(self) } else { Ok(self.0) }
    }

    #[exchange_call(op = "get_order")]
    pub async fn by_mutable_value(mut self) -> Result<Self, ()> {
        self.0.push_str(ready("x").await);
        Ok(self)
    }

    #[exchange_call(op = "get_order")]
    pub async fn boxed(self: Box<Self>) -> Result<String, ()> {
        ready(()).await;
        Ok(self.0)
    }

    #[operational_event(type = "STARTED", severity = "INFO", profile = self.0)]
    pub async fn event(self) -> String {
        ready(self.0).await
    }
}

/// The endpoint of a request, which the signatures below do not bound by a lifetime.
pub trait Endpoint {
    type Input;
    type Output;

    fn encode(input: &Self::Input) -> String;
    fn decode(text: &str) -> Result<Self::Output, io::Error>;
}

impl Bot {
    #[exchange_call(op = "get_order")]
    pub fn issue<R: Endpoint>(&self, input: &R::Input) -> impl Future<Output = Result<R::Output, io::Error>> + '_ {
        let text = R::encode(input);
        async move { R::decode(ready(text + &self.0).await.as_str()) }
    }

    #[exchange_call(op = "get_order")]
    pub fn issue_boxed<'a, R: Endpoint>(&'a self, input: &R::Input) -> Pin<Box<dyn Future<Output = Result<R::Output, io::Error>> + 'a>> {
        let text = R::encode(input);
        Box::pin(async move { R::decode(ready(text + &self.0).await.as_str()) })
    }

    #[operational_event(type = "ORDER_FAILURE", severity = "ERROR", on = err, symbol = self.0)]
    #[exchange_call(op = "get_order")]
    pub fn issue_stacked<'a, R: Endpoint>(&'a self, input: &R::Input) -> Pin<Box<dyn Future<Output = Result<R::Output, io::Error>> + 'a>> {
        let text = R::encode(input);
        Box::pin(async move { R::decode(ready(text + &self.0).await.as_str()) })
    }

    #[exchange_call(op = "get_order")]
    pub fn issue_earlier<'a, R: Endpoint>(&'a self, input: &R::Input) -> impl Future<Output = Result<R::Output, io::Error>> + 'a {
        let text = R::encode(input);
        let decode = move |known: String| R::decode((text + &known).as_str());
        issued(&self.0, decode)
    }
}

/// A type whose parameter is not the functions' own, nor bounded by the lifetime of their futures.
pub struct Answers<R>(std::marker::PhantomData<R>);

impl<R: Endpoint> Answers<R> {
    #[exchange_call(op = "get_order")]
    pub fn answer(text: &str) -> impl Future<Output = Result<R::Output, io::Error>> + '_ {
        async move { R::decode(ready(text).await) }
    }

    #[exchange_call(op = "get_order")]
    pub fn answer_boxed<'a>(text: &'a str) -> Pin<Box<dyn Future<Output = Result<R::Output, io::Error>> + 'a>> {
        Box::pin(async move { R::decode(ready(text).await) })
    }

    #[timed_subsystem("trading")]
    #[exchange_call(op = "get_order")]
    pub fn answer_at_any_time() -> Pin<Box<dyn Future<Output = Result<R::Output, io::Error>>>> {
        Box::pin(async move { R::decode(ready("").await) })
    }
}

#[async_trait::async_trait]
pub trait Handler<M> {
    async fn get_order(&self, text: &str) -> Result<M, String>;
}

#[async_trait::async_trait]
impl<M: From<String> + Send> Handler<M> for Bot {
    #[exchange_call(op = "get_order")]
    async fn get_order(&self, text: &str) -> Result<M, String> {
        ready(()).await;
        Ok(M::from(text.to_owned()))
    }
}

fn issued<'a, T>(known: &'a str, decode: impl FnOnce(String) -> T + 'a) -> impl Future<Output = T> + 'a {
    async move { decode(ready(known.to_owned()).await) }
}

pub trait Native {
    async fn get_ticker(&self) -> Result<u8, String>;

    fn get_order(&self) -> impl Future<Output = Result<u8, String>> + Send;

    #[exchange_call(op = "get_candles")]
    async fn with_a_default(&self) -> Result<u8, String> {
        self.get_ticker().await
    }
}

impl Native for Bot {
    #[exchange_call(op = "get_ticker")]
    async fn get_ticker(&self) -> Result<u8, String> {
        ready(()).await;
        self.0.parse().map_err(|_| self.0.clone())
    }

    #[exchange_call(op = "get_order")]
    async fn get_order(&self) -> Result<u8, String> {
        ready(()).await;
        Ok(1)
    }
}

#[async_trait::async_trait]
pub trait Boxing {
    async fn get_ticker(&self) -> Result<u8, String>;

    #[exchange_call(op = "get_candles")]
    async fn with_a_default(&mut self) -> Result<u8, String>
    where
        Self: Send,
    {
        ready(()).await;
        Err("none".to_owned())
    }
}

#[async_trait::async_trait]
impl Boxing for Bot {
    #[exchange_call(op = "get_ticker")]
    async fn get_ticker(&self) -> Result<u8, String> {
        ready(()).await;
        self.0.parse().map_err(|_| self.0.clone())
    }
}

pub struct Above;

#[async_trait::async_trait]
#[exchange_call]
impl Boxing for Above {
    async fn get_ticker(&self) -> Result<u8, String> {
        Ok(ready(1).await)
    }
}

pub struct Below;

#[exchange_call(exchange = "kraken")]
#[async_trait::async_trait]
impl Boxing for Below {
    async fn get_ticker(&self) -> Result<u8, String> {
        Ok(ready(1).await)
    }
}

#[tokio::main(flavor = "current_thread")]
#[timed_subsystem("trading")]
pub async fn below_tokio_main() {
    ready(()).await;
}

#[timed_subsystem("trading")]
#[tokio::main(flavor = "current_thread")]
pub async fn above_tokio_main() {
    ready(()).await;
}

#[cfg(test)]
mod tests {
    #[allow(unused_imports)]
    use bot_metrics::prelude::*;

    #[test]
    #[timed_subsystem("trading")]
    fn below_test() {}

    #[timed_subsystem("trading")]
    #[tokio::test]
    async fn above_test() -> Result<(), String> {
        super::unit().await;
        Ok(())
    }
}

// Before edition 2024 the guard is dropped after the body's variables, and before the arguments.
#[exchange_call(op = "get_order")]
pub async fn argument_borrowed_to_the_end(orders: std::sync::Mutex<Vec<u8>>, _name: String) -> Option<u8> {
    ready(()).await;
    orders.lock().unwrap_or_else(std::sync::PoisonError::into_inner).pop()
}

#[allow(clippy::needless_pass_by_value)]
#[exchange_call(op = "get_order")]
pub fn argument_borrowed_by_a_boxed_future(
    orders: std::sync::Mutex<Vec<u8>>,
) -> Pin<Box<dyn Future<Output = Option<u8>>>> {
    if orders.is_poisoned() {
        return Box::pin(ready(None));
    }
    Box::pin(ready(orders.lock().unwrap_or_else(std::sync::PoisonError::into_inner).pop()))
}
