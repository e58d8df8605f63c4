//! How a page of rows is read: at once where it is sound, row by row where it is not, so that a broken row costs itself
//! and a broken member of a row costs that member.

use crate::vendors::common::{Broken, Row, read_record, text};
use serde::Deserialize;
use serde_json::value::RawValue;

/// Rows as far as they could be read.
#[derive(Debug)]
pub(in crate::vendors::ciso_assistant) struct Page<T> {
    /// In the server's order, each with its text where that was asked for.
    pub(in crate::vendors::ciso_assistant) rows: Vec<(T, Option<Box<str>>)>,
    /// How many rows there are in all under the same filter.
    pub(in crate::vendors::ciso_assistant) count: u64,
    /// How many rows the server sent, unreadable ones included.
    pub(in crate::vendors::ciso_assistant) sent: usize,
    pub(in crate::vendors::ciso_assistant) broken: Vec<Broken>,
}

/// The envelope of every list. `next` and `previous` tell nothing that `count` does not.
#[derive(Deserialize)]
struct Envelope<T> {
    count: u64,
    results: Vec<T>,
}

/// The same with the rows not yet looked into.
#[derive(Deserialize)]
struct Unopened<'a> {
    count: u64,
    #[serde(borrow)]
    results: Vec<&'a RawValue>,
}

/// Reads a page. `raw`: keep the text of each row.
/// Fails when the body is no page at all; says why, for the log.
pub(in crate::vendors::ciso_assistant) fn read_page<T: Row>(body: &[u8], raw: bool) -> Result<Page<T>, String> {
    let body = text(body);
    if !raw && let Ok(Envelope { count, results }) = serde_json::from_str::<Envelope<T>>(&body) {
        let sent = results.len();
        return Ok(Page {
            rows: results.into_iter().map(|row| (row, None)).collect(),
            count,
            sent,
            broken: Vec::new(),
        });
    }
    let Unopened { count, results } = serde_json::from_str(&body).map_err(|error| error.to_string())?;
    let (sent, mut rows, mut broken) = (results.len(), Vec::with_capacity(results.len()), Vec::new());
    for row in results {
        match read_record(row.get()) {
            Ok((record, problem)) => {
                rows.push((record, raw.then(|| row.get().into())));
                broken.extend(problem);
            }
            Err(problem) => broken.push(problem),
        }
    }
    Ok(Page { rows, count, sent, broken })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vendors::ciso_assistant::wire::{IncidentRow, TermRow};

    const GOOD: &str =
        r#"{"id":"a","name":"n","severity":"Low","owners":[{"id":"o","str":"O"}],"unheard_of":{"x":[1]}}"#;

    fn page(rows: &[&str]) -> String {
        format!(r#"{{"count":9,"next":null,"previous":null,"results":[{}]}}"#, rows.join(","))
    }

    #[test]
    fn a_sound_page_is_read_at_once_and_raw_rows_keep_their_text() {
        let body = page(&[GOOD, GOOD]);
        for raw in [false, true] {
            let page: Page<IncidentRow> = read_page(body.as_bytes(), raw).unwrap();
            assert_eq!((page.rows.len(), page.count, page.sent, page.broken.len()), (2, 9, 2, 0));
            assert_eq!(page.rows[1].1.as_deref(), raw.then_some(GOOD));
        }
    }

    #[test]
    fn a_broken_row_costs_itself_and_a_broken_member_costs_that_member() {
        let wrong = r#"{"name":5,"severity":"Low","owners":[7],
            "id":"b","reported_at":
            "soon","status":"New"}"#;
        let unsortable = r#"{"id":"c","created_at":"soon"}"#;
        let body = page(&[GOOD, wrong, "7", "null", r#"{"name":"no id"}"#, r#"{"id":5}"#, unsortable, GOOD]);
        let page: Page<IncidentRow> = read_page(body.as_bytes(), false).unwrap();
        assert_eq!((page.rows.len(), page.sent, page.broken.len()), (3, 8, 6));
        let row = &page.rows[1].0;
        assert_eq!(
            (row.name.as_deref(), row.severity.as_deref(), row.status.as_deref()),
            (None, Some("Low"), Some("New"))
        );
        assert!(row.reported_at.is_none() && row.owners.shown.is_empty());
        assert_eq!((page.broken[0].id.as_deref(), page.broken[5].id.as_deref()), (Some("b"), Some("c")));
        assert!(page.broken[0].problem.contains("expected"), "{}", page.broken[0].problem);
    }

    #[test]
    fn a_record_without_what_it_must_have_is_not_made_up() {
        for json in [r#"{"id":"a"}"#, r#"{"id":"a","name":null}"#, r#"{"id":"a","name":[]}"#, "", "{", "[]"] {
            assert!(read_record::<TermRow>(json).is_err(), "{json}");
        }
        assert!(read_record::<TermRow>(r#"{"id":"a","name":"n","is_visible":"yes"}"#).unwrap().1.is_some());
    }

    #[test]
    fn bytes_that_are_no_text_do_not_cost_the_page() {
        let body = [page(&[GOOD]).replace("Low", "L").into_bytes(), Vec::new()].concat();
        let place = body.iter().position(|byte| *byte == b'L').unwrap();
        let mut broken = body.clone();
        broken[place] = 0xff;
        let page: Page<IncidentRow> = read_page(&broken, false).unwrap();
        assert_eq!(page.rows[0].0.severity.as_deref(), Some("\u{fffd}"));
    }

    #[test]
    fn what_is_no_page_is_refused() {
        for body in ["", "<html>", "[]", "{}", r#"{"count":1}"#, r#"{"count":"x","results":[]}"#, r#"{"results":[]}"#] {
            assert!(read_page::<IncidentRow>(body.as_bytes(), false).is_err(), "{body}");
        }
    }
}
