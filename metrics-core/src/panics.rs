//! Containment of panics in foreign code.

use std::any::Any;
use std::mem;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// The result of `run`, or the message of its panic. The payload is dropped here, and leaked if dropping it panics.
pub(crate) fn contained<R>(run: impl FnOnce() -> R) -> Result<R, String> {
    catch_unwind(AssertUnwindSafe(run)).map_err(|payload| {
        let text = message(&*payload).to_owned();
        if let Err(second) = catch_unwind(AssertUnwindSafe(|| drop(payload))) {
            mem::forget(second);
        }
        text
    })
}

fn message(payload: &(dyn Any + Send)) -> &str {
    let text = payload.downcast_ref::<&str>().copied();
    text.or_else(|| payload.downcast_ref::<String>().map(String::as_str)).unwrap_or("no message")
}

#[cfg(test)]
mod tests {
    use std::panic::panic_any;

    use super::*;

    struct PanicsWhenDropped;

    impl Drop for PanicsWhenDropped {
        fn drop(&mut self) {
            panic!("while dropped");
        }
    }

    #[test]
    fn a_panic_becomes_its_message_even_if_its_payload_panics() {
        assert_eq!(contained(|| 1), Ok(1));
        assert_eq!(contained(|| panic!("a {}", "text")), Err::<(), _>("a text".to_owned()));
        assert_eq!(contained(|| panic!("literal")), Err::<(), _>("literal".to_owned()));
        assert_eq!(contained(|| panic_any(PanicsWhenDropped)), Err::<(), _>("no message".to_owned()));
    }
}
