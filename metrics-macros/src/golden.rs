//! What the attributes expand to, one file of `tests/expand` for each class of shapes.
//!
//! `BLESS=1 cargo test -p bot-metrics-macros` writes the expansions anew.

use std::path::{Path, PathBuf};

use quote::ToTokens as _;

use crate::attr::Attribute;
use crate::expand::{self, Switch};

const REWRITE: &str = "BLESS";

#[test]
fn attributes_expand_as_they_did() {
    let mut sources: Vec<PathBuf> =
        std::fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/expand"))
            .expect("the directory is there")
            .map(|entry| entry.expect("the entry is readable").path())
            .filter(|path| path.extension().is_some_and(|extension| extension == "rs"))
            .collect();
    sources.sort();
    assert!(sources.len() >= 12, "{sources:?}");
    for source in sources {
        let text = std::fs::read_to_string(&source).expect("the source is readable");
        for (switch, extension) in [(Switch::On, "expanded"), (Switch::Off, "off")] {
            let expanded = pretty(switch, &text);
            let golden = source.with_extension(extension);
            if std::env::var_os(REWRITE).is_some() {
                std::fs::write(&golden, &expanded).expect("the expansion is writable");
            }
            let standing = std::fs::read_to_string(&golden).unwrap_or_default();
            assert_eq!(expanded, standing, "{}: {REWRITE}=1 rewrites it", golden.display());
        }
    }
}

/// The expansion of the first attribute of `source`, printed as people write.
fn pretty(switch: Switch, source: &str) -> String {
    let (attribute, item) = source.split_once("]\n").expect("an attribute on a line of its own");
    let attribute: syn::Meta = syn::parse_str(attribute.trim_start_matches("#[")).expect("an attribute");
    let args = match &attribute {
        syn::Meta::List(list) => list.tokens.clone(),
        _ => proc_macro2::TokenStream::new(),
    };
    let name = attribute.path().to_token_stream().to_string();
    let attribute =
        Attribute::ALL.into_iter().find(|attribute| attribute.name() == name).expect("an attribute of ours");
    let expanded = expand::attribute(switch, attribute, args, &item.parse().expect("an item"));
    // Methods are no items of a file: a block around them is taken away again.
    match syn::parse2::<syn::File>(expanded.clone()) {
        Ok(file) => prettyplease::unparse(&file),
        Err(_) => prettyplease::unparse(&syn::parse_quote!(impl Methods { #expanded })),
    }
}
