//! A headless Chromium that a test steers.

use std::process::Command;
use std::time::{Duration, Instant};

use bot_metrics_tests::process::{Directory, PATIENCE, Process, free_port};
use libtest_mimic::Failed;
use serde_json::{Value, json};
use thirtyfour::{ChromiumLikeCapabilities as _, DesiredCapabilities, Key, LoggingPrefsLogLevel, WebDriver};
use tokio::runtime::Runtime;

const ARGUMENTS: [&str; 9] = [
    "--headless",
    // Chromium refuses to run as root with its sandbox.
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--hide-scrollbars",
];

/// What the page's policy has blocked, and how far its content has moved without the reader's doing. A script that
/// runs before those of the page notes it.
const WITNESS: &str = "
    window.violations = [];
    addEventListener('securitypolicyviolation', (event) =>
        window.violations.push(event.violatedDirective + ' ' + event.blockedURI + ' ' + event.sample));
    window.shift = 0;
    new PerformanceObserver((list) => {
        for (const entry of list.getEntries()) if (!entry.hadRecentInput) window.shift += entry.value;
    }).observe({type: 'layout-shift', buffered: true});";

/// The size of a window, in CSS pixels.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Window {
    pub(crate) width: u32,
    pub(crate) height: u32,
    pub(crate) is_phone: bool,
}

pub(crate) const DESKTOP: Window = Window { width: 1280, height: 900, is_phone: false };
pub(crate) const PHONE: Window = Window { width: 390, height: 844, is_phone: true };

pub(crate) struct Browser {
    driver: WebDriver,
    runtime: Runtime,
    /// In the order in which they are to be dropped.
    _chromedriver: Process,
    _directory: Directory,
}

impl Browser {
    pub(crate) fn start() -> Result<Self, Failed> {
        let (directory, port) = (Directory::new(), free_port());
        let mut command = Command::new("chromedriver");
        command.arg(format!("--port={port}"));
        let chromedriver = Process::start(&mut command, &directory);
        let mut capabilities = DesiredCapabilities::chrome();
        for argument in ARGUMENTS {
            capabilities.add_arg(argument)?;
        }
        capabilities.add_arg(&format!("--user-data-dir={}", directory.path().join("user").display()))?;
        capabilities.set_browser_log_level(LoggingPrefsLogLevel::All)?;
        let runtime = Runtime::new()?;
        let url = format!("http://127.0.0.1:{port}");
        let start = Instant::now();
        let driver = loop {
            match runtime.block_on(WebDriver::new(url.as_str(), capabilities.clone())) {
                Ok(driver) => break driver,
                Err(error) if start.elapsed() > PATIENCE => {
                    return Err(format!("{error}\n{}", chromedriver.log()).into());
                }
                Err(_) => std::thread::sleep(Duration::from_millis(50)),
            }
        };
        let browser = Self { driver, runtime, _chromedriver: chromedriver, _directory: directory };
        browser.cdp("Page.addScriptToEvaluateOnNewDocument", json!({ "source": WITNESS }))?;
        browser.show(DESKTOP)?;
        Ok(browser)
    }

    /// A browser that has opened this page.
    pub(crate) fn open(url: &str) -> Result<Self, Failed> {
        let browser = Self::start()?;
        browser.goto(url)?;
        Ok(browser)
    }

    pub(crate) fn goto(&self, url: &str) -> Result<(), Failed> {
        Ok(self.runtime.block_on(self.driver.goto(url))?)
    }

    /// Sends a command of the protocol of Chromium's developer tools.
    pub(crate) fn cdp(&self, method: &str, parameters: Value) -> Result<Value, Failed> {
        Ok(self.runtime.block_on(self.driver.cdp().send_raw(method, parameters))?)
    }

    pub(crate) fn show(&self, window: Window) -> Result<(), Failed> {
        let Window { width, height, is_phone } = window;
        let size = json!({ "width": width, "height": height, "deviceScaleFactor": 1, "mobile": is_phone });
        self.cdp("Emulation.setDeviceMetricsOverride", size).map(drop)
    }

    pub(crate) fn prefer(&self, scheme: &str) -> Result<(), Failed> {
        let features = json!({ "features": [{ "name": "prefers-color-scheme", "value": scheme }] });
        self.cdp("Emulation.setEmulatedMedia", features).map(drop)
    }

    /// The value of a script's body, which may `return` one.
    pub(crate) fn run(&self, script: &str) -> Result<Value, Failed> {
        let value = self.runtime.block_on(self.driver.execute(script, Vec::new()));
        Ok(value.map_err(|error| format!("{script}: {error}"))?.json().clone())
    }

    /// The value of an expression as text.
    pub(crate) fn text(&self, expression: &str) -> Result<String, Failed> {
        match self.run(&format!("return {expression}"))? {
            Value::String(text) => Ok(text),
            other => Ok(other.to_string()),
        }
    }

    /// Waits until the expression is true.
    pub(crate) fn wait_until(&self, expression: &str) -> Result<(), Failed> {
        let start = Instant::now();
        let script = format!("return Boolean({expression})");
        while self.run(&script)? != json!(true) {
            if start.elapsed() > PATIENCE {
                let page = self.text("document.body.innerText")?;
                return Err(format!("timed out waiting until {expression}:\n{page}").into());
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        Ok(())
    }

    pub(crate) fn press(&self, key: Key) -> Result<(), Failed> {
        let pressed = self.driver.action_chain().send_keys(key);
        Ok(self.runtime.block_on(pressed.perform())?)
    }

    pub(crate) fn screenshot(&self) -> Result<Vec<u8>, Failed> {
        Ok(self.runtime.block_on(self.driver.screenshot_as_png())?)
    }

    /// Fails if the page's policy has blocked anything, or a script of the page has failed.
    pub(crate) fn check_for_errors(&self) -> Result<(), Failed> {
        let violations = self.text("JSON.stringify(window.violations)")?;
        let log = self.runtime.block_on(self.driver.browser_log())?;
        // A page that polls a bot that does not answer is told so by the browser.
        let errors: Vec<_> = log
            .iter()
            .filter(|entry| entry.level == "SEVERE" && !entry.message.contains("net::ERR_"))
            .collect();
        if violations == "[]" && errors.is_empty() {
            Ok(())
        } else {
            Err(format!("{violations} {errors:?}").into())
        }
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        // The end of chromedriver would leave the browser behind.
        let _ = self.runtime.block_on(self.driver.clone().quit());
    }
}
