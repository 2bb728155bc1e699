//! Grafana's names of the units of the bot's own families.

use crate::catalogue::Kind;
use crate::linked::LinkedFamily;

/// Currencies in which the name of a family may end.
const CURRENCIES: [&str; 12] =
    ["usd", "usdt", "usdc", "eur", "gbp", "jpy", "chf", "btc", "eth", "bnb", "sol", "xrp"];

/// The unit of a family with this name, without the namespace: of a counter, whose rate is shown, per minute.
pub(super) fn unit(family: &LinkedFamily, name: &str) -> String {
    let last = name.trim_end_matches("_total").rsplit('_').next().unwrap_or_default();
    let unit = match &*family.unit {
        "seconds" => "s".to_owned(),
        "bytes" => "bytes".to_owned(),
        "ratio" => "percentunit".to_owned(),
        "percent" => "percent".to_owned(),
        _ if CURRENCIES.contains(&last) => format!("suffix:{}", last.to_ascii_uppercase()),
        _ => "short".to_owned(),
    };
    match family.kind {
        Kind::Gauge | Kind::Histogram => unit,
        Kind::Counter => match unit.strip_prefix("suffix:") {
            Some(currency) => format!("suffix:{currency}/min"),
            None if unit == "short" => "cpm".to_owned(),
            None => format!("suffix:{}/min", family.unit),
        },
    }
}
