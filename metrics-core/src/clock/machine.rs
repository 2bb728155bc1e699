//! The clocks of the kernel and the processor.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use crate::lock;

/// Time since an arbitrary origin, without suspends. Time synchronisation may change its rate by 500 ppm.
pub(super) fn monotonic() -> Duration {
    static ORIGIN: lock::Once<Instant> = lock::Once::new();
    ORIGIN.get_or_init(Instant::now).elapsed()
}

/// Like [`monotonic`], but its rate is never adjusted; the tick counter is calibrated against it.
pub(super) fn unadjusted() -> Duration {
    #[cfg(target_os = "linux")]
    if let Some(now) = read(libc::CLOCK_MONOTONIC_RAW) {
        return now;
    }
    monotonic()
}

/// Time since an arbitrary origin, including suspends, which the standard library's clocks leave out.
pub(super) fn boot_time() -> Duration {
    #[cfg(target_os = "linux")]
    if let Some(now) = read(libc::CLOCK_BOOTTIME) {
        return now;
    }
    monotonic()
}

/// Time since the Unix epoch; zero if the clock is set before it.
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

/// Reads the processor's time stamp counter, without a check that it is trusted. While it is, its ticks are those of
/// [`now`](super::now).
///
/// The instruction is used directly and not through a crate, because such crates add a calibration that may change
/// and a conversion for each reading. Two readings take 17 ns, two of `Instant` 40.
#[inline]
pub(crate) fn time_stamp() -> u64 {
    #[cfg(not(target_arch = "x86_64"))]
    return 0;
    // SAFETY: every x86-64 processor has the instruction, and it accesses no memory.
    #[cfg(target_arch = "x86_64")]
    unsafe {
        core::arch::x86_64::_rdtsc()
    }
}

/// Makes the time stamp counter trusted regardless of the processor.
#[cfg(any(test, feature = "test-util"))]
pub(crate) static TRUST: std::sync::atomic::AtomicBool = std::sync::atomic::AtomicBool::new(false);

pub(super) fn time_stamp_is_trusted() -> bool {
    #[cfg(any(test, feature = "test-util"))]
    if TRUST.load(std::sync::atomic::Ordering::Relaxed) {
        return true;
    }
    distrust_of_time_stamp().is_none()
}

/// The reason why the counter is not trusted to run at one rate on all cores, if any. It is trusted if the processor
/// guarantees it and the kernel, which compares the counters of the cores and watches them, keeps its own time with
/// it.
#[cfg(all(target_arch = "x86_64", target_os = "linux"))]
pub(super) fn distrust_of_time_stamp() -> Option<String> {
    use core::arch::x86_64::__cpuid;

    const ADVANCED_POWER_MANAGEMENT: u32 = 0x8000_0007;
    const INVARIANT_TSC: u32 = 1 << 8;
    const CLOCK_SOURCE: &str = "/sys/devices/system/clocksource/clocksource0/current_clocksource";

    #[allow(unused_unsafe, reason = "safe in newer compilers than the oldest that we support")]
    // SAFETY: every x86-64 processor has the instruction.
    let cpuid = |leaf| unsafe { __cpuid(leaf) };
    let invariant = cpuid(0x8000_0000).eax >= ADVANCED_POWER_MANAGEMENT
        && cpuid(ADVANCED_POWER_MANAGEMENT).edx & INVARIANT_TSC != 0;
    distrust(invariant, std::fs::read_to_string(CLOCK_SOURCE).ok().as_deref())
}

#[cfg(all(target_arch = "x86_64", target_os = "linux"))]
fn distrust(invariant: bool, clock_source: Option<&str>) -> Option<String> {
    match clock_source.map(str::trim) {
        _ if !invariant => Some("the processor does not guarantee that it runs at one rate".to_owned()),
        Some("tsc") => None,
        Some(other) => Some(format!("the kernel keeps its time with {other}")),
        None => Some("the kernel does not tell its clock source".to_owned()),
    }
}

#[cfg(not(all(target_arch = "x86_64", target_os = "linux")))]
pub(super) fn distrust_of_time_stamp() -> Option<String> {
    Some("this library trusts it only on x86-64 under Linux".to_owned())
}

#[cfg(all(test, target_arch = "x86_64", target_os = "linux"))]
mod tests {
    use super::distrust;

    #[test]
    fn a_counter_is_trusted_if_processor_and_kernel_trust_it_and_otherwise_a_reason_is_given() {
        assert_eq!(distrust(true, Some("tsc\n")), None);
        let why = |invariant, source| distrust(invariant, source).expect("no trust");
        assert_eq!(why(true, Some("kvm-clock\n")), "the kernel keeps its time with kvm-clock");
        assert_eq!(why(true, None), "the kernel does not tell its clock source");
        assert_eq!(why(false, Some("tsc\n")), "the processor does not guarantee that it runs at one rate");
    }
}
