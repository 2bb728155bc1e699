//! The operating system's functions for processors.

/// Pins the calling thread to one of its allowed processors, a different one for each small number.
pub(crate) fn pin(thread: usize) {
    // SAFETY: the sets are plain bits, for which all zeros is valid, and the calls access nothing else.
    unsafe {
        let mut allowed: libc::cpu_set_t = std::mem::zeroed();
        let size = size_of_val(&allowed);
        libc::sched_getaffinity(0, size, &raw mut allowed);
        let processors: Vec<usize> = (0..libc::CPU_SETSIZE as usize)
            .filter(|processor| libc::CPU_ISSET(*processor, &allowed))
            .collect();
        let Some(processor) = processors.get(thread % processors.len().max(1)) else { return };
        let mut one: libc::cpu_set_t = std::mem::zeroed();
        libc::CPU_SET(*processor, &mut one);
        libc::sched_setaffinity(0, size, &raw const one);
    }
}

/// The CPU time of the calling thread.
pub fn thread_seconds() -> f64 {
    seconds_of(libc::CLOCK_THREAD_CPUTIME_ID)
}

/// The CPU time of all threads of this process.
pub fn process_seconds() -> f64 {
    seconds_of(libc::CLOCK_PROCESS_CPUTIME_ID)
}

fn seconds_of(clock: libc::clockid_t) -> f64 {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: the call writes only to the struct.
    unsafe { libc::clock_gettime(clock, &raw mut time) };
    time.tv_sec as f64 + time.tv_nsec as f64 / 1e9
}
