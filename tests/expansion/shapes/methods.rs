//! Methods, of types and of traits.

use bot_metrics::prelude::*;
use std::fmt::Debug;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;

#[derive(Clone, Debug, Default)]
pub struct Bot<T = u8> {
    pub name: String,
    pub values: Vec<T>,
}

impl<T: Clone + Debug> Bot<T> {
    pub const LIMIT: usize = 3;

    #[timed_subsystem("trading")]
    pub fn by_reference(&self) -> usize {
        self.values.len()
    }

    #[exchange_call(op = "get_order")]
    pub fn by_mutable_reference(&mut self, value: T) -> Result<&mut T, String> {
        self.values.push(value);
        self.values.last_mut().ok_or_else(|| self.name.clone())
    }

    #[exchange_call(op = "get_order")]
    pub fn elided<'a>(&'a self, _other: &str) -> Result<&'a str, ()> {
        Ok(&self.name)
    }

    #[exchange_call(op = "get_order")]
    pub fn by_value(self) -> Result<Vec<T>, String> {
        if self.values.len() > Self::LIMIT { Err(self.name) } else { Ok(self.values) }
    }

    #[exchange_call(op = "get_order")]
    pub fn by_mutable_value(mut self, value: T) -> Result<Self, String> {
        self.values.push(value);
        Ok(self)
    }

    #[exchange_call(op = "get_order")]
    pub fn boxed(self: Box<Self>) -> Result<String, ()> {
        Ok(self.name)
    }

    #[exchange_call(op = "get_order")]
    pub fn shared(self: Arc<Self>) -> Result<usize, ()> {
        Ok(self.values.len())
    }

    #[exchange_call(op = "get_order")]
    pub fn counted(self: &Rc<Self>) -> Result<Rc<Self>, ()> {
        Ok(Rc::clone(self))
    }

    #[exchange_call(op = "get_order")]
    pub fn pinned(self: Pin<&mut Self>) -> Result<usize, ()> {
        Ok(self.values.len())
    }

    #[exchange_call(op = "get_order")]
    pub fn self_in_signature(&self, other: Option<Self>) -> Result<Self, Self>
    where
        Self: Sized,
    {
        other.ok_or_else(|| Self { name: String::new(), values: self.values.clone() })
    }

    #[timed_subsystem("trading")]
    pub fn in_parts(self) -> (String, Vec<T>) {
        let Self { name, values } = self;
        (name, values)
    }

    #[exchange_call(op = "get_order")]
    pub fn one_part(self) -> Result<String, ()> {
        Ok(self.name)
    }

    #[operational_event(type = "STARTED", severity = "INFO", profile = self.name, symbol = "BTCUSDT")]
    pub fn event(self) -> Result<Vec<T>, ()> {
        Ok(self.values)
    }

    #[capital_check(profile = self.name)]
    pub fn capital(&self) -> Result<Capital, String> {
        Ok(Capital { allocated: 1.0, ..Capital::default() })
    }

    #[reconciliation]
    pub fn reconcile(&mut self) -> Result<ReconciliationReport, String> {
        self.name.clear();
        Ok(ReconciliationReport::new())
    }
}

pub trait Venue {
    const NAME: &'static str;

    fn place_order(&self, symbol: &str) -> Result<u64, String>;

    #[exchange_call(op = "get_ticker")]
    fn with_a_default(&self) -> Result<String, String> {
        Ok(Self::NAME.to_owned())
    }

    #[timed_subsystem("monitor")]
    fn unit_default(&mut self) {
        let _ = self.place_order("");
    }

    #[exchange_call(op = "get_ticker")]
    fn only_sized(self) -> Result<Self, u64>
    where
        Self: Sized,
    {
        Ok(self)
    }
}

impl Venue for Bot {
    const NAME: &'static str = "bot";

    #[exchange_call(op = "place_order")]
    fn place_order(&self, symbol: &str) -> Result<u64, String> {
        symbol.parse().map_err(|_| self.name.clone())
    }
}

pub struct Whole;

#[exchange_call]
impl Whole {
    pub const DEPTH: u8 = 3;

    pub fn get_ticker(&self) -> Result<u8, String> {
        Ok(Self::DEPTH)
    }

    /// A method that is not part of the trait.
    pub async fn place_order(&self, symbol: &str) -> Result<u8, String> {
        Self::wait().await;
        symbol.parse().map_err(|_| symbol.to_owned())
    }

    #[exchange_call(skip)]
    #[must_use]
    pub fn with_nothing_to_measure(self) -> Self {
        self
    }

    #[exchange_call(op = "get_candles", exchange = "okx")]
    pub fn with_its_own(&self) -> Result<(), ()> {
        Ok(())
    }

    #[must_use]
    pub const fn constant() -> u8 {
        1
    }

    #[exchange_call(skip)]
    async fn wait() {
        std::future::ready(()).await;
    }
}

pub struct OfATrait;

#[exchange_call(exchange = "binance")]
impl Api for OfATrait {
    type Ticker = u8;

    fn get_ticker(&self) -> Result<Self::Ticker, String> {
        Ok(1)
    }

    fn cancel_order(&mut self, (id, _): (u64, u8)) -> Result<u64, String> {
        Ok(id)
    }
}

pub trait Api {
    type Ticker;

    fn get_ticker(&self) -> Result<Self::Ticker, String>;

    fn cancel_order(&mut self, id: (u64, u8)) -> Result<u64, String>;
}

pub struct Handle(pub u8);

impl Drop for Handle {
    #[timed_subsystem("monitor")]
    fn drop(&mut self) {
        self.0 = 0;
    }
}
