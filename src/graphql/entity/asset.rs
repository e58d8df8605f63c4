//! `Asset`, what endpoint and directory products know of one, and an incident's assets with their part in it.

use super::{
    connection::{IncidentConnection, IncidentsBelow, incidents_below},
    node,
    tied::{self, Asked, Tied, TiedConnection, TiedEdge},
};
use crate::{
    domain::{
        Asset, AssetKind, AssetLink, AssetRole, DetailPart, DirectoryAccount, EndpointProtection, Incident,
        IndustrialDevice, Link, Owner, Product, RecordKind, Scope, Tag, TechnicalAsset, Test, Threat,
    },
    graphql::{
        object::{Child, Declare, Hold, Object, Wants, declare},
        store::Lookup,
    },
};
use async_graphql::InputObject;
use std::sync::LazyLock;

pub(crate) type IncidentAssetConnection = TiedConnection<AssetLink>;
type IncidentAssetEdge = TiedEdge<AssetLink>;

declare!(
    Asset as "Asset" => asset,
    Product as "Product" => product,
    EndpointProtection as "EndpointProtection" => protection,
    IndustrialDevice as "IndustrialDevice" => industrial,
    DirectoryAccount as "DirectoryAccount" => account,
    IncidentAssetConnection as "IncidentAssetConnection" => connection,
    IncidentAssetEdge as "IncidentAssetEdge" => edge,
);

fn asset() -> Object {
    let declared =
        Object::of::<Asset>("Something worth protecting.").implements(node).identity(RecordKind::Asset, |a| &a.key);
    links(technical(words(declared)))
        .field("createdAt", "When the source made the record.", |a| &a.created_at)
        .field("updatedAt", "When it was last changed.", |a| &a.updated_at)
        .field("lastSeenAt", "When the source last saw it.", |a| &a.last_seen_at)
        .field("deleted", "Deleted or archived at the source.", |a| &a.deleted)
        .raw(|a| &a.raw)
        .view::<IncidentsBelow, IncidentConnection>("incidents", "Incidents that touch it.", |a, page, lookup| {
            incidents_below(Test::Assets(vec![a.key.clone()]), page, lookup)
        })
        .end()
}

fn words(declared: Declare<Asset>) -> Declare<Asset> {
    declared
        .field("kind", "What it is.", |a| &a.kind)
        .field("sourceType", "What it is in the source's word.", |a| &a.source_type)
        .field("name", "Its name.", |a| &a.name)
        .in_links()
        .field("displayName", "The name that people read, where it has another than `name`.", |a| &a.display_name)
        .field("description", "What it is for, in somebody's words.", |a| &a.description)
        .field("reference", "A number or short id that people call it by.", |a| &a.reference)
        .field("criticality", "How much depends on it.", |a| &a.criticality)
        .field("sourceCriticality", "The criticality in the source's word.", |a| &a.source_criticality)
        .field("criticalInfrastructure", "Class under rules on critical infrastructure.", |a| {
            &a.critical_infrastructure
        })
        .field("categories", "Classes and groups that the source puts it in.", |a| &a.categories)
        .field("origins", "Inventories that know it.", |a| &a.origins)
}

/// What is known of an asset without technical data: nothing.
static NO_TECHNICAL_DATA: LazyLock<TechnicalAsset> = LazyLock::new(TechnicalAsset::default);

fn known(asset: &Asset) -> &TechnicalAsset {
    asset.technical.as_deref().unwrap_or(&NO_TECHNICAL_DATA)
}

fn technical(declared: Declare<Asset>) -> Declare<Asset> {
    declared
        .field("ipAddresses", "Addresses that it has or had.", |a| &known(a).ip_addresses)
        .field("domainNames", "Fully qualified.", |a| &known(a).domain_names)
        .field("macAddresses", "Hardware addresses.", |a| &known(a).mac_addresses)
        .maybe_object("operatingSystem", "What it runs.", |a| known(a).operating_system.as_ref())
        .maybe_object("hardware", "What it is built of.", |a| known(a).hardware.as_ref())
        .objects::<Product, _>("software", "Programs that it has.", |a| &known(a).software)
        .field("managementServer", "The server that manages it.", |a| &known(a).management_server)
        .maybe_object("protection", "State of its endpoint protection.", |a| known(a).protection.as_deref())
        .maybe_object("industrial", "What an industrial network monitor knows of it.", |a| {
            known(a).industrial.as_deref()
        })
        .maybe_object("account", "Directory data, of a user account.", |a| known(a).account.as_deref())
        .many::<Threat>("risks", "Risks and vulnerabilities known of the asset itself.", RecordKind::Threat, |a| {
            &known(a).risks
        })
}

fn links(declared: Declare<Asset>) -> Declare<Asset> {
    declared
        .maybe_many::<Owner>("owners", "Who answers for it.", RecordKind::Owner, |a| a.owners.as_deref())
        .maybe_many::<Asset>("parents", "Assets that rest on it.", RecordKind::Asset, |a| a.parents.as_deref())
        .maybe_many::<Asset>("children", "Assets that it rests on.", RecordKind::Asset, |a| a.children.as_deref())
        .wants(Wants::Profile)
        .one::<Scope>("scope", "Folder, tenant or organisation that holds it.", RecordKind::Scope, |a| a.scope.as_ref())
        .many::<Tag>("tags", "Labels that people put on it.", RecordKind::Tag, |a| &a.tags)
}

fn product() -> Object {
    Object::of::<Product>("A product by name, vendor and version.")
        .field("name", "What it is called.", |p| &p.name)
        .field("vendor", "Who makes it.", |p| &p.vendor)
        .field("version", "Which release.", |p| &p.version)
        .end()
}

fn protection() -> Object {
    Object::of::<EndpointProtection>("State of the endpoint protection on a host. Codes are the product's own numbers.")
        .field("groupId", "Id of the administration group that the host is in.", |p| &p.group_id)
        .field("groupName", "Name of that group.", |p| &p.group_name)
        .field("statusCode", "State of the host.", |p| &p.status_code)
        .field("statusMask", "Reasons for that state.", |p| &p.status_mask)
        .field("realTimeProtectionCode", "State of the protection in real time.", |p| &p.real_time_protection_code)
        .field("encryptionCode", "State of the encryption.", |p| &p.encryption_code)
        .field("antiSpamCode", "State of the protection against spam.", |p| &p.anti_spam_code)
        .field("emailAntivirusCode", "State of the protection of mail.", |p| &p.email_antivirus_code)
        .field("dataLossPreventionCode", "State of the protection against loss of data.", |p| {
            &p.data_loss_prevention_code
        })
        .field("detectionAndResponseCode", "State of detection and response.", |p| &p.detection_and_response_code)
        .field("definitionsUpdatedAt", "When its definitions were last updated.", |p| &p.definitions_updated_at)
        .field("infoUpdatedAt", "When what is said here was last updated.", |p| &p.info_updated_at)
        .field("updatedAt", "When the protection was last updated.", |p| &p.updated_at)
        .field("systemStartedAt", "When the host was last started.", |p| &p.system_started_at)
        .field("virtualServerId", "Id of the virtual administration server.", |p| &p.virtual_server_id)
        .end()
}

fn industrial() -> Object {
    Object::of::<IndustrialDevice>(
        "What an industrial network monitor knows of a device; its hardware, software and risks are on the asset.",
    )
    .field("status", "State of the device, in the source's word.", |d| &d.status)
    .field("serverIpAddress", "Address of the monitor.", |d| &d.server_ip_address)
    .field("connectorId", "Id of the connector to the monitor.", |d| &d.connector_id)
    .field("deviceId", "Id of the device at the monitor.", |d| &d.device_id)
    .end()
}

fn account() -> Object {
    let declared = Object::of::<DirectoryAccount>(
        "Directory data of a user account. Display name, created, changed and archived are on the asset.",
    );
    person(identity(declared))
        .field("memberOf", "Groups that it is in.", |a| &a.member_of)
        .field("managedObjects", "What it manages in the directory.", |a| &a.managed_objects)
        .field("expiresAt", "When the account ends.", |a| &a.expires_at)
        .field("lastBadPasswordAt", "When a wrong password was last given.", |a| &a.last_bad_password_at)
        .end()
}

fn identity(declared: Declare<DirectoryAccount>) -> Declare<DirectoryAccount> {
    declared
        .field("domain", "The directory's domain.", |a| &a.domain)
        .field("commonName", "Its name within its place in the directory.", |a| &a.common_name)
        .field("distinguishedName", "Its name in the whole directory.", |a| &a.distinguished_name)
        .field("accountName", "The name to log in with.", |a| &a.account_name)
        .field("accountType", "What kind of account it is, in the directory's word.", |a| &a.account_type)
        .field("principalName", "The name to log in with, domain included.", |a| &a.principal_name)
        .field("securityId", "The directory's own id of the account.", |a| &a.security_id)
        .field("accountControl", "The directory's flags of the account.", |a| &a.account_control)
}

fn person(declared: Declare<DirectoryAccount>) -> Declare<DirectoryAccount> {
    declared
        .field("email", "Mail address.", |a| &a.email)
        .field("mailNickname", "Alias in the mail system.", |a| &a.mail_nickname)
        .field("mobile", "Mobile telephone.", |a| &a.mobile)
        .field("phone", "Telephone.", |a| &a.phone)
        .field("jobTitle", "What the person does.", |a| &a.job_title)
        .field("division", "Division of the company.", |a| &a.division)
        .field("department", "Department of the company.", |a| &a.department)
        .field("company", "Who employs the person.", |a| &a.company)
        .field("manager", "Whom the person reports to.", |a| &a.manager)
        .field("location", "Where the person works.", |a| &a.location)
        .field("streetAddress", "Street and number.", |a| &a.street_address)
        .field("office", "Office or room.", |a| &a.office)
}

impl Tied for AssetLink {
    type Record = Asset;
    type Kind = AssetKind;
    const RECORDS: RecordKind = RecordKind::Asset;

    fn link(&self) -> &Link {
        &self.asset
    }
    fn told(&self) -> Option<AssetKind> {
        self.kind
    }
    fn kind(asset: &Asset) -> AssetKind {
        asset.kind
    }
}

/// Arguments of `Incident.assets`; in the schema as arguments only.
#[derive(InputObject)]
pub(crate) struct AssetPage {
    /// At most this many: 1 to 100.
    #[graphql(default_with = "Some(25)")]
    first: Option<i32>,
    /// A cursor of this list; the page starts after it.
    after: Option<String>,
    /// Only assets of these kinds; an empty list matches nothing.
    kinds: Option<Vec<AssetKind>>,
    /// Only assets with one of these roles; an empty list matches nothing.
    roles: Option<Vec<AssetRole>>,
}

/// The page of an incident's assets that is asked for.
///
/// # Errors
/// Holds for assets that the source tells only per incident, and for those of which only the record tells the kind that is asked for; a fault where an argument is wrong.
pub(crate) fn assets<'a>(
    incident: &'a Incident,
    page: &AssetPage,
    lookup: &Lookup<'a>,
) -> Result<Option<Child<'a>>, Hold> {
    let apart = match incident.assets_apart {
        true => lookup.detail(DetailPart::Assets, incident)?.and_then(|details| details.assets.as_deref()),
        false => None,
    };
    let links = apart.unwrap_or(&incident.assets).iter().filter(|link| has_role(link, page.roles.as_deref()));
    let asked = Asked {
        places: lookup.places("assets", incident),
        first: page.first,
        after: page.after.as_deref(),
        kinds: page.kinds.as_deref(),
        total: None,
    };
    tied::tied(links, &asked, lookup)
}

fn has_role(link: &AssetLink, asked: Option<&[AssetRole]>) -> bool {
    asked.is_none_or(|asked| link.roles.iter().any(|role| asked.contains(role)))
}

fn connection() -> Object {
    tied::connection::<AssetLink>("A page of an incident's assets.").end()
}

fn edge() -> Object {
    tied::edge::<AssetLink>(
        "An asset and its part in the incident. It can be victim and attacker at once.",
        "The asset.",
    )
    .field("roles", "Its part in the incident.", |edge| &edge.link.roles)
    .field("sourceRoles", "Its part in the source's words.", |edge| &edge.link.source_roles)
    .end()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{Key, SourceName};

    #[test]
    fn any_of_several_roles_is_enough_and_none_asked_is_nothing() {
        let asset = Link::bare(Key::new(&SourceName::new("soc"), "1"));
        let roles = vec![AssetRole::Victim, AssetRole::Attacker];
        let both = AssetLink { asset, kind: None, roles, source_roles: vec![] };
        assert!(has_role(&both, None));
        assert!(has_role(&both, Some(&[AssetRole::Other, AssetRole::Attacker])));
        assert!(!has_role(&both, Some(&[AssetRole::Suspect])));
        assert!(!has_role(&both, Some(&[])));
        assert!(!has_role(&AssetLink { roles: vec![], ..both }, Some(&[AssetRole::Other])));
    }
}
