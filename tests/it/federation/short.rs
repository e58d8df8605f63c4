//! Sources that give less at once than a page may take.

use super::{
    edges::rows,
    memory::{Memory, able, call, federation, run},
    walk,
    world::{expected, query, time},
};
use incident_gateway::domain::*;
use std::sync::Arc;

#[test]
fn of_many_sources_each_is_asked_once_though_it_gives_less_than_a_page() {
    let mut capabilities = able();
    capabilities.list.max_page_size = 83;
    let sources: Vec<Arc<Memory>> =
        ["a", "b", "c"].map(|name| Memory::new(name, capabilities.clone(), rows(name, 400))).into();
    let federation = federation(&sources);
    let mut newest = query(Filter::default(), Order::default(), 100);
    for _ in 0..3 {
        let page = run(federation.incidents(&call(), &newest)).unwrap();
        assert_eq!((page.items.len(), page.has_next, page.total), (100, true, Some(1_200)));
        assert!(sources.iter().all(|source| source.lists().len() == 1));
        newest.after = page.cursor(99);
    }
    // All rows of one come before all others: it is asked for the rest.
    sources[1].change(|state| state.rows.iter_mut().for_each(|row| row.created_at = Some(time(1_000_000))));
    let wanted = expected(&sources, &Filter::default(), Order::default());
    let page = run(federation.incidents(&call(), &query(Filter::default(), Order::default(), 100))).unwrap();
    let keys: Vec<Key> = page.items.iter().map(|row| row.incident.key.clone()).collect();
    assert_eq!(keys, wanted[..100]);
    assert_eq!(sources.iter().map(|source| source.lists().len()).collect::<Vec<_>>(), [1, 3, 1]);
    assert_eq!(walk(&sources, query(Filter::default(), Order::default(), 100), |_| {}), wanted);
}
