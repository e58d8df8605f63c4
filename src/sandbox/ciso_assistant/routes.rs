//! Which resource a path means, which methods it takes.

use crate::sandbox::Release;
use crate::sandbox::ciso_assistant::state::Kind;

/// What a path addresses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Route<'a> {
    Health,
    Schema,
    LoginA,
    LoginB,
    Logout,
    AuthTokens,
    CurrentUser,
    Build,
    EntryTypes,
    AssetsFull,
    Extra(Extra),
    Collection(Kind),
    Batch(Kind),
    Item(Kind, &'a str),
    Object(Kind, &'a str),
    Cascade(Kind, &'a str),
    Markdown(&'a str),
    Pdf(&'a str),
}

/// The fixed paths under `/api/incidents/`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Extra {
    SeverityChoices,
    StatusChoices,
    DetectionChoices,
    SeverityBreakdown,
    DetectionBreakdown,
    QualificationsBreakdown,
    MonthlyMetrics,
    SummaryStats,
    ExportCsv,
    ExportXlsx,
}

/// The route of a path; `None`: the server's HTML 404. Paths end in a slash, save one.
pub(super) fn route(path: &str, release: Release) -> Option<Route<'_>> {
    if path == "/api/_allauth/app/v1/auth/login" {
        return Some(Route::LoginA);
    }
    let parts: Vec<&str> = path.strip_prefix("/api/")?.strip_suffix('/')?.split('/').collect();
    match parts[..] {
        ["health"] => Some(Route::Health),
        ["schema"] => Some(Route::Schema),
        ["build"] => Some(Route::Build),
        ["iam", "login"] if !release.is_later() => Some(Route::LoginB),
        ["iam", "logout"] => Some(Route::Logout),
        ["iam", "auth-tokens"] => Some(Route::AuthTokens),
        ["iam", "current-user"] => Some(Route::CurrentUser),
        ["timeline-entries", "entry_type"] => Some(Route::EntryTypes),
        ["assets", "full"] if release.is_later() => Some(Route::AssetsFull),
        ["incidents", name] if extra(name).is_some() => extra(name).map(Route::Extra),
        [resource] => Some(Route::Collection(kind(resource)?)),
        [resource, "batch-action"] => kind(resource).filter(|&kind| kind != Kind::Actor).map(Route::Batch),
        [resource, id] if !id.is_empty() => Some(Route::Item(kind(resource)?, id)),
        [resource, id, "object"] => Some(Route::Object(kind(resource)?, id)),
        [resource, id, "cascade-info"] => Some(Route::Cascade(kind(resource)?, id)),
        ["incidents", id, "md"] => Some(Route::Markdown(id)),
        ["incidents", id, "pdf"] => Some(Route::Pdf(id)),
        _ => None,
    }
}

fn kind(resource: &str) -> Option<Kind> {
    Some(match resource {
        "incidents" => Kind::Incident,
        "timeline-entries" => Kind::Entry,
        "assets" => Kind::Asset,
        "threats" => Kind::Threat,
        "evidences" => Kind::Evidence,
        "users" => Kind::User,
        "actors" => Kind::Actor,
        "teams" => Kind::Team,
        "entities" => Kind::Entity,
        "folders" => Kind::Folder,
        "filtering-labels" => Kind::Label,
        "terminologies" => Kind::Term,
        _ => return None,
    })
}

fn extra(name: &str) -> Option<Extra> {
    Some(match name {
        "severity" => Extra::SeverityChoices,
        "status" => Extra::StatusChoices,
        "detection" => Extra::DetectionChoices,
        "severity_breakdown" => Extra::SeverityBreakdown,
        "detection_breakdown" => Extra::DetectionBreakdown,
        "qualifications_breakdown" => Extra::QualificationsBreakdown,
        "monthly_metrics" => Extra::MonthlyMetrics,
        "summary_stats" => Extra::SummaryStats,
        "export_csv" => Extra::ExportCsv,
        "export_xlsx" => Extra::ExportXlsx,
        _ => return None,
    })
}

impl Route<'_> {
    /// Whether it answers without token.
    pub(super) fn is_open(self) -> bool {
        matches!(self, Route::Health | Route::Schema | Route::LoginA | Route::LoginB)
    }

    /// The `Allow` header; empty: none is sent.
    pub(super) fn allow(self) -> &'static str {
        match self {
            Route::Health => "OPTIONS, GET",
            Route::LoginA => "",
            Route::LoginB | Route::Logout | Route::Batch(_) => "POST, OPTIONS",
            Route::AuthTokens => "GET, POST, HEAD, OPTIONS",
            Route::Collection(Kind::Actor) | Route::Item(Kind::Actor, _) => "GET, HEAD, OPTIONS",
            Route::Collection(_) => "GET, POST, HEAD, OPTIONS",
            Route::Item(..) => "GET, PUT, PATCH, DELETE, HEAD, OPTIONS",
            Route::Schema
            | Route::CurrentUser
            | Route::Build
            | Route::EntryTypes
            | Route::AssetsFull
            | Route::Extra(_)
            | Route::Object(..)
            | Route::Cascade(..)
            | Route::Markdown(_)
            | Route::Pdf(_) => "GET, HEAD, OPTIONS",
        }
    }

    /// Whether the method is among those of [`Route::allow`].
    pub(super) fn takes(self, method: &str) -> bool {
        match self {
            Route::LoginA => method == "POST",
            _ => {
                self.allow().split(", ").any(|allowed| allowed == method) || (self == Route::Health && method == "HEAD")
            }
        }
    }
}

/// The name of a resource's objects in 404 texts.
pub(super) fn noun(kind: Kind) -> &'static str {
    match kind {
        Kind::Incident => "Incident",
        Kind::Entry => "TimelineEntry",
        Kind::Asset => "Asset",
        Kind::Threat => "Threat",
        Kind::Evidence => "Evidence",
        Kind::User => "User",
        Kind::Actor => "Actor",
        Kind::Team => "Team",
        Kind::Entity => "Entity",
        Kind::Folder => "Folder",
        Kind::Label => "FilteringLabel",
        Kind::Term => "Terminology",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_end_in_a_slash_save_one() {
        let release = Release::V3_15_1;
        assert_eq!(route("/api/incidents/", release), Some(Route::Collection(Kind::Incident)));
        assert_eq!(route("/api/incidents", release), None);
        assert_eq!(route("/api/incidents/x/md/", release), Some(Route::Markdown("x")));
        assert_eq!(route("/api/incidents/status/", release), Some(Route::Extra(Extra::StatusChoices)));
        assert_eq!(route("/api/_allauth/app/v1/auth/login", release), Some(Route::LoginA));
        assert_eq!(route("/api/_allauth/app/v1/auth/login/", release), None);
        assert_eq!(route("/api/iam/login/", Release::V3_20_8), None);
        assert_eq!(route("/elsewhere/", release), None);
    }
}
