//! The pictures of the status page that the README shows.
//!
//! `SCREENSHOTS=1 cargo test -p bot-metrics-tests --test browser -- pictures` makes them, in 16 minutes, after which the
//! charts are filled.

use std::thread;
use std::time::Duration;
use std::{env, fs};

use bot_metrics_tests::demo::Running;
use bot_metrics_tests::{paper_bot, workspace};
use libtest_mimic::Trial;

use crate::Outcome;
use crate::browser::{Browser, DESKTOP, PHONE, Window};

const FOLDER: &str = "docs/status-page";
/// Three quarters of a minute after the faults have begun; the charts are filled then.
const AT: Duration = Duration::from_secs(15 * 60 + 45);

struct Picture {
    name: &'static str,
    /// The bot that it shows, by its fault.
    bot: usize,
    scheme: &'static str,
    window: Window,
}

const FAULTS: [Option<&str>; 4] =
    [None, Some("hang-trading@15m"), Some("rate-limit@15m"), Some("negative-capital@15m")];

const PICTURES: [Picture; 7] = [
    Picture { name: "top", bot: 0, scheme: "light", window: Window { height: 640, ..DESKTOP } },
    Picture { name: "light", bot: 0, scheme: "light", window: Window { height: 1180, ..DESKTOP } },
    Picture { name: "dark", bot: 0, scheme: "dark", window: Window { height: 1180, ..DESKTOP } },
    Picture { name: "phone", bot: 0, scheme: "light", window: PHONE },
    Picture { name: "hang-trading", bot: 1, scheme: "light", window: Window { height: 1180, ..DESKTOP } },
    Picture { name: "rate-limit", bot: 2, scheme: "light", window: Window { height: 1180, ..DESKTOP } },
    Picture { name: "negative-capital", bot: 3, scheme: "light", window: Window { height: 1180, ..DESKTOP } },
];

pub(crate) fn trial() -> Trial {
    let is_wanted = env::var_os("SCREENSHOTS").is_some();
    Trial::test("pictures_of_the_readme", pictures).with_ignored_flag(!is_wanted)
}

fn pictures() -> Outcome {
    let bots = FAULTS.map(|fault| paper_bot::start(&fault.map_or(vec![], |fault| vec!["--fault", fault])));
    thread::sleep(AT);
    let folder = workspace::root().join(FOLDER);
    fs::create_dir_all(&folder)?;
    for picture in &PICTURES {
        fs::write(folder.join(format!("{}.png", picture.name)), taken(picture, &bots[picture.bot])?)?;
    }
    Ok(())
}

fn taken(picture: &Picture, bot: &Running) -> Result<Vec<u8>, libtest_mimic::Failed> {
    let browser = Browser::start()?;
    browser.prefer(picture.scheme)?;
    browser.show(picture.window)?;
    browser.goto(bot.url())?;
    browser.wait_until("document.querySelectorAll('.charts canvas').length >= 4")?;
    browser.wait_until("state.history.sequence.length > 0")?;
    browser.screenshot()
}
