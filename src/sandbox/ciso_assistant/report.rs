//! `md/` and `pdf/`: one incident as a document to read.

use crate::sandbox::ciso_assistant::json::seconds;
use crate::sandbox::ciso_assistant::render::{View, detection_label};
use crate::sandbox::ciso_assistant::state::*;
use crate::sandbox::ciso_assistant::words;
use crate::sandbox::clock::Micros;
use crate::sandbox::wire::Reply;
use std::fmt::Write as _;

fn shown(time: Option<Micros>) -> String {
    time.map_or_else(|| "N/A".to_owned(), |time| seconds(time, ' '))
}

fn or_none(text: &str) -> &str {
    if text.is_empty() { "N/A" } else { text }
}

impl View<'_> {
    fn joined(&self, kind: Kind, indices: &[Index]) -> String {
        let names: Vec<&str> = indices.iter().map(|&index| self.state.text(kind, index)).collect();
        names.join(", ")
    }

    pub(super) fn markdown_report(&self, index: Index) -> Reply {
        let text = self.markdown(index);
        named(Reply::new(200, "text/markdown", text), &self.state.incidents.at(index).name, "md")
    }

    pub(super) fn pdf_report(&self, index: Index) -> Reply {
        let pdf = pdf(&self.markdown(index));
        named(Reply::new(200, "application/pdf", pdf), &self.state.incidents.at(index).name, "pdf")
    }

    fn markdown(&self, index: Index) -> String {
        let incident = self.state.incidents.at(index);
        let mut text = format!("# {}\n\n## Incident Information\n\n", incident.name);
        for (name, value) in self.facts(incident) {
            let _ = writeln!(text, "- **{name}**: {value}");
        }
        text.push('\n');
        if let Some(resolution) = incident.later.as_deref().and_then(|later| later.resolution.as_deref())
            && self.release.is_later()
        {
            let _ = write!(text, "## Resolution\n\n{resolution}\n\n");
        }
        if !incident.links.assets.is_empty() {
            text.push_str("## Affected Assets\n\n| Name | Type |\n|------|------|\n");
            for &asset in &incident.links.assets {
                let asset = self.state.assets.at(asset);
                let _ = writeln!(text, "| {} | {} |", asset.name, if asset.primary { "Primary" } else { "Support" });
            }
            text.push('\n');
        }
        if !incident.links.threats.is_empty() {
            text.push_str("## Related Threats\n\n| Name | Reference ID |\n|------|------|\n");
            for &threat in &incident.links.threats {
                let threat = self.state.threats.at(threat);
                let _ = writeln!(text, "| {} | {} |", threat.name, or_none(&threat.ref_id));
            }
            text.push('\n');
        }
        self.markdown_timeline(incident, &mut text);
        text
    }

    fn facts(&self, incident: &Incident) -> Vec<(&'static str, String)> {
        let mut facts = vec![
            ("Name", incident.name.to_string()),
            ("Reference ID", or_none(&incident.ref_id).to_owned()),
            ("Description", or_none(incident.description.as_deref().unwrap_or_default()).to_owned()),
            ("Status", words::STATUS[usize::from(incident.status)].1.to_owned()),
            ("Severity", words::severity_label(incident.severity).to_owned()),
            ("Detection", or_none(detection_label(incident.detection).unwrap_or_default()).to_owned()),
            ("Domain", self.state.text(Kind::Folder, incident.folder).to_owned()),
        ];
        if !incident.links.owners.is_empty() {
            facts.push(("Owners", self.joined(Kind::Actor, &incident.links.owners)));
        }
        if !incident.links.entities.is_empty() {
            facts.push(("Related Entities", self.joined(Kind::Entity, &incident.links.entities)));
        }
        if self.release.is_later() {
            let later = incident.later.as_deref();
            facts.push(("Reported At", shown(incident.reported_at)));
            facts.push(("Occurred At", shown(later.and_then(|later| later.occurred_at))));
            facts.push(("Resolved At", shown(later.and_then(|later| later.resolved_at))));
            if let Some(activated) = later.and_then(|later| later.is_bcp_activated) {
                facts.push(("BCP Activated", if activated { "Yes" } else { "No" }.to_owned()));
            }
        }
        facts.push(("Created", shown(Some(incident.created_at))));
        facts.push(("Last Updated", shown(Some(incident.updated_at))));
        facts
    }

    fn markdown_timeline(&self, incident: &Incident, text: &mut String) {
        text.push_str("## Timeline\n\n");
        if incident.entries.is_empty() {
            text.push_str("*No timeline events found for this incident.*\n\n");
            return;
        }
        text.push_str("*Events are listed in chronological order*\n\n");
        let mut entries: Vec<&Entry> = incident.entries.iter().map(|&entry| self.state.entries.at(entry)).collect();
        entries.sort_by_key(|entry| entry.timestamp);
        for entry in entries {
            let _ = write!(text, "### {} - {}\n\n", shown(Some(entry.timestamp)), entry.entry);
            let _ = write!(text, "**Type**: {}\n\n", words::ENTRY_TYPE[usize::from(entry.entry_type)].1);
            if let Some(author) = entry.author {
                let _ = write!(text, "**Author**: {}\n\n", self.state.text(Kind::Actor, author));
            }
            if let Some(observation) = entry.observation.as_deref().filter(|text| !text.is_empty()) {
                let _ = write!(text, "**Observation**: {observation}\n\n");
            }
            if !entry.evidences.is_empty() {
                text.push_str("**Associated Evidence**:\n");
                for &evidence in &entry.evidences {
                    let _ = writeln!(text, "- {}", self.state.text(Kind::Evidence, evidence));
                }
                text.push('\n');
            }
            text.push_str("---\n\n");
        }
    }
}

fn named(reply: Reply, name: &str, ending: &str) -> Reply {
    reply.with("content-disposition", format!("attachment; filename=\"{}_report.{ending}\"", slug(name)))
}

/// ASCII letters and digits in lower case, words joined by dashes.
fn slug(name: &str) -> String {
    let kept = name.chars().filter(|c| c.is_ascii_alphanumeric() || matches!(c, ' ' | '-' | '_' | '\t' | '\n'));
    let kept: String = kept.collect::<String>().to_ascii_lowercase();
    let words: Vec<&str> = kept.split([' ', '-', '\t', '\n']).filter(|word| !word.is_empty()).collect();
    words.join("-").trim_matches('_').to_owned()
}

/// One page with the first lines of a text, ASCII only: enough to be a PDF that viewers open.
fn pdf(text: &str) -> Vec<u8> {
    let mut content = "BT /F1 10 Tf 50 800 Td 14 TL\n".to_owned();
    for line in text.lines().take(52) {
        let line: String =
            line.chars().map(|c| if c.is_ascii() && !c.is_ascii_control() { c } else { '?' }).take(100).collect();
        let _ = writeln!(content, "({}) Tj T*", line.replace('\\', "\\\\").replace('(', "\\(").replace(')', "\\)"));
    }
    content.push_str("ET\n");
    let objects = [
        "<< /Type /Catalog /Pages 2 0 R >>".to_owned(),
        "<< /Type /Pages /Kids [3 0 R] /Count 1 >>".to_owned(),
        "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R /Resources << /Font << /F1 5 0 R >> >> >>".to_owned(),
        format!("<< /Length {} >>\nstream\n{content}endstream", content.len()),
        "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>".to_owned(),
    ];
    let mut out = "%PDF-1.7\n".to_owned();
    let mut table = String::new();
    for (number, object) in objects.iter().enumerate() {
        let _ = writeln!(table, "{:010} 00000 n ", out.len());
        let _ = write!(out, "{} 0 obj\n{object}\nendobj\n", number + 1);
    }
    let start = out.len();
    let size = objects.len() + 1;
    let _ = write!(
        out,
        "xref\n0 {size}\n0000000000 65535 f \n{table}trailer\n<< /Size {size} /Root 1 0 R >>\nstartxref\n{start}\n%%EOF\n"
    );
    out.into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slugs_hold_ascii_words() {
        assert_eq!(slug("VPN brute force #06"), "vpn-brute-force-06");
        assert_eq!(slug(" Störung — der Kasse -- 7 "), "strung-der-kasse-7");
    }

    #[test]
    fn the_table_of_a_pdf_points_at_its_objects() {
        let pdf = String::from_utf8(pdf("a (b)\nc\\d é")).unwrap();
        let table = &pdf[pdf.find("xref\n").unwrap()..];
        for number in 1..=5 {
            let line = table.lines().nth(2 + number).unwrap();
            let offset: usize = line[..10].parse().unwrap();
            assert!(pdf[offset..].starts_with(&format!("{number} 0 obj\n")));
        }
        assert!(pdf.contains("(a \\(b\\)) Tj") && pdf.contains("(c\\\\d ?) Tj"));
    }
}
