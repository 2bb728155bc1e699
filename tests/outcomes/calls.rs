//! Functions that are not async.

use std::convert::Infallible;
use std::future::Future as _;
use std::io;
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use bot_metrics::prelude::*;

use crate::labels::{self, Operation};
use crate::seen::{counts, ends, metrics, panics};

#[exchange_call(op = "returns")]
fn returns(value: Result<u8, String>) -> Result<u8, String> {
    value
}

#[test]
fn ok_and_err_are_distinguished() {
    metrics();
    assert_eq!(returns(Ok(1)), Ok(1));
    assert_eq!(returns(Ok(2)), Ok(2));
    assert_eq!(returns(Err("no".to_owned())), Err("no".to_owned()));
    assert_eq!(ends(Operation::Returns), counts([("ok", 2), ("error", 1)]));
}

#[exchange_call(op = "early_return")]
fn early_return(values: &[i32]) -> Result<i32, i32> {
    for value in values {
        if *value < 0 {
            return Err(*value);
        }
        if *value > 9 {
            return Ok(*value);
        }
    }
    Ok(0)
}

#[test]
fn early_returns_are_recorded() {
    metrics();
    assert_eq!((early_return(&[1, -1]), early_return(&[1, 10]), early_return(&[])), (Err(-1), Ok(10), Ok(0)));
    assert_eq!(ends(Operation::EarlyReturn), counts([("ok", 2), ("error", 1)]));
}

#[exchange_call(op = "question_mark")]
fn question_mark(text: &str) -> Result<u8, Box<dyn std::error::Error>> {
    let value: u8 = text.parse()?;
    Ok(value)
}

#[test]
fn the_question_mark_is_recorded() {
    metrics();
    assert!(question_mark("1").is_ok());
    assert!(question_mark("one").is_err());
    assert_eq!(ends(Operation::QuestionMark), counts([("ok", 1), ("error", 1)]));
}

#[derive(Debug)]
enum ApiError {
    Status(u16),
    Timeout,
}

impl ClassifyError for ApiError {
    fn class(&self) -> ErrorClass {
        match self {
            Self::Status(status) => ErrorClass::of_status(*status),
            Self::Timeout => ErrorClass::Timeout,
        }
    }
}

#[exchange_call(op = "classes")]
fn classes(status: u16) -> Result<(), ApiError> {
    match status {
        0 => Err(ApiError::Timeout),
        200 => Ok(()),
        status => Err(ApiError::Status(status)),
    }
}

#[test]
fn the_class_of_an_error_is_recorded() {
    metrics();
    for status in [0, 200, 400, 403, 418, 429, 500, 503] {
        let _ = classes(status);
    }
    let expected = [
        ("ok", 1),
        ("rejected", 1),
        ("auth", 1),
        ("banned", 1),
        ("rate_limited", 1),
        ("server_error", 2),
        ("timeout", 1),
    ];
    assert_eq!(ends(Operation::Classes), counts(expected));
}

#[exchange_call(op = "alias")]
fn alias(kind: io::ErrorKind) -> io::Result<()> {
    Err(kind.into())
}

#[exchange_call(op = "shared")]
fn shared() -> Result<(), Arc<ApiError>> {
    Err(Arc::new(ApiError::Status(400)))
}

#[exchange_call(op = "shared")]
async fn shared_later() -> Result<Outcome, Rc<ApiError>> {
    std::future::ready(()).await;
    Err(Rc::new(ApiError::Status(429)))
}

#[exchange_call(op = "shared")]
fn shared_by_all() -> Result<(), Arc<dyn ClassifyError + Send + Sync>> {
    Err(Arc::new(ApiError::Timeout))
}

#[exchange_call(op = "shared")]
fn shared_here() -> Result<(), Rc<dyn ClassifyError>> {
    Err(Rc::new(ApiError::Status(418)))
}

#[exchange_call(op = "shared")]
fn never_fails() -> Result<(), Infallible> {
    Ok(())
}

#[test]
fn the_class_of_a_shared_error_is_recorded() {
    metrics();
    assert!(shared().is_err() && shared_by_all().is_err() && shared_here().is_err());
    let shared_later = std::pin::pin!(shared_later());
    let mut context = Context::from_waker(Waker::noop());
    assert!(matches!(shared_later.poll(&mut context), Poll::Ready(Err(_))));
    never_fails().unwrap();
    let expected = [("rejected", 1), ("rate_limited", 1), ("timeout", 1), ("banned", 1), ("ok", 1)];
    assert_eq!(ends(Operation::Shared), counts(expected));
}

type Answer<T = ()> = std::result::Result<T, ApiError>;
type Twice = Answer<u8>;

#[exchange_call(op = "own_alias")]
fn own_alias() -> Twice {
    Err(ApiError::Status(429))
}

#[test]
fn results_are_recognised_through_aliases() {
    metrics();
    assert!(alias(io::ErrorKind::TimedOut).is_err());
    assert!(alias(io::ErrorKind::ConnectionReset).is_err());
    assert!(own_alias().is_err());
    assert_eq!(ends(Operation::Alias), counts([("timeout", 1), ("transport", 1)]));
    assert_eq!(ends(Operation::OwnAlias), counts([("rate_limited", 1)]));
}

#[exchange_call(op = "panics")]
fn panics_with_a_result(divisor: u8) -> Result<u8, ()> {
    Ok(10 / divisor)
}

#[exchange_call(op = "panics")]
fn panics_without_a_result(divisor: u8) -> u8 {
    10 / divisor
}

#[test]
fn a_panic_is_recorded() {
    metrics();
    panics(|| panics_with_a_result(0));
    panics(|| panics_without_a_result(0));
    assert_eq!((panics_with_a_result(2), panics_without_a_result(5)), (Ok(5), 2));
    assert_eq!(ends(Operation::Panics), counts([("ok", 2), ("panic", 2)]));
}

#[exchange_call(op = "unwinding")]
fn while_unwinding(fail: bool) -> Result<(), ()> {
    if fail { Err(()) } else { Ok(()) }
}

#[exchange_call(op = "unwinding")]
fn value_while_unwinding() -> u8 {
    1
}

#[exchange_call(op = "panics_while_unwinding")]
fn panics_while_unwinding() -> Result<(), ()> {
    panic!("a second one, which is caught")
}

struct CallsInDrop;

impl Drop for CallsInDrop {
    fn drop(&mut self) {
        assert!(std::thread::panicking());
        let _ = while_unwinding(false);
        let _ = while_unwinding(true);
        value_while_unwinding();
        panics(panics_while_unwinding);
    }
}

#[test]
fn a_call_during_an_unrelated_panic_has_its_own_outcome() {
    metrics();
    panics(|| {
        let _calls = CallsInDrop;
        panic!("somebody else's");
    });
    assert_eq!(ends(Operation::Unwinding), counts([("ok", 2), ("error", 1)]));
    assert_eq!(ends(Operation::PanicsWhileUnwinding), counts([("panic", 1)]));
}

#[exchange_call(op = "impl_trait")]
fn impl_in_result(limit: u8) -> Result<impl Iterator<Item = u8>, io::Error> {
    if limit == 0 {
        return Err(io::ErrorKind::TimedOut.into());
    }
    Ok(0..limit)
}

#[test]
fn results_of_impl_trait_are_recognised() {
    metrics();
    assert_eq!(impl_in_result(2).unwrap().count(), 2);
    assert!(impl_in_result(0).is_err());
    assert_eq!(ends(Operation::ImplTrait), counts([("ok", 1), ("timeout", 1)]));
}

#[exchange_call(op = "skips")]
fn outcome(outcome: Outcome) -> Outcome {
    outcome
}

#[test]
fn a_returned_outcome_is_recorded() {
    metrics();
    for returned in [Outcome::Ok, Outcome::Banned, Outcome::Skipped] {
        assert_eq!(outcome(returned), returned);
    }
    assert_eq!(ends(Operation::Skips), counts([("ok", 1), ("banned", 1)]));
}

fn present<T>(value: &Option<T>) -> ErrorClass {
    if value.is_some() { ErrorClass::Other } else { ErrorClass::Decode }
}

#[exchange_call(op = "classified", classify = present)]
fn classified(value: u8) -> Option<u8> {
    value.checked_sub(1)
}

#[test]
fn a_function_can_classify() {
    metrics();
    assert_eq!((classified(0), classified(1)), (None, Some(0)));
    assert_eq!(ends(Operation::Classified), counts([("decode", 1), ("error", 1)]));
}

#[exchange_call(op = "value")]
fn option(value: u8) -> Option<u8> {
    value.checked_sub(1)
}

#[exchange_call(op = "value")]
fn owned() -> String {
    String::new()
}

#[test]
fn other_values_are_ok() {
    metrics();
    assert_eq!((option(0), owned()), (None, String::new()));
    assert_eq!(ends(Operation::Value), counts([("ok", 2)]));
}

#[exchange_call(op = "generic")]
fn generic<T, E: std::fmt::Debug>(value: Result<T, E>) -> Result<T, E> {
    value
}

#[test]
fn generic_results_are_recognised() {
    metrics();
    assert!(generic::<u8, ApiError>(Err(ApiError::Timeout)).is_err());
    assert!(generic::<u8, ApiError>(Ok(1)).is_ok());
    // The class is not recognised: in a generic function the error's type may have none.
    assert_eq!(ends(Operation::Generic), counts([("error", 1), ("ok", 1)]));
}

struct Venue(Vec<u8>);

#[exchange_call(exchange = "kraken")]
impl Venue {
    fn methods(&mut self, value: u8) -> Result<&mut u8, ApiError> {
        self.0.push(value);
        self.0.last_mut().filter(|value| **value > 0).ok_or(ApiError::Timeout)
    }

    #[exchange_call(skip)]
    fn untimed(&self) -> usize {
        self.0.len()
    }
}

#[test]
fn the_methods_of_a_block_are_measured_by_their_names() {
    metrics();
    let mut venue = Venue(Vec::new());
    *venue.methods(1).unwrap() = 3;
    assert!(venue.methods(0).is_err());
    assert_eq!((venue.untimed(), venue.0), (2, vec![3, 0]));
    assert_eq!(ends(Operation::Methods), counts([("ok", 1), ("timeout", 1)]));
    assert_eq!(ends(Operation::Untimed), counts([]));
}
