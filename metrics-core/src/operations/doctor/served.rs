//! The catalogue that a bot serves.

use serde::Deserialize;

use super::finding::{BotFinding, Check};
use crate::catalogue::{OPERATIONAL_EVENTS_TOTAL, TARGET_INFO};
use crate::client::{HttpClient, explained};
use crate::linked::{LinkedCatalogue, LinkedFamily, LinkedFunction};
use crate::shown::shown;

const ADVICE: &str = "The bot needs the feature page, and in live mode without authentication it serves its catalogue to \
                      its own machine alone. `metrics list --json` of the running release and --expect do the same.";

/// The served data, as far as it is compared.
#[derive(Deserialize)]
struct ServedCatalogue {
    app: String,
    families: Vec<LinkedFamily>,
    functions: Vec<LinkedFunction>,
}

/// The catalogue at `/catalogue` of the server whose metrics are at `url`. The labels `env` and `mode`, which are not
/// served, are those of `own`.
pub(super) fn catalogue(
    client: &HttpClient,
    url: &str,
    own: &LinkedCatalogue,
) -> Result<LinkedCatalogue, BotFinding> {
    let address = format!("{}/catalogue?format=json", url.trim_end_matches("/metrics"));
    let failed = |problem: String| BotFinding::violation(Check::Scrape, &address, problem, ADVICE);
    let mut request = client.agent(0).get(&address).header("Accept", "application/json");
    if let Some(authorization) = client.authorization() {
        request = request.header("Authorization", authorization);
    }
    let answer =
        request.call().and_then(|mut answer| Ok((answer.status(), answer.body_mut().read_to_string()?)));
    let (status, text) = answer.map_err(|cause| failed(explained(&cause, client.timeout(), "the bot")))?;
    if !status.is_success() {
        return Err(failed(format!("the answer has the status {status}")));
    }
    let served = serde_json::from_str(&text);
    let served =
        served.map_err(|cause| failed(format!("it is no catalogue: {}", shown(&cause.to_string()))))?;
    Ok(completed(served, own.clone()))
}

fn completed(served: ServedCatalogue, mut own: LinkedCatalogue) -> LinkedCatalogue {
    let ServedCatalogue { app, families, functions } = served;
    // Each bot exports this family.
    let namespace = families.iter().find_map(|family| {
        family.name.strip_suffix(OPERATIONAL_EVENTS_TOTAL.name)?.strip_suffix('_').map(str::to_owned)
    });
    own.namespace = namespace.unwrap_or(own.namespace);
    own.default_labels.insert("app".to_owned(), app);
    own.default_labels_in_target_info = families.iter().any(|family| family.name == TARGET_INFO.name);
    LinkedCatalogue { families, functions, ..own }
}
