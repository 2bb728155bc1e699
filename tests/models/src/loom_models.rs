// The models under loom, and the tests that both formulations have.

#[path = "under_loom/borrowed_shard.rs"]
mod borrowed_shard_model;
#[path = "under_loom/borrowed_words.rs"]
mod borrowed_words_model;
#[path = "under_loom/chain.rs"]
mod chain_model;
#[path = "under_loom/observed.rs"]
mod observed_model;
#[path = "under_loom/place.rs"]
mod place_model;
#[path = "under_loom/shard.rs"]
mod shard_model;
#[path = "under_loom/single_writer.rs"]
mod single_writer_model;

#[test]
fn shard_two_quick_ends() {
    shard_model::check_quick();
}

#[test]
fn shard_quick_and_other_ends() {
    shard_model::check(3, 2);
}

#[test]
fn shard_one_thread_after_the_other() {
    shard_model::check_succession();
}

#[test]
fn shard_calls_under_way() {
    shard_model::check_calls_under_way();
}

#[test]
fn observed_three() {
    observed_model::check(3, 2);
}

#[test]
fn single_writer_one_thread_after_the_other() {
    single_writer_model::check();
}

#[test]
fn place_three_events() {
    place_model::check(3);
}
