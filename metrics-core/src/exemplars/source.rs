//! The bot's source of exemplars.

use std::cell::Cell;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

use super::Exemplar;
use crate::Error;
use crate::error::Problem;
use crate::panics::contained;
use crate::report::{Report, Topic};
use crate::shown::shown;

type Source = Box<dyn Fn() -> Option<Exemplar> + Send + Sync>;

static SOURCE: OnceLock<Source> = OnceLock::new();

/// Whether there is a source: a flag of its own, because the check of a `OnceLock` takes longer.
static IS_SET: AtomicBool = AtomicBool::new(false);

static HAS_PANICKED: AtomicBool = AtomicBool::new(false);

thread_local! {
    static IS_ASKED: Cell<bool> = const { Cell::new(false) };
}

/// Sets the source of exemplars for the whole process, as the context of a trace belongs to the process too.
///
/// A recording calls `source` on its own thread, at the end of the call that it records; for a future, while it is
/// polled. `None` means that there is no trace, or that it is not sampled. The source should take no locks and return
/// within a microsecond: its time is added to the call, though not to its measured duration. Recordings made by the
/// source itself have no exemplars. If it panics, the call is recorded without an exemplar, and the first
/// panic is reported on standard error.
///
/// # Errors
///
/// If a source is set already.
pub fn set_source(source: impl Fn() -> Option<Exemplar> + Send + Sync + 'static) -> Result<(), Error> {
    SOURCE.set(Box::new(source)).map_err(|_| Problem::SourceOfExemplarsIsSet)?;
    IS_SET.store(true, Relaxed);
    Ok(())
}

#[inline]
pub(super) fn is_set() -> bool {
    cfg!(feature = "exemplars") && IS_SET.load(Relaxed)
}

/// The source's answer, unless this thread is asking it already.
pub(super) fn ask() -> Option<Exemplar> {
    let source = SOURCE.get()?;
    if IS_ASKED.replace(true) {
        return None;
    }
    let answer = contained(source);
    IS_ASKED.set(false);
    answer.unwrap_or_else(|panic| {
        if !HAS_PANICKED.swap(true, Relaxed) {
            let panic = shown(&panic);
            Report::default().tell(
                Topic::Exemplars,
                "",
                format_args!("the source of exemplars panicked, which is reported once: {panic}"),
            );
        }
        None
    })
}
