//! The public API of the published crates, compared with the list in each crate's `public-api.txt`, so that a change of
//! it is seen in review. `BLESS=1` rewrites the lists; read the diff. Items that are `doc(hidden)` are not listed.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use bot_metrics_tests::workspace::{cargo, root};
use libtest_mimic::{Arguments, Failed, Trial};
use public_api::PublicItem;

/// The lists are from this compiler; others write another version of the JSON format, or list the standard library's
/// traits differently.
const COMPILER: &str = "rustc 1.95.";

const LIST: &str = "public-api.txt";

const PRELUDE: &str = "bot_metrics::prelude";

fn main() {
    let arguments = Arguments::from_args();
    let is_other = !is_the_compiler();
    let crates = [("bot-metrics", "metrics-core"), ("bot-metrics-macros", "metrics-macros")];
    let trials = crates.map(|(package, folder)| {
        Trial::test(package, move || compare(package, &root().join(folder).join(LIST)))
            .with_ignored_flag(is_other)
    });
    libtest_mimic::run(&arguments, trials.into()).exit();
}

fn compare(package: &str, list: &Path) -> Result<(), Failed> {
    let public = listed(&document(package)?)?;
    if std::env::var_os("BLESS").is_some() {
        return Ok(fs::write(list, public)?);
    }
    let committed = fs::read_to_string(list)?;
    if public == committed {
        return Ok(());
    }
    let gone = committed.lines().filter(|line| !public.lines().any(|other| other == *line));
    let new = public.lines().filter(|line| !committed.lines().any(|other| other == *line));
    let changes: Vec<_> =
        gone.map(|line| format!("- {line}")).chain(new.map(|line| format!("+ {line}"))).collect();
    Err(format!(
        "the public API is not the one of {}; if this is intended, run with BLESS=1:\n{}",
        list.display(),
        changes.join("\n")
    )
    .into())
}

/// Lets rustdoc describe the package with all features. Returns the path of the JSON file.
fn document(package: &str) -> Result<PathBuf, Failed> {
    // The folder of this build, whose dependencies are there already.
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().ok_or("no target directory")?;
    let output = cargo()
        .args(["rustdoc", "--quiet", "--lib", "--all-features", "--package", package, "--target-dir"])
        .arg(target)
        .args(["--", "-Z", "unstable-options", "--output-format", "json", "--cap-lints", "allow"])
        .env("RUSTDOC", root().join("tests/public_api/rustdoc"))
        .output()?;
    if !output.status.success() {
        return Err(String::from_utf8_lossy(&output.stderr).into_owned().into());
    }
    Ok(target.join("doc").join(package.replace('-', "_")).with_extension("json"))
}

fn listed(json: &Path) -> Result<String, Failed> {
    let api = public_api::Builder::from_rustdoc_json(json)
        .omit_blanket_impls(true)
        .omit_auto_trait_impls(true)
        .omit_auto_derived_impls(true)
        .build()?;
    let mut lines: Vec<_> = api.items().map(PublicItem::to_string).collect();
    let mut in_prelude = false;
    lines.retain(|line| {
        if line.starts_with("pub mod ") {
            in_prelude = line.contains(PRELUDE);
        }
        !in_prelude || is_name_in_prelude(line)
    });
    Ok(lines.join("\n") + "\n")
}

/// Whether the line names an item of the prelude. What the item consists of is listed where it is defined.
fn is_name_in_prelude(line: &str) -> bool {
    let Some((_, path)) = line.split_once(PRELUDE) else { return false };
    let name = path.trim_start_matches("::");
    !name.trim_start_matches(|c: char| c.is_alphanumeric() || c == '_').starts_with("::")
}

fn is_the_compiler() -> bool {
    let version = Command::new("rustc").arg("--version").output();
    version.is_ok_and(|output| String::from_utf8_lossy(&output.stdout).starts_with(COMPILER))
}
