//! What an incident is tied to: assets, vulnerabilities, risk factors. Pure, as `map`, of which this is the other half.

use super::map::{Mapper, Notes};
use super::wire::{self, Cve, Got, IncidentRow, IssueType, Real, RiskFactor, Spare, Words};
use crate::domain::{
    Asset, AssetKind, AssetLink, AssetRole, Incident, Key, Link, RawJson, Record, TechnicalAsset, Term, TermKind, Text,
    Threat, ThreatKind, ThreatLink,
};
use chrono::NaiveDate;
use serde_json::value::RawValue;
use std::net::IpAddr;
use std::sync::Arc;

impl Mapper {
    /// Everything exposed or touched: what has a more telling name comes first, bare asset ids last. Of what may have the same
    /// text and is something else, the native id begins with what it is: a certificate's name is often that of a domain.
    pub(super) fn assets(&self, incident: &mut Incident, row: &mut IncidentRow<'_>, notes: &mut Notes) {
        for host in notes.texts("hosts", std::mem::take(&mut row.hosts)) {
            add(incident, self.host(&host));
        }
        use AssetKind as K;
        let sets: [(&'static str, AssetKind, &'static str, &mut Got<Words>); 8] = [
            ("ipv4_addresses", K::IpAddress, "addresses/", &mut row.ipv4_addresses),
            ("ipv6_addresses", K::IpAddress, "addresses/", &mut row.ipv6_addresses),
            ("domain_names", K::Domain, "domains/", &mut row.domain_names),
            ("certificate_common_names", K::Certificate, "certificates/", &mut row.certificate_common_names),
            ("service_ids", K::Service, "services/", &mut row.service_ids),
            ("website_ids", K::Website, "websites/", &mut row.website_ids),
            ("ip_range_ids", K::IpRange, "ip-ranges/", &mut row.ip_range_ids),
            ("asset_ids", K::Other, "", &mut row.asset_ids),
        ];
        for (member, kind, prefix, got) in sets {
            for text in notes.texts(member, std::mem::take(got)) {
                add(incident, self.asset(member, kind, prefix, &text));
            }
        }
    }

    /// `name:endpoint id`, where `null` stands for none. The whole text is the id: the name alone may be that of several.
    fn host(&self, text: &Text) -> Asset {
        let (name, endpoint) = text.rsplit_once(':').unwrap_or((text, ""));
        let mut asset = Asset::new(self.key(&*format!("hosts/{text}")), AssetKind::Host);
        asset.source_type = Some("hosts".into());
        asset.reference = Some(endpoint).filter(|id| !id.is_empty() && *id != "null").map(Into::into);
        let name = if name.is_empty() { text } else { name };
        if name.parse::<IpAddr>().is_ok() {
            asset.technical = Some(addresses(name));
        }
        asset.name = Some(name.into());
        asset
    }

    fn asset(&self, member: &'static str, kind: AssetKind, prefix: &str, text: &Text) -> Asset {
        let mut asset = Asset::new(self.key(&*format!("{prefix}{text}")), kind);
        asset.source_type = Some(member.into());
        asset.technical = match kind {
            AssetKind::IpAddress => Some(addresses(text)),
            AssetKind::Domain => {
                Some(Box::new(TechnicalAsset { domain_names: vec![text.clone()], ..TechnicalAsset::default() }))
            }
            _ => None,
        };
        // Of these the server tells nothing but its id.
        asset.reference = match kind {
            AssetKind::Service | AssetKind::Website | AssetKind::IpRange | AssetKind::Other => Some(text.clone()),
            _ => None,
        };
        asset.name = Some(text.clone());
        asset
    }

    /// Vulnerabilities and risk factors.
    pub(super) fn threats(&self, incident: &mut Incident, row: &mut IncidentRow<'_>, notes: &mut Notes) {
        let Some(explainer) = notes.take("xpanse_risk_explainer", std::mem::take(&mut row.xpanse_risk_explainer))
        else {
            return;
        };
        let raw = incident.raw.is_some();
        for (place, json) in notes.take("cves", explainer.cves).unwrap_or_default().into_iter().enumerate() {
            let Some(cve) = wire::record::<Cve>(json, &Spare::default()) else {
                notes.broken.push("cves");
                continue;
            };
            self.cve(incident, cve, place, kept(json, raw), notes);
        }
        let factors = notes.take("riskFactors", explainer.risk_factors).unwrap_or_default();
        for (place, json) in factors.into_iter().enumerate() {
            let Some(factor) = wire::record::<RiskFactor>(json, &Spare::default()) else {
                notes.broken.push("riskFactors");
                continue;
            };
            self.risk_factor(incident, factor, place, kept(json, raw), notes);
        }
    }

    fn cve(&self, incident: &mut Incident, cve: Cve, place: usize, raw: Option<RawJson>, notes: &mut Notes) {
        let id = notes.text("cveId", cve.cve_id);
        let kind = ThreatKind::Vulnerability;
        let mut threat = Threat::new(self.threat_key(incident, kind, id.as_ref(), "cves", place), kind);
        threat.name.clone_from(&id);
        threat.reference = id;
        threat.cvss = notes.take("cvssScore", cve.cvss_score).map(|Real(score)| score);
        threat.epss = notes.take("epssScore", cve.epss_score).map(|Real(score)| score);
        threat.exploit_maturity = notes.text("exploitMaturity", cve.exploit_maturity);
        threat.exploited_in_the_wild = notes.take("reportedExploitInTheWild", cve.reported_exploit_in_the_wild);
        let last = notes.text("mostRecentReportedExploitDate", cve.most_recent_reported_exploit_date);
        threat.last_exploited_on = last.and_then(|text| {
            // A date, or a moment of which the date counts.
            let date = text.get(..10).and_then(|date| NaiveDate::parse_from_str(date, "%Y-%m-%d").ok());
            if date.is_none() {
                notes.broken.push("mostRecentReportedExploitDate");
            }
            date
        });
        threat.raw = raw;
        let link = ThreatLink {
            kind: Some(ThreatKind::Vulnerability),
            match_type: notes.text("matchType", cve.match_type),
            confidence: notes.text("confidence", cve.confidence),
            ..ThreatLink::new(Link { key: threat.key.clone(), name: threat.name.clone() })
        };
        tie(incident, link, threat);
    }

    fn risk_factor(
        &self,
        incident: &mut Incident,
        factor: RiskFactor,
        place: usize,
        raw: Option<RawJson>,
        notes: &mut Notes,
    ) {
        let id = notes.text("attributeId", factor.attribute_id);
        let name = notes.text("attributeName", factor.attribute_name);
        let key = self.threat_key(incident, ThreatKind::Risk, id.as_ref().or(name.as_ref()), "risk-factors", place);
        let mut threat = Threat::new(key, ThreatKind::Risk);
        threat.name = name.or_else(|| id.clone());
        threat.reference = id;
        threat.raw = raw;
        let mut issue_types = Vec::new();
        for got in notes.take("issueTypes", factor.issue_types).unwrap_or_default() {
            let Some(issue_type) = notes.take("issueTypes", got) else { continue };
            issue_types.extend(self.issue_type(issue_type, &mut incident.embedded, notes));
        }
        let link = ThreatLink {
            kind: Some(ThreatKind::Risk),
            issue_types,
            ..ThreatLink::new(Link { key: threat.key.clone(), name: threat.name.clone() })
        };
        tie(incident, link, threat);
    }

    /// None for one that has neither id nor name.
    fn issue_type(&self, row: IssueType, embedded: &mut Vec<Record>, notes: &mut Notes) -> Option<Link> {
        let id = notes.text("issueTypeId", row.issue_type_id);
        let name = notes.text("displayName", row.display_name).or_else(|| id.clone())?;
        let key = self.key(&*id.unwrap_or_else(|| name.clone()));
        embedded.push(Record::Term(Arc::new(Term {
            key: key.clone(),
            kind: TermKind::IssueType,
            name: name.clone(),
            label: None,
            description: None,
            selectable: None,
        })));
        Some(Link { key, name: Some(name) })
    }

    /// Of a thing that is the same in every incident; without an id, or with that of a thing of another kind, it is a part of
    /// this one.
    fn threat_key(&self, incident: &Incident, kind: ThreatKind, id: Option<&Text>, set: &str, place: usize) -> Key {
        let key = id.map(|id| self.key(&**id));
        let is_other =
            |key: &Key| incident.threats.iter().any(|link| link.threat.key == *key && link.kind != Some(kind));
        key.filter(|key| !is_other(key)).unwrap_or_else(|| self.key(&*format!("{}/{set}/{place}", incident.key.native)))
    }
}

fn addresses(text: &str) -> Box<TechnicalAsset> {
    Box::new(TechnicalAsset { ip_addresses: vec![text.into()], ..TechnicalAsset::default() })
}

fn kept(json: &RawValue, raw: bool) -> Option<RawJson> {
    raw.then(|| RawJson::new(json.get()))
}

fn add(incident: &mut Incident, asset: Asset) {
    if incident.assets.iter().any(|link| link.asset.key == asset.key) {
        return;
    }
    incident.assets.push(AssetLink {
        asset: Link { key: asset.key.clone(), name: asset.name.clone() },
        kind: Some(asset.kind),
        roles: vec![AssetRole::Affected],
        source_roles: Vec::new(),
    });
    incident.embedded.push(Record::Asset(Arc::new(asset)));
}

fn tie(incident: &mut Incident, link: ThreatLink, threat: Threat) {
    if incident.threats.iter().any(|other| other.threat.key == link.threat.key) {
        return;
    }
    incident.threats.push(link);
    incident.embedded.push(Record::Threat(Arc::new(threat)));
}
