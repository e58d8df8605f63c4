//! The page and its files as a client gets them, over a socket.

use super::super::{router, tests::state};
use super::*;
use std::collections::BTreeSet;
use std::path::Path;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

const CSP: &str = "default-src 'none'; script-src 'self'; worker-src 'self'; style-src 'self' 'unsafe-inline'; \
                   font-src 'self'; img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; \
                   frame-ancestors 'none'";

/// An answer with a body that need not be text.
struct Answer {
    status: u16,
    head: String,
    body: Vec<u8>,
}

impl Answer {
    fn header(&self, name: &str) -> Option<&str> {
        let mut lines = self.head.lines().filter_map(|line| line.split_once(": "));
        lines.find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value)
    }

    fn text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap()
    }
}

/// Sends one request, `GET /path` and header lines, to a gateway of its own.
async fn ask(exposed: bool, request: &str) -> Answer {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let routes = router(ServerState { unauthenticated_beyond_loopback: exposed, ..state() });
    let serving = tokio::spawn(async move { axum::serve(listener, routes).await });
    let (line, headers) = request.split_once('\n').unwrap_or((request, ""));
    let headers: String = headers.lines().map(|header| format!("{header}\r\n")).collect();
    let head = format!("{line} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n{headers}\r\n");
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(head.as_bytes()).await.unwrap();
    let mut received = Vec::new();
    stream.read_to_end(&mut received).await.unwrap();
    serving.abort();
    let end = received.windows(4).position(|four| four == b"\r\n\r\n").unwrap();
    let head = String::from_utf8(received[..end].to_vec()).unwrap();
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    Answer { status, head, body: received[end + 4..].to_vec() }
}

/// What the page was told.
fn told(page: &Answer) -> Value {
    let start = "<script type=\"application/json\" id=\"gateway\">";
    let json = page.text().split_once(start).unwrap().1.split_once("</script>").unwrap().0;
    serde_json::from_str(json).unwrap()
}

/// Names of files in a text, as the bundler writes them: relative to the page, or to the file that names them.
fn named(text: &str) -> BTreeSet<String> {
    let ends = [".js", ".css", ".woff2", ".ttf"];
    let parts = text.split(['"', '\'', '`', '(', ')', '<', '>', ' ']);
    let bare = |part| str::strip_prefix(part, "./").unwrap_or(part);
    let names = parts.map(bare).map(|name| name.strip_prefix("graphiql/assets/").unwrap_or(name));
    let files = names.filter(|name| ends.iter().any(|end| name.ends_with(end)) && !name.contains('/'));
    files.map(str::to_owned).collect()
}

fn content(asset: &Asset) -> Bytes {
    if asset.gzip { expanded(asset.bytes) } else { Bytes::from_static(asset.bytes) }
}

#[tokio::test]
async fn the_page_and_its_files_carry_the_policy() {
    let file = format!("GET /graphiql/assets/{}", assets::ASSETS[0].name);
    for request in ["GET /graphiql", "HEAD /graphiql", file.as_str()] {
        let answer = ask(false, request).await;
        assert_eq!(answer.status, 200, "{request}");
        assert_eq!(answer.header("content-security-policy"), Some(CSP), "{request}");
        assert_eq!(answer.header("x-content-type-options"), Some("nosniff"), "{request}");
        assert_eq!(answer.header("referrer-policy"), Some("no-referrer"), "{request}");
    }
}

#[tokio::test]
async fn the_page_is_asked_for_anew_and_its_files_are_kept() {
    let page = ask(false, "GET /graphiql").await;
    assert_eq!(page.header("content-type"), Some("text/html; charset=utf-8"));
    assert_eq!(page.header("cache-control"), Some("no-cache"));
    let file = format!("/graphiql/assets/{}", assets::ASSETS[0].name);
    let asset = ask(false, &format!("GET {file}")).await;
    assert_eq!(asset.header("cache-control"), Some("public, max-age=31536000, immutable"));
    for (path, answer) in [("/graphiql", &page), (file.as_str(), &asset)] {
        let etag = answer.header("etag").unwrap();
        let strong = etag.strip_prefix("W/").unwrap();
        for tags in [etag.to_owned(), strong.to_owned(), format!("\"other\", {etag}"), "*".to_owned()] {
            let again = ask(false, &format!("GET {path}\nIf-None-Match: {tags}")).await;
            assert_eq!((again.status, again.body.len()), (304, 0), "{path} {tags}");
            assert_eq!((again.header("etag"), again.header("vary")), (Some(etag), Some("accept-encoding")));
        }
        assert_eq!(ask(false, &format!("GET {path}\nIf-None-Match: \"other\"")).await.status, 200);
    }
    let exposed = ask(true, "GET /graphiql").await;
    assert_ne!(exposed.header("etag"), page.header("etag"));
}

#[tokio::test]
async fn files_are_compressed_for_who_takes_it_and_whole_for_who_does_not() {
    let asset = assets::ASSETS.iter().find(|asset| asset.gzip).unwrap();
    let whole = content(asset);
    for (accept, compressed) in [
        (None, false),
        (Some("gzip"), true),
        (Some("gzip, deflate, br, zstd"), true),
        (Some("br;q=1.0, GZIP;q=0.5"), true),
        (Some("*"), true),
        (Some("gzip;q=0, *"), false),
        (Some("gzip; q=0.0"), false),
        (Some("identity"), false),
        (Some("br"), false),
    ] {
        let header = accept.map(|accept| format!("\nAccept-Encoding: {accept}")).unwrap_or_default();
        let path = format!("/graphiql/assets/{}", asset.name);
        let answer = ask(false, &format!("GET {path}{header}")).await;
        assert_eq!(answer.header("content-encoding"), compressed.then_some("gzip"), "{accept:?}");
        assert!(answer.header("vary").is_some_and(|vary| vary.contains("accept-encoding")), "{}", answer.head);
        assert_eq!(answer.body, if compressed { asset.bytes } else { &whole[..] }, "{accept:?}");
        let head = ask(false, &format!("HEAD {path}{header}")).await;
        assert_eq!((head.status, head.body.len()), (200, 0));
        assert_eq!(head.header("content-length"), Some(answer.body.len().to_string().as_str()), "{accept:?}");
        assert_eq!(head.header("etag"), answer.header("etag"));
    }
}

#[tokio::test]
async fn nothing_but_the_files_of_the_bundle_is_there() {
    for path in [
        "/graphiql/",
        "/graphiql/assets",
        "/graphiql/assets/",
        "/graphiql/assets/none.js",
        "/graphiql/assets/index.html",
        "/graphiql/assets/../assets.rs",
        "/graphiql/assets/..%2fassets.rs",
        "/graphiql/assets/%2e%2e/%2e%2e/mod.rs",
        "/graphiql/assets/..%5cassets.rs",
        "/graphiql/assets//etc/passwd",
        "/graphiql/assets/%00",
    ] {
        let answer = ask(false, &format!("GET {path}\nAccept-Encoding: gzip")).await;
        assert!([400, 404].contains(&answer.status), "{path}: {}", answer.head);
    }
    assert_eq!(ask(false, "POST /graphiql").await.status, 405);
}

#[test]
fn every_file_that_is_named_exists_and_every_file_is_named() {
    let known: BTreeSet<&str> = assets::ASSETS.iter().map(|asset| asset.name).collect();
    let mut all = named(INDEX);
    assert!(all.len() >= 3, "{all:?}");
    for asset in assets::ASSETS.iter().filter(|asset| asset.name.ends_with("js") || asset.name.ends_with("css")) {
        all.extend(named(std::str::from_utf8(&content(asset)).unwrap()));
    }
    // Names of files in messages of the editor's are not of the bundle: those have a hash.
    let hashed = |name: &String| name.rsplit('.').nth(1).is_some_and(|stem| stem.len() > 8 && stem.contains('-'));
    let all: BTreeSet<String> = all.into_iter().filter(hashed).collect();
    let missing: Vec<&String> = all.iter().filter(|name| !known.contains(name.as_str())).collect();
    assert!(missing.is_empty(), "{missing:?}");
    let idle = known.iter().filter(|name| !all.contains(**name)).copied().collect::<Vec<_>>();
    assert_eq!(idle, [assets::LICENCES], "files that nothing names");
}

#[test]
fn names_and_types_fit_the_content() {
    for asset in &assets::ASSETS {
        assert_eq!(asset.digest, etag::digest(&content(asset)), "{}", asset.name);
        let stem = asset.name.rsplit_once('.').unwrap();
        let hash = &stem.0[stem.0.len() - 8..];
        assert!(stem.0.len() > 9 && hash.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte)));
        let media_type = match stem.1 {
            "js" => "text/javascript; charset=utf-8",
            "css" => "text/css; charset=utf-8",
            "txt" => "text/plain; charset=utf-8",
            "woff2" => "font/woff2",
            "ttf" => "font/ttf",
            other => panic!("{other}"),
        };
        assert_eq!(asset.media_type, media_type);
    }
}

#[test]
fn style_sheets_bring_no_fonts_as_data_and_nothing_from_elsewhere() {
    for asset in assets::ASSETS.iter().filter(|asset| asset.name.ends_with("css")) {
        let content = content(asset);
        let text = std::str::from_utf8(&content).unwrap();
        for url in text.split("url(").skip(1) {
            let url = url.trim_start_matches(['"', '\'']);
            assert!(url.starts_with("data:image/") || url.starts_with("./") || url.starts_with('#'), "{url:.80}");
        }
        assert!(!text.contains("@import"), "{}", asset.name);
    }
}

#[tokio::test]
async fn the_tabs_are_examples() {
    let page = ask(false, "GET /graphiql").await;
    let told = told(&page);
    let tabs: Vec<&str> = told["tabs"].as_array().unwrap().iter().map(|tab| tab["query"].as_str().unwrap()).collect();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples");
    let files = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let files = files.filter(|path| path.extension().is_some_and(|end| end == "graphql"));
    let examples: BTreeSet<String> = files.map(|path| std::fs::read_to_string(path).unwrap()).collect();
    assert!(tabs.iter().all(|tab| examples.contains(*tab)), "every tab is an example as it stands in the folder");
    assert_eq!(tabs.iter().collect::<BTreeSet<_>>().len(), tabs.len());
    assert!(!tabs[0].contains("!)"), "the first tab answers as it stands");
    for tab in told["tabs"].as_array().unwrap().iter().filter(|tab| tab["query"].as_str().unwrap().contains("!)")) {
        let variables: Value = serde_json::from_str(tab["variables"].as_str().unwrap()).unwrap();
        assert!(variables.as_object().is_some_and(|variables| !variables.is_empty()));
    }
}

#[tokio::test]
async fn the_page_knows_whether_the_gateway_is_open_to_everybody() {
    for exposed in [false, true] {
        let page = ask(exposed, "GET /graphiql").await;
        assert_eq!(told(&page)["exposed"], exposed);
        assert!(!page.text().contains(PLACE));
        let licences = told(&page)["licences"].as_str().unwrap().to_owned();
        let text = ask(false, &format!("GET /{licences}")).await;
        assert!(text.text().contains("MIT License"), "{}", text.head);
    }
}

#[test]
fn an_example_cannot_leave_the_element_that_it_stands_in() {
    let json = Page::new(false).text;
    let (_, rest) = json.split_once("id=\"gateway\">").unwrap();
    assert!(!rest.split_once("</script>").unwrap().0.contains('<'));
}

#[tokio::test]
async fn the_root_leads_here() {
    let root = ask(false, "GET /").await;
    assert_eq!((root.status, root.header("location")), (307, Some("graphiql")));
    assert_eq!(ask(false, "GET /graphiql").await.status, 200);
}
