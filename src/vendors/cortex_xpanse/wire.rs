//! What the server sends, as documented: the reply around everything, the lists, the rows. Private to this folder.
//!
//! Every member may be missing, null or of another type, and any other member may stand beside it: reading a row keeps
//! what can be read. Texts stay as received; what they mean is `map`'s business.

mod value;

pub(super) use value::{Got, Moments, Real, Whole, Word, Words};

use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::value::RawValue;
use std::cell::OnceCell;
use std::collections::BTreeMap;

/// A row of `incidents/get_incidents/` (published document, “Responses”).
#[derive(Deserialize, Default, Debug)]
#[serde(default)]
pub(super) struct IncidentRow<'a> {
    pub(super) incident_id: Got<Word>,
    pub(super) is_blocked: Got<bool>,
    pub(super) incident_name: Got<Word>,
    pub(super) creation_time: Got<Whole>,
    pub(super) modification_time: Got<Whole>,
    pub(super) detection_time: Got<Whole>,
    pub(super) status: Got<Word>,
    pub(super) severity: Got<Word>,
    pub(super) description: Got<Word>,
    pub(super) assigned_user_mail: Got<Word>,
    pub(super) assigned_user_pretty_name: Got<Word>,
    pub(super) alert_count: Got<Whole>,
    pub(super) low_severity_alert_count: Got<Whole>,
    pub(super) med_severity_alert_count: Got<Whole>,
    pub(super) high_severity_alert_count: Got<Whole>,
    pub(super) critical_severity_alert_count: Got<Whole>,
    pub(super) user_count: Got<Whole>,
    pub(super) host_count: Got<Whole>,
    pub(super) notes: Got<Word>,
    pub(super) resolve_comment: Got<Word>,
    pub(super) resolved_timestamp: Got<Whole>,
    pub(super) manual_severity: Got<Word>,
    pub(super) manual_description: Got<Word>,
    pub(super) xdr_url: Got<Word>,
    pub(super) starred: Got<bool>,
    pub(super) starred_manually: Got<bool>,
    pub(super) hosts: Got<Words>,
    pub(super) incident_sources: Got<Words>,
    pub(super) rule_based_score: Got<Real>,
    pub(super) manual_score: Got<Real>,
    pub(super) aggregated_score: Got<Real>,
    pub(super) alerts_grouping_status: Got<Word>,
    pub(super) alert_categories: Got<Words>,
    pub(super) original_tags: Got<Words>,
    pub(super) tags: Got<Words>,
    pub(super) xpanse_risk_score: Got<Real>,
    #[serde(borrow)]
    pub(super) xpanse_risk_explainer: Got<RiskExplainer<'a>>,
    pub(super) cloud_management_status: Got<Word>,
    pub(super) integration_source: Got<Word>,
    pub(super) ipv4_addresses: Got<Words>,
    pub(super) ipv6_addresses: Got<Words>,
    pub(super) domain_names: Got<Words>,
    pub(super) port_number: Got<Whole>,
    pub(super) asset_ids: Got<Words>,
    pub(super) ip_range_ids: Got<Words>,
    pub(super) website_ids: Got<Words>,
    pub(super) service_ids: Got<Words>,
    pub(super) last_observed: Got<Whole>,
    pub(super) cloud_providers: Got<Words>,
    pub(super) country_codes: Got<Words>,
    pub(super) certificate_common_names: Got<Words>,
    pub(super) certificate_issuers: Got<Words>,
}

/// `xpanse_risk_explainer`.
#[derive(Deserialize, Default, Debug)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct RiskExplainer<'a> {
    #[serde(borrow)]
    pub(super) cves: Got<Vec<&'a RawValue>>,
    #[serde(borrow)]
    pub(super) risk_factors: Got<Vec<&'a RawValue>>,
    pub(super) version_matched: Got<bool>,
}

/// One of `cves`. The document calls `cvssScore` an integer; servers send fractions.
#[derive(Deserialize, Default, Debug)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct Cve {
    pub(super) cve_id: Got<Word>,
    pub(super) cvss_score: Got<Real>,
    pub(super) epss_score: Got<Real>,
    pub(super) match_type: Got<Word>,
    pub(super) exploit_maturity: Got<Word>,
    pub(super) reported_exploit_in_the_wild: Got<bool>,
    /// A plain date.
    pub(super) most_recent_reported_exploit_date: Got<Word>,
    pub(super) confidence: Got<Word>,
}

/// One of `riskFactors`.
#[derive(Deserialize, Default, Debug)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct RiskFactor {
    pub(super) attribute_id: Got<Word>,
    pub(super) attribute_name: Got<Word>,
    pub(super) issue_types: Got<Vec<Got<IssueType>>>,
}

/// One of `issueTypes`.
#[derive(Deserialize, Default, Debug)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct IssueType {
    pub(super) display_name: Got<Word>,
    pub(super) issue_type_id: Got<Word>,
}

/// An alert, of `get_incident_extra_data/` or of `get_alerts_multi_events/`.
#[derive(Deserialize, Default, Debug)]
#[serde(default)]
pub(super) struct AlertRow {
    pub(super) alert_id: Got<Word>,
    pub(super) external_id: Got<Word>,
    pub(super) name: Got<Word>,
    pub(super) description: Got<Word>,
    pub(super) severity: Got<Word>,
    pub(super) source: Got<Word>,
    pub(super) detection_timestamp: Got<Whole>,
    pub(super) local_insert_ts: Got<Whole>,
    pub(super) last_modified_ts: Got<Whole>,
    pub(super) event_timestamp: Got<Moments>,
    pub(super) resolution_status: Got<Word>,
    pub(super) resolution_comment: Got<Word>,
    pub(super) tags: Got<Words>,
    pub(super) host_name: Got<Words>,
    pub(super) action: Got<Word>,
    pub(super) mitre_tactic_id_and_name: Got<Words>,
    pub(super) mitre_technique_id_and_name: Got<Words>,
    pub(super) attack_surface_rule_name: Got<Word>,
}

/// A network or file artifact. The names of their members are those of the sister product's document; any other is in
/// `raw`.
#[derive(Deserialize, Default, Debug)]
#[serde(default)]
pub(super) struct ArtifactRow {
    #[serde(rename = "type")]
    pub(super) kind: Got<Word>,
    pub(super) network_domain: Got<Word>,
    pub(super) network_remote_ip: Got<Word>,
    pub(super) file_name: Got<Word>,
    pub(super) file_sha256: Got<Word>,
}

/// `reply` of `incidents/get_incidents/`.
#[derive(Deserialize, Default, Debug)]
#[serde(default)]
pub(super) struct Incidents<'a> {
    pub(super) total_count: Got<Whole>,
    pub(super) result_count: Got<Whole>,
    #[serde(borrow)]
    pub(super) incidents: Got<Vec<&'a RawValue>>,
    pub(super) restricted_incident_ids: Got<Words>,
}

/// `reply` of `alerts/get_alerts_multi_events/`.
#[derive(Deserialize, Default, Debug)]
#[serde(default)]
pub(super) struct Alerts<'a> {
    pub(super) total_count: Got<Whole>,
    #[serde(borrow)]
    pub(super) alerts: Got<Vec<&'a RawValue>>,
}

/// `reply` of `incidents/get_incident_extra_data/`.
#[derive(Deserialize, Default, Debug)]
#[serde(default)]
pub(super) struct ExtraData<'a> {
    incident: Got<IgnoredAny>,
    #[serde(borrow)]
    pub(super) alerts: Got<Group<'a>>,
    #[serde(borrow)]
    pub(super) network_artifacts: Got<Group<'a>>,
    #[serde(borrow)]
    pub(super) file_artifacts: Got<Group<'a>>,
}

impl ExtraData<'_> {
    /// Whether it has no member of such a reply.
    pub(super) fn is_empty(&self) -> bool {
        let none = |group: &Got<Group<'_>>| matches!(group, Got::Nothing);
        let groups = [&self.alerts, &self.network_artifacts, &self.file_artifacts];
        matches!(self.incident, Got::Nothing) && groups.into_iter().all(none)
    }
}

/// Records of one kind. `total_count` may be more than are sent.
#[derive(Deserialize, Default, Debug)]
#[serde(default)]
pub(super) struct Group<'a> {
    pub(super) total_count: Got<Whole>,
    #[serde(borrow)]
    pub(super) data: Got<Vec<&'a RawValue>>,
}

/// Room for the text of a record that has to be written anew before it can be read.
pub(super) type Spare = OnceCell<String>;

/// Reads a record, which is an object; of a member that stands there twice, the last counts.
pub(super) fn record<'a, T: Deserialize<'a>>(json: &'a RawValue, spare: &'a Spare) -> Option<T> {
    let json = json.get();
    if !json.starts_with('{') {
        return None;
    }
    serde_json::from_str(json).ok().or_else(|| {
        let members: BTreeMap<String, &RawValue> = serde_json::from_str(json).ok()?;
        let once = serde_json::to_string(&members).ok()?;
        serde_json::from_str(spare.get_or_init(|| once)).ok()
    })
}

/// What stands around every reply.
#[derive(Deserialize)]
struct Envelope<'a> {
    #[serde(borrow, default)]
    reply: Option<&'a RawValue>,
    /// Of a request that broke the documented shape; there is no reply then.
    #[serde(default)]
    code: Got<Whole>,
}

/// A failure, as a reply.
#[derive(Deserialize, Default)]
#[serde(default)]
struct Failure {
    err_code: Got<Whole>,
    err_msg: Got<Word>,
}

impl Failure {
    /// The code; 500 where it tells of a failure by none that is one.
    fn code(&self) -> Option<u16> {
        match (&self.err_code, &self.err_msg) {
            (Got::Value(code), _) if is_failure(code).is_some() => is_failure(code),
            (Got::Nothing, Got::Nothing) | (Got::Value(Whole(0)), Got::Nothing) => None,
            (Got::Nothing | Got::Value(Whole(0)), Got::Value(Word(text))) if text.trim().is_empty() => None,
            _ => Some(500),
        }
    }
}

fn is_failure(Whole(code): &Whole) -> Option<u16> {
    u16::try_from(*code).ok().filter(|code| (400..600).contains(code))
}

/// Why a body is not the reply that was asked for.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum NoReply {
    /// It tells of a failure, with this code, though HTTP told of success.
    Failed(u16),
    /// It has another shape than documented; says why, for the log.
    Unreadable(String),
}

/// What stands in `reply`.
pub(super) fn reply(body: &str) -> Result<&str, NoReply> {
    let unreadable = |problem: &str| NoReply::Unreadable(problem.to_owned());
    let envelope: Envelope<'_> = serde_json::from_str(body).map_err(|error| unreadable(&error.to_string()))?;
    let Some(reply) = envelope.reply.map(RawValue::get) else {
        let code = if let Got::Value(code) = &envelope.code { is_failure(code) } else { None };
        return Err(code.map_or_else(|| unreadable("no reply"), NoReply::Failed));
    };
    if !reply.starts_with('{') {
        return Err(unreadable("reply is no object"));
    }
    match serde_json::from_str::<Failure>(reply).ok().and_then(|failure| failure.code()) {
        Some(code) => Err(NoReply::Failed(code)),
        None => Ok(reply),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reply_is_an_object_that_tells_of_no_failure() {
        assert_eq!(reply(r#"{"reply": {"total_count": 1}, "x": 1}"#), Ok(r#"{"total_count": 1}"#));
        assert_eq!(reply(r#"{"reply":{"err_code":500,"err_msg":"m","err_extra":null}}"#), Err(NoReply::Failed(500)));
        let failed = |reply: &str| {
            super::reply(&format!(r#"{{"reply":{reply}}}"#))
                .map_err(|problem| match problem {
                    NoReply::Failed(code) => code,
                    NoReply::Unreadable(problem) => panic!("{problem}"),
                })
                .err()
        };
        for (reply, code) in [
            (r#"{"err_code":"403","err_msg":"m"}"#, Some(403)),
            (r#"{"err_code":70000,"err_msg":"m"}"#, Some(500)),
            (r#"{"err_code":{},"err_msg":null}"#, Some(500)),
            (r#"{"err_code":null,"err_msg":"m"}"#, Some(500)),
            (r#"{"err_msg":[]}"#, Some(500)),
            (r#"{"err_code":200,"incidents":[]}"#, Some(500)),
            (r#"{"err_code":0,"err_msg":"","incidents":[]}"#, None),
            (r#"{"err_code":null,"err_msg":null,"incidents":[]}"#, None),
        ] {
            assert_eq!(failed(reply), code, "{reply}");
        }
        let unprocessable = r#"{"code":422,"status":"Unprocessable Entity","message":"m","errors":{}}"#;
        assert_eq!(reply(unprocessable), Err(NoReply::Failed(422)));
        for body in [
            "",
            "<html>",
            "[]",
            "{}",
            "true",
            r#"{"code":200}"#,
            r#"{"reply":true}"#,
            r#"{"reply":null}"#,
            r#"{"reply":[]}"#,
        ] {
            assert!(matches!(reply(body), Err(NoReply::Unreadable(_))), "{body}");
        }
    }

    #[test]
    fn a_member_that_comes_twice_costs_no_record_and_an_array_is_none() {
        let read = |json: &str| {
            let (json, spare) = (RawValue::from_string(json.to_owned()).unwrap(), Spare::default());
            record::<IncidentRow<'_>>(&json, &spare).map(|row| (row.incident_id, row.status))
        };
        let word = |text: &str| Got::Value(Word(text.into()));
        let twice = r#"{"incident_id":"1","status":"new","incident_id":"2"}"#;
        assert_eq!(read(twice), Some((word("2"), word("new"))));
        assert_eq!(read(r#"["1"]"#), None);
        assert_eq!(read("null"), None);
    }

    #[test]
    fn a_row_survives_whatever_its_members_are() {
        let row: IncidentRow<'_> = serde_json::from_str(
            r#"{"incident_id":71,"status":{"x":1},"creation_time":"soon","tags":7,"xpanse_risk_explainer":
            {"cves":[{"cvssScore":"x"},7],"riskFactors":"none"},"unheard_of":[{}],"alert_count":"12","starred":1}"#,
        )
        .unwrap();
        assert_eq!(row.incident_id, Got::Value(Word("71".into())));
        assert_eq!(row.alert_count, Got::Value(Whole(12)));
        assert_eq!((row.status, row.creation_time), (Got::Broken, Got::Broken));
        assert_eq!((row.tags, row.starred, row.notes), (Got::Broken, Got::Broken, Got::Nothing));
        let Got::Value(explainer) = row.xpanse_risk_explainer else { panic!() };
        assert!(matches!(&explainer.cves, Got::Value(all) if all.len() == 2));
        assert!(matches!(explainer.risk_factors, Got::Broken));
    }
}
