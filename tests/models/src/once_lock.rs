// As the standard library documents it: what was set is seen whole by whoever gets it, and by whoever came too late.

/// Its atomic is made on first use: a checker's is not made in a constant.
#[derive(Debug)]
pub(crate) struct OnceLock<T>(std::sync::OnceLock<AtomicPtr<T>>);

impl<T> OnceLock<T> {
    pub(crate) const fn new() -> Self {
        Self(std::sync::OnceLock::new())
    }

    fn pointer(&self) -> &AtomicPtr<T> {
        self.0.get_or_init(|| AtomicPtr::new(std::ptr::null_mut()))
    }

    pub(crate) fn get(&self) -> Option<&T> {
        // SAFETY: what was set is never dropped.
        unsafe { self.pointer().load(Ordering::Acquire).as_ref() }
    }

    pub(crate) fn set(&self, value: T) -> Result<(), T> {
        let new = Box::into_raw(Box::new(value));
        let set =
            self.pointer().compare_exchange(std::ptr::null_mut(), new, Ordering::AcqRel, Ordering::Acquire);
        // SAFETY: it was made above and nobody has it.
        set.map(drop).map_err(|_| *unsafe { Box::from_raw(new) })
    }
}
