//! A picture of the first screen of the README, as a code host shows it: what it says without scrolling.
//!
//! `SCREENSHOTS=1 cargo test -p bot-metrics-tests --test browser -- first_screen` makes it, from the Markdown.

use std::process::Command;
use std::{env, fs};

use bot_metrics_tests::process::Directory;
use bot_metrics_tests::workspace;
use libtest_mimic::Trial;

use crate::Outcome;
use crate::browser::{Browser, Window};

const PICTURE: &str = "docs/readme-first-screen.png";
const STYLE: &str = include_str!("readme.css");
const SCREEN: Window = Window { width: 1100, height: 1385, is_phone: false };

pub(crate) fn trial() -> Trial {
    let is_wanted = env::var_os("SCREENSHOTS").is_some();
    Trial::test("first_screen_of_the_readme", first_screen).with_ignored_flag(!is_wanted)
}

fn first_screen() -> Outcome {
    let (directory, root) = (Directory::new(), workspace::root());
    let header = directory.path().join("header.html");
    // The paths of the pictures are relative to the repository.
    fs::write(&header, format!("<base href=\"file://{}/\"><style>{STYLE}</style>", root.display()))?;
    let rendered = Command::new("rustdoc")
        .args(["--markdown-no-toc", "--html-in-header"])
        .arg(header)
        .arg("--output")
        .args([directory.path(), &root.join("README.md")])
        .output()?;
    if !rendered.status.success() {
        return Err(String::from_utf8_lossy(&rendered.stderr).into_owned().into());
    }
    let browser = Browser::start()?;
    browser.prefer("light")?;
    browser.show(SCREEN)?;
    browser.goto(&format!("file://{}", directory.path().join("README.html").display()))?;
    browser
        .wait_until("document.images.length && [...document.images].every((image) => image.naturalWidth)")?;
    fs::write(root.join(PICTURE), browser.screenshot()?)?;
    Ok(())
}
