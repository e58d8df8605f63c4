//! `export_csv/` and `export_xlsx/`: all incidents as a table.
//!
//! The older release ignores every parameter; the later one honours filters, search and ordering, not the limit.

use crate::sandbox::ciso_assistant::incidents::{Selection, Sorting};
use crate::sandbox::ciso_assistant::json::seconds;
use crate::sandbox::ciso_assistant::query::{Page, Query};
use crate::sandbox::ciso_assistant::render::{View, detection_label};
use crate::sandbox::ciso_assistant::state::*;
use crate::sandbox::ciso_assistant::words;
use crate::sandbox::ciso_assistant::xlsx::{self, Cell};
use crate::sandbox::wire::{HTML, Reply};
use serde_json::Value;

const COLUMNS: [&str; 15] = [
    "internal_id",
    "ref_id",
    "name",
    "description",
    "status",
    "severity",
    "detection",
    "reported_at",
    "owners",
    "folder",
    "qualifications",
    "threats",
    "assets",
    "entities",
    "link",
];
const LATER_COLUMNS: [&str; 4] = ["occurred_at", "resolved_at", "resolution", "is_bcp_activated"];

impl View<'_> {
    fn columns(&self) -> Vec<&'static str> {
        let mut columns = COLUMNS.to_vec();
        if self.release.is_later() {
            columns.extend(LATER_COLUMNS);
        }
        columns.push("labels");
        columns
    }

    fn exported(&self, query: &Query) -> Result<Vec<Index>, Value> {
        if self.release.is_later() {
            let rows = Selection::read(self.state, query, self.release)?.collect(self.state, self.caller);
            let whole = Page { limit: usize::MAX, offset: 0 };
            return Ok(Sorting::read(query).page(self.state, rows, whole));
        }
        let mut rows = Selection::default().collect(self.state, self.caller);
        rows.sort_by_key(|&index| self.state.incidents.at(index).id);
        Ok(rows)
    }

    fn row(&self, index: Index) -> Vec<Cell> {
        let incident = self.state.incidents.at(index);
        let links = &incident.links;
        let text = |text: &str| Cell::Text(text.to_owned());
        let maybe = |text: Option<&str>| Cell::Text(text.unwrap_or_default().to_owned());
        let names = |kind, members: &[Index]| {
            let names: Vec<&str> = members.iter().map(|&member| self.state.text(kind, member)).collect();
            Cell::Text(names.join(","))
        };
        let terms: Vec<&str> =
            links.qualifications.iter().map(|&term| self.state.terms.at(term).name.as_str()).collect();
        let mut row = vec![
            text(&incident.id.to_string()),
            text(&incident.ref_id),
            text(&incident.name),
            maybe(incident.description.as_deref()),
            text(words::STATUS[usize::from(incident.status)].1),
            text(words::severity_label(incident.severity)),
            maybe(detection_label(incident.detection)),
            Cell::Time(incident.reported_at),
            names(Kind::Actor, &links.owners),
            text(self.state.text(Kind::Folder, incident.folder)),
            Cell::Text(terms.join(",")),
            names(Kind::Threat, &links.threats),
            names(Kind::Asset, &links.assets),
            names(Kind::Entity, &links.entities),
            maybe(incident.link.as_deref()),
        ];
        if self.release.is_later() {
            let later = incident.later.as_deref();
            row.push(Cell::Time(later.and_then(|later| later.occurred_at)));
            row.push(Cell::Time(later.and_then(|later| later.resolved_at)));
            row.push(maybe(later.and_then(|later| later.resolution.as_deref())));
            let activated = later.and_then(|later| later.is_bcp_activated);
            row.push(maybe(activated.map(|activated| if activated { "True" } else { "False" })));
        }
        row.push(names(Kind::Label, &links.labels));
        row
    }

    pub(super) fn export_csv(&self, query: &Query) -> Reply {
        let Ok(rows) = self.exported(query) else {
            return Reply::new(500, HTML, "An error occurred while generating the CSV export.");
        };
        let mut out = if self.release.is_later() { "\u{feff}".to_owned() } else { String::new() };
        out.push_str(&self.columns().join(";"));
        out.push_str("\r\n");
        for index in rows {
            let cells: Vec<String> = self.row(index).iter().map(csv_cell).collect();
            out.push_str(&cells.join(";"));
            out.push_str("\r\n");
        }
        let content_type = if self.release.is_later() { "text/csv; charset=utf-8" } else { "text/csv" };
        Reply::new(200, content_type, out).with("content-disposition", "attachment; filename=\"incidents_export.csv\"")
    }

    pub(super) fn export_xlsx(&self, query: &Query) -> Reply {
        let rows = match self.exported(query) {
            Ok(rows) => rows,
            Err(errors) => return Reply::json(400, &errors),
        };
        let mut table = vec![self.columns().into_iter().map(|name| Cell::Text(name.to_owned())).collect()];
        table.extend(rows.into_iter().map(|index| self.row(index)));
        let content_type = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet";
        Reply::new(200, content_type, xlsx::workbook(&table))
            .with("content-disposition", "attachment; filename=\"incidents_export.xlsx\"")
    }
}

/// Formulas are made harmless by a quote in front; cells with separators or line ends are quoted.
fn csv_cell(cell: &Cell) -> String {
    let text = match cell {
        Cell::Time(time) => time.map(|time| seconds(time, ' ')).unwrap_or_default(),
        Cell::Text(text) if text.starts_with(['=', '+', '-', '@', '\t', '\r']) => format!("'{text}"),
        Cell::Text(text) => text.clone(),
    };
    if text.contains([';', '"', '\r', '\n']) { format!("\"{}\"", text.replace('"', "\"\"")) } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_are_quoted_and_formulas_neutralised() {
        let cell = |text: &str| csv_cell(&Cell::Text(text.to_owned()));
        assert_eq!(cell("=1+1"), "'=1+1");
        assert_eq!(cell("a;\"b\"\n"), "\"a;\"\"b\"\"\n\"");
        assert_eq!(csv_cell(&Cell::Time(None)), "");
    }
}
