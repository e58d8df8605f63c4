//! What the server sends: one struct for each kind of row (document “Viewing a list of incidents”, topic 269340, XDR 1.1;
//! alerts and tenants: topic 269291 and below it). Texts stay as received; what they mean is `map`'s business. Private to this folder.

mod read;
mod unite;

pub(super) use read::{Moment, Read, Reading};
pub(super) use unite::{Unite, united};

use crate::domain::{RawJson, Text};
use read::rows;
use serde_json::value::RawValue;
use std::borrow::Cow;

rows! {
    /// A row of `incidents`. `HistoryRecords` come only with `withHistory`, `Assets` in full only with `withAffected`.
    struct IncidentRow {
        id: Text = "ID",
        internal_id: Text = "InternalID",
        tenant_id: Text = "TenantID",
        name: Text = "Name",
        description: Text = "Description",
        external_ref: Text = "ExternalRef",
        status: Text = "Status",
        status_resolution: Text = "StatusResolution",
        status_changed_at: Moment = "StatusChangedAt",
        created_at: Moment = "CreatedAt",
        updated_at: Moment = "UpdatedAt",
        first_event_time: Moment = "FirstEventTime",
        last_event_time: Moment = "LastEventTime",
        severity: Text = "Severity",
        priority: Text = "Priority",
        // The data model page calls it so.
        sign_of_creation: Text = "SignOfCreation" | "CreationType",
        assignee: AssigneeRow = "Assignee",
        // The data model page calls it so, with objects.
        alerts: Vec<AlertId> = "AlertIDs" | "Alerts",
        detection_technologies: Vec<Text> = "DetectionTechnologies",
        tactics: Vec<Mitre> = "MITRETactics",
        techniques: Vec<Mitre> = "MITRETechniques",
        observables: Vec<(ObservableRow, Option<RawJson>)> = "Observables",
        rules: Vec<(RuleRow, Option<RawJson>)> = "Rules",
        assets: Vec<(AssetRow, Option<RawJson>)> = "Assets",
        history: Vec<(HistoryRow, Option<RawJson>)> = "HistoryRecords",
    }

    /// Who works on it. Both members are empty where nobody does.
    struct AssigneeRow {
        id: Text = "ID",
        name: Text = "Name",
    }

    /// A tactic or technique by the id of the MITRE catalogue.
    struct MitreRow {
        id: Text = "ID",
    }

    /// Something that was seen.
    struct ObservableRow {
        details: Text = "Details",
        kind: Text = "Type",
        value: Text = "Value",
    }

    /// A rule that raised an alert.
    struct RuleRow {
        id: Text = "ID",
        // Not in the document of incidents; public clients read it.
        internal_id: Text = "InternalID",
        name: Text = "Name",
        confidence: Text = "Confidence",
        custom: bool = "Custom",
        severity: Text = "Severity",
        kind: Text = "Type",
    }

    /// A change.
    struct HistoryRow {
        entity_id: Text = "entityID",
        entity_kind: Text = "entityKind",
        kind: Text = "type",
        created_at: Moment = "createdAt",
        params: RawJson = "params",
    }

    /// A host or an account that an incident is about.
    struct AssetRow {
        id: Text = "ID",
        is_attacker: bool = "IsAttacker",
        is_victim: bool = "IsVictim",
        ksc_server: Text = "KSCServer",
        name: Text = "Name",
        kind: Text = "Type",
        host: HostRow = "HostInfo",
        user: UserRow = "UserInfo",
    }

    /// A host as endpoint products know it. Whole numbers that are times are seconds or milliseconds since 1970.
    struct HostRow {
        id: Text = "ID",
        tenant_id: Text = "TenantID",
        display_name: Text = "DisplayName",
        asset_source: Text = "AssetSource",
        created_at: i64 = "CreatedAt",
        is_deleted: bool = "IsDeleted",
        ip_address: Vec<Text> = "IpAddress",
        fqdn: Vec<Text> = "Fqdn",
        mac_address: Vec<Text> = "MacAddress",
        direct_categories: Vec<Text> = "DirectCategories",
        weight: Text = "Weight",
        cii_category: Text = "CiiCategory",
        os: Text = "OS",
        os_version: Text = "OSVersion",
        sources: Vec<Text> = "Sources",
        last_visible: i64 = "LastVisible",
        products: Vec<ProductRow> = "Products",
        ksc: KscRow = "KSC",
        kics: KicsRow = "KICS",
    }

    /// A program on a host.
    struct ProductRow {
        version: Text = "ProductVersion",
        name: Text = "ProductName",
    }

    /// What the server of the endpoint protection (KSC) knows.
    struct KscRow {
        group_id: i32 = "GroupID",
        group_name: Text = "GroupName",
        status_mask: Vec<i32> = "StatusMask",
        status_id: i32 = "StatusID",
        rt_protection_state: i32 = "RtProtectionState",
        encryption_state: i32 = "EncryptionState",
        anti_spam_status: i32 = "AntiSpamStatus",
        email_av_status: i32 = "EmailAvStatus",
        dlp_status: i32 = "DlpStatus",
        edr_status: i32 = "EdrStatus",
        last_av_bases_update: i64 = "LastAvBasesUpdate",
        last_info_update: i64 = "LastInfoUpdate",
        last_update: i64 = "LastUpdate",
        last_system_start: i64 = "LastSystemStart",
        virtual_server_id: i32 = "VirtualServerID",
    }

    /// What the monitor of an industrial network (KICS) knows.
    struct KicsRow {
        status: Text = "status",
        risks: Vec<(RiskRow, Option<RawJson>)> = "risks",
        server_ip: Text = "serverIP",
        connector_id: i32 = "connectorID",
        device_id: i32 = "deviceID",
        hardware: ModelRow = "hardware",
        software: ModelRow = "software",
    }

    /// A risk that an industrial device bears.
    struct RiskRow {
        id: Text = "ID",
        name: Text = "Name",
        category: Text = "Category",
        description: Text = "Description",
        description_url: Text = "DescriptionURL",
        severity: Text = "Severity",
        cvss: f64 = "Cvss",
    }

    /// A product by model.
    struct ModelRow {
        model: Text = "Model",
        version: Text = "Version",
        vendor: Text = "Vendor",
    }

    /// An account as the directory knows it.
    struct UserRow {
        osmp_id: Text = "osmpId",
        tenant_id: Text = "tenantID",
        tenant_name: Text = "tenantName",
        domain: Text = "domain",
        cn: Text = "cn",
        display_name: Text = "displayName",
        distinguished_name: Text = "distinguishedName",
        mail: Text = "mail",
        mail_nickname: Text = "mailNickname",
        mobile: Text = "mobile",
        object_sid: Text = "objectSID",
        sam_account_name: Text = "samAccountName",
        sam_account_type: Text = "samAccountType",
        telephone_number: Text = "telephoneNumber",
        user_principal_name: Text = "userPrincipalName",
        is_archived: bool = "isArchived",
        member_of: Vec<Text> = "memberOf",
        title: Text = "title",
        division: Text = "division",
        department: Text = "department",
        manager: Text = "manager",
        location: Text = "location",
        company: Text = "company",
        street_address: Text = "streetAddress",
        office: Text = "physicalDeliveryOfficeName",
        managed_objects: Vec<Text> = "managedObjects",
        user_account_control: Text = "userAccountControl",
        when_created: i64 = "whenCreated",
        when_changed: i64 = "whenChanged",
        account_expires: i64 = "accountExpires",
        bad_password_time: i64 = "badPasswordTime",
    }

    /// A row of `alerts`, as far as it is shown; the incident carries the rest.
    struct AlertRow {
        id: Text = "ID",
        internal_id: Text = "InternalID",
        tenant_id: Text = "TenantID",
        name: Text = "Name",
        severity: Text = "Severity",
        detect_source: Text = "DetectSource",
        status: Text = "Status",
        status_resolution: Text = "StatusResolution",
        first_event_time: Moment = "FirstEventTime",
        last_event_time: Moment = "LastEventTime",
        source_created_at: Moment = "SourceCreatedAt",
        created_at: Moment = "CreatedAt",
        updated_at: Moment = "UpdatedAt",
        assignee: AssigneeRow = "Assignee",
        tactics: Vec<Mitre> = "MITRETactics",
        techniques: Vec<Mitre> = "MITRETechniques",
    }

    /// A row of `tenants`.
    struct TenantRow {
        id: Text = "ID",
        name: Text = "Name",
        description: Text = "Description",
        subtenants: Vec<Text> = "Subtenants",
        is_root: bool = "IsRoot",
    }
}

/// The id of an alert: a text, or an object that holds it.
#[derive(PartialEq, Debug)]
pub(super) struct AlertId(pub(super) Text);

impl Read for AlertId {
    fn read(json: &RawValue, reading: &mut Reading) -> Option<Self> {
        if json.get().starts_with('{') {
            let row = AlertRow::read(json, reading)?;
            return row.internal_id.or(row.id).map(AlertId);
        }
        Text::read(json, reading).map(AlertId)
    }
}

/// A tactic or technique: an object that holds the id, or the id.
#[derive(PartialEq, Debug)]
pub(super) struct Mitre(pub(super) Option<Text>);

impl Read for Mitre {
    fn read(json: &RawValue, reading: &mut Reading) -> Option<Self> {
        if json.get().starts_with('"') {
            return Text::read(json, reading).map(|id| Mitre(Some(id)));
        }
        MitreRow::read(json, reading).map(|row| Mitre(row.id))
    }
}

/// What a row is called by, in errors and where ids are compared.
pub(super) trait Row: Read {
    /// None where the row cannot be told from others; it is then of no use.
    fn native(&self) -> Option<&str>;

    /// What the row cannot be asked for without; for the log.
    fn lacks(&self) -> Option<&'static str> {
        None
    }
}

impl Row for IncidentRow {
    fn native(&self) -> Option<&str> {
        native(&self.internal_id, &self.id)
    }

    fn lacks(&self) -> Option<&'static str> {
        native(&self.internal_id, &None).is_none().then_some("without InternalID")
    }
}

impl Row for AlertRow {
    fn native(&self) -> Option<&str> {
        native(&self.internal_id, &self.id)
    }

    fn lacks(&self) -> Option<&'static str> {
        native(&self.internal_id, &None).is_none().then_some("without InternalID")
    }
}

/// The short id stands in for one that is missing: such a row cannot be asked for by id, but it is told from others.
fn native<'a>(id: &'a Option<Text>, short: &'a Option<Text>) -> Option<&'a str> {
    [id, short].into_iter().flatten().map(|id| &**id).find(|id| !id.is_empty())
}

impl Row for TenantRow {
    fn native(&self) -> Option<&str> {
        self.id.as_deref()
    }
}

/// Rows as far as they could be read.
#[derive(Debug)]
pub(super) struct Page<T> {
    /// In the server's order, each with its place in the answer and its text.
    pub(super) rows: Vec<(usize, T, Option<RawJson>)>,
    /// As told; none where that is not a number.
    pub(super) total: Option<u64>,
    /// How many rows were sent, unreadable ones included.
    pub(super) sent: usize,
    /// Records that lack something or all, each once.
    pub(super) problems: Vec<Problem>,
}

/// A record that could not be read, or not wholly.
#[derive(PartialEq, Eq, Debug)]
pub(super) struct Problem {
    /// Its place in the answer.
    pub(super) place: usize,
    /// Its id, where that much could be read.
    pub(super) id: Option<String>,
    /// Where and why; for the log.
    pub(super) what: String,
}

/// Reads `{"Total": …, "<list>": […]}`. A null list is an empty one. `raw`: keep the text of each record.
/// Fails when the body is no such object; says why, for the log.
pub(super) fn read_page<T: Row>(body: &[u8], list: &str, raw: bool) -> Result<Page<T>, String> {
    let body = text(body);
    let (mut total, mut rows) = (None, None);
    let each = read::each_member(&body, |name, json| {
        if name.eq_ignore_ascii_case("Total") {
            total = total.or(Some(json));
        } else if name.eq_ignore_ascii_case(list) {
            rows = rows.or(Some(json));
        }
    });
    each.map_err(|error| error.to_string())?;
    let total = total.and_then(|json| Reading::default().member::<i64>("Total", json));
    let total = total.and_then(|total| u64::try_from(total).ok());
    match rows {
        None if total.is_none() => Err(format!("neither Total nor {list}")),
        Some(json) if json.get() != "null" => {
            rows_of(json.get(), total, raw).map_err(|error| format!("{list}: {error}"))
        }
        _ => Ok(Page { rows: Vec::new(), total, sent: 0, problems: Vec::new() }),
    }
}

/// Reads a bare list; otherwise as [`read_page`].
pub(super) fn read_list<T: Row>(body: &[u8], raw: bool) -> Result<Page<T>, String> {
    let body = text(body);
    let body = if body.trim() == "null" { "[]" } else { &*body };
    rows_of(body, None, raw).map_err(|error| error.to_string())
}

/// The body as text, without the mark that some servers begin one with.
fn text(body: &[u8]) -> Cow<'_, str> {
    crate::vendors::common::text(body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body))
}

fn rows_of<T: Row>(all: &str, total: Option<u64>, raw: bool) -> Result<Page<T>, serde_json::Error> {
    let mut page = Page { rows: Vec::new(), total, sent: 0, problems: Vec::new() };
    read::each_item(all, |json| {
        let (mut reading, place) = (Reading::new(raw), page.sent);
        page.sent += 1;
        let row = T::read(json, &mut reading);
        let id = row.as_ref().and_then(T::native).filter(|id| !id.is_empty());
        let lacks = if id.is_none() { Some("without an id") } else { row.as_ref().and_then(T::lacks) };
        if let Some(what) = reading.first.or_else(|| lacks.map(str::to_owned)) {
            page.problems.push(Problem { place, id: id.map(str::to_owned), what });
        }
        let is_named = id.is_some();
        if let Some(row) = row.filter(|_| is_named) {
            page.rows.push((place, row, raw.then(|| RawJson::new(json.get()))));
        }
    })?;
    Ok(page)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(body: &str) -> Page<IncidentRow> {
        read_page(body.as_bytes(), "Incidents", true).unwrap()
    }

    #[test]
    fn members_are_found_in_any_letter_case_and_under_their_other_names() {
        let page = page(
            r#"{"total":1,"incidents":[{"internalId":"a","tenantid":"t","CREATIONTYPE":"manual",
                "alerts":[{"InternalID":"x","Name":"n"},"y",{"nothing":1}],"hostInfo":3}]}"#,
        );
        let (_, row, raw) = &page.rows[0];
        assert_eq!((page.total, page.sent, page.problems.len()), (Some(1), 1, 0));
        assert_eq!((row.native(), row.tenant_id.as_deref()), (Some("a"), Some("t")));
        assert_eq!(row.sign_of_creation.as_deref(), Some("manual"));
        let alerts: Vec<&str> = row.alerts.iter().flatten().map(|id| &*id.0).collect();
        assert_eq!(alerts, ["x", "y"]);
        assert!(raw.as_ref().unwrap().as_str().contains("hostInfo"), "what nobody documented is kept in the text");
    }

    #[test]
    fn a_broken_member_costs_that_member_and_a_broken_row_that_row() {
        let page = page(
            r#"{"Total":"5","Incidents":[
                {"InternalID":"a","Name":{"x":1},"Assets":[{"ID":"h","HostInfo":{"CreatedAt":"then","OS":"x"}},7],
                 "Status":"open"},
                7, null, {"Name":"no id"}, {"InternalID":"b","AlertIDs":null}]}"#,
        );
        assert_eq!((page.total, page.sent, page.problems.len(), page.rows.len()), (Some(5), 5, 4, 2));
        let (place, row, _) = &page.rows[0];
        assert_eq!((*place, row.name.as_deref(), row.status.as_deref()), (0, None, Some("open")));
        let assets = row.assets.as_ref().unwrap();
        assert_eq!(assets.len(), 1);
        assert_eq!(assets[0].0.host.as_ref().unwrap().os.as_deref(), Some("x"));
        let first = Problem { place: 0, id: Some("a".into()), what: "Name: not a text".into() };
        assert_eq!(page.problems[0], first);
        assert_eq!(page.rows[1].0, 4);
        assert!(page.rows[1].1.alerts.is_none());
    }

    #[test]
    fn null_and_absent_lists_are_empty_and_what_is_no_page_is_refused() {
        for body in
            [r#"{"Total":0,"Incidents":null}"#, r#"{"Total":0}"#, r#"{"Incidents":null}"#, r#"{"Incidents":[]}"#]
        {
            assert_eq!(page(body).sent, 0, "{body}");
        }
        assert_eq!(page(r#"{"Total":-1,"Incidents":[]}"#).total, None);
        for body in
            ["", "[]", "{}", "7", "null", r#"{"Incidents":{}}"#, r#"{"Total":"x"}"#, r#"{"Total":1,"Incidents":"#]
        {
            assert!(read_page::<IncidentRow>(body.as_bytes(), "Incidents", false).is_err(), "{body}");
        }
        assert_eq!(read_list::<TenantRow>(b"null", false).unwrap().sent, 0);
        assert!(read_list::<TenantRow>(b"{}", false).is_err());
    }
}
