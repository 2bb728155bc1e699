//! Functions whose work is done by a future.

use std::future::{Future, pending, poll_fn, ready};
use std::io;
use std::pin::{Pin, pin};
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use bot_metrics::prelude::*;

use crate::labels::{self, Operation};
use crate::seen::{counts, ends, metrics, panics, samples};

fn poll<F: Future + ?Sized>(future: Pin<&mut F>) -> Poll<F::Output> {
    future.poll(&mut Context::from_waker(Waker::noop()))
}

fn run<F: Future>(future: F) -> F::Output {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    runtime.block_on(future)
}

/// Pending once, then ready.
fn one_turn() -> impl Future<Output = ()> {
    let mut waited = false;
    poll_fn(move |context| {
        if std::mem::replace(&mut waited, true) {
            return Poll::Ready(());
        }
        context.waker().wake_by_ref();
        Poll::Pending
    })
}

#[exchange_call(op = "later")]
async fn later(value: Result<u8, io::ErrorKind>) -> Result<u8, io::Error> {
    one_turn().await;
    let value = value?;
    one_turn().await;
    Ok(value)
}

#[test]
fn the_final_value_is_recorded() {
    metrics();
    assert_eq!(run(later(Ok(1))).unwrap(), 1);
    assert!(run(later(Err(io::ErrorKind::TimedOut))).is_err());
    assert_eq!(ends(Operation::Later), counts([("ok", 1), ("timeout", 1)]));
}

#[exchange_call(op = "waits")]
async fn without_waiting(value: u8) -> Result<u8, ()> {
    if value == 0 { Err(()) } else { Ok(value) }
}

#[test]
fn a_body_that_does_not_wait_is_recorded() {
    metrics();
    assert_eq!((run(without_waiting(0)), run(without_waiting(1))), (Err(()), Ok(1)));
    drop(without_waiting(1));
    assert_eq!(ends(Operation::Waits), counts([("ok", 1), ("error", 1)]));
}

#[exchange_call(op = "cancelled")]
async fn never_ready() -> Result<(), ()> {
    pending().await
}

#[exchange_call(op = "cancelled_while_unwinding")]
async fn never_ready_either() -> Result<(), ()> {
    pending().await
}

#[test]
fn a_future_dropped_between_polls_is_cancelled_even_during_a_panic() {
    metrics();
    let mut future = Box::pin(never_ready());
    assert!(poll(future.as_mut()).is_pending());
    assert!(poll(future.as_mut()).is_pending());
    let in_flight = || samples().sum("bytelyst_bot_exchange_api_in_flight", &[("operation", "cancelled")]);
    assert_eq!(in_flight(), 1.0);
    drop(future);
    assert_eq!(ends(Operation::Cancelled), counts([("cancelled", 1)]));
    panics(|| {
        let mut future = Box::pin(never_ready_either());
        assert!(poll(future.as_mut()).is_pending());
        panic!("somebody else's");
    });
    assert_eq!(ends(Operation::CancelledWhileUnwinding), counts([("cancelled", 1)]));
}

#[exchange_call(op = "never_polled")]
async fn never_polled() -> Result<(), ()> {
    one_turn().await;
    Ok(())
}

#[test]
fn a_future_never_polled_is_not_recorded() {
    metrics();
    drop(never_polled());
    assert_eq!(ends(Operation::NeverPolled), counts([]));
}

#[exchange_call(op = "panics_in_poll")]
async fn panics_in_poll() -> Result<(), ()> {
    ready(()).await;
    panic!("at once")
}

#[exchange_call(op = "panics_later")]
async fn panics_later() -> u8 {
    one_turn().await;
    panic!("later")
}

#[test]
fn a_panic_of_a_poll_is_recorded() {
    metrics();
    panics(|| run(panics_in_poll()));
    panics(|| run(panics_later()));
    assert_eq!(ends(Operation::PanicsInPoll), counts([("panic", 1)]));
    assert_eq!(ends(Operation::PanicsLater), counts([("panic", 1)]));
}

#[exchange_call(op = "spawned")]
async fn spawned(fail: bool) -> Result<u8, io::Error> {
    tokio::task::yield_now().await;
    if fail { Err(io::ErrorKind::ConnectionRefused.into()) } else { Ok(1) }
}

#[exchange_call(op = "spawned")]
async fn spawned_and_panics() -> Result<u8, io::Error> {
    tokio::task::yield_now().await;
    panic!("in a task")
}

#[exchange_call(op = "spawned")]
async fn spawned_and_aborted() -> Result<u8, io::Error> {
    pending().await
}

#[test]
fn spawned_futures_are_recorded() {
    metrics();
    run(async {
        assert!(tokio::spawn(spawned(false)).await.unwrap().is_ok());
        assert!(tokio::spawn(spawned(true)).await.unwrap().is_err());
        assert!(tokio::spawn(spawned_and_panics()).await.unwrap_err().is_panic());
        let aborted = tokio::spawn(spawned_and_aborted());
        tokio::task::yield_now().await;
        aborted.abort();
        assert!(aborted.await.unwrap_err().is_cancelled());
    });
    let expected = [("ok", 1), ("transport", 1), ("panic", 1), ("cancelled", 1)];
    assert_eq!(ends(Operation::Spawned), counts(expected));
}

#[exchange_call(op = "timed_out")]
async fn slow() -> Result<(), ()> {
    tokio::time::sleep(Duration::from_mins(1)).await;
    Ok(())
}

#[test]
fn a_future_dropped_by_another_timeout_is_cancelled() {
    metrics();
    let timed_out = run(async { tokio::time::timeout(Duration::from_millis(5), slow()).await });
    assert!(timed_out.is_err());
    assert_eq!(ends(Operation::TimedOut), counts([("cancelled", 1)]));
}

type Boxed<T> = Pin<Box<dyn Future<Output = Result<T, io::Error>> + Send>>;

#[exchange_call(op = "boxed")]
fn boxed(fail: bool) -> Pin<Box<dyn Future<Output = Result<u8, io::Error>> + Send>> {
    Box::pin(async move {
        tokio::time::sleep(Duration::from_millis(60)).await;
        if fail { Err(io::ErrorKind::TimedOut.into()) } else { Ok(1) }
    })
}

#[exchange_call(op = "boxed_earlier")]
fn boxed_earlier(known: bool) -> Pin<Box<dyn Future<Output = Result<u8, io::Error>> + Send>> {
    if known {
        return Box::pin(ready(Err(io::ErrorKind::TimedOut.into())));
    }
    Box::pin(async move {
        tokio::time::sleep(Duration::from_millis(60)).await;
        Ok(1)
    })
}

macro_rules! bail_boxed {
    ($kind:ident) => {
        return Box::pin(ready(Err(io::ErrorKind::$kind.into())))
    };
}

#[exchange_call(op = "boxed_earlier")]
fn boxed_earlier_by_a_macro() -> Pin<Box<dyn Future<Output = Result<u8, io::Error>> + Send>> {
    if true {
        bail_boxed!(TimedOut);
    }
    Box::pin(async move { Ok(1) })
}

/// A macro with a logger's name that returns from the calling function.
mod own_macros {
    macro_rules! error {
        ($kind:ident) => {
            return Box::pin(std::future::ready(Err(std::io::ErrorKind::$kind.into())))
        };
    }
    pub(super) use error;
}

macro_rules! earlier_by {
    ($name:ident, $earlier:path) => {
        #[exchange_call(op = "boxed_earlier_by_a_path")]
        fn $name() -> Pin<Box<dyn Future<Output = Result<u8, io::Error>> + Send>> {
            if true {
                $earlier!(TimedOut);
            }
            Box::pin(async move { Ok(1) })
        }
    };
}

earlier_by!(boxed_earlier_by_a_path, own_macros::error);

#[exchange_call(op = "boxed_earlier_by_a_macro")]
fn boxed_earlier_by_a_macro_of_a_loggers_name(
    known: bool,
) -> Pin<Box<dyn Future<Output = Result<u8, io::Error>> + Send>> {
    use own_macros::error;
    if known {
        error!(TimedOut);
    }
    Box::pin(async move { Ok(1) })
}

#[test]
fn a_macro_may_return_earlier_whatever_its_name() {
    metrics();
    for known in [true, true, false] {
        assert_eq!(run(boxed_earlier_by_a_macro_of_a_loggers_name(known)).is_err(), known);
    }
    assert!(run(boxed_earlier_by_a_path()).is_err());
    assert_eq!(ends(Operation::BoxedEarlierByAMacro), counts([("ok", 1), ("timeout", 2)]));
    assert_eq!(ends(Operation::BoxedEarlierByAPath), counts([("timeout", 1)]));
}

#[exchange_call(op = "boxed_by_a_call")]
fn boxed_by_a_call() -> Pin<Box<dyn Future<Output = Result<u8, io::Error>> + Send>> {
    let inner: Boxed<u8> = boxed(false);
    inner
}

#[exchange_call(op = "by_hand")]
fn by_hand() -> impl Future<Output = io::Result<()>> {
    let mut polls = 0;
    poll_fn(move |context| {
        polls += 1;
        std::thread::sleep(Duration::from_millis(30));
        context.waker().wake_by_ref();
        if polls < 2 { Poll::Pending } else { Poll::Ready(Err(io::ErrorKind::TimedOut.into())) }
    })
}

fn seconds(operation: &str) -> f64 {
    samples().sum("bytelyst_bot_exchange_api_latency_seconds_sum", &[("operation", operation)])
}

#[test]
fn boxed_futures_and_those_written_by_hand_are_timed_while_they_run() {
    metrics();
    assert!(run(boxed(false)).is_ok());
    assert!(run(boxed(true)).is_err());
    drop(boxed(false));
    assert!(run(boxed_earlier(true)).is_err());
    assert!(run(boxed_earlier_by_a_macro()).is_err());
    assert!(run(boxed_earlier(false)).is_ok());
    assert!(run(boxed_by_a_call()).is_ok());
    assert!(run(by_hand()).is_err());
    assert_eq!(ends(Operation::Boxed), counts([("ok", 2), ("timeout", 1)]));
    assert_eq!(ends(Operation::BoxedEarlier), counts([("ok", 1), ("timeout", 2)]));
    assert_eq!(ends(Operation::BoxedByACall), counts([("ok", 1)]));
    assert_eq!(ends(Operation::ByHand), counts([("timeout", 1)]));
    for (operation, expected) in
        [("boxed", 0.18), ("boxed_earlier", 0.06), ("boxed_by_a_call", 0.06), ("by_hand", 0.06)]
    {
        let measured = seconds(operation);
        assert!((expected..expected + 0.1).contains(&measured), "{operation}: {measured} s");
    }
}

#[async_trait::async_trait]
trait Api {
    async fn get_ticker(&self, symbol: &str) -> Result<u8, io::Error>;
}

struct Measured;

#[async_trait::async_trait]
impl Api for Measured {
    #[exchange_call(op = "traited")]
    async fn get_ticker(&self, symbol: &str) -> Result<u8, io::Error> {
        tokio::time::sleep(Duration::from_millis(60)).await;
        symbol.parse().map_err(|_| io::ErrorKind::InvalidData.into())
    }
}

struct Above;

#[async_trait::async_trait]
trait Named {
    async fn traited_above(&self, symbol: &str) -> Result<u8, io::Error>;
}

#[exchange_call]
#[async_trait::async_trait]
impl Named for Above {
    async fn traited_above(&self, symbol: &str) -> Result<u8, io::Error> {
        tokio::time::sleep(Duration::from_millis(60)).await;
        symbol.parse().map_err(|_| io::ErrorKind::InvalidData.into())
    }
}

#[test]
fn async_trait_is_timed_while_it_runs() {
    metrics();
    let began = Instant::now();
    let api: &dyn Api = &Measured;
    assert!(run(api.get_ticker("1")).is_ok());
    assert!(run(api.get_ticker("one")).is_err());
    drop(api.get_ticker("1"));
    let named: &dyn Named = &Above;
    assert!(run(named.traited_above("1")).is_ok());
    assert_eq!(ends(Operation::Traited), counts([("ok", 1), ("decode", 1)]));
    assert_eq!(ends(Operation::TraitedAbove), counts([("ok", 1)]));
    let (traited, above) = (seconds("traited"), seconds("traited_above"));
    assert!(traited >= 0.12 && above >= 0.06, "{traited} s, {above} s");
    assert!(traited + above <= began.elapsed().as_secs_f64(), "{traited} s, {above} s");
}

#[exchange_call(op = "concurrent")]
async fn concurrent(index: u8) -> Result<u8, u8> {
    for _ in 0..index {
        tokio::task::yield_now().await;
    }
    if index.is_multiple_of(2) { Ok(index) } else { Err(index) }
}

#[test]
fn overlapping_calls_end_separately() {
    metrics();
    run(async {
        let tasks: Vec<_> = (0..10).map(|index| tokio::spawn(concurrent(index))).collect();
        for task in tasks {
            let _ = task.await.unwrap();
        }
    });
    assert_eq!(ends(Operation::Concurrent), counts([("ok", 5), ("error", 5)]));
}

#[exchange_call(op = "stacked")]
#[exchange_call(op = "stacked", exchange = "okx")]
async fn stacked(fail: bool) -> Result<(), io::Error> {
    one_turn().await;
    if fail { Err(io::ErrorKind::TimedOut.into()) } else { Ok(()) }
}

#[test]
fn stacked_attributes_record_the_same_end() {
    metrics();
    assert!(run(stacked(false)).is_ok());
    assert!(run(stacked(true)).is_err());
    let mut future = pin!(stacked(true));
    assert!(poll(future.as_mut()).is_pending());
    let seen = samples().sum("bytelyst_bot_exchange_api_in_flight", &[("operation", "stacked")]);
    assert_eq!(seen, 2.0);
    future.set(stacked(true));
    assert_eq!(ends(Operation::Stacked), counts([("ok", 2), ("timeout", 2), ("cancelled", 2)]));
}
