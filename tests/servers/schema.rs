//! The generated dashboard against Grafana's own types.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use bot_metrics_tests::process::succeeds;
use bot_metrics_tests::workspace::root;
use libtest_mimic::Failed;

use crate::desk::{settings, text};
use crate::process::Directory;

/// The types that the dashboard has to satisfy.
const TYPES: &str = include_str!("dashboard.ts");

/// TypeScript's compiler, and Grafana's types, where `.ci/run` unpacks them.
fn packages() -> [PathBuf; 2] {
    let target = root().join("target");
    [
        target.join("typescript/package/lib/tsc.js"),
        target.join("grafana-schema/package/dist/types/index.d.ts"),
    ]
}

pub(crate) fn is_here() -> bool {
    packages().iter().all(|path| path.exists()) && succeeds("node", &["--version"])
}

/// TypeScript accepts the dashboards of a bot with and without links, and refuses wrong values and unknown fields.
pub(crate) fn satisfied() -> Result<(), Failed> {
    let links =
        ["--runbook-url", "https://desk.example/runbook", "--reference-url", "http://desk.example/catalogue"];
    let with_links = text(&[&["dashboard"], &links[..]].concat(), &settings())?;
    for dashboard in [text(&["dashboard"], &settings())?, with_links.clone()] {
        let errors = check(&dashboard)?;
        if !errors.is_empty() {
            return Err(errors.into());
        }
    }
    for (right, wrong) in [
        (r#""placement": "right""#, r#""placement": "beside""#),
        (r#""unit": "percentunit""#, r#""unit": 1"#),
        (r#""legendFormat""#, r#""legend""#),
        (r#""targetBlank": true"#, r#""targetBlank": 1"#),
        (r#""useValueForTime""#, r#""useValue""#),
        (r#""cellGap""#, r#""gap""#),
    ] {
        if !with_links.contains(right) || check(&with_links.replace(right, wrong))?.is_empty() {
            return Err(format!("{wrong} in the place of {right} is not noticed").into());
        }
    }
    Ok(())
}

/// The compiler's errors about a dashboard.
fn check(dashboard: &str) -> Result<String, Failed> {
    let directory = Directory::new();
    let [compiler, types] = packages();
    let folder = types.with_file_name("raw");
    let configuration = serde_json::json!({
        "compilerOptions": {
            "strict": true, "noEmit": true, "skipLibCheck": true, "target": "es2022", "module": "esnext",
            "moduleResolution": "bundler", "types": [],
            "paths": { "@grafana/schema": [types], "@grafana/schema/raw/*": [folder.join("*")] },
        },
        "files": ["dashboard.ts"],
    });
    fs::write(directory.path().join("tsconfig.json"), configuration.to_string())?;
    fs::write(
        directory.path().join("dashboard.ts"),
        format!("{TYPES}\n({dashboard}) satisfies BotDashboard;\n"),
    )?;
    let output =
        Command::new("node").arg(compiler).args(["--project", "."]).current_dir(directory.path()).output()?;
    let text = String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
    Ok(if output.status.success() { String::new() } else { format!("tsc fails: {text}") })
}
