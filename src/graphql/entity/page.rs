//! Paging of what is at hand: an incident's assets, comments and the like.
//!
//! A cursor names the item by its id, so that it still holds when others come or go before it; the index is where to go on
//! when the item itself has gone (see [`crate::graphql::places`]).

use crate::{
    domain::{NativeId, PageSize},
    graphql::{
        error::Fault,
        object::{Object, declare},
        places::{ListPlaces, Place},
    },
};
use async_graphql::InputObject;

declare!(PageInfo as "PageInfo" => page_info);

/// Arguments of a paged field; in the schema as arguments only.
#[derive(InputObject, Default)]
pub(crate) struct PageArguments {
    /// At most this many: 1 to 100.
    #[graphql(default_with = "Some(25)")]
    pub first: Option<i32>,
    /// A cursor of this list; the page starts after it.
    pub after: Option<String>,
}

/// Where a page begins and ends in a list, and how long the list is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Window {
    pub start: usize,
    pub end: usize,
    pub total: usize,
}

/// The page of a list of `total` items, of which `id` gives the id.
///
/// # Errors
/// Bad input that names the argument.
pub(crate) fn cut<'a>(
    total: usize,
    id: impl Fn(usize) -> &'a NativeId,
    first: Option<i32>,
    after: Option<&str>,
    places: &ListPlaces,
) -> Result<Window, Fault> {
    let size = size(first)?;
    let start = match after {
        None => 0,
        Some(after) => {
            let cursor = places.place(after)?;
            let named = |index: usize| *id(index) == cursor.id;
            match (cursor.index < total && named(cursor.index)).then_some(cursor.index) {
                Some(index) => index + 1,
                None => (0..total).find(|index| named(*index)).map_or(cursor.index.min(total), |index| index + 1),
            }
        }
    };
    Ok(Window { start, end: total.min(start + size.rows()), total })
}

/// Refuses arguments that no list could take, before anything is loaded for them.
///
/// # Errors
/// Bad input that names the argument.
pub(crate) fn check(first: Option<i32>, after: Option<&str>, places: &ListPlaces) -> Result<(), Fault> {
    size(first)?;
    after.map_or(Ok(()), |after| places.place(after).map(drop))
}

/// The page size that an argument `first` asks for.
pub(crate) fn size(first: Option<i32>) -> Result<PageSize, Fault> {
    let first = first.unwrap_or(PageSize::DEFAULT);
    PageSize::new(first)
        .ok_or_else(|| Fault::input("first", format!("must be from 1 to {}, not {first}.", PageSize::MAX)))
}

/// What a page tells of its place in the list.
#[derive(Clone)]
pub(crate) struct PageInfo {
    pub has_next: bool,
    pub has_previous: bool,
    pub start: Option<End>,
    pub end: Option<End>,
}

/// An end of a page: text where a cursor was made already, otherwise what it is made of.
#[derive(Clone)]
pub(crate) enum End {
    AtHand(Box<(ListPlaces, Place)>),
    Made(String),
}

impl End {
    fn text(&self) -> String {
        match self {
            End::AtHand(end) => end.0.cursor(&end.1),
            End::Made(text) => text.clone(),
        }
    }
}

impl PageInfo {
    /// Of a page of a list at hand.
    pub(crate) fn of<'a>(window: Window, id: impl Fn(usize) -> &'a NativeId, places: &ListPlaces) -> Self {
        let end = |index: usize| End::AtHand(Box::new((places.clone(), Place { index, id: id(index).clone() })));
        let filled = window.start < window.end;
        PageInfo {
            has_next: window.end < window.total,
            has_previous: window.start > 0,
            start: filled.then(|| end(window.start)),
            end: filled.then(|| end(window.end - 1)),
        }
    }
}

fn page_info() -> Object {
    Object::of::<PageInfo>("Where a page stands in its list.")
        .field("hasNextPage", "Whether there is something after this page.", |page| &page.has_next)
        .field("hasPreviousPage", "Whether there is something before this page.", |page| &page.has_previous)
        .computed("startCursor", "The cursor of the first item of this page.", |page| {
            page.start.as_ref().map(End::text)
        })
        .computed("endCursor", "The cursor of the last item: `after` of the next page.", |page| {
            page.end.as_ref().map(End::text)
        })
        .end()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        domain::{Key, SourceName},
        graphql::places::Places,
    };
    use proptest::prelude::*;

    fn places() -> ListPlaces {
        Places::new([1; 32]).of("assets", &Key::new(&SourceName::new("grc"), "i"))
    }

    fn ids(numbers: &[u8]) -> Vec<NativeId> {
        numbers.iter().map(|n| NativeId::new(&n.to_string())).collect()
    }

    fn page(ids: &[NativeId], first: i32, after: Option<&str>) -> Window {
        cut(ids.len(), |index| &ids[index], Some(first), after, &places()).unwrap()
    }

    proptest! {
        #[test]
        fn pages_together_are_the_list(count in 0u8..60, first in 1i32..20) {
            let ids = ids(&(0..count).collect::<Vec<_>>());
            let (mut seen, mut after) = (0, None);
            loop {
                let window = page(&ids, first, after.as_deref());
                prop_assert_eq!(window.start, seen);
                seen = window.end;
                let info = PageInfo::of(window, |index| &ids[index], &places());
                prop_assert_eq!(info.has_next, seen < ids.len());
                if !info.has_next { break; }
                after = info.end.map(|end| end.text());
            }
            prop_assert_eq!(seen, ids.len());
        }

        #[test]
        fn any_text_is_a_page_or_bad_input(after in any::<String>()) {
            let ids = ids(&[1, 2, 3]);
            let _ = cut(3, |index| &ids[index], Some(2), Some(&after), &places());
        }
    }

    #[test]
    fn a_cursor_holds_when_the_list_changes() {
        let after = places().cursor(&Place { index: 2, id: NativeId::new("30") });
        assert_eq!(page(&ids(&[10, 20, 30, 40]), 9, Some(&after)).start, 3);
        assert_eq!(page(&ids(&[5, 10, 20, 30, 40]), 9, Some(&after)).start, 4);
        assert_eq!(page(&ids(&[10, 20, 40]), 9, Some(&after)).start, 2);
        assert_eq!(page(&ids(&[]), 9, Some(&after)), Window { start: 0, end: 0, total: 0 });
    }

    #[test]
    fn bad_input_names_the_argument() {
        let ids = ids(&[1]);
        for (first, after, argument) in [
            (Some(0), None, "`first`"),
            (Some(101), None, "`first`"),
            (None, Some(" "), "`after`"),
            (None, Some("x"), "`after`"),
        ] {
            let fault = cut(1, |index| &ids[index], first, after, &places()).unwrap_err();
            assert!(fault.message.starts_with(argument), "{}", fault.message);
        }
        assert_eq!(cut(1, |index| &ids[index], None, None, &places()).unwrap().end, 1);
    }
}
