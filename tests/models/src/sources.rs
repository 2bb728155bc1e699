// The library's own files, each with the atomics of the module `sync` beside this one.

#[path = "../../../metrics-core/src/storage/chain.rs"]
mod chain;
#[path = "../../../metrics-core/src/storage/observed.rs"]
mod observed;
#[path = "../../../metrics-core/src/families/recent/place.rs"]
mod place;
#[path = "../../../metrics-core/src/storage/shard.rs"]
mod shard;
#[path = "../../../metrics-core/src/storage/single_writer.rs"]
mod single_writer;
#[path = "../../../metrics-core/src/storage/totals.rs"]
mod totals;

#[path = "element.rs"]
mod element;
