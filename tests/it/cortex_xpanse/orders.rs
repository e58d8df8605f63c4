//! Orders that the source is said to have are ours, ties included, wherever a page begins and however long a tie is.

use super::support::*;
use incident_gateway::{domain::*, source::*, vendors::cortex_xpanse::Undocumented};
use std::sync::Arc;

fn order(field: IncidentOrderField, direction: OrderDirection) -> Order {
    Order { field, direction }
}

fn sorted(all: &[Arc<Incident>], order: Order) -> Vec<Key> {
    let mut positions: Vec<_> = all.iter().map(|incident| order.position(incident)).collect();
    positions.sort_by(|a, b| order.compare(a, b));
    positions.into_iter().map(|position| position.key).collect()
}

fn keys(all: &[Arc<Incident>]) -> Vec<Key> {
    all.iter().map(|incident| incident.key.clone()).collect()
}

const BOTH: [OrderDirection; 2] = [OrderDirection::Asc, OrderDirection::Desc];

#[tokio::test]
async fn declared_orders_are_ours_through_ties_of_any_length() {
    let undocumented = Undocumented { sorts_ids_as_numbers: true, ..Undocumented::default() };
    let bench = Bench::with(options(250), |config| config.undocumented = undocumented).await;
    let all = bench.walk(vec![], None, 100).await;
    let mut times: Vec<_> = all.iter().map(|incident| incident.created_at).collect();
    times.dedup();
    assert!(times.len() + 40 < all.len(), "the world has ties, a long one among them");
    let capabilities = bench.source.capabilities(&call()).await;
    assert_eq!(capabilities.list.orders.len(), 3);
    for (field, directions) in &capabilities.list.orders {
        assert_eq!(directions[..], BOTH);
        for order in BOTH.map(|direction| order(*field, direction)) {
            for limit in [100, 23, 7, 1] {
                assert_eq!(
                    keys(&bench.walk(vec![], Some(order), limit).await),
                    sorted(&all, order),
                    "{order:?} {limit}"
                );
            }
        }
    }
}

#[tokio::test]
async fn a_tie_within_a_filter_is_put_in_order_too() {
    let bench = Bench::new(250).await;
    let all = bench.walk(vec![], None, 100).await;
    let tests = vec![Test::Status(vec![IncidentStatus::Resolved]), Test::Origins(vec!["ASM".into()])];
    let filter = Filter::All(tests.iter().cloned().map(Filter::Test).collect());
    let expected: Vec<_> = all.iter().filter(|incident| filter.matches(incident)).cloned().collect();
    for order in BOTH.map(|direction| order(IncidentOrderField::CreatedAt, direction)) {
        assert_eq!(keys(&bench.walk(tests.clone(), Some(order), 5).await), sorted(&expected, order));
    }
}

#[tokio::test]
async fn a_page_costs_one_call_and_three_within_a_long_tie() {
    let bench = Bench::new(250).await;
    let created = order(IncidentOrderField::CreatedAt, OrderDirection::Asc);
    let calls = |offset, limit| {
        let bench = &bench;
        async move {
            bench.sandbox.reset_calls();
            let request = ListRequest { tests: vec![], order: Some(created), offset, limit, want: PLAIN };
            let rows = bench.source.list(&call(), &request).await.unwrap();
            (bench.sandbox.call_count(), rows.items.len())
        }
    };
    assert_eq!(calls(0, 25).await, (1, 25));
    assert_eq!(calls(100, 80).await, (1, 80));
    // The tie begins at 40 and ends at 75: in the middle of it neither end is near.
    assert_eq!(calls(55, 5).await, (3, 5));
    let (calls, rows) = calls(30, 25).await;
    assert_eq!((calls, rows), (1, 10), "the page ends where the tie begins");
}

#[tokio::test]
async fn pages_through_graphql_neither_repeat_nor_miss() {
    let bench = Bench::new(250).await;
    let all = bench.walk(vec![], None, 100).await;
    let api = bench.api();
    for (field, direction) in
        [("CREATED_AT", "DESC"), ("UPDATED_AT", "ASC"), ("SEVERITY", "DESC"), ("REFERENCE", "ASC")]
    {
        let order = Order {
            field: IncidentOrderField::named(field).unwrap(),
            direction: OrderDirection::named(direction).unwrap(),
        };
        let (mut seen, mut after) = (Vec::new(), "null".to_owned());
        loop {
            let query = format!(
                "{{ incidents(first: 33, after: {after}, orderBy: {{ field: {field}, direction: {direction} }}) {{
                nodes {{ sourceId }} pageInfo {{ hasNextPage endCursor }} sources {{ error {{ message }} }} }} }}"
            );
            let list = data(&api, &query).await["incidents"].take();
            seen.extend(list["nodes"].as_array().unwrap().iter().map(|node| key(node["sourceId"].as_str().unwrap())));
            assert_eq!(list["sources"][0]["error"], serde_json::Value::Null);
            if list["pageInfo"]["hasNextPage"] != true {
                break;
            }
            after = list["pageInfo"]["endCursor"].to_string();
        }
        let expected = sorted(&all, order);
        assert_eq!(seen.len(), expected.len(), "{field}");
        for (place, pair) in seen.iter().zip(&expected).enumerate() {
            assert_eq!(pair.0, pair.1, "{field}: {place}");
        }
    }
}
