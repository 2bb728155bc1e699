//! The machine's clocks, as the kernel and the processor give them.

use std::sync::LazyLock;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

static ORIGIN: LazyLock<Instant> = LazyLock::new(Instant::now);

/// Time since an arbitrary origin; suspend does not count, and time servers may stretch it by 500 ppm.
pub(super) fn monotonic() -> Duration {
    ORIGIN.elapsed()
}

/// As [`monotonic`], but never stretched: what a counter of ticks is compared with to learn its rate.
pub(super) fn unsteered() -> Duration {
    #[cfg(target_os = "linux")]
    if let Some(now) = read(libc::CLOCK_MONOTONIC_RAW) {
        return now;
    }
    monotonic()
}

/// Time since an arbitrary origin, suspend included: the standard library's clocks stand still meanwhile.
pub(super) fn boot_time() -> Duration {
    #[cfg(target_os = "linux")]
    if let Some(now) = read(libc::CLOCK_BOOTTIME) {
        return now;
    }
    monotonic()
}

/// Time since the Unix epoch; a clock set before it says zero.
pub(super) fn wall() -> Duration {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default()
}

#[cfg(target_os = "linux")]
fn read(clock: libc::clockid_t) -> Option<Duration> {
    let mut now = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: `now` is valid for writing a timespec, and the call keeps no pointer.
    let status = unsafe { libc::clock_gettime(clock, &raw mut now) };
    match (status, u64::try_from(now.tv_sec), u32::try_from(now.tv_nsec)) {
        (0, Ok(seconds), Ok(nanoseconds)) => Some(Duration::new(seconds, nanoseconds)),
        _ => None,
    }
}

/// The processor's time stamp counter.
///
/// Read directly, not through a crate: it is one instruction, and what such crates add (a calibration that may change,
/// a conversion at each reading) is what must not stand here. Two readings take 17 ns where two of `Instant` take 40.
#[cfg(target_arch = "x86_64")]
#[inline]
pub(super) fn time_stamp() -> u64 {
    // SAFETY: every x86-64 processor has the instruction, and it touches no memory.
    unsafe { core::arch::x86_64::_rdtsc() }
}

#[cfg(not(target_arch = "x86_64"))]
#[inline]
pub(super) fn time_stamp() -> u64 {
    0
}

/// Whether the counter runs at one rate on all cores: the processor says so, and the kernel, which compares the cores'
/// counters and watches them, keeps its own time by it.
#[cfg(all(target_arch = "x86_64", target_os = "linux"))]
pub(super) fn time_stamp_is_trusted() -> bool {
    use core::arch::x86_64::__cpuid;

    const ADVANCED_POWER_MANAGEMENT: u32 = 0x8000_0007;
    const INVARIANT_TSC: u32 = 1 << 8;
    const CLOCK_SOURCE: &str = "/sys/devices/system/clocksource/clocksource0/current_clocksource";

    let invariant = __cpuid(0x8000_0000).eax >= ADVANCED_POWER_MANAGEMENT
        && __cpuid(ADVANCED_POWER_MANAGEMENT).edx & INVARIANT_TSC != 0;
    invariant && std::fs::read_to_string(CLOCK_SOURCE).is_ok_and(|source| source.trim() == "tsc")
}

#[cfg(not(all(target_arch = "x86_64", target_os = "linux")))]
pub(super) fn time_stamp_is_trusted() -> bool {
    false
}
