//! The generated crates: equal functions, which each variant measures in its own way.

use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};

use super::rustc::Workspace;

pub const FUNCTIONS: usize = 1_000;

/// A way to measure a function.
pub struct Variant {
    pub name: &'static str,
    pub is_peer: bool,
    package: &'static str,
    dependencies: &'static str,
    /// The text at the top of the crate.
    head: &'static str,
    /// The text above each function.
    attribute: &'static str,
    /// The text around a body that is measured by hand: before it, and after it for each outcome.
    by_hand: Option<[&'static str; 3]>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    Sync,
    Async,
}

impl Shape {
    pub const BOTH: [Self; 2] = [Self::Sync, Self::Async];
}

impl fmt::Display for Shape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if *self == Self::Sync { "sync" } else { "async" })
    }
}

impl Variant {
    pub fn package(&self, shape: Shape) -> String {
        format!("{}_{shape}", self.package)
    }
}

const BARE: Variant = Variant {
    name: "bare",
    is_peer: false,
    package: "bare",
    dependencies: "",
    head: "",
    attribute: "",
    by_hand: None,
};

pub const VARIANTS: [Variant; 10] = [
    BARE,
    Variant {
        name: "#[exchange_call]",
        package: "ours",
        dependencies: OURS,
        head: "use bot_metrics::prelude::*;",
        attribute: r#"#[exchange_call(op = "place_order", exchange = "binance")]"#,
        ..BARE
    },
    Variant {
        name: "#[timed_subsystem]",
        package: "cycles",
        dependencies: OURS,
        head: "use bot_metrics::prelude::*;",
        attribute: r#"#[timed_subsystem("trading", every = "5s")]"#,
        ..BARE
    },
    Variant {
        name: "switched off",
        package: "off",
        dependencies: r#"bot-metrics = { path = "LIBRARY", default-features = false }"#,
        head: "use bot_metrics::prelude::*;",
        attribute: r#"#[exchange_call(op = "place_order", exchange = "binance")]"#,
        ..BARE
    },
    Variant {
        name: "prometheus by hand",
        is_peer: true,
        package: "by_hand",
        dependencies: r#"prometheus = { version = "0.14", default-features = false }"#,
        head: r#"
use std::sync::LazyLock;
use std::time::Instant;
static SECONDS: LazyLock<prometheus::HistogramVec> = LazyLock::new(|| {
    prometheus::register_histogram_vec!("seconds", "of calls", &["exchange", "operation"]).unwrap()
});
static CALLS: LazyLock<prometheus::IntCounterVec> = LazyLock::new(|| {
    prometheus::register_int_counter_vec!("calls_total", "by outcome", &["exchange", "operation", "outcome"]).unwrap()
});"#,
        by_hand: Some([
            "let start = Instant::now();\n    let result = (",
            "{",
            r#"
    SECONDS.with_label_values(&["binance", "place_order"]).observe(start.elapsed().as_secs_f64());
    let outcome = if result.is_ok() { "ok" } else { "error" };
    CALLS.with_label_values(&["binance", "place_order", outcome]).inc();
    result"#,
        ]),
        ..BARE
    },
    Variant {
        name: "fastrace",
        is_peer: true,
        package: "fastrace_peer",
        dependencies: r#"fastrace = { version = "0.7", features = ["enable"] }"#,
        attribute: "#[fastrace::trace]",
        ..BARE
    },
    Variant {
        name: "hotpath",
        is_peer: true,
        package: "hotpath_peer",
        dependencies: r#"hotpath = { version = "0.30", features = ["hotpath"] }"#,
        attribute: "#[hotpath::measure]",
        ..BARE
    },
    Variant {
        name: "tracing `#[instrument]`",
        is_peer: true,
        package: "tracing_peer",
        dependencies: r#"tracing = "0.1""#,
        attribute: "#[tracing::instrument]",
        ..BARE
    },
    Variant {
        name: "autometrics",
        is_peer: true,
        package: "autometrics_peer",
        dependencies: r#"autometrics = { version = "3", default-features = false, features = ["prometheus-0_14"] }"#,
        attribute: "#[autometrics::autometrics]",
        ..BARE
    },
    Variant {
        name: "emit",
        is_peer: true,
        package: "emit_peer",
        dependencies: r#"emit = "2""#,
        attribute: r#"#[emit::span("place_order {amount}", amount)]"#,
        ..BARE
    },
];

const OURS: &str = r#"bot-metrics = { path = "LIBRARY", default-features = false, features = ["enable"] }"#;

/// The text in each crate. A function without calls would be compiled in the calling crates only.
const COMMON: &str = "
#[derive(Debug)]
pub struct Refused;

impl std::fmt::Display for Refused {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(\"refused\")
    }
}

impl std::error::Error for Refused {}

#[inline(never)]
pub fn scale(amount: u64, by: u64) -> Result<u64, Refused> {
    amount.checked_mul(by).ok_or(Refused)
}
";

/// The future that each async function awaits once.
const WAIT: &str = "
use std::pin::{Pin, pin};
use std::task::{Context, Poll};

pub struct Wait(bool);

impl Future for Wait {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        if std::mem::replace(&mut self.0, true) {
            return Poll::Ready(());
        }
        context.waker().wake_by_ref();
        Poll::Pending
    }
}
";

/// Writes the crates to a directory beside this program.
pub fn generate(variants: &[&Variant]) -> Workspace {
    let program = std::env::current_exe().expect("a path");
    let root = program.parent().and_then(Path::parent).expect("a target directory").join("compile");
    let mut members = vec!["empty".to_owned(), "installed".to_owned()];
    for variant in variants {
        for shape in Shape::BOTH {
            let package = variant.package(shape);
            write(&root, &package, variant.dependencies, "lib.rs", &source(variant, shape));
            members.push(package);
        }
    }
    write(&root, "empty", "", "main.rs", "fn main() {}");
    write(&root, "installed", r#"bot-metrics = { path = "LIBRARY" }"#, "main.rs", INSTALLED);
    let manifest =
        format!("[workspace]\nresolver = \"3\"\nmembers = {members:?}\n\n[profile.release]\nstrip = true\n");
    update(&root.join("Cargo.toml"), &manifest);
    // The versions that the other benches measure.
    let lock = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("Cargo.lock");
    if !root.join("Cargo.lock").exists() {
        fs::copy(lock, root.join("Cargo.lock")).expect("a lock file");
    }
    Workspace(root)
}

const INSTALLED: &str = r#"
fn main() -> Result<(), bot_metrics::Error> {
    let metrics = bot_metrics::Settings::from_env()?.install()?;
    let _server = metrics.serve(metrics.settings().address())?;
    Ok(())
}
"#;

fn write(root: &Path, package: &str, dependencies: &str, file: &str, source: &str) {
    let library = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../metrics-core");
    let dependencies = dependencies.replace("LIBRARY", &library.display().to_string());
    let manifest = format!(
        "[package]\nname = \"{package}\"\nversion = \"0.0.0\"\nedition = \"2024\"\n\n[dependencies]\n{dependencies}\n"
    );
    fs::create_dir_all(root.join(package).join("src")).expect("a directory to write to");
    update(&root.join(package).join("Cargo.toml"), &manifest);
    update(&root.join(package).join("src").join(file), source);
}

/// Writes a file unless its text is the same.
fn update(path: &Path, text: &str) {
    if fs::read_to_string(path).is_ok_and(|before| before == text) {
        return;
    }
    fs::write(path, text).expect("a directory to write to");
}

fn source(variant: &Variant, shape: Shape) -> String {
    let mut source = format!("{}\n{COMMON}", variant.head);
    if shape == Shape::Async {
        source += WAIT;
    }
    for index in 0..FUNCTIONS {
        source += &function(variant, shape, index);
    }
    source
}

/// A body of one comparison and one call would be half the work for the compiler, and every ratio nearly twice as
/// large. This one resembles an ordinary function of a bot, with a few conversions and errors, and compiles to a
/// hundred bytes.
fn function(variant: &Variant, shape: Shape, index: usize) -> String {
    let is_async = shape == Shape::Async;
    let (asyncness, wait) = if is_async { ("async ", "    Wait(false).await;\n") } else { ("", "") };
    let body = format!(
        "{wait}    let limit: u64 = {index};
    if amount > limit || name.is_empty() {{
        return Err(Refused);
    }}
    let scaled = scale(amount, limit)?;
    let length = u64::try_from(name.len()).map_err(|_| Refused)?;
    let total = scaled.checked_add(length).ok_or(Refused)?;
    Ok(total)"
    );
    let body = match variant.by_hand {
        None => body,
        Some([before, open, after]) => {
            let (block, end) = if is_async { ("async ", "}).await;") } else { ("|| ", "})();") };
            format!("    {before}{block}{open}\n{body}\n    {end}{after}")
        }
    };
    let function = format!(
        "
{}
pub {asyncness}fn place_order_{index}(amount: u64, name: &str) -> Result<u64, Refused> {{
{body}
}}
",
        variant.attribute
    );
    // A future that is never polled to its end would generate no code.
    let polled = format!(
        "
pub fn wait_for_{index}(amount: u64, name: &str, context: &mut Context<'_>) -> Result<u64, Refused> {{
    let mut future = pin!(place_order_{index}(amount, name));
    loop {{
        if let Poll::Ready(result) = future.as_mut().poll(context) {{
            return result;
        }}
    }}
}}
"
    );
    if is_async { function + &polled } else { function }
}
