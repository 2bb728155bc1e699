// As documented for the standard library: a value that was set is visible completely to every reader, including a
// thread that failed to set it.

/// Creates its atomic on first use, because a model checker's atomic cannot be created in a constant.
#[derive(Debug)]
pub(crate) struct OnceLock<T>(std::sync::OnceLock<AtomicPtr<T>>);

impl<T> Default for OnceLock<T> {
    fn default() -> Self {
        Self(AtomicPtr::new(std::ptr::null_mut()).into())
    }
}

impl<T> OnceLock<T> {
    pub(crate) const fn new() -> Self {
        Self(std::sync::OnceLock::new())
    }

    fn pointer(&self) -> &AtomicPtr<T> {
        self.0.get_or_init(|| AtomicPtr::new(std::ptr::null_mut()))
    }

    pub(crate) fn get(&self) -> Option<&T> {
        // SAFETY: a value that was set is never dropped.
        unsafe { self.pointer().load(Ordering::Acquire).as_ref() }
    }

    pub(crate) fn set(&self, value: T) -> Result<(), T> {
        let new = Box::into_raw(Box::new(value));
        let set =
            self.pointer().compare_exchange(std::ptr::null_mut(), new, Ordering::AcqRel, Ordering::Acquire);
        // SAFETY: the pointer was created above and has not been shared.
        set.map(drop).map_err(|_| *unsafe { Box::from_raw(new) })
    }
}
