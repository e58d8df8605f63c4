//! Names of MITRE ATT&CK tactics and techniques, of which the server gives the ids alone. `attack.tsv` says where they are
//! from and under which licence.

use rustc_hash::FxHashMap;
use std::sync::LazyLock;

const TABLE: &str = include_str!("attack.tsv");

/// What [`crate::domain::Threat::provider`] names where a name is from here.
pub(super) const PROVIDER: &str = "MITRE ATT&CK v17.0 (built in)";

static NAMES: LazyLock<FxHashMap<&str, &str>> = LazyLock::new(|| {
    let lines = TABLE.lines().filter(|line| !line.starts_with('#'));
    lines.filter_map(|line| line.split_once('\t')).collect()
});

/// The name of `TA0002` or `T1059.001`; none for an id that the list does not have.
pub(super) fn name(id: &str) -> Option<&'static str> {
    NAMES.get(id).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tactics_techniques_and_parts_of_techniques_have_names() {
        assert_eq!(name("TA0002"), Some("Execution"));
        assert_eq!(name("T1059"), Some("Command and Scripting Interpreter"));
        assert_eq!(name("T1059.001"), Some("PowerShell"));
        assert_eq!(name("T9999"), None);
        assert_eq!(name("#"), None);
        assert!(NAMES.len() > 600 && NAMES.values().all(|name| !name.is_empty()));
        assert!(TABLE.contains("reproduced and distributed with the permission of The MITRE Corporation"));
    }
}
