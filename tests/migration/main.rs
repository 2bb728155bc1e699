//! Existing metrics are kept: those of Node's prom-client and of the crate `prometheus`.

mod prom_client;
mod prometheus_crate;
