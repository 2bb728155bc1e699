//! The standard metrics of the process, as the system reports them and under the names that every client library
//! uses.
//!
//! Read at each scrape. Written here because it is five numbers from two files, for which a crate would bring six
//! others.

use std::fs;

use crate::catalogue::{self, Family};
use crate::lock;
use crate::storage::{Sink, to_f64};

/// The families that are read from `/proc/self/stat`.
const OF_STAT: [&Family; 5] = [
    &catalogue::PROCESS_CPU_SECONDS_TOTAL,
    &catalogue::PROCESS_THREADS,
    &catalogue::PROCESS_VIRTUAL_MEMORY_BYTES,
    &catalogue::PROCESS_RESIDENT_MEMORY_BYTES,
    &catalogue::PROCESS_START_TIME_SECONDS,
];

/// Exports everything that can be read; nothing on systems other than Linux.
pub(crate) fn collect(sink: &mut dyn Sink) {
    if !cfg!(target_os = "linux") {
        return;
    }
    if OF_STAT.iter().any(|family| sink.includes(family))
        && let Some(stat) = fs::read_to_string("/proc/self/stat").ok().as_deref().and_then(Stat::read)
    {
        collect_stat(&stat, sink);
    }
    if sink.includes(&catalogue::PROCESS_OPEN_FDS)
        && let Ok(fds) = fs::read_dir("/proc/self/fd")
    {
        // Minus the descriptor that this reads with.
        let open = fds.count().saturating_sub(1);
        sink.gauge(&catalogue::PROCESS_OPEN_FDS, &[], to_f64(open as u64));
    }
    if sink.includes(&catalogue::PROCESS_MAX_FDS)
        && let Some(limit) = fs::read_to_string("/proc/self/limits").ok().as_deref().and_then(most_fds)
    {
        sink.gauge(&catalogue::PROCESS_MAX_FDS, &[], limit);
    }
}

fn collect_stat(stat: &Stat, sink: &mut dyn Sink) {
    let system = System::known();
    let seconds = |ticks: u64| to_f64(ticks) / system.ticks_per_second;
    sink.float_counter(&catalogue::PROCESS_CPU_SECONDS_TOTAL, &[], seconds(stat.cpu_ticks));
    sink.gauge(&catalogue::PROCESS_THREADS, &[], to_f64(stat.threads));
    sink.gauge(&catalogue::PROCESS_VIRTUAL_MEMORY_BYTES, &[], to_f64(stat.virtual_bytes));
    let resident = to_f64(stat.resident_pages) * system.page_bytes;
    sink.gauge(&catalogue::PROCESS_RESIDENT_MEMORY_BYTES, &[], resident);
    if let Some(booted) = system.booted {
        let started = booted + seconds(stat.started_ticks);
        sink.gauge(&catalogue::PROCESS_START_TIME_SECONDS, &[], started);
    }
}

/// The fields of `/proc/self/stat`; see proc(5).
#[derive(Debug, PartialEq, Eq)]
struct Stat {
    cpu_ticks: u64,
    threads: u64,
    started_ticks: u64,
    virtual_bytes: u64,
    resident_pages: u64,
}

impl Stat {
    fn read(text: &str) -> Option<Self> {
        // The second field is a name in parentheses, which may itself contain spaces and parentheses.
        let behind_name = &text[text.rfind(')')? + 1..];
        let fields: Vec<&str> = behind_name.split_ascii_whitespace().collect();
        // proc(5) counts from 1, and `fields` begins with the third.
        let field = |number: usize| fields.get(number - 3)?.parse::<u64>().ok();
        Some(Self {
            cpu_ticks: field(14)? + field(15)?,
            threads: field(20)?,
            started_ticks: field(22)?,
            virtual_bytes: field(23)?,
            resident_pages: field(24)?,
        })
    }
}

/// Values that do not change while the machine is up.
#[derive(Debug)]
struct System {
    ticks_per_second: f64,
    page_bytes: f64,
    /// Unix time in seconds.
    booted: Option<f64>,
}

impl System {
    fn known() -> &'static Self {
        static KNOWN: lock::Once<System> = lock::Once::new();
        KNOWN.get_or_init(|| Self {
            ticks_per_second: configured(libc::_SC_CLK_TCK, 100.0),
            page_bytes: configured(libc::_SC_PAGESIZE, 4096.0),
            booted: fs::read_to_string("/proc/stat").ok().as_deref().and_then(booted),
        })
    }
}

fn configured(name: libc::c_int, otherwise: f64) -> f64 {
    // SAFETY: the call returns a number and accesses no memory of ours.
    let value = unsafe { libc::sysconf(name) };
    u64::try_from(value).ok().filter(|value| *value > 0).map_or(otherwise, to_f64)
}

fn booted(stat: &str) -> Option<f64> {
    stat.lines().find_map(|line| line.strip_prefix("btime "))?.trim().parse().ok()
}

/// The soft limit in `/proc/self/limits`; infinite if there is none.
fn most_fds(limits: &str) -> Option<f64> {
    let limit = limits.lines().find_map(|line| line.strip_prefix("Max open files"))?;
    match limit.split_ascii_whitespace().next()? {
        "unlimited" => Some(f64::INFINITY),
        number => number.parse().ok(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_fields_are_found_for_any_name() {
        let text = "42 (a) b (c) R 1 42 42 0 -1 4194304 1 2 3 4 150 50 7 8 20 0 9 0 12345 1000000 256 18446744073709551615";
        let expected = Stat {
            cpu_ticks: 200,
            threads: 9,
            started_ticks: 12_345,
            virtual_bytes: 1_000_000,
            resident_pages: 256,
        };
        assert_eq!(Stat::read(text), Some(expected));
        for torn in ["", "42 (a", "42 (a) R 1 2", "42 (a) R x x x x x x x x x x x x x x x x x x x x x x"] {
            assert_eq!(Stat::read(torn), None, "{torn}");
        }
    }

    #[test]
    fn limits_and_the_boot_time_are_read() {
        let limits = "Limit Soft Hard Units\nMax open files            1024                 524288               files\n";
        assert_eq!(most_fds(limits), Some(1024.0));
        assert_eq!(most_fds("Max open files   unlimited unlimited files"), Some(f64::INFINITY));
        assert_eq!(most_fds("Max cpu time 1 2"), None);
        assert_eq!(booted("cpu 1 2\nbtime 1700000000\nprocesses 3"), Some(1_700_000_000.0));
    }
}
