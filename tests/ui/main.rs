//! One mistake per file, and the compiler's messages for it. `BLESS=1` rewrites the `.stderr` files; read the diff.

mod documented;

use std::process::Command;

use libtest_mimic::{Arguments, Trial};

/// The `.stderr` files are from this compiler; other versions differ in words outside this library's messages.
const COMPILER: &str = "rustc 1.95.";

fn main() {
    let arguments = Arguments::from_args();
    if std::env::var_os("BLESS").is_some() {
        // SAFETY: no other thread runs yet.
        unsafe { std::env::set_var("TRYBUILD", "overwrite") };
    }
    let texts = Trial::test("every_mistake_is_told_as_its_text_says", || {
        trybuild::TestCases::new().compile_fail("*/*.rs");
        Ok(())
    });
    let documented = Trial::test("messages_in_the_documentation_are_those_of_the_texts", documented::check);
    libtest_mimic::run(&arguments, vec![texts.with_ignored_flag(!is_the_compiler()), documented]).exit();
}

fn is_the_compiler() -> bool {
    let version = Command::new("rustc").arg("--version").output();
    version.is_ok_and(|output| String::from_utf8_lossy(&output.stdout).starts_with(COMPILER))
}
