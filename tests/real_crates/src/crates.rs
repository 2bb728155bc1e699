//! The public crates that are annotated.

/// A crate at a pinned version.
#[derive(Debug)]
pub struct Crate {
    pub name: &'static str,
    pub version: &'static str,
    /// Features beside the default ones.
    pub features: &'static [&'static str],
    /// Parts of names of tests that are left out, annotated or not, because they need a network or are not
    /// repeatable.
    pub skipped_tests: &'static [&'static str],
    /// Names of types and traits that contain futures. Functions that return them are not annotated, because the
    /// macros reject them.
    pub futures: &'static [&'static str],
    /// Warnings that an annotation adds, by lint and file, until it no longer does.
    ///
    /// If a function may return an error, its body becomes a closure with the function's return type. `use_self`
    /// reads each name in that type, also in methods of traits, whose own types it ignores. Two lints recognise a
    /// function by the shape of its whole body, which an attribute changes: `inline_always` ignores a function whose
    /// first statement is an item, and `non_canonical_partial_ord_impl` accepts `Some(self.cmp(other))`.
    pub known_warnings: &'static [(&'static str, &'static str)],
    /// The recursion limit set in the crate's root in all copies, if the annotated copy does not compile without it.
    pub recursion_limit: Option<u32>,
    /// Functions that are not annotated, as `src/file.rs::name` or its beginning, and the reason.
    pub exceptions: &'static [(&'static str, &'static str)],
}

/// The default values of a crate.
pub const ANY: Crate = Crate {
    name: "",
    version: "",
    features: &[],
    skipped_tests: &[],
    futures: &[],
    known_warnings: &[],
    recursion_limit: None,
    exceptions: &[],
};

pub static CRATES: [Crate; 6] = [
    // Synchronous and generic, with many tests.
    Crate {
        name: "csv",
        version: "1.4.0",
        known_warnings: &[("clippy::inline_always", "src/reader.rs")],
        ..ANY
    },
    Crate { name: "indexmap", version: "2.14.2", features: &["serde"], ..ANY },
    // Based on hyper.
    Crate {
        name: "hyper-util",
        version: "0.1.21",
        features: &["full"],
        futures: &[
            "Checkout",
            "Connection",
            "Future",
            "Lazy",
            "Oneshot",
            "ReadVersion",
            "ResponseFuture",
            "UpgradeableConnection",
        ],
        known_warnings: &[("clippy::use_self", "src/client/proxy/matcher.rs")],
        exceptions: &[
            ("src/client/legacy/client.rs::new", "a future is returned as Self"),
            ("src/client/legacy/client.rs::error_version", "a future is returned as Self"),
            ("src/common/timer.rs::sleep", "a future is returned as a trait of its own"),
            ("src/common/timer.rs::sleep_until", "a future is returned as a trait of its own"),
            ("src/rt/tokio.rs::sleep", "a future is returned as a trait of its own"),
            ("src/rt/tokio.rs::sleep_until", "a future is returned as a trait of its own"),
        ],
        ..ANY
    },
    // Based on reqwest: a client of an exchange, one of object stores (with `async_trait`) and one of Discord.
    Crate { name: "binance-rs-async", version: "1.3.3", features: &["all_apis"], ..ANY },
    Crate {
        name: "object_store",
        version: "0.14.2",
        features: &["aws", "azure", "gcp", "http"],
        futures: &["UploadPart", "DnsFuture", "Resolving"],
        ..ANY
    },
    Crate {
        name: "serenity",
        version: "0.12.5",
        features: &["collector", "unstable_discord_api"],
        futures: &["IntoFuture", "JoinHandle"],
        known_warnings: &[
            ("clippy::non_canonical_partial_ord_impl", "src/model/application/mod.rs"),
            ("clippy::non_canonical_partial_ord_impl", "src/model/guild/role.rs"),
        ],
        // Its futures are nested deeply, and attributes on each of them exceed the default limit.
        recursion_limit: Some(256),
        ..ANY
    },
];

impl Crate {
    /// The name in code of the crate that contains its labels and counters.
    pub fn counters(&self) -> String {
        format!("counters_of_{}", self.name.replace('-', "_"))
    }
}
