//! Writes the three copies of a crate, and the package with its labels and counters.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::{fs, io};

use crate::annotate::{Annotated, Attributes, Function, LABELS_PER_MODULE};
use crate::crates::Crate;
use crate::edits::Edits;
use crate::workspace::{Copy, directory, files, package, scratch, update};

/// A copied crate.
#[derive(Debug, Default)]
pub struct Copied {
    pub functions: Vec<Function>,
    /// The number of functions that were left out, by reason.
    pub skipped: BTreeMap<String, usize>,
    /// The attributes in each file.
    pub edits: BTreeMap<PathBuf, Edits>,
}

impl Copied {
    /// Copies a crate from its published sources.
    ///
    /// # Errors
    ///
    /// If a file cannot be read or written.
    pub fn of(krate: &Crate, source: &Path) -> io::Result<Self> {
        let mut copied = Self::default();
        let annotated = copied.annotate(krate, source)?;
        for file in files(source)? {
            let path = file.strip_prefix(source).expect("a file below it");
            if path == Path::new("Cargo.lock") || path == Path::new("Cargo.toml.orig") {
                continue;
            }
            for copy in Copy::ALL {
                let target = directory(copy, krate).join(path);
                if path == Path::new("Cargo.toml") {
                    update(&target, &manifest(krate, &fs::read_to_string(&file)?));
                } else if let (Some(annotated), true) = (annotated.get(path), copy != Copy::Plain) {
                    update(&target, &annotated[usize::from(copy == Copy::Counted)]);
                } else if path == Path::new(ROOT) {
                    update(&target, &read(krate, source, path)?);
                } else if !target.exists() {
                    fs::create_dir_all(target.parent().expect("a file has a directory"))?;
                    fs::copy(&file, target)?;
                }
            }
        }
        copied.write_counters(krate);
        Ok(copied)
    }

    /// The text of each annotated file, without and with counters.
    fn annotate(&mut self, krate: &Crate, source: &Path) -> io::Result<BTreeMap<PathBuf, [String; 2]>> {
        let mut texts = BTreeMap::new();
        let paths: Vec<_> = files(&source.join("src"))?
            .into_iter()
            .filter(|file| file.extension().is_some_and(|extension| extension == "rs"))
            .map(|file| file.strip_prefix(source).expect("a file below it").to_owned())
            .collect();
        let mut tests = BTreeSet::new();
        for path in &paths {
            let text = read(krate, source, path)?;
            if let Ok(found) = Annotated::of(path, &text, 0, krate) {
                tests.extend(found.test_modules);
            }
        }
        for path in paths {
            if tests.iter().any(|module| path.with_extension("") == *module || path.starts_with(module)) {
                continue;
            }
            let text = read(krate, source, &path)?;
            let Ok(found) = Annotated::of(&path, &text, self.functions.len(), krate) else {
                *self.skipped.entry("file that syn cannot read".to_owned()).or_default() += 1;
                continue;
            };
            let mut both = found.attributes.clone();
            both.extend(&found.counters);
            texts.insert(path.clone(), [found.attributes.apply(&text), both.apply(&text)]);
            self.edits.insert(path, found.attributes);
            self.functions.extend(found.functions);
            for reason in found.skipped {
                *self.skipped.entry(reason).or_default() += 1;
            }
        }
        Ok(texts)
    }

    fn write_counters(&self, krate: &Crate) {
        let name = krate.counters();
        let root = scratch().join("counters").join(&name);
        let manifest = format!(
            "[package]\nname = \"{name}\"\nversion = \"0.0.0\"\nedition = \"2024\"\n\n\
             [dependencies.bot-metrics]\n{}\n[dependencies.call-counter]\npath = {:?}\n",
            library(),
            package().join("counter")
        );
        update(&root.join("Cargo.toml"), &manifest);
        let mut source = COUNTERS.replace("FUNCTIONS", &self.functions.len().max(1).to_string());
        for (module, functions) in self.functions.chunks(LABELS_PER_MODULE).enumerate() {
            let first = module * LABELS_PER_MODULE;
            let numbered =
                || functions.iter().enumerate().map(|(index, function)| (first + index, function.attributes));
            let set = |ty: &str, is: fn(Attributes) -> bool| {
                let values: String = numbered()
                    .filter(|(_, kind)| is(*kind))
                    .map(|(index, _)| format!("F{index}, "))
                    .collect();
                let derive = "#[derive(Clone, Copy, Debug, bot_metrics::LabelValue)] #[label(rename_all = \"lowercase\")]";
                if values.is_empty() {
                    String::new()
                } else {
                    format!("    {derive} pub enum {ty} {{ {values} }}\n")
                }
            };
            let sets = [
                set("Operation", |kind| kind != Attributes::Run),
                set("Subsystem", |kind| kind == Attributes::Run),
                set("EventType", |kind| kind == Attributes::EventAndCall),
            ];
            let sets = sets.concat();
            let _ = write!(
                source,
                "\npub mod labels_{module} {{\n    pub use bot_metrics::labels::*;\n{sets}}}\n"
            );
        }
        update(&root.join("src/lib.rs"), &source);
    }
}

const COUNTERS: &str = "
use std::pin::Pin;
use std::sync::atomic::AtomicU64;

use call_counter::CountedFuture;

static COUNTS: [AtomicU64; FUNCTIONS] = [const { AtomicU64::new(0) }; FUNCTIONS];

pub fn called(function: usize) {
    call_counter::called(&COUNTS, function);
}

pub fn future<F: Future>(function: usize, future: F) -> CountedFuture<F> {
    CountedFuture::new(&COUNTS, function, future)
}

pub fn boxed<F: Future>(function: usize, future: F) -> Pin<Box<CountedFuture<F>>> {
    Box::pin(CountedFuture::new(&COUNTS, function, future))
}
";

const ROOT: &str = "src/lib.rs";

/// The text of a source file in all copies.
fn read(krate: &Crate, source: &Path, path: &Path) -> io::Result<String> {
    let text = fs::read_to_string(source.join(path))?;
    let limit = krate.recursion_limit.filter(|_| path == Path::new(ROOT));
    Ok(limit.map(|limit| format!("#![recursion_limit = \"{limit}\"] ")).unwrap_or_default() + &text)
}

/// The keys of a dependency on the library.
fn library() -> String {
    let path =
        package().join("../../metrics-core").canonicalize().expect("the library is in this repository");
    format!("path = {path:?}\ndefault-features = false\nfeatures = [\"enable\"]\n")
}

/// The published manifest with the dependencies of the annotations; the plain copy has them too, so that all three
/// are built with the same features.
fn manifest(krate: &Crate, published: &str) -> String {
    let name = krate.counters();
    let counters = scratch().join("counters").join(&name);
    let library = library();
    format!(
        "{published}\n[dependencies.bot-metrics]\n{library}\n[dependencies.{name}]\npath = {counters:?}\n"
    )
}
