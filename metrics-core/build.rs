//! Nothing to build: cargo wants this file beside the key `links`.

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
}
