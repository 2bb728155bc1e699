//! Tests of the status page in a real browser, headless Chromium. They run if it is installed, are reported as ignored
//! otherwise, and fail if it is missing although `CI` is set.

mod access;
mod browser;
mod catalogue;
mod charts;
mod drawn;
mod hostile;
mod lights;
mod long;
mod pictures;
mod plain;
mod protection;
mod readme;
mod silence;
mod strip;

use bot_metrics::server::Server;
use bot_metrics::{Metrics, Mode, Settings};
use bot_metrics_tests::process::{needing, succeeds};
use libtest_mimic::{Arguments, Failed};

type Outcome = Result<(), Failed>;

fn main() {
    let arguments = Arguments::from_args();
    let has_browser = succeeds("chromedriver", &["--version"]) && succeeds("chromium", &["--version"]);
    let trial = |name, test: fn() -> Outcome| needing("chromium with chromedriver", has_browser, name, test);
    let mut tests = vec![
        trial("a_hung_loop_turns_its_light_red_and_back_green", lights::hung),
        trial("every_state_of_a_loop_is_shown_in_words", lights::states),
        trial("the_page_shows_capital_below_zero_and_a_full_limit", lights::risk),
        trial("charts_draw_the_numbers_of_the_exposition", drawn::numbers),
        trial("the_reader_moves_along_the_charts_by_keys", charts::keys),
        trial("hostile_labels_and_texts_stay_text", hostile::texts),
        trial("the_policy_blocks_what_has_no_nonce", hostile::policy),
        trial("a_stopped_bot_is_announced_within_three_seconds", silence::stopped),
        trial("a_bot_that_was_restarted_is_shown_from_its_start", silence::restarted),
        trial("a_clock_that_is_set_is_no_restart", silence::clock_set),
        trial("a_page_that_did_not_run_announces_no_dead_bot", silence::stopped_page),
        trial("after_a_sleep_the_bot_was_not_silent_for_as_long", silence::slept),
        trial("ages_say_from_where_on_they_count", plain::ages),
        trial("notes_and_reasons_that_differ_in_a_digit_are_all_shown", plain::digits),
        trial("what_follows_from_a_reason_is_shown_and_an_older_bot_is_read", plain::following),
        trial("what_has_no_rate_or_chart_is_noted", plain::left_out),
        trial("symbols_keep_their_places", plain::symbols),
        trial("old_figures_are_shown_as_old", plain::stale),
        trial("a_fault_has_its_beginning", plain::beginning),
        trial("a_bot_that_does_not_reconcile_has_no_panel_for_it", plain::reconciliation),
        trial("a_quantile_in_the_lowest_bucket_is_shown_as_at_most_its_bound", plain::resolution),
        trial("the_strip_of_a_loop_that_hangs_shows_that_nothing_ended", strip::hanging),
        trial("an_overdrawn_profile_says_whether_it_trades", plain::overdrawn),
        trial("a_refusal_is_not_contradicted_by_the_use_of_the_limit", plain::refused),
        trial("the_first_screen_of_a_phone_answers_four_questions", plain::first_screen),
        trial("events_are_filtered_by_severity", access::filter),
        trial("the_keyboard_reaches_everything", access::keyboard),
        trial("a_change_of_the_verdict_is_announced_once", access::announcement),
        trial("nothing_moves_while_the_page_is_updated", access::steady),
        trial("the_page_fits_a_phone", access::phone),
        trial("before_the_first_data_the_page_says_what_will_appear", access::empty),
        trial("live_money_in_development_is_an_alarm", protection::live_in_development),
        trial("others_get_an_explanation_of_a_live_bot", protection::explanation),
        trial("functions_that_were_never_called_are_found_in_the_catalogue", catalogue::search),
    ];
    let has_axe = has_browser && access::axe_core().is_some();
    tests.push(needing("chromium with axe-core (see .ci/run)", has_axe, "axe_finds_nothing", access::axe));
    tests.push(long::trial());
    tests.push(pictures::trial());
    tests.push(readme::trial());
    libtest_mimic::run(&arguments, tests).exit();
}

/// A bot in this process that trades on paper, and its server.
fn serve() -> Result<(Metrics, Server), Failed> {
    let metrics = Settings::new(Mode::Paper).app("browser-test").build()?;
    let server = metrics.serve("127.0.0.1:0")?;
    Ok((metrics, server))
}
