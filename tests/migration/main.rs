//! Who has metrics already keeps them: from Node's prom-client, and from the crate `prometheus`.

mod prom_client;
mod prometheus_crate;
