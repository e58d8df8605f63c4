//! Codes, labels and texts of the simulated API, as section 3 and 11 of the observations list them.

/// Status codes and labels, in the order of the choices.
pub(super) const STATUS: [(&str, &str); 5] = [
    ("new", "New"),
    ("ongoing", "Ongoing"),
    ("resolved", "Resolved"),
    ("closed", "Closed"),
    ("dismissed", "Dismissed"),
];

/// Labels of severity 1 to 6 and the colour that the breakdown gives them.
pub(super) const SEVERITY: [(&str, &str); 6] = [
    ("Critical", "#DC2626"),
    ("Major", "#EA580C"),
    ("Moderate", "#D97706"),
    ("Minor", "#65A30D"),
    ("Low", "#16A34A"),
    ("unknown", "#6B7280"),
];

pub(super) const INTERNAL: (&str, &str) = ("internally_detected", "Internal");
pub(super) const EXTERNAL: (&str, &str) = ("externally_detected", "External");

/// Codes and labels of timeline entries; the last two are written by the server itself.
pub(super) const ENTRY_TYPE: [(&str, &str); 5] = [
    ("detection", "Detection"),
    ("mitigation", "Mitigation"),
    ("observation", "Observation"),
    ("status_changed", "Status changed"),
    ("severity_changed", "Severity changed"),
];
pub(super) const OBSERVATION: u8 = 2;
pub(super) const STATUS_CHANGED: u8 = 3;
pub(super) const SEVERITY_CHANGED: u8 = 4;

/// Names of the qualifications a fresh server has: 18 builtin ones; two made by users follow.
pub(super) const QUALIFICATIONS: [&str; 20] = [
    "authenticity",
    "availability",
    "confidentiality",
    "environmental",
    "financial",
    "governance",
    "human",
    "image",
    "integrity",
    "legal",
    "material",
    "missions_and_organizational_services",
    "operational",
    "privacy",
    "proof",
    "reputation",
    "safety",
    "trust",
    "data_leak",
    "service_outage",
];
pub(super) const BUILTIN_QUALIFICATIONS: usize = 18;

pub(super) fn severity_label(severity: u8) -> &'static str {
    SEVERITY[usize::from(severity) - 1].0
}

/// `"x" is not a valid choice.`
pub(super) fn bad_choice(value: &str) -> String {
    format!("\"{value}\" is not a valid choice.")
}

/// `“x” is not a valid UUID.`
pub(super) fn bad_uuid(value: &str) -> String {
    format!("“{value}” is not a valid UUID.")
}

/// `Invalid pk "x" - object does not exist.`
pub(super) fn bad_key(value: &str) -> String {
    format!("Invalid pk \"{value}\" - object does not exist.")
}

/// `x is already used in this scope. Please choose another value.`
pub(super) fn used(value: &str) -> String {
    format!("{value} is already used in this scope. Please choose another value.")
}

pub(super) const NULL: &str = "This field may not be null.";
pub(super) const BLANK: &str = "This field may not be blank.";
pub(super) const REQUIRED: &str = "This field is required.";

/// A framework message in the language that was asked for. Only French is known, and of it what was observed or is common.
pub(super) fn translated(text: String, french: bool) -> String {
    match text.as_str() {
        REQUIRED if french => "Ce champ est obligatoire.".to_owned(),
        BLANK if french => "Ce champ ne peut être vide.".to_owned(),
        NULL if french => "Ce champ ne peut être nul.".to_owned(),
        _ => text,
    }
}
