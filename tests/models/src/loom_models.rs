// The models under loom, each of the part whose `super` this is.

#[path = "under_loom/chain.rs"]
mod chain_model;
#[path = "under_loom/observed.rs"]
mod observed_model;
#[path = "under_loom/place.rs"]
mod place_model;
#[path = "under_loom/shard.rs"]
mod shard_model;
#[path = "under_loom/shared.rs"]
mod shared_model;
#[path = "under_loom/shared_observed.rs"]
mod shared_observed_model;
#[path = "under_loom/single_writer.rs"]
mod single_writer_model;
