//! What goes wrong with credentials while calls are in flight: tokens that expire, logins that fail, signatures that are good for
//! one attempt.

use super::pair::{MS, Pair, Row, ask, ciso, row, sandbox, says, serve, short};
use super::{BROKEN, DOWN, JSON, LIMITED, SLOW};
use crate::rude::{Manner, Rude};
use incident_gateway::{sandbox::Vendor, secret::Secret, vendors::ciso_assistant::Credential};
use serde_json::{Value, json};

const TOKEN: &str = "/api/v1/oauth/token";
const CISO_LOGIN: &str = "/api/_allauth/";
const REFUSED: &str = "SOURCE_AUTH_FAILED";

/// Ends the token at the next call, so that a login is in flight.
const EXPIRED: &str = "expired@/api/v1/incidents*1";

/// Every way in which a login goes wrong, on the connection and behind it.
fn logins() -> Vec<Row> {
    let head = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 5000\r\n\r\n{";
    let drip = format!("HTTP/1.1 200 OK\r\n{JSON}Content-Length: 5000\r\n\r\n{}", " ".repeat(5_000));
    let at_login =
        |name, manner: Manner, code, opens| Row { faults: vec![EXPIRED], ..row(name, manner.at(TOKEN), code, opens) };
    let mut rows = vec![
        at_login("reset after the request", Manner::ResetAfter, DOWN, true),
        at_login("reset after the token was given", Manner::Loses, DOWN, true),
        at_login("no answer", Manner::Silent, SLOW, true),
        at_login("slow head", Manner::Drips(head.into(), 50 * MS), SLOW, true),
        at_login("drip", Manner::Drips(drip, 10 * MS), SLOW, true),
        at_login("cut body", Manner::Says(head.into()), BROKEN, true),
        at_login("garbage", says("200 OK", JSON, "}{ not JSON"), BROKEN, false),
        at_login("another shape", says("200 OK", JSON, "{}"), BROKEN, false),
        at_login("huge body", says("200 OK", JSON, &" ".repeat(5 << 20)), BROKEN, false),
        at_login("redirect", says("302 Found", "Location: /\r\n", ""), BROKEN, false),
        at_login("429", says("429 Too Many Requests", "Retry-After: 7\r\n", ""), LIMITED, false),
    ];
    let statuses = [
        ("401", REFUSED, false),
        ("403", REFUSED, false),
        ("500", DOWN, true),
        ("503", DOWN, true),
        ("504", SLOW, true),
    ];
    rows.extend(
        statuses.map(|(status, code, opens)| {
            at_login(status, says(&format!("{status} Whatever"), JSON, "{}"), code, opens)
        }),
    );
    rows
}

#[tokio::test]
async fn a_login_in_flight_that_goes_wrong() {
    let pair = Pair::start(Vendor::Adversarial, short()).await;
    for row in logins() {
        let (name, code) = (row.name, row.code);
        let first = pair.row(row).await;
        let wait = &first["sources"][0]["error"]["retryAfterMs"];
        assert_eq!(*wait, if code == LIMITED { json!(7_000) } else { Value::Null }, "{name}");
    }
}

#[tokio::test]
async fn one_lost_login_is_not_noticed() {
    let pair = Pair::start(Vendor::Adversarial, short()).await;
    for manner in [
        Manner::ResetAfter,
        Manner::Loses,
        says("503 Service Unavailable", "", ""),
        says("429 Too Many Requests", "Retry-After: 0\r\n", ""),
    ] {
        let name = format!("{manner:?}");
        pair.rude.be(manner.times(1).at(TOKEN)).await;
        pair.bad.set_faults(vec![EXPIRED.parse().unwrap()]);
        assert_eq!(pair.code(&pair.list().await), Value::Null, "{name}");
    }
}

#[tokio::test]
async fn tokens_that_expire_in_flight_are_renewed_and_a_burst_of_401_ends_with_it() {
    let bad = sandbox(Vendor::CisoAssistant, 20, 1);
    let rude = Rude::before(serve(&bad).await).await;
    let (email, password) = ("gateway@example.test".to_owned(), Secret::from("gateway-password".to_owned()));
    let credential = Credential::Password { email, password };
    let source = ciso("bad", &format!("http://{}/", rude.address), credential, short());
    let pair = Pair::with(bad, rude, source, short()).await;
    pair.bad.set_faults(vec!["expired@/api/incidents/*1".parse().unwrap()]);
    assert_eq!(pair.code(&pair.list().await), Value::Null, "one token");
    // Ten calls at once, all with a token that has ended at the server, and nobody told the gateway.
    pair.bad.set_faults(vec![]);
    pair.bad.advance(std::time::Duration::from_secs(36_001));
    pair.bad.reset_calls();
    let query = |number: usize| format!("{{ incidents(first: {}) {{ sources {{ error {{ code }} }} }} }}", number + 1);
    let queries: Vec<String> = (0..10).map(query).collect();
    let answers = queries.iter().map(|query| ask(&pair.api, query));
    for answer in futures_util::future::join_all(answers).await {
        assert_eq!(answer["data"]["incidents"]["sources"][0]["error"], Value::Null, "{answer}");
    }
    let logins = pair.bad.calls().iter().filter(|call| call.path.starts_with(CISO_LOGIN)).count();
    assert_eq!(logins, 1, "for all of them");
    for (name, manner, faults, code, opens) in [
        ("a burst of 401", Manner::Polite, vec!["401@/api/incidents/"], REFUSED, false),
        ("401 everywhere", Manner::Polite, vec!["401"], REFUSED, false),
        ("the login is lost", Manner::ResetAfter.at(CISO_LOGIN), vec!["expired@/api/incidents/*1"], DOWN, true),
        ("the login is slow", Manner::Silent.at(CISO_LOGIN), vec!["expired@/api/incidents/*1"], SLOW, true),
    ] {
        pair.row(Row { name, manner, faults, code, opens }).await;
    }
}

#[tokio::test]
async fn a_signature_is_made_for_each_attempt() {
    // The sandbox takes a nonce once: an attempt whose answer was lost could not be repeated as it was.
    let pair = Pair::start(Vendor::CortexXpanse, short()).await;
    pair.bad.reset_calls();
    pair.rude.be(Manner::Loses.times(1)).await;
    let list = pair.list().await;
    assert_eq!((pair.code(&list), &list["sources"][0]["upstreamCalls"]), (Value::Null, &json!(2)));
    let calls = pair.bad.calls();
    assert_eq!(calls.iter().filter(|call| call.path.ends_with("/get_incidents/")).count(), 2, "{calls:?}");
    for (fault, code, opens) in super::STATUSES {
        pair.row(Row { name: fault, manner: Manner::Polite, faults: vec![fault], code, opens }).await;
    }
}
