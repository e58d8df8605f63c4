//! One suite for all vendors: what the contract [`Source`](incident_gateway::source::Source) promises, asked of each over its
//! sandbox by the same code. A promise that a vendor's capabilities leave out is refused, and that is tested too.
//!
//! [`subjects`] are vendors, also with everything switched on that their documents leave open. [`promises`] are functions in
//! the files below: a new promise is a new function, not a new test for a vendor. A failure names both.

mod bench;
mod errors;
pub(crate) mod fields;
mod filters;
mod gateway;
mod lists;
mod records;
mod refusals;
mod rest;
mod samples;
mod sharing;
mod truth;

use bench::Subject;

/// A module of tests for each subject.
macro_rules! subjects {
    ($($name:ident: $subject:expr;)+) => { $(
        mod $name {
            use super::*;
            const SUBJECT: Subject = $subject;
            promises! {
                lists:
                    every_row_comes_once_and_says_what_the_server_says,
                    every_page_size_gives_the_same_rows,
                    a_page_may_begin_anywhere,
                    rows_without_an_order_stay_where_they_are,
                    declared_orders_are_ours,
                    other_orders_reach_no_server,
                    totals_are_what_capabilities_say;
                fields:
                    the_table_has_every_field_that_is_declared;
                truth:
                    fields_that_are_filled_are_declared,
                    fields_that_are_declared_are_filled,
                    words_are_among_the_declared;
                filters:
                    each_filter_gives_what_the_gateway_would_keep,
                    filters_hold_together,
                    filters_hold_within_orders,
                    other_filters_reach_no_server;
                records:
                    incidents_are_had_by_id,
                    records_are_had_by_id_by_kind,
                    no_link_leads_nowhere,
                    details_come_part_by_part,
                    catalogues_walk_to_their_end,
                    names_are_looked_up,
                    what_is_received_is_kept_where_it_is_wanted;
                refusals:
                    metrics_equal_a_count_of_the_rows,
                    files_are_made_or_refused,
                    changes_are_refused_by_capability,
                    health_and_account_are_told;
                errors:
                    a_wrong_credential_is_told_by_every_operation,
                    each_failure_has_its_kind_in_every_operation,
                    a_row_that_is_broken_costs_only_itself,
                    nothing_is_sent_after_the_deadline;
                sharing:
                    many_calls_at_once_answer_as_one,
                    two_sources_of_one_vendor_never_mix;
                gateway:
                    every_order_through_graphql_is_ours,
                    filters_mean_the_same_whoever_applies_them,
                    people_and_tags_are_found_by_what_they_are_called;
            }
        }
    )+ };
}

/// A test for each promise.
macro_rules! promises {
    ($($file:ident: $($promise:ident),+;)+) => { $($(
        #[tokio::test]
        async fn $promise() {
            $file::$promise(&SUBJECT).await;
        }
    )+)+ };
}

/// Once for each API, since no switch moves a field.
macro_rules! tables {
    ($($name:ident: $subject:expr;)+) => { $(
        #[tokio::test]
        async fn $name() {
            fields::fields_are_where_the_table_says(&$subject).await;
        }
    )+ };
}

mod fields_are_where_the_table_says {
    use super::*;
    tables! {
        ciso_assistant: Subject::CISO_ASSISTANT;
        ciso_assistant_later: Subject::CISO_ASSISTANT_LATER;
        eventlog_analyzer: Subject::EVENTLOG_ANALYZER;
        adversarial: Subject::ADVERSARIAL;
        kaspersky_xdr: Subject::KASPERSKY_XDR;
        cortex_xpanse: Subject::CORTEX_XPANSE;
    }
}

subjects! {
    ciso_assistant: Subject::CISO_ASSISTANT;
    ciso_assistant_later: Subject::CISO_ASSISTANT_LATER;
    eventlog_analyzer: Subject::EVENTLOG_ANALYZER;
    eventlog_analyzer_sure: Subject::EVENTLOG_ANALYZER_SURE;
    adversarial: Subject::ADVERSARIAL;
    adversarial_switched_on: Subject::ADVERSARIAL_SWITCHED_ON;
    kaspersky_xdr: Subject::KASPERSKY_XDR;
    kaspersky_xdr_without_memory: Subject::KASPERSKY_XDR_WITHOUT_MEMORY;
    cortex_xpanse: Subject::CORTEX_XPANSE;
    cortex_xpanse_switched_on: Subject::CORTEX_XPANSE_SWITCHED_ON;
}
