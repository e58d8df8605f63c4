//! How each recorded case is prepared: who calls, and what happened before on a server that otherwise holds the
//! recorded objects.

use incident_gateway::sandbox::Release;
use std::collections::BTreeMap;

/// Whose token takes the place of a redacted one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Caller {
    Admin,
    /// Reads and writes in the folder Retail only.
    Analyst,
    /// Reads everything.
    Reader,
    /// Has no role.
    Nobody,
    /// The admin, whose token was given back before.
    LoggedOut,
}

pub(super) enum Step {
    /// This incident exists.
    Incident { id: &'static str, name: &'static str, ref_id: &'static str, folder: &'static str },
    /// That recorded case was played, with the recorded answer.
    Played(&'static str),
    /// The admin sent this, which succeeded.
    Sent { method: &'static str, path: &'static str, body: &'static str },
}

pub(super) struct Case {
    pub(super) caller: Caller,
    pub(super) given: &'static [Step],
}

const PAIR: Step =
    Step::Incident { id: "d0d0d0d0-0000-4000-8000-000000000001", name: "Dup pair", ref_id: "D-1", folder: "Payments" };

const BATCH: &[Step] = &[
    Step::Incident { id: "51af86be-dd4f-4e62-ac34-5401d4e738b8", name: "batch 0", ref_id: "", folder: "Payments" },
    Step::Incident { id: "94968629-0225-460b-9270-ab1f88c756a6", name: "batch 1", ref_id: "", folder: "Payments" },
];

const LATER_BATCH: &[Step] = &[
    Step::Incident { id: "1e3cd0a2-85b4-42d0-a8c0-af8aaa57b21c", name: "batch 0", ref_id: "", folder: "Payments" },
    Step::Incident { id: "4955918d-8f00-4968-ae50-9bd1e64b6234", name: "batch 1", ref_id: "", folder: "Payments" },
];

/// Between two of the recorded changes the assets were changed once more.
const OTHER_ASSETS: Step = Step::Sent {
    method: "PATCH",
    path: "/api/incidents/c3670b72-19de-4596-9281-1151f96e4c80/",
    body: r#"{"assets":["2fd7c095-d2ae-42cc-ac2c-3b6064800c5b,865497dd-8c31-4bbe-b1f3-7bce20f24068"]}"#,
};

const CREATED: &[Step] = &[Step::Played("incidents_create_full")];

/// Cases that need something: caller and what happened before.
const PREPARED: &[(&str, Caller, &[Step])] = &[
    ("auth_after_logout", Caller::LoggedOut, &[]),
    ("batch_bad_action", Caller::Admin, BATCH),
    ("batch_change_field_invalid_value", Caller::Admin, BATCH),
    ("batch_change_field_ok", Caller::Admin, BATCH),
    ("batch_change_field_partial", Caller::Admin, BATCH),
    ("batch_change_folder_ok", Caller::Admin, BATCH),
    ("batch_change_folder_unknown", Caller::Admin, BATCH),
    ("batch_change_m2m_ok", Caller::Admin, BATCH),
    ("batch_change_m2m_unknown_value", Caller::Admin, BATCH),
    ("batch_delete_partial", Caller::Admin, BATCH),
    ("batch_invalid_uuid", Caller::Admin, BATCH),
    ("incidents_create_duplicate_pair", Caller::Admin, &[PAIR]),
    ("incidents_destroy", Caller::Admin, CREATED),
    (
        "incidents_destroy_again",
        Caller::Admin,
        &[Step::Played("incidents_create_full"), Step::Played("incidents_destroy")],
    ),
    ("incidents_patch_bad_enum", Caller::Admin, CREATED),
    (
        "incidents_patch_duplicate_pair",
        Caller::Admin,
        &[
            PAIR,
            Step::Incident {
                id: "fc0fcc24-f4f2-4c0b-a88c-c7305f385bed",
                name: "Dup pair",
                ref_id: "D-2",
                folder: "Payments",
            },
        ],
    ),
    ("incidents_patch_status", Caller::Admin, CREATED),
    (
        "incidents_patch_severity_detection_null",
        Caller::Admin,
        &[Step::Played("incidents_create_full"), Step::Played("incidents_patch_status")],
    ),
    (
        "incidents_patch_m2m_replace",
        Caller::Admin,
        &[
            Step::Played("incidents_create_full"),
            Step::Played("incidents_patch_status"),
            Step::Played("incidents_patch_severity_detection_null"),
        ],
    ),
    (
        "incidents_put_name_only",
        Caller::Admin,
        &[
            Step::Played("incidents_create_full"),
            Step::Played("incidents_patch_status"),
            Step::Played("incidents_patch_severity_detection_null"),
            Step::Played("incidents_patch_m2m_replace"),
            OTHER_ASSETS,
        ],
    ),
    ("incidents_put_missing_name", Caller::Admin, CREATED),
    ("incidents_put_full", Caller::Admin, CREATED),
    (
        "timeline_after_updates",
        Caller::Admin,
        &[
            Step::Played("incidents_create_full"),
            Step::Played("incidents_patch_status"),
            Step::Played("incidents_patch_severity_detection_null"),
            Step::Played("incidents_patch_m2m_replace"),
            OTHER_ASSETS,
            Step::Played("incidents_put_name_only"),
            Step::Played("incidents_put_full"),
        ],
    ),
    ("incidents_retrieve_minimal", Caller::Admin, &[Step::Played("incidents_create_minimal")]),
    ("perm_analyst_create_other_folder", Caller::Analyst, &[]),
    ("perm_analyst_link_hidden_asset", Caller::Analyst, &[]),
    ("perm_analyst_retrieve_other_folder", Caller::Analyst, &[]),
    ("perm_masked_related", Caller::Analyst, &[]),
    ("perm_nobody_list", Caller::Nobody, &[]),
    ("perm_nobody_md", Caller::Nobody, &[]),
    ("perm_reader_batch_delete", Caller::Reader, &[]),
    ("perm_reader_patch_403", Caller::Reader, &[]),
];

const LATER_PREPARED: &[(&str, Caller, &[Step])] = &[
    ("batch_add_m2m", Caller::Admin, LATER_BATCH),
    ("batch_change_field_missing_field", Caller::Admin, LATER_BATCH),
    ("batch_change_field_ok", Caller::Admin, LATER_BATCH),
    ("batch_change_field_unknown_field", Caller::Admin, LATER_BATCH),
    ("batch_change_folder_ok", Caller::Admin, LATER_BATCH),
    ("batch_change_m2m_ok", Caller::Admin, LATER_BATCH),
    ("batch_delete_partial", Caller::Admin, LATER_BATCH),
    ("batch_invalid_uuid", Caller::Admin, LATER_BATCH),
    ("incidents_create_case_dup", Caller::Admin, CREATED),
    ("incidents_create_duplicate_pair", Caller::Admin, &[PAIR]),
    ("incidents_create_duplicate_ref_id", Caller::Admin, CREATED),
    ("incidents_put_full", Caller::Admin, CREATED),
    ("perm_reader_cascade_info", Caller::Reader, &[]),
];

/// Cases that the admin (or nobody, where no token was sent) calls on the recorded objects as they are.
const PLAIN: &[&str] = &[
    "auth_allauth_login_bad_password",
    "auth_allauth_login_ok",
    "auth_bad_token",
    "auth_login_bad_password",
    "auth_login_ok",
    "auth_missing_token",
    "auth_token_no_value",
    "batch_no_ids",
    "batch_threats_change_field",
    "batch_threats_change_folder",
    "batch_threats_change_m2m",
    "batch_too_many_ids",
    "health",
    "incidents_accept_xml_406",
    "incidents_cascade_info",
    "incidents_cascade_info_withtimeline",
    "incidents_choices_detection",
    "incidents_choices_severity",
    "incidents_choices_status",
    "incidents_collection_put_405",
    "incidents_create_array_body",
    "incidents_create_bad_datetime",
    "incidents_create_bad_enums",
    "incidents_create_bad_json",
    "incidents_create_full",
    "incidents_create_label_bad_text",
    "incidents_create_long_name",
    "incidents_create_minimal",
    "incidents_create_missing_name",
    "incidents_create_null_status",
    "incidents_create_owner_is_user_id",
    "incidents_create_terminology_of_other_kind",
    "incidents_create_unknown_folder",
    "incidents_create_unknown_m2m",
    "incidents_create_unsupported_media",
    "incidents_detection_breakdown",
    "incidents_error_french",
    "incidents_export_csv",
    "incidents_export_xlsx",
    "incidents_filter_assets_repeated",
    "incidents_filter_combined",
    "incidents_filter_detection_repeated",
    "incidents_filter_empty_value",
    "incidents_filter_entities_one",
    "incidents_filter_filtering_labels_one",
    "incidents_filter_folder_comma",
    "incidents_filter_folder_invalid",
    "incidents_filter_folder_one",
    "incidents_filter_folder_repeated",
    "incidents_filter_folder_unknown",
    "incidents_filter_owners_one",
    "incidents_filter_qualifications_one",
    "incidents_filter_severity_comma",
    "incidents_filter_severity_invalid",
    "incidents_filter_severity_repeated",
    "incidents_filter_status_invalid",
    "incidents_filter_status_one",
    "incidents_filter_threats_ignored",
    "incidents_filter_two_errors",
    "incidents_list_id_comma",
    "incidents_list_id_comma_invalid",
    "incidents_list_id_comma_unknown",
    "incidents_list_id_in",
    "incidents_list_id_repeated",
    "incidents_list_limit0",
    "incidents_list_limit2",
    "incidents_list_limit_huge",
    "incidents_list_no_slash",
    "incidents_list_offset",
    "incidents_list_offset_past_end",
    "incidents_list_uri_too_long",
    "incidents_md",
    "incidents_md_invalid_uuid",
    "incidents_md_no_timeline",
    "incidents_md_not_found",
    "incidents_monthly_metrics",
    "incidents_monthly_metrics_empty",
    "incidents_object",
    "incidents_options",
    "incidents_order__reported_at",
    "incidents_order_bogus",
    "incidents_order_severity__name",
    "incidents_patch_not_found",
    "incidents_pdf",
    "incidents_qualifications_breakdown",
    "incidents_retrieve",
    "incidents_retrieve_invalid_uuid",
    "incidents_retrieve_not_found",
    "incidents_retrieve_null_fields",
    "incidents_search_name",
    "incidents_search_none",
    "incidents_search_ref_id",
    "incidents_severity_breakdown",
    "incidents_severity_breakdown_folder_unknown",
    "incidents_summary_stats",
    "incidents_summary_stats_folder",
    "perm_masked_related_admin",
    "rel_actors_id_comma",
    "rel_actors_retrieve",
    "rel_actors_retrieve_entity",
    "rel_actors_retrieve_team",
    "rel_assets_id_comma",
    "rel_assets_retrieve",
    "rel_entities_id_comma",
    "rel_evidences_by_timeline",
    "rel_evidences_id_comma",
    "rel_evidences_retrieve",
    "rel_filtering_labels_id_comma",
    "rel_folders_id_comma",
    "rel_teams_id_comma",
    "rel_teams_retrieve",
    "rel_terminologies_id_comma",
    "rel_terminologies_qualifications",
    "rel_threats_id_comma",
    "rel_threats_retrieve",
    "rel_timeline_by_incident",
    "rel_timeline_by_incidents_repeated",
    "rel_timeline_create",
    "rel_timeline_create_future",
    "rel_timeline_create_missing",
    "rel_timeline_delete_auto",
    "rel_timeline_entry_type",
    "rel_users_id_comma",
    "rel_users_retrieve",
];

/// The same for the later release.
const LATER_PLAIN: &[&str] = &[
    "auth_allauth_login_ok",
    "batch_threats_change_field",
    "batch_threats_change_m2m",
    "batch_too_many_ids",
    "incidents_create_full",
    "incidents_create_minimal",
    "incidents_export_csv",
    "incidents_export_csv_bad_filter",
    "incidents_export_xlsx_bad_filter",
    "incidents_filter_created_at_gte",
    "incidents_list_limit2",
    "incidents_md",
    "incidents_options",
    "incidents_retrieve",
    "incidents_severity_breakdown_folder_invalid",
    "incidents_severity_breakdown_folder_unknown",
    "rel_actors_id_comma",
    "rel_assets_id_comma",
    "rel_teams_id_comma",
    "rel_users_retrieve",
];

/// The prepared cases of a release by name.
pub(super) fn of(release: Release) -> BTreeMap<&'static str, Case> {
    let (prepared, plain) = match release {
        Release::V3_15_1 => (PREPARED, PLAIN),
        Release::V3_20_8 => (LATER_PREPARED, LATER_PLAIN),
    };
    let plain = plain.iter().map(|&name| (name, Case { caller: Caller::Admin, given: &[] }));
    prepared.iter().map(|&(name, caller, given)| (name, Case { caller, given })).chain(plain).collect()
}
