//! Hosts and accounts that an incident is about, as its row tells them with `withAffected`.

use super::map::{Mapper, Notes, epoch, link_of, short, text, texts};
use super::wire::{AssetRow, HostRow, KicsRow, KscRow, ModelRow, RiskRow, UserRow, united};
use super::words::{ASSET_KINDS, LEVELS};
use crate::domain::{
    Asset, AssetKind, AssetLink, AssetRole, DirectoryAccount, EndpointProtection, IndustrialDevice, Level, Link,
    NativeId, Product, RawJson, Record, Severity, TechnicalAsset, Text, Threat, ThreatKind, Time,
};
use chrono::Datelike;
use std::sync::Arc;

/// An account that expires in this year or later never does.
const NEVER: i32 = 3_000;

/// An asset's part in an incident, its own record and those of its risks.
pub(super) struct AssetTold {
    pub(super) link: AssetLink,
    pub(super) records: Vec<Record>,
}

impl Mapper {
    /// All assets of an incident, each once: what one telling of it lacks, as a role, is taken from the other.
    pub(super) fn assets(
        &self,
        incident: &NativeId,
        rows: Vec<(AssetRow, Option<RawJson>)>,
        notes: &mut Notes,
    ) -> Vec<AssetTold> {
        let rows = united(rows, |place, row| asset_id(incident, place, row));
        rows.into_iter().map(|(id, row, raw)| self.asset(&id, row, raw, notes)).collect()
    }

    fn asset(&self, id: &str, row: AssetRow, raw: Option<RawJson>, notes: &mut Notes) -> AssetTold {
        let (host, user) = (row.host, row.user);
        let kind = self.kind(text(row.kind.clone()), host.is_some(), user.is_some(), notes);
        let mut asset = Asset::new(self.key(id), kind);
        asset.source_type = text(row.kind);
        asset.name = text(row.name);
        let mut technical = TechnicalAsset { management_server: text(row.ksc_server), ..TechnicalAsset::default() };
        let mut records = Vec::new();
        if let Some(host) = host {
            let risks = self.host(&mut asset, &mut technical, host, notes);
            technical.risks = risks.iter().map(link_of).collect();
            records.extend(risks.into_iter().map(|risk| Record::Threat(Arc::new(risk))));
        }
        if let Some(user) = user {
            self.user(&mut asset, &mut technical, user);
        }
        asset.technical = Some(Box::new(technical));
        asset.raw = raw;
        let link = Link { key: asset.key.clone(), name: asset.name.clone().or_else(|| asset.display_name.clone()) };
        records.push(Record::Asset(Arc::new(asset)));
        let roles = roles(row.is_victim, row.is_attacker);
        AssetTold { link: AssetLink { asset: link, kind: Some(kind), roles, source_roles: Vec::new() }, records }
    }

    fn kind(&self, word: Option<Text>, host: bool, user: bool, notes: &mut Notes) -> AssetKind {
        match notes.of("Assets.Type", &ASSET_KINDS, &word) {
            Some(kind) => kind,
            None if host => AssetKind::Host,
            None if user => AssetKind::UserAccount,
            None => AssetKind::Other,
        }
    }

    /// Adds what endpoint products know; gives the risks of an industrial device.
    fn host(&self, asset: &mut Asset, technical: &mut TechnicalAsset, row: HostRow, notes: &mut Notes) -> Vec<Threat> {
        asset.scope = text(row.tenant_id).map(|id| Link::bare(self.key(&id)));
        asset.display_name = text(row.display_name);
        for origin in text(row.asset_source).into_iter().chain(texts(row.sources)) {
            if !asset.origins.contains(&origin) {
                asset.origins.push(origin);
            }
        }
        asset.created_at = epoch(row.created_at);
        asset.deleted = row.is_deleted;
        asset.categories = texts(row.direct_categories);
        asset.source_criticality = text(row.weight);
        asset.criticality = notes.or("Weight", &LEVELS, &asset.source_criticality, Level::Other);
        asset.critical_infrastructure = text(row.cii_category);
        asset.last_seen_at = epoch(row.last_visible);
        technical.ip_addresses = texts(row.ip_address);
        technical.domain_names = texts(row.fqdn);
        technical.mac_addresses = texts(row.mac_address);
        technical.operating_system = product(row.os, None, row.os_version);
        technical.protection = row.ksc.map(protection).map(Box::new);
        let programs = row.products.unwrap_or_default().into_iter();
        technical.software = programs.filter_map(|row| product(row.name, None, row.version)).collect();
        let Some(kics) = row.kics else { return Vec::new() };
        self.industrial(&asset.key.native, technical, kics)
    }

    fn industrial(&self, asset: &NativeId, technical: &mut TechnicalAsset, row: KicsRow) -> Vec<Threat> {
        let model = |row: ModelRow| product(row.model, row.vendor, row.version);
        technical.hardware = row.hardware.and_then(model);
        technical.software.splice(0..0, row.software.and_then(model));
        technical.industrial = Some(Box::new(IndustrialDevice {
            status: text(row.status),
            server_ip_address: text(row.server_ip),
            connector_id: row.connector_id,
            device_id: row.device_id,
        }));
        // Numbers of risks are those of one monitor, of which there may be several.
        let id = |place: usize, row: &RiskRow| match row.id.as_deref().filter(|id| !id.is_empty()) {
            Some(number) => format!("{asset}/risks/{}", short(number)).into(),
            None => format!("{asset}/risks/at/{place}").into(),
        };
        let risks = united(row.risks.unwrap_or_default(), id).into_iter();
        risks.map(|(id, row, raw)| self.risk(&id, row, raw)).collect()
    }

    /// A risk. The scale of its severity is not published, so that the number stands only beside an unknown severity.
    fn risk(&self, id: &str, row: RiskRow, raw: Option<RawJson>) -> Threat {
        let mut threat = Threat::new(self.key(id), ThreatKind::Risk);
        threat.name = text(row.name);
        threat.category = text(row.category);
        threat.description = text(row.description);
        threat.url = text(row.description_url);
        threat.severity = Some(Severity::Unknown);
        threat.source_severity = text(row.severity);
        threat.cvss = row.cvss;
        threat.raw = raw;
        threat
    }

    fn user(&self, asset: &mut Asset, technical: &mut TechnicalAsset, row: UserRow) {
        let tenant_name = text(row.tenant_name);
        let scope = text(row.tenant_id).map(|id| Link { key: self.key(&id), name: tenant_name });
        asset.scope = asset.scope.take().or(scope);
        asset.display_name = asset.display_name.take().or(text(row.display_name));
        asset.deleted = asset.deleted.or(row.is_archived);
        asset.created_at = asset.created_at.or(epoch(row.when_created));
        asset.updated_at = epoch(row.when_changed);
        technical.account = Some(Box::new(DirectoryAccount {
            domain: text(row.domain),
            common_name: text(row.cn),
            distinguished_name: text(row.distinguished_name),
            account_name: text(row.sam_account_name),
            account_type: text(row.sam_account_type),
            principal_name: text(row.user_principal_name),
            security_id: text(row.object_sid),
            account_control: text(row.user_account_control),
            email: text(row.mail),
            mail_nickname: text(row.mail_nickname),
            mobile: text(row.mobile),
            phone: text(row.telephone_number),
            job_title: text(row.title),
            division: text(row.division),
            department: text(row.department),
            company: text(row.company),
            manager: text(row.manager),
            location: text(row.location),
            street_address: text(row.street_address),
            office: text(row.office),
            member_of: texts(row.member_of),
            managed_objects: texts(row.managed_objects),
            expires_at: epoch(row.account_expires).filter(ends),
            last_bad_password_at: epoch(row.bad_password_time),
        }));
    }
}

/// What an asset is known by: its own id, else its name in this incident, else its place there.
fn asset_id(incident: &NativeId, place: usize, row: &AssetRow) -> Text {
    let told = [
        row.id.as_deref(),
        row.host.as_ref().and_then(|host| host.id.as_deref()),
        row.user.as_ref().and_then(|user| user.osmp_id.as_deref()),
    ];
    if let Some(id) = told.into_iter().flatten().find(|id| !id.is_empty()) {
        return id.into();
    }
    let kind = short(row.kind.as_deref().unwrap_or_default());
    match row.name.as_deref().filter(|name| !name.is_empty()) {
        Some(name) => format!("{incident}/assets/{kind}/{}", short(name)).into(),
        None => format!("{incident}/assets/{kind}/at/{place}").into(),
    }
}

fn ends(time: &Time) -> bool {
    time.year() < NEVER
}

fn product(name: Option<Text>, vendor: Option<Text>, version: Option<Text>) -> Option<Product> {
    let product = Product { name: text(name), vendor: text(vendor), version: text(version) };
    (product != Product::default()).then_some(product)
}

fn protection(row: KscRow) -> EndpointProtection {
    EndpointProtection {
        group_id: row.group_id,
        group_name: text(row.group_name),
        status_code: row.status_id,
        status_mask: row.status_mask.unwrap_or_default(),
        real_time_protection_code: row.rt_protection_state,
        encryption_code: row.encryption_state,
        anti_spam_code: row.anti_spam_status,
        email_antivirus_code: row.email_av_status,
        data_loss_prevention_code: row.dlp_status,
        detection_and_response_code: row.edr_status,
        definitions_updated_at: epoch(row.last_av_bases_update),
        info_updated_at: epoch(row.last_info_update),
        updated_at: epoch(row.last_update),
        system_started_at: epoch(row.last_system_start),
        virtual_server_id: row.virtual_server_id,
    }
}

/// An asset may be both; one that is neither is still touched.
fn roles(victim: Option<bool>, attacker: Option<bool>) -> Vec<AssetRole> {
    let told = [(victim, AssetRole::Victim), (attacker, AssetRole::Attacker)];
    let roles: Vec<AssetRole> = told.into_iter().filter(|(is, _)| *is == Some(true)).map(|(_, role)| role).collect();
    if roles.is_empty() { vec![AssetRole::Affected] } else { roles }
}
