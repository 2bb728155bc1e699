//! Annotated functions compared with plain ones: the same value, drops, panics, callers, sizes and auto traits.

use std::cell::RefCell;
use std::future::{Future, Ready, ready};
use std::panic::{AssertUnwindSafe, Location, catch_unwind};
use std::task::{Context, Poll, Waker};

use bot_metrics::prelude::*;

thread_local! {
    static DROPPED: RefCell<Vec<&'static str>> = const { RefCell::new(Vec::new()) };
}

/// Records its name when it is dropped.
#[derive(Debug, PartialEq)]
struct Loud(&'static str);

impl Drop for Loud {
    fn drop(&mut self) {
        DROPPED.with_borrow_mut(|dropped| dropped.push(self.0));
    }
}

struct Pair {
    #[allow(dead_code, reason = "it is dropped")]
    left: Loud,
    right: Loud,
}

fn pair(left: &'static str, right: &'static str) -> Pair {
    Pair { left: Loud(left), right: Loud(right) }
}

/// Defines each function twice, plain and annotated.
macro_rules! twins {
    ($($(#[$attr:meta])* { $($function:tt)* })*) => {
        mod plain {
            use super::*;
            $($($function)*)*
        }
        mod measured {
            use super::*;
            $($(#[$attr])* $($function)*)*
        }
    };
}

/// The result of a call and the values it dropped, in order.
#[derive(Debug, PartialEq)]
struct Ended {
    value: Result<String, String>,
    dropped: Vec<&'static str>,
}

fn end<R: std::fmt::Debug>(call: impl FnOnce() -> R) -> Ended {
    DROPPED.with_borrow_mut(Vec::clear);
    let value = catch_unwind(AssertUnwindSafe(|| format!("{:?}", call()))).map_err(|payload| {
        payload
            .downcast_ref::<String>()
            .cloned()
            .unwrap_or_else(|| (*payload.downcast::<&str>().unwrap()).to_owned())
    });
    Ended { value, dropped: DROPPED.with_borrow(Vec::clone) }
}

fn run<F: Future>(future: F) -> F::Output {
    let mut future = Box::pin(future);
    loop {
        if let Poll::Ready(value) = future.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
            return value;
        }
    }
}

#[allow(
    clippy::manual_async_fn,
    clippy::needless_pass_by_value,
    clippy::unnecessary_wraps,
    clippy::unused_async
)]
#[allow(clippy::used_underscore_binding, unused_variables)]
mod functions {
    use super::*;

    twins! {
        #[exchange_call(op = "get_order")] {
            pub(super) fn unused(a: Loud, b: Loud, c: Loud) -> Result<u8, String> { Ok(1) }
        }
        #[exchange_call(op = "get_order")] {
            pub(super) fn used_backwards(a: Loud, b: Loud, c: Loud) -> Result<u8, String> {
                let local = Loud("local");
                let _ = (&c, &a);
                let last = Loud("last");
                Ok(2)
            }
        }
        #[exchange_call(op = "get_order")] {
            pub(super) fn one_moved(a: Loud, b: Loud, c: Loud) -> Result<Loud, String> {
                drop(a);
                Ok(b)
            }
        }
        #[exchange_call(op = "get_order")] {
            pub(super) fn ignored(_: Loud, _b: Loud, c: Loud, _: Loud) -> Result<u8, String> {
                let _local = Loud("local");
                Ok(3)
            }
        }
        #[exchange_call(op = "get_order")] {
            pub(super) fn patterns((a, _): (Loud, Loud), Pair { right, .. }: Pair, (_, d): (Loud, Loud)) -> Result<u8, String> {
                let _local = Loud("local");
                Ok(4)
            }
        }
        #[exchange_call(op = "get_order")] {
            pub(super) fn early(a: Loud, b: Loud) -> Result<u8, String> {
                let _first = Loud("first");
                if b.0 == "b" { return Err("early".into()); }
                let _second = Loud("second");
                Ok(5)
            }
        }
        #[exchange_call(op = "get_order")] {
            pub(super) fn panics(a: Loud, mut b: Loud) -> Result<u8, String> {
                let _local = Loud("local");
                b.0 = "changed";
                panic!("with {} and {}", a.0, b.0)
            }
        }
        #[timed_subsystem("trading")] {
            pub(super) fn panics_in_unit(a: Loud, b: Loud) {
                let _local = Loud("local");
                std::panic::panic_any("text")
            }
        }
        #[timed_subsystem("trading")] {
            pub(super) fn value(a: Loud, _: Loud, c: Loud) -> usize {
                let local = Loud("local");
                local.0.len() + c.0.len()
            }
        }
        #[exchange_call(op = "get_order")] {
            pub(super) fn temporary_at_the_end(a: Loud) -> Result<usize, String> {
                let _local = Loud("local");
                Ok(Loud("temporary").0.len())
            }
        }
        #[exchange_call(op = "get_order")]
        #[operational_event(type = "STARTED", severity = "INFO", on = err)]
        #[timed_subsystem("trading")] {
            pub(super) fn stacked(a: Loud, _: Loud, c: Loud) -> Result<u8, String> {
                let _local = Loud("local");
                Err("stacked".into())
            }
        }
        #[operational_event(type = "STARTED", severity = "INFO", symbol = a.0)] {
            pub(super) fn named(a: Loud, b: Loud) -> Result<Loud, String> {
                let _local = Loud("local");
                Ok(b)
            }
        }
        #[operational_event(type = "STARTED", severity = "INFO", symbol = b.0)] {
            pub(super) fn last_named(a: Loud, b: Loud) -> Result<u8, String> { Ok(1) }
        }
        #[operational_event(type = "STARTED", severity = "INFO", symbol = c)] {
            pub(super) fn named_before_others(c: &str, _b: Loud, (e, f): (Loud, Loud)) -> Result<u8, String> {
                let _local = Loud("local");
                Ok(1)
            }
        }
        #[operational_event(type = "STARTED", severity = "INFO", symbol = c.0)] {
            pub(super) fn named_before_others_and_dropped(c: Loud, _b: Loud, (e, f): (Loud, Loud)) -> Result<u8, String> {
                let _local = Loud("local");
                Ok(1)
            }
        }
        #[operational_event(type = "STARTED", severity = "INFO", symbol = _a.0)] {
            pub(super) fn underscored_and_named(_a: Loud, b: Loud) -> Result<u8, String> { Ok(1) }
        }
        #[operational_event(type = "STARTED", severity = "INFO", symbol = b.0)] {
            pub(super) fn part_named((a, mut b): (Loud, Loud), mut c: Loud) -> Result<u8, String> {
                let _local = Loud("local");
                (b.0, c.0) = ("changed b", "changed c");
                Ok(1)
            }
        }
        #[operational_event(type = "STARTED", severity = "INFO", symbol = a.0)] {
            pub(super) async fn part_named_later((a, b): (Loud, Loud), c: Loud) -> Result<u8, String> {
                let _local = Loud("local");
                ready(()).await;
                Ok(1)
            }
        }
        #[exchange_call(op = "get_order")] {
            pub(super) async fn waits(a: Loud, _: Loud, (c, _): (Loud, Loud), d: Loud) -> Result<Loud, String> {
                let _local = Loud("local");
                ready(&c).await;
                Ok(a)
            }
        }
        #[timed_subsystem("trading")] {
            pub(super) async fn waits_for_nothing(a: Loud, _: Loud, c: Loud) -> usize {
                let _local = Loud("local");
                a.0.len()
            }
        }
        #[exchange_call(op = "get_order")] {
            pub(super) async fn panics_later(a: Loud, b: Loud) -> Result<u8, String> {
                let _local = Loud("local");
                ready(()).await;
                panic!("later")
            }
        }
        #[exchange_call(op = "get_order")] {
            pub(super) fn future(a: Loud, b: Loud) -> impl Future<Output = Result<Loud, String>> {
                let _local = Loud("local");
                drop(b);
                async move {
                    ready(()).await;
                    Ok(a)
                }
            }
        }
        #[exchange_call(op = "get_order")] {
            pub(super) fn future_by_a_call(a: Loud, b: Loud) -> impl Future<Output = Result<u8, String>> {
                let _local = Loud("local");
                ready(Ok(6))
            }
        }
        #[timed_subsystem("trading")] {
            #[track_caller]
            pub(super) fn caller() -> u32 { Location::caller().line() }
        }
        #[timed_subsystem("trading")] {
            #[track_caller]
            pub(super) fn caller_of_a_panic(value: Option<u8>) { value.expect("none"); }
        }
    }

    fn at_once<R>(value: R) -> R {
        value
    }

    #[test]
    fn values_drops_and_panics_are_the_same() {
        let loud = Loud;
        macro_rules! same {
            ($call:expr; $name:ident($($argument:expr),*)) => {{
                let plain = end(|| $call(plain::$name($($argument),*)));
                assert_eq!(end(|| $call(measured::$name($($argument),*))), plain, stringify!($name));
                plain
            }};
        }
        let plain = same!(at_once; unused(loud("a"), loud("b"), loud("c")));
        assert_eq!(plain.dropped, ["c", "b", "a"], "the test sees drops");
        let plain = same!(at_once; panics(loud("a"), loud("b")));
        assert_eq!(plain.value, Err("with a and changed".to_owned()), "the test sees panics");
        same!(at_once; used_backwards(loud("a"), loud("b"), loud("c")));
        same!(at_once; one_moved(loud("a"), loud("b"), loud("c")));
        same!(at_once; ignored(loud("a"), loud("b"), loud("c"), loud("d")));
        same!(at_once; patterns((loud("a"), loud("b")), pair("c", "d"), (loud("e"), loud("f"))));
        same!(at_once; early(loud("a"), loud("b")));
        same!(at_once; panics_in_unit(loud("a"), loud("b")));
        same!(at_once; value(loud("a"), loud("b"), loud("c")));
        same!(at_once; temporary_at_the_end(loud("a")));
        same!(at_once; stacked(loud("a"), loud("b"), loud("c")));
        same!(at_once; named(loud("a"), loud("b")));
        same!(at_once; last_named(loud("a"), loud("b")));
        same!(at_once; named_before_others("c", loud("b"), (loud("e"), loud("f"))));
        same!(at_once; named_before_others_and_dropped(loud("c"), loud("b"), (loud("e"), loud("f"))));
        same!(at_once; underscored_and_named(loud("a"), loud("b")));
        same!(at_once; part_named((loud("a"), loud("b")), loud("c")));
        same!(run; part_named_later((loud("a"), loud("b")), loud("c")));
        same!(drop; part_named_later((loud("a"), loud("b")), loud("c")));
        same!(run; waits(loud("a"), loud("b"), (loud("c"), loud("d")), loud("e")));
        same!(run; waits_for_nothing(loud("a"), loud("b"), loud("c")));
        same!(run; panics_later(loud("a"), loud("b")));
        same!(run; future(loud("a"), loud("b")));
        same!(run; future_by_a_call(loud("a"), loud("b")));
        same!(drop; waits(loud("a"), loud("b"), (loud("c"), loud("d")), loud("e")));
        same!(drop; future(loud("a"), loud("b")));
    }

    #[test]
    fn the_caller_is_the_callers_line() {
        assert_eq!([measured::caller(), plain::caller()], [line!(); 2]);
        let panic_line = std::sync::Arc::new(std::sync::atomic::AtomicU32::new(0));
        let seen = std::sync::Arc::clone(&panic_line);
        let here = std::thread::current().id();
        let hook = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |info| {
            if std::thread::current().id() == here {
                seen.store(info.location().map_or(0, Location::line), std::sync::atomic::Ordering::Relaxed);
            }
        }));
        let panicked = |call: fn(Option<u8>)| {
            let ended = end(|| call(None));
            (ended.value, panic_line.load(std::sync::atomic::Ordering::Relaxed))
        };
        let called = line!() + 1;
        let measured = panicked(|value| measured::caller_of_a_panic(value));
        let plain = panicked(|value| plain::caller_of_a_panic(value));
        std::panic::set_hook(hook);
        assert_eq!(
            (measured, plain),
            ((Err("none".to_owned()), called), (Err("none".to_owned()), called + 1))
        );
    }

    mod sizes {
        use super::*;

        twins! {
            #[exchange_call(op = "get_order")] {
                pub(super) async fn waits(order: [u8; 64], text: String) -> Result<usize, String> {
                    ready(()).await;
                    Ok(order.len() + text.len())
                }
            }
            #[timed_subsystem("trading")] {
                pub(super) async fn subsystem(order: [u8; 64], text: String) -> Result<usize, String> {
                    ready(()).await;
                    Ok(order.len() + text.len())
                }
            }
            #[operational_event(type = "STARTED", severity = "INFO", symbol = text)] {
                pub(super) async fn with_a_text(order: [u8; 64], text: String) -> Result<usize, String> {
                    ready(()).await;
                    Ok(order.len() + text.len())
                }
            }
            #[operational_event(type = "STARTED", severity = "INFO", symbol = text, profile = "maker")] {
                pub(super) async fn with_two_texts(order: [u8; 64], text: String) -> Result<usize, String> {
                    ready(()).await;
                    Ok(order.len() + text.len())
                }
            }
            #[capital_check(profile = text)] {
                pub(super) async fn capital(order: [u8; 64], text: String) -> Capital {
                    ready(()).await;
                    Capital { allocated: f64::from(order[0]), ..Capital::default() }
                }
            }
            #[reconciliation] {
                pub(super) async fn report(order: [u8; 64], text: String) -> ReconciliationReport {
                    ready(()).await;
                    ReconciliationReport::new()
                }
            }
            #[operational_event(type = "STARTED", severity = "INFO")]
            #[exchange_call(op = "get_order")]
            #[timed_subsystem("trading")] {
                pub(super) async fn never_waits(order: [u8; 64], text: String) -> Result<usize, String> {
                    Ok(order.len() + text.len())
                }
            }
            #[operational_event(type = "STARTED", severity = "INFO")]
            #[exchange_call(op = "get_order")]
            #[timed_subsystem("trading")] {
                pub(super) async fn stacked(order: [u8; 64], text: String) -> Result<usize, String> {
                    ready(()).await;
                    Ok(order.len() + text.len())
                }
            }
            #[operational_event(type = "STARTED", severity = "INFO")]
            #[exchange_call(op = "get_order")]
            #[timed_subsystem("trading")] {
                pub(super) fn returned_stacked(order: [u8; 64], text: String) -> impl Future<Output = Result<usize, String>> {
                    async move {
                        ready(()).await;
                        Ok(order.len() + text.len())
                    }
                }
            }
            #[exchange_call(op = "get_order")] {
                pub(super) fn returned(order: [u8; 64], text: String) -> impl Future<Output = Result<usize, String>> {
                    async move {
                        ready(()).await;
                        Ok(order.len() + text.len())
                    }
                }
            }
            #[operational_event(type = "STARTED", severity = "INFO", symbol = text)] {
                pub(super) fn returned_with_a_text(order: [u8; 64], text: String) -> impl Future<Output = Result<usize, String>> {
                    async move {
                        ready(()).await;
                        Ok(order.len() + text.len())
                    }
                }
            }
            #[operational_event(type = "STARTED", severity = "INFO", symbol = text, profile = "maker")] {
                pub(super) fn returned_with_two_texts(order: [u8; 64], text: String) -> impl Future<Output = Result<usize, String>> {
                    async move {
                        ready(()).await;
                        Ok(order.len() + text.len())
                    }
                }
            }
            #[capital_check(profile = text)] {
                pub(super) fn returned_capital(order: [u8; 64], text: String) -> impl Future<Output = Capital> {
                    async move {
                        ready(()).await;
                        Capital { allocated: f64::from(order[0]), ..Capital::default() }
                    }
                }
            }
        }

        /// The documentation of the attributes gives these figures too.
        #[test]
        fn futures_grow_by_a_copy_of_their_arguments_and_a_constant() {
            let arguments = size_of::<([u8; 64], String)>();
            macro_rules! grown {
                ($($name:ident)*) => {
                    [$(size_of_val(&measured::$name([0; 64], String::new())) - size_of_val(&plain::$name([0; 64], String::new()))),*]
                };
            }
            assert_eq!(grown!(never_waits), [0]);
            let asynchronous = grown!(waits subsystem report with_a_text with_two_texts capital stacked)
                .map(|bytes| bytes - arguments);
            let returned = grown!(returned returned_with_a_text returned_with_two_texts returned_capital returned_stacked);
            let within = |grown: &[usize], bounds: &[usize]| {
                grown.iter().zip(bounds).all(|(grown, bound)| grown <= bound)
            };
            assert!(within(&asynchronous, &[72, 64, 64, 152, 184, 152, 120]), "{asynchronous:?}");
            assert!(within(&returned, &[72, 200, 240, 200, 120]), "{returned:?}");
        }
    }

    #[test]
    fn futures_stay_send_and_unpin() {
        fn send<T: Send>(_: &T) {}
        fn unpin<T: Unpin>(_: &T) {}
        #[exchange_call(op = "get_order")]
        async fn sends(text: String) -> Result<String, String> {
            ready(()).await;
            Ok(text)
        }
        #[operational_event(type = "STARTED", severity = "INFO", symbol = text)]
        async fn event(text: String) -> String {
            ready(()).await;
            text
        }
        #[exchange_call(op = "get_order")]
        fn unpins() -> impl Future<Output = Result<u8, ()>> + Unpin {
            let future: Ready<Result<u8, ()>> = ready(Ok(1));
            future
        }
        #[exchange_call(op = "get_order")]
        async fn does_not_send(text: std::rc::Rc<str>) -> Result<usize, String> {
            ready(()).await;
            Ok(text.len())
        }
        send(&sends(String::new()));
        send(&event(String::new()));
        unpin(&unpins());
        assert_eq!(run(does_not_send("ab".into())), Ok(2));
    }
}
