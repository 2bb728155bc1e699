//! Typos in labels and keys, beside errors of other kinds.
#![allow(dead_code)]
use bot_metrics::prelude::*;

//~ unknown subsystem "tradng"; did you mean "trading"?
#[timed_subsystem("tradng")]
fn trade() {}

//~ unknown subsystem "monitr"; did you mean "monitor"?
#[timed_subsystem("monitr", every = "5s")]
async fn watch() -> Result<(), String> {
    std::future::ready(()).await;
    Ok(())
}

//~ unknown operation "plaec_order"; did you mean "place_order"?
#[exchange_call(op = "plaec_order", exchange = "binance")]
fn place() -> Result<(), String> {
    Ok(())
}

fn plain() -> u8 {
    //~ mismatched types
    "no number"
}

//~ unknown exchange "binanse"; did you mean "binance"?
#[exchange_call(op = "get_order", exchange = "binanse")]
fn get<T: Default>() -> Result<T, String> {
    Ok(T::default())
}

fn borrows(mut text: String) -> usize {
    let first = &text;
    //~ cannot borrow `text` as mutable
    text.clear();
    first.len()
}

//~ unknown event type "STARTD"; did you mean "STARTED"?
#[operational_event(type = "STARTD", severity = "INFO")]
fn start() {}

//~ unknown severity "INFOS"; did you mean "INFO"?
#[operational_event(type = "STOPPED", severity = "INFOS")]
fn stop() {}

//~ capital_check has no key `profil`; did you mean `profile`?
#[capital_check(profil = "maker")]
fn capital() -> Capital {
    Capital::default()
}

//~ reconciliation has no key `crat`; did you mean `crate`?
#[reconciliation(crat = ::bot_metrics)]
fn reconcile() -> ReconciliationReport {
    ReconciliationReport::default()
}

struct Client;

#[exchange_call]
impl Client {
    //~ unknown operation "get_tiker"; did you mean "get_ticker"?
    fn get_tiker(&self) {}

    fn get_order(&self) -> u8 {
        //~ cannot find value `nothing` in this scope
        nothing
    }

    //~ unknown operation "get_balnces"; did you mean "get_balances"?
    fn get_balnces(&self) {}
}

//~ timed_subsystem has no key `evry`; did you mean `every`?
#[timed_subsystem(
    "trading",
    evry = "5s"
)]
fn period() {}

#[timed_subsystem(
    //~ unknown subsystem "reconcilation"; did you mean "reconciliation"?
    "reconcilation",
    //~ `max_age` takes a time in quotes
    max_age = 60
)]
fn two_mistakes() {}

//~ named `Tradng` found for enum
#[timed_subsystem(labels::Subsystem::Tradng)]
fn variant() {}
