use bot_metrics::metrics;

metrics! {
    /// Alive.
    gauge subsystem_alive
}

fn main() {}
