use bot_metrics::prelude::*;

fn start(metrics: &Metrics) {
    let _ = metrics.subsystem("trading");
}

fn main() {}
