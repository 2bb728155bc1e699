//! Builds nothing: cargo requires a build script where the manifest has the key `links`.

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
}
