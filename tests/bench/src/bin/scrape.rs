//! One scrape of 10,000 exchange call series of two histogram families' worth of lines, beside copying the finished
//! text and beside rust-prometheus' encoder on histograms with the same bounds and labels.
//!
//! `cargo run --release --manifest-path tests/bench/Cargo.toml --bin scrape [rounds]`

use std::hint::black_box;
use std::time::Instant;

use bot_metrics::{LabelValue, Mode, Outcome, Settings, catalogue};
use prometheus::{Encoder as _, HistogramOpts, HistogramVec, Registry, TextEncoder};

#[derive(Clone, Copy, Debug, LabelValue)]
enum Exchange {
    E0,
    E1,
    E2,
    E3,
    E4,
    E5,
    E6,
    E7,
    E8,
    E9,
    E10,
    E11,
    E12,
    E13,
    E14,
    E15,
    E16,
    E17,
    E18,
    E19,
    E20,
    E21,
    E22,
    E23,
    E24,
    E25,
    E26,
    E27,
    E28,
    E29,
    E30,
    E31,
    E32,
    E33,
    E34,
    E35,
    E36,
    E37,
    E38,
    E39,
    E40,
    E41,
    E42,
    E43,
    E44,
    E45,
    E46,
    E47,
    E48,
    E49,
    E50,
    E51,
    E52,
    E53,
    E54,
    E55,
    E56,
    E57,
    E58,
    E59,
    E60,
    E61,
    E62,
    E63,
    E64,
    E65,
    E66,
    E67,
    E68,
    E69,
    E70,
    E71,
    E72,
    E73,
    E74,
    E75,
    E76,
    E77,
    E78,
    E79,
    E80,
    E81,
    E82,
    E83,
    E84,
    E85,
    E86,
    E87,
    E88,
    E89,
    E90,
    E91,
    E92,
    E93,
    E94,
    E95,
    E96,
    E97,
    E98,
    E99,
}

#[derive(Clone, Copy, Debug, LabelValue)]
enum Operation {
    O0,
    O1,
    O2,
    O3,
    O4,
    O5,
    O6,
    O7,
    O8,
    O9,
    O10,
    O11,
    O12,
    O13,
    O14,
    O15,
    O16,
    O17,
    O18,
    O19,
    O20,
    O21,
    O22,
    O23,
    O24,
    O25,
    O26,
    O27,
    O28,
    O29,
    O30,
    O31,
    O32,
    O33,
    O34,
    O35,
    O36,
    O37,
    O38,
    O39,
    O40,
    O41,
    O42,
    O43,
    O44,
    O45,
    O46,
    O47,
    O48,
    O49,
    O50,
    O51,
    O52,
    O53,
    O54,
    O55,
    O56,
    O57,
    O58,
    O59,
    O60,
    O61,
    O62,
    O63,
    O64,
    O65,
    O66,
    O67,
    O68,
    O69,
    O70,
    O71,
    O72,
    O73,
    O74,
    O75,
    O76,
    O77,
    O78,
    O79,
    O80,
    O81,
    O82,
    O83,
    O84,
    O85,
    O86,
    O87,
    O88,
    O89,
    O90,
    O91,
    O92,
    O93,
    O94,
    O95,
    O96,
    O97,
    O98,
    O99,
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let rounds = std::env::args().nth(1).map_or(Ok(21), |rounds| rounds.parse())?;
    let metrics = Settings::new(Mode::Paper).families(bot_metrics::Families::SeedOnly).build()?;
    let options = HistogramOpts::new("bytelyst_bot_exchange_api_latency_seconds", "Time of one attempt.")
        .buckets(catalogue::EXCHANGE_API_LATENCY_BUCKETS.to_vec());
    let peer = HistogramVec::new(options, &["exchange", "operation", "app", "env", "mode"])?;
    let registry = Registry::new();
    registry.register(Box::new(peer.clone()))?;
    let each = || (0..100).flat_map(|exchange| (0..100).map(move |operation| (exchange, operation)));
    let calls: Vec<_> = each()
        .map(|(exchange, operation)| metrics.exchange_call(EXCHANGES[exchange], OPERATIONS[operation]))
        .collect();
    let record = || {
        for (call, (exchange, operation)) in calls.iter().zip(each()) {
            call.start().finish(Outcome::Ok);
            let labels = [
                EXCHANGES[exchange].as_str(),
                OPERATIONS[operation].as_str(),
                "bytelyst-trading-bot-service",
                "development",
                "paper",
            ];
            peer.with_label_values(&labels).observe(0.001);
        }
    };
    let (mut ours, mut copies, mut theirs) = (Vec::new(), Vec::new(), Vec::new());
    let mut lines = 0;
    for _ in 0..rounds {
        record();
        let start = Instant::now();
        let text = metrics.exposition();
        ours.push(start.elapsed().as_secs_f64() * 1e3);
        let start = Instant::now();
        black_box(text.clone());
        copies.push(start.elapsed().as_secs_f64() * 1e3);
        let start = Instant::now();
        let mut encoded = Vec::new();
        TextEncoder::new().encode(&registry.gather(), &mut encoded)?;
        theirs.push(start.elapsed().as_secs_f64() * 1e3);
        lines = text.lines().count();
    }
    let [ours, copy, theirs] = [ours, copies, theirs].map(|mut row| {
        row.sort_by(f64::total_cmp);
        row[row.len() / 2]
    });
    println!("| {lines} lines | ms | x copy |\n| --- | ---: | ---: |");
    for (name, ms) in
        [("copying the finished text", copy), ("exposition", ours), ("rust-prometheus TextEncoder", theirs)]
    {
        println!("| {name} | {ms:.2} | {:.1} |", ms / copy);
    }
    Ok(())
}

const EXCHANGES: [Exchange; 100] = {
    use Exchange::*;
    [
        E0, E1, E2, E3, E4, E5, E6, E7, E8, E9, E10, E11, E12, E13, E14, E15, E16, E17, E18, E19, E20, E21,
        E22, E23, E24, E25, E26, E27, E28, E29, E30, E31, E32, E33, E34, E35, E36, E37, E38, E39, E40, E41,
        E42, E43, E44, E45, E46, E47, E48, E49, E50, E51, E52, E53, E54, E55, E56, E57, E58, E59, E60, E61,
        E62, E63, E64, E65, E66, E67, E68, E69, E70, E71, E72, E73, E74, E75, E76, E77, E78, E79, E80, E81,
        E82, E83, E84, E85, E86, E87, E88, E89, E90, E91, E92, E93, E94, E95, E96, E97, E98, E99,
    ]
};
const OPERATIONS: [Operation; 100] = {
    use Operation::*;
    [
        O0, O1, O2, O3, O4, O5, O6, O7, O8, O9, O10, O11, O12, O13, O14, O15, O16, O17, O18, O19, O20, O21,
        O22, O23, O24, O25, O26, O27, O28, O29, O30, O31, O32, O33, O34, O35, O36, O37, O38, O39, O40, O41,
        O42, O43, O44, O45, O46, O47, O48, O49, O50, O51, O52, O53, O54, O55, O56, O57, O58, O59, O60, O61,
        O62, O63, O64, O65, O66, O67, O68, O69, O70, O71, O72, O73, O74, O75, O76, O77, O78, O79, O80, O81,
        O82, O83, O84, O85, O86, O87, O88, O89, O90, O91, O92, O93, O94, O95, O96, O97, O98, O99,
    ]
};
