//! Asking for records by their ids.
//!
//! Ids are documented as texts of digits. A server may refuse a whole request for one id of another form, so those are asked for
//! apart, and each alone where that is refused: what the server does not take for an id names no record of it.

use super::client::WINDOW;
use crate::source::{SourceError, SourceErrorKind};
use futures_util::future::join_all;
use std::future::Future;

/// Ids, and what was answered to them; none: none of them is an id to the server.
pub(super) type Answered<'i, T> = (Vec<&'i str>, Result<Option<T>, SourceError>);

/// Whether an id may stand beside others.
fn is_plain(id: &str) -> bool {
    !id.is_empty() && id.len() <= 32 && id.bytes().all(|byte| byte.is_ascii_alphanumeric())
}

/// Asks for all ids at the same time, at most a window of them in a request. Blank ones are left out: they cannot be known by
/// such an id.
pub(super) async fn by_ids<'i, T, F>(ids: &'i [String], read: impl Fn(Vec<&'i str>) -> F) -> Vec<Answered<'i, T>>
where
    F: Future<Output = Result<T, SourceError>>,
{
    let known = ids.iter().map(String::as_str).filter(|id| !id.trim().is_empty());
    let (plain, odd): (Vec<&str>, Vec<&str>) = known.partition(|id| is_plain(id));
    let chunks = plain.chunks(WINDOW).map(|ids| (ids, true)).chain(odd.chunks(WINDOW).map(|ids| (ids, false)));
    let read = &read;
    let answers = join_all(chunks.map(async |(ids, plain)| (ids, plain, read(ids.to_vec()).await))).await;
    let (mut answered, mut alone) = (Vec::new(), Vec::new());
    for (ids, plain, answer) in answers {
        match (ids, answer) {
            (ids, Err(error)) if !plain && refuses_an_id(&error) => match ids {
                [id] => answered.push((vec![*id], Ok(None))),
                ids => alone.extend_from_slice(ids),
            },
            (ids, answer) => answered.push((ids.to_vec(), answer.map(Some))),
        }
    }
    answered.extend(join_all(alone.into_iter().map(async |id| (vec![id], taken(read(vec![id]).await)))).await);
    answered
}

fn taken<T>(answer: Result<T, SourceError>) -> Result<Option<T>, SourceError> {
    match answer {
        Err(error) if refuses_an_id(&error) => Ok(None),
        answer => answer.map(Some),
    }
}

fn refuses_an_id(error: &SourceError) -> bool {
    error.kind() == SourceErrorKind::Rejected
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::SourceName;
    use std::sync::Mutex;

    /// What a server that refuses some ids is asked for, and what is then known of each id.
    fn asked(ids: &[&str], refused: &[&str]) -> (Vec<String>, Vec<String>) {
        let ids: Vec<String> = ids.iter().map(|id| (*id).to_owned()).collect();
        let log = Mutex::new(Vec::new());
        let answered = futures_util::FutureExt::now_or_never(by_ids(&ids, async |ids| {
            log.lock().unwrap().push(ids.join(" "));
            match ids.iter().any(|id| refused.contains(id)) {
                true => Err(SourceError::from_status(&SourceName::new("x"), "read", 422, None)),
                false => Ok(ids.len()),
            }
        }));
        let told = answered.unwrap().into_iter().map(|(ids, answer)| match answer {
            Ok(count) => format!("{}: {count:?}", ids.join(" ")),
            Err(error) => format!("{}: {:?}", ids.join(" "), error.kind()),
        });
        (log.into_inner().unwrap(), told.collect())
    }

    #[test]
    fn odd_ids_go_apart_and_a_refused_one_costs_no_other() {
        assert_eq!(asked(&["5471", "CASE7"], &[]).0, ["5471 CASE7"]);
        assert_eq!(asked(&["", " ", "\u{a0}"], &[]).0, [""; 0]);
        let (requests, told) = asked(&["1", "a-b", "é"], &[]);
        assert_eq!(requests, ["1", "a-b é"]);
        assert_eq!(told, ["1: Some(1)", "a-b é: Some(2)"]);
        let (requests, told) = asked(&["1", "a-b", "é"], &["é"]);
        assert_eq!(requests, ["1", "a-b é", "a-b", "é"]);
        assert_eq!(told, ["1: Some(1)", "a-b: Some(1)", "é: None"]);
        assert_eq!(asked(&["é"], &["é"]), (vec!["é".to_owned()], vec!["é: None".to_owned()]));
        // Ids as documented are refused for another reason.
        assert_eq!(asked(&["1", "2"], &["2"]).1, ["1 2: Rejected"]);
        let long = "1".repeat(33);
        assert_eq!(asked(&["1", &long], &[]).0, ["1".to_owned(), long]);
        let many: Vec<String> = (0..250).map(|id| id.to_string()).collect();
        assert_eq!(asked(&many.iter().map(String::as_str).collect::<Vec<_>>(), &[]).0.len(), 3);
    }
}
