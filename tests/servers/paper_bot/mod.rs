//! The demo bot as a process, seen by its users and its scraper.

mod bad_input;
mod customer;
mod disk_full;
mod ending;
mod faults;
mod footprint;
mod killed;
mod output;
mod random_faults;
mod records;
mod screen;
mod signs;
mod status;
mod trading;

use libtest_mimic::Trial;

macro_rules! trials {
    ($($module:ident { $($test:ident,)+ })+) => {
        vec![$($(Trial::test(concat!("paper_bot::", stringify!($module), "::", stringify!($test)), || {
            $module::$test();
            Ok(())
        })),+),+]
    };
}

/// Each test, with its module.
pub(crate) fn trials() -> Vec<Trial> {
    trials! {
        bad_input {
            an_invalid_command_line_ends_with_2,
            an_invalid_environment_ends_with_1_and_one_line,
            a_missing_exchange_ends_with_1_and_one_line_within_the_duration,
            a_file_that_is_not_a_recording_ends_with_1,
            an_invalid_data_file_ends_with_1_and_a_line_number,
            a_port_in_use_does_not_stop_it_from_trading_unless_the_endpoint_is_required,
        }
        disk_full {
            while_its_database_cannot_be_written_no_order_is_placed_and_nothing_is_lost,
        }
        ending {
            it_places_fills_and_cancels_orders_and_leaves_none_open,
            the_orders_reported_as_open_are_those_of_the_exchange_at_any_point_of_a_cycle,
            an_exchange_that_stops_answering_does_not_delay_the_shutdown,
            a_signal_stops_it_soon_even_while_it_hangs,
            nohup_protects_it_from_the_end_of_its_terminal,
            sigterm_loses_no_increment_if_one_more_scrape_comes,
            a_missing_last_scrape_is_reported_and_another_signal_ends_the_wait,
            a_rate_limit_without_open_orders_is_not_reported,
            a_closed_standard_output_does_not_end_it,
            a_reader_that_goes_away_does_not_end_it_and_is_reported_once,
            an_unread_output_delays_neither_trading_nor_metrics_nor_the_shutdown,
        }
        faults {
            each_fault_leaves_its_traces_and_no_others_and_passes,
            the_list_of_faults_is_that_of_the_table_above,
            negative_capital_that_recovers_and_falls_again_is_a_second_violation,
            a_removed_profile_keeps_its_counters_for_their_grace_period,
            an_orphan_counts_once_and_a_blind_reconciliation_keeps_its_last_figures,
            without_a_fault_there_is_no_sign_of_trouble,
        }
        footprint {
            the_bot_is_small_and_quick,
        }
        killed {
            no_order_is_lost_or_doubled_and_what_the_exchange_did_meanwhile_is_found,
        }
        output {
            each_line_is_an_object_of_a_known_type,
        }
        random_faults {
            random_faults_neither_crash_nor_bloat_the_bot_and_its_counters_equal_its_database,
        }
        screen {
            a_table_is_shown_and_ctrl_c_restores_the_terminal,
            every_end_restores_the_terminal,
            ctrl_backslash_restores_the_terminal,
            lines_are_printed_where_they_are_wanted,
            a_terminal_that_cannot_show_the_table_says_so_and_gets_lines,
        }
        status {
            the_status_agrees_with_the_metrics_and_is_small,
        }
        trading {
            every_linked_series_is_in_the_first_scrape_of_a_release_build,
            its_version_is_that_of_its_build,
            exactly_the_events_that_the_bot_can_record_are_exported_from_the_start,
            it_trades_and_serves_the_nine_core_families_exactly,
            every_family_of_the_catalogue_has_series,
        }
    }
}
