//! The whole room over real sockets and a real store: statuses, headers, what readers and browsers get.

mod api;
mod search;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::Read as _;
use std::net::SocketAddr;
use std::path::PathBuf;

use arc_swap::ArcSwap;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use super::*;
use crate::model::book::{Entry, State};
use crate::model::edit::{Body, Cause, Edit, Progress, Record};
use crate::model::edition::EditionId;
use crate::model::evidence::{Discard, Dropped, Headlines, Likeness, Sign, Zone};
use crate::model::id::{Guid, ItemKey, SourceId, StoryNo};
use crate::model::item::{Credit, Item};
use crate::model::place::{Code, Placed, Places};
use crate::model::position::{Position, Texts};
use crate::model::setting::{Cities, Fetch, Publish, SavedFeed, Server, Setting, Site, TagRule};
use crate::model::source::{Kind, Rank, Republish, Source, SourceRules};
use crate::model::story::{Copy, Emission};
use crate::model::tag::Tag;
use crate::model::time::{Claim, Time, Trust};

/// 2026-11-23T01:42:00Z.
const START: Time = Time(1_795_398_120_000);
const XUCHANG: Code = Code(411_000);
const HENAN: Code = Code(410_000);

struct NoTexts;

impl Texts for NoTexts {
    fn item(&self, _: Position) -> Option<Item> {
        None
    }
}

/// A desk with a few stories, served on a port of its own.
struct House {
    address: SocketAddr,
    front: Arc<Front>,
    seq: u64,
    stop: Option<oneshot::Sender<()>>,
    served: JoinHandle<()>,
    _folder: tempfile::TempDir,
}

fn settings(public_url: &str) -> Settings {
    let source = |id: &str, name: &str, rank| {
        Source::new(
            SourceRules {
                id: SourceId::new(id).unwrap(),
                name: name.to_owned(),
                feed: (id == "xuchang-daily").then(|| "https://xuchang.example/rss.xml".to_owned()),
                cities: vec![XUCHANG],
                rank,
                join: true,
                zone: "Asia/Shanghai".to_owned(),
                ..SourceRules::default()
            },
            Kind::Feed(format!("https://{id}.example/rss.xml?key=s3cret")),
        )
    };
    Settings {
        site: Site {
            title: "河南城市新闻".to_owned(),
            language: "zh-CN".to_owned(),
            public_url: public_url.to_owned(),
            contact: Some("mailto:desk@example.org".to_owned()),
            zone: "Asia/Shanghai".to_owned(),
        },
        server: Server { listen: "127.0.0.1:0".parse().unwrap(), trusted_proxies: vec![] },
        store: PathBuf::from("data"),
        fetch: Fetch { per_host: 1, body_max: 10_000_000, allow_private: vec![], proxy: None },
        sources: [
            source("xuchang-daily", "许昌晨报", Rank::Media),
            source("xuchang-gov", "许昌市人民政府", Rank::Origin),
            source("portal", "中原门户", Rank::Reprint),
        ]
        .map(Arc::new)
        .into(),
        cities: Cities { cover: vec![HENAN], ..Cities::default() },
        tags: vec![TagRule { id: "教育".to_owned(), when: "双减".to_owned() }],
        feeds: vec![SavedFeed {
            id: "schools".to_owned(), title: "河南教育".to_owned(), when: "双减".to_owned()
        }],
        alerts: vec![],
        publish: Publish { items: 60, hub: "none".to_owned() },
    }
}

impl House {
    async fn open(public_url: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let store = Arc::new(Store::open(folder.path()).unwrap());
        let settings = settings(public_url);
        let recorded = settings.recorded().into_values().collect();
        let gazetteer = Gazetteer::build(&settings.cities).unwrap();
        let press = Arc::new(Press::new(Arc::clone(&store), Arc::new(NoTexts)));
        let archive = Arc::new(search::Shelf(Arc::clone(&store)));
        let search = Arc::new(Search::new(archive, &folder.path().join("search")));
        let front = Front::new(
            press,
            store,
            Arc::new(ArcSwap::from_pointee(settings)),
            Arc::new(ArcSwap::new(gazetteer)),
            Arc::new(|| START.plus(Time::DAY)),
            Arc::new(Metrics::new()),
            Arc::new(Status::new()),
        );
        let front = Arc::new(front.with_search(search));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (stop, stopped) = oneshot::channel();
        let served = tokio::spawn(run(listener, Arc::clone(&front), async {
            let _ = stopped.await;
        }));
        let mut house = Self { address, front, seq: 0, stop: Some(stop), served, _folder: folder };
        house.record(Body::Settings { set: recorded, gone: vec![], closes: true });
        house.story(1, "市区三所小学明年启用 新增学位四千个", &["xuchang-daily", "portal"], "教育");
        house.story(2, "许昌至郑州城际公交 <调整> & 票价不变", &["xuchang-gov", "xuchang-daily", "portal"], "交通");
        house.story(3, "护城河夜航恢复", &["xuchang-daily"], "A/B 文旅");
        house.front.status.set_ready(true);
        house
    }

    fn record(&mut self, body: Body) {
        self.seq += 1;
        let at = START.plus(self.seq as i64 * Time::MINUTE);
        let record = Record { at, progress: Progress::default(), body };
        self.front.store.apply(Position { seq: self.seq, sum: 0 }, &record).unwrap();
    }

    fn story(&mut self, no: u64, title: &str, sources: &[&str], tag: &str) {
        let story = StoryNo(no);
        let tag = Tag::new(tag).unwrap();
        let placed = |code, name: &str| Placed {
            code,
            name: name.to_owned(),
            score: 934,
            evidence: vec![
                Sign::Named { zone: Zone::Title, name: "许昌".to_owned(), unit: None, weight: 3_000, notes: vec![] },
                Sign::Prior { weight: 1_200 },
            ],
            counties: vec![],
            point: None,
        };
        let places = Places {
            cities: vec![placed(XUCHANG, "许昌市")],
            provinces: vec![placed(HENAN, "河南省")],
            dropped: vec![Dropped { name: "会长春".to_owned(), why: Discard::Cut }],
        };
        let seen = START.plus(no as i64 * 90 * Time::MINUTE);
        let mut edits = Vec::new();
        for (at, source) in sources.iter().enumerate() {
            let source = SourceId::new(source).unwrap();
            let key = ItemKey::guid(&no.to_string());
            let copy = Copy {
                link: format!("https://{source}.example/{no}.html"),
                title: title.to_owned(),
                published: Some(Claim { at: seen, offset: 480, trust: Trust::Full, method: "RFC 822".to_owned() }),
                seen: seen.plus(at as i64 * 13 * Time::MINUTE),
                credits: vec![Credit { name: "许昌晨报".to_owned(), place: "head".to_owned() }],
                joined: (at > 0).then_some(Likeness::Compared {
                    headline: Headlines::Equal,
                    contained: None,
                    day: false,
                }),
                score: 970,
                key: key.clone(),
                source: source.clone(),
                ..Copy::default()
            };
            edits.push(match at {
                0 => Edit::Open { story, guid: Guid::mint(&source, &key, 0), copy: Box::new(copy) },
                _ => Edit::Join { story, copy: Box::new(copy) },
            });
        }
        edits.push(Edit::Judge { story, shown: 0, places: places.clone(), tags: vec![tag.clone()] });
        let emission = Emission {
            title: title.to_owned(),
            link: format!("https://{}.example/{no}.html", sources[0]),
            summary: "记者从市教育部门获悉，新校舍已完成主体验收，明年秋季开始招生。".to_owned(),
            creator: "许昌晨报".to_owned(),
            source: SourceId::new(sources[0]).unwrap(),
            source_name: "许昌晨报".to_owned(),
            published: seen,
            offset: 480,
            cities: places.cities,
            provinces: places.provinces,
            tags: vec![tag.clone()],
            republish: Republish::Summary,
            first: seen,
            ..Emission::default()
        };
        edits.push(Edit::Emit { story, emission: Box::new(emission), cause: Cause::First });
        let mut editions =
            vec![EditionId::All, EditionId::City(XUCHANG), EditionId::Province(HENAN), EditionId::Tag(tag.id)];
        editions.extend(sources.iter().map(|source| EditionId::Source(SourceId::new(source).unwrap())));
        edits.push(Edit::Enter { story, at: seen, editions });
        self.record(Body::Edits(edits));
    }

    async fn get(&self, path: &str) -> Answer {
        self.ask("GET", path, &[]).await
    }

    async fn ask(&self, method: &str, path: &str, headers: &[(&str, &str)]) -> Answer {
        let mut stream = TcpStream::connect(self.address).await.unwrap();
        let mut request = format!("{method} {path} HTTP/1.1\r\nhost: desk.example\r\nconnection: close\r\n");
        for (key, value) in headers {
            let _ = write!(request, "{key}: {value}\r\n");
        }
        request.push_str("\r\n");
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut bytes = Vec::new();
        stream.read_to_end(&mut bytes).await.unwrap();
        Answer::read(&bytes)
    }

    async fn close(mut self) {
        let _ = self.stop.take().unwrap().send(());
        self.served.await.unwrap();
    }
}

/// An answer off the wire.
#[derive(Debug)]
struct Answer {
    status: u16,
    headers: BTreeMap<String, String>,
    body: Vec<u8>,
}

impl Answer {
    fn read(bytes: &[u8]) -> Self {
        let end = bytes.windows(4).position(|four| four == b"\r\n\r\n").expect("a whole head");
        let head = std::str::from_utf8(&bytes[..end]).unwrap();
        let mut lines = head.split("\r\n");
        let status = lines.next().unwrap().split(' ').nth(1).unwrap().parse().unwrap();
        let headers = lines
            .map(|line| line.split_once(": ").unwrap())
            .map(|(key, value)| (key.to_ascii_lowercase(), value.to_owned()))
            .collect();
        Self { status, headers, body: bytes[end + 4..].to_vec() }
    }

    fn text(&self) -> String {
        String::from_utf8(self.body.clone()).unwrap()
    }

    fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", String::as_str)
    }
}

#[tokio::test]
async fn every_address() {
    let house = House::open("https://desk.example").await;
    let rss = "application/rss+xml; charset=utf-8";
    let html = "text/html; charset=utf-8";
    let text = "text/plain; charset=utf-8";
    let table = [
        ("/feeds/all.rss", 200, rss),
        ("/feeds/all", 200, rss),
        ("/feeds/city/xuchang.rss", 200, rss),
        ("/feeds/city/%E8%AE%B8%E6%98%8C%E5%B8%82.rss", 200, rss),
        ("/feeds/city/许昌.rss", 200, rss),
        ("/feeds/city/411000.rss", 200, rss),
        ("/feeds/city/wuhu.rss", 200, rss), // not covered, still a city
        ("/feeds/province/henan.rss", 200, rss),
        ("/feeds/tag/%E6%95%99%E8%82%B2.rss", 200, rss),
        ("/feeds/tag/A/B%20%E6%96%87%E6%97%85.rss", 200, rss),
        ("/feeds/tag/a%2Fb%E6%96%87%E6%97%85.rss", 200, rss),
        ("/feeds/city/xuchang/tag/%E6%95%99%E8%82%B2.rss", 200, rss),
        ("/feeds/source/portal.rss", 200, rss),
        ("/feeds/saved/schools.rss", 200, rss),
        ("/feed", 200, rss),
        ("/feed.xml", 200, rss),
        ("/rss.xml", 200, rss),
        ("/index.xml", 200, rss),
        ("/atom.xml", 200, "application/atom+xml; charset=utf-8"),
        ("/feeds/city/xuchang.atom", 200, "application/atom+xml; charset=utf-8"),
        ("/feeds/city/xuchang.json", 200, "application/feed+json; charset=utf-8"),
        ("/feeds/city/nowhere.rss", 404, text),
        ("/feeds/city/suzhou.rss", 404, text),
        ("/feeds/tag/%E5%A4%A9%E6%B0%94.rss", 404, text),
        ("/feeds/source/nobody.rss", 404, text),
        ("/feeds/saved/nothing.rss", 404, text),
        ("/feeds/nothing.rss", 404, html),
        ("/feeds/search.rss?q=title:%E6%8A%A4%E5%9F%8E%E6%B2%B3", 200, rss),
        ("/feeds/search?q=nobody", 200, rss),
        ("/feeds/search.rss", 400, text),
        ("/feeds/search.rss?q=(", 400, text),
        ("/search", 200, html),
        ("/search?q=%E8%AE%B8%E6%98%8C", 200, html),
        ("/search?q=(", 400, html),
        ("/feeds.opml", 200, "text/xml; charset=utf-8"),
        ("/.well-known/feeds", 200, "text/xml; charset=utf-8"),
        ("/sources.opml", 200, "text/xml; charset=utf-8"),
        ("/healthz", 200, text),
        ("/readyz", 200, text),
        ("/metrics", 200, "application/openmetrics-text; version=1.0.0; charset=utf-8"),
        ("/robots.txt", 200, text),
        ("/favicon.ico", 200, "image/svg+xml"),
        ("/", 200, html),
        ("/?before=junk", 200, html),
        ("/city/xuchang", 200, html),
        ("/city/xuchang/tag/%E6%95%99%E8%82%B2", 200, html),
        ("/city/nowhere", 404, html),
        ("/province/henan", 200, html),
        ("/tag/%E6%95%99%E8%82%B2", 200, html),
        ("/saved/schools", 200, html),
        ("/sources", 200, html),
        ("/sources/portal", 200, html),
        ("/sources/nobody", 404, html),
        ("/subscribe", 200, html),
        ("/about", 200, html),
        ("/ns/city", 200, html),
        ("/story/junk", 404, html),
        ("/wp-login.php", 404, html),
    ];
    for (path, status, kind) in table {
        let answer = house.get(path).await;
        assert_eq!((answer.status, answer.header("content-type")), (status, kind), "{path}");
        assert_eq!(answer.header("x-content-type-options"), "nosniff", "{path}");
        let head = house.ask("HEAD", path, &[]).await;
        assert_eq!((head.status, head.body.len()), (status, 0), "HEAD {path}");
        // Those two count the requests before.
        if path != "/metrics" {
            let without_date = |mut headers: BTreeMap<String, String>| {
                headers.remove("date");
                headers.remove("x-request-id");
                headers
            };
            assert_eq!(without_date(head.headers), without_date(answer.headers), "HEAD {path}");
        }
    }
    house.close().await;
}

#[tokio::test]
async fn one_feed_has_one_form_whatever_it_is_called() {
    let house = House::open("https://desk.example").await;
    let by_slug = house.get("/feeds/city/xuchang.rss").await;
    for path in ["/feeds/city/许昌市.rss", "/feeds/city/许昌.rss", "/feeds/city/411000.rss", "/feeds/city/XUCHANG.rss"]
    {
        let other = house.get(path).await;
        assert_eq!((other.header("etag"), &other.body), (by_slug.header("etag"), &by_slug.body), "{path}");
    }
    let all = house.get("/feeds/all.rss").await;
    for path in ["/feed", "/feed/", "/rss.xml", "/index.xml"] {
        assert_eq!(house.get(path).await.body, all.body, "{path}");
    }
    assert!(all.text().contains("<title>许昌至郑州城际公交 &lt;调整&gt; &amp; 票价不变</title>"), "{}", all.text());
    house.close().await;
}

#[tokio::test]
async fn a_reader_that_has_it_gets_304() {
    let house = House::open("https://desk.example").await;
    let path = "/feeds/city/xuchang.rss";
    let whole = house.get(path).await;
    let (etag, modified) = (whole.header("etag").to_owned(), whole.header("last-modified").to_owned());
    assert!(etag.starts_with('"') && !modified.is_empty(), "{whole:?}");
    assert!(whole.header("cache-control").starts_with("public, max-age="));
    assert!(whole.header("cache-control").ends_with(", stale-if-error=86400"));
    assert_eq!(whole.header("vary"), "Accept-Encoding, Sec-Fetch-Dest");
    assert_eq!(whole.header("access-control-allow-origin"), "*");
    assert_eq!(whole.header("set-cookie"), "");
    let weak = format!("W/{etag}");
    // The same moment in the form of RFC 850: times are compared, not texts.
    let moment = chrono::DateTime::parse_from_rfc2822(&modified).unwrap();
    let old_form = moment.format("%A, %d-%b-%y %H:%M:%S GMT").to_string();
    for (key, value, status) in [
        ("if-none-match", etag.as_str(), 304),
        ("if-none-match", weak.as_str(), 304),
        ("if-none-match", "\"x\"", 200),
        ("if-modified-since", modified.as_str(), 304),
        ("if-modified-since", old_form.as_str(), 304),
        // What Thunderbird sends at first.
        ("if-modified-since", "Sat, 01 Jan 2000 00:00:00 GMT", 200),
        ("if-modified-since", "Thu, 01 Jan 1970 00:00:00 GMT", 200),
        ("if-modified-since", "junk", 200),
        ("range", "bytes=0-9", 200),
        ("if-match", "\"x\"", 200),
    ] {
        for method in ["GET", "HEAD"] {
            let answer = house.ask(method, path, &[(key, value)]).await;
            assert_eq!(answer.status, status, "{method} {key}: {value}");
            if status == 304 {
                assert!(answer.body.is_empty());
                for kept in ["etag", "last-modified", "cache-control", "vary", "access-control-allow-origin"] {
                    assert_eq!(answer.header(kept), whole.header(kept), "{kept} of a 304");
                }
            }
        }
    }
    house.close().await;
}

#[tokio::test]
async fn a_story_elsewhere_leaves_a_feed_untouched() {
    let mut house = House::open("https://desk.example").await;
    let before = house.get("/feeds/city/zhengzhou.rss").await;
    let xuchang = house.get("/feeds/city/xuchang.rss").await;
    house.story(4, "又一条新闻", &["portal"], "民生");
    let after = house.get("/feeds/city/zhengzhou.rss").await;
    assert_eq!(
        (before.header("etag"), before.header("last-modified")),
        (after.header("etag"), after.header("last-modified"))
    );
    let answer = house.ask("GET", "/feeds/city/xuchang.rss", &[("if-none-match", xuchang.header("etag"))]).await;
    assert_eq!(answer.status, 200);
    assert!(answer.text().contains("又一条新闻"));
    house.close().await;
}

#[tokio::test]
async fn coded_answers_are_the_same_document() {
    let house = House::open("https://desk.example").await;
    for path in ["/feeds/all.rss", "/", "/feeds.opml"] {
        let plain = house.get(path).await;
        let small = house.ask("GET", path, &[("accept-encoding", "gzip")]).await;
        assert_eq!(small.header("content-encoding"), "gzip", "{path}");
        assert!(small.header("vary").starts_with("Accept-Encoding"), "{path}");
        let mut text = Vec::new();
        flate2::read::GzDecoder::new(small.body.as_slice()).read_to_end(&mut text).unwrap();
        assert!(text == plain.body, "{path}");
        assert!(small.body.len() < plain.body.len());
        let again = [("accept-encoding", "gzip"), ("if-none-match", small.header("etag"))];
        assert_eq!(house.ask("GET", path, &again).await.status, 304, "{path}");
    }
    let plain = house.get("/feeds/all.rss").await;
    let small = house.ask("GET", "/feeds/all.rss", &[("accept-encoding", "gzip, br")]).await;
    assert_eq!(small.header("content-encoding"), "br");
    assert_ne!(plain.header("etag"), small.header("etag"), "each representation has its own tag");
    let mut text = Vec::new();
    brotli::Decompressor::new(small.body.as_slice(), 4_096).read_to_end(&mut text).unwrap();
    assert_eq!(text, plain.body);
    house.close().await;
}

#[tokio::test]
async fn a_person_at_a_feeds_address_gets_a_page() {
    const ACCEPT: (&str, &str) = ("accept", "text/html,application/xhtml+xml,*/*;q=0.8");
    let house = House::open("https://desk.example").await;
    for headers in [&[("sec-fetch-dest", "document"), ACCEPT], &[("upgrade-insecure-requests", "1"), ACCEPT]] {
        let page = house.ask("GET", "/feeds/city/xuchang.rss", headers).await;
        assert_eq!(page.status, 200);
        assert_eq!(page.header("content-type"), "text/html; charset=utf-8");
        assert_eq!(page.header("cache-control"), "private, no-store");
        assert_eq!(page.header("vary"), "Sec-Fetch-Dest");
        assert_eq!(page.header("x-robots-tag"), "noindex");
        assert!(page.text().contains("value=\"https://desk.example/feeds/city/xuchang.rss\""));
        assert!(page.text().contains("href=\"?raw\""));
    }
    let raw = house.ask("GET", "/feeds/city/xuchang.rss?raw", &[("sec-fetch-dest", "document"), ACCEPT]).await;
    assert!(raw.header("content-type").starts_with("application/rss+xml"));
    let reader = house.ask("GET", "/feeds/city/xuchang.rss", &[ACCEPT]).await;
    assert!(reader.header("content-type").starts_with("application/rss+xml"), "Accept alone decides nothing");
    house.close().await;
}

#[tokio::test]
async fn a_list_of_feeds_may_be_of_one_province() {
    let house = House::open("https://desk.example").await;
    let whole = house.get("/feeds.opml").await.text();
    assert!(whole.contains("/feeds/all.rss") && whole.contains("/feeds/source/portal.rss"), "{whole}");
    for name in ["henan", "%E6%B2%B3%E5%8D%97", "410000"] {
        let list = house.get(&format!("/feeds.opml?province={name}")).await;
        let text = list.text();
        assert_eq!(list.status, 200, "{name}");
        for feed in ["/feeds/province/henan.rss", "/feeds/city/xuchang.rss"] {
            assert!(text.contains(&format!("xmlUrl=\"https://desk.example{feed}\"")), "{text}");
        }
        assert!(!text.contains("/feeds/all.rss") && !text.contains("/feeds/source/"), "{text}");
        let (path, known) = (format!("/feeds.opml?province={name}"), [("if-none-match", list.header("etag"))]);
        assert_eq!(house.ask("GET", &path, &known).await.status, 304);
    }
    assert!(!house.get("/feeds.opml?province=anhui").await.text().contains("xuchang"));
    assert_eq!(house.get("/feeds.opml?province=nowhere").await.status, 404);
    assert_eq!(house.get("/feeds.opml?province=").await.text(), whole);
    house.close().await;
}

#[tokio::test]
async fn unknown_names_are_met_with_near_ones() {
    let house = House::open("https://desk.example/news").await;
    let table = [
        ("/feeds/city/xuchan.rss", "https://desk.example/news/feeds/city/xuchang.rss"),
        ("/feeds/city/suzhou.rss", "https://desk.example/news/feeds/city/suzhou-jiangsu.rss"),
        ("/feeds/city/suzhou.rss", "https://desk.example/news/feeds/city/suzhou-anhui.rss"),
        ("/feeds/tag/%E6%95%99.rss", "https://desk.example/news/feeds/tag/%E6%95%99%E8%82%B2.rss"),
        ("/feeds/city/xuchang/tag/%E6%95%99.rss", "/news/feeds/city/xuchang/tag/%E6%95%99%E8%82%B2.rss"),
        ("/feeds/source/porta.rss", "https://desk.example/news/feeds/source/portal.rss"),
        ("/feeds/saved/school.rss", "https://desk.example/news/feeds/saved/schools.rss"),
        ("/feeds/city/xuchan.json", "https://desk.example/news/feeds/city/xuchang.json"),
    ];
    for (path, near) in table {
        let answer = house.get(path).await;
        assert_eq!(answer.status, 404, "{path}");
        assert!(answer.text().contains(near), "{path}: {}", answer.text());
        assert_eq!(answer.header("cache-control"), "no-store");
        let page = house.ask("GET", path, &[("accept", "text/html")]).await;
        assert_eq!((page.status, page.header("content-type")), (404, "text/html; charset=utf-8"), "{path}");
    }
    let page = house.get("/city/xuchan").await;
    assert!(page.text().contains("href=\"/news/city/xuchang\""), "{}", page.text());
    house.close().await;
}

#[tokio::test]
async fn methods() {
    let house = House::open("https://desk.example").await;
    let posted = house.ask("POST", "/feeds/all.rss", &[("content-length", "0")]).await;
    assert_eq!((posted.status, posted.header("allow")), (405, "GET, HEAD, OPTIONS"));
    let posted = house.ask("DELETE", "/city/xuchang", &[]).await;
    assert_eq!((posted.status, posted.header("allow")), (405, "GET, HEAD"));
    let asked = [("origin", "https://reader.example"), ("access-control-request-headers", "if-none-match")];
    let preflight = house.ask("OPTIONS", "/feeds/all.rss", &asked).await;
    assert_eq!((preflight.status, preflight.header("access-control-allow-origin")), (204, "*"));
    assert!(preflight.header("access-control-allow-headers").contains("If-None-Match"));
    let junk = house.get(&format!("/feeds/all.rss?{}", "a".repeat(9_000))).await;
    assert_eq!(junk.status, 200, "a known feed answers, whatever is asked behind it");
    let long = house.get(&format!("/tag/{}", "a".repeat(5_000))).await;
    assert_eq!(long.status, 414);
    house.close().await;
}

#[tokio::test]
async fn addresses_work_with_and_without_the_prefix_of_public_url() {
    let house = House::open("https://desk.example/news/").await;
    for path in
        ["/feeds/all.rss", "/news/feeds/all.rss", "/news/feed", "/news/", "/news", "/news/healthz", "/city/xuchang"]
    {
        assert_eq!(house.get(path).await.status, 200, "{path}");
    }
    let page = house.get("/city/xuchang").await.text();
    assert!(page.contains("href=\"/news/sources\"") && !page.contains("href=\"/sources\""));
    assert!(page.contains("href=\"https://desk.example/news/feeds/city/xuchang.rss\""));
    house.close().await;
}

#[tokio::test]
async fn pages_advertise_one_feed_and_run_nothing_of_others() {
    let mut house = House::open("https://desk.example").await;
    house.story(5, "\"><script>alert(1)</script><img src=x onerror=alert(2)>", &["portal"], "<b>");
    let guid = Guid::mint(&SourceId::new("portal").unwrap(), &ItemKey::guid("5"), 0);
    let story = format!("/story/{guid}");
    let table = [
        ("/", "https://desk.example/feeds/all.rss"),
        ("/city/xuchang", "https://desk.example/feeds/city/xuchang.rss"),
        ("/province/henan", "https://desk.example/feeds/province/henan.rss"),
        ("/tag/%E6%95%99%E8%82%B2", "https://desk.example/feeds/tag/%E6%95%99%E8%82%B2.rss"),
        ("/sources/portal", "https://desk.example/feeds/source/portal.rss"),
        (story.as_str(), "https://desk.example/feeds/city/xuchang.rss"),
        ("/sources", "https://desk.example/feeds/all.rss"),
        ("/subscribe", "https://desk.example/feeds/all.rss"),
        ("/about", "https://desk.example/feeds/all.rss"),
        ("/nothing", "https://desk.example/feeds/all.rss"),
    ];
    for (path, feed) in table {
        let page = house.get(path).await;
        let text = page.text();
        assert!(page.header("content-security-policy").starts_with("default-src 'none'"), "{path}");
        let links: Vec<&str> = text.split("<link ").skip(1).collect();
        assert!(links[0].starts_with("rel=\"alternate\" type=\"application/rss+xml\""), "{path}: {}", links[0]);
        assert!(links[0].contains(&format!("href=\"{feed}\"")), "{path}: {}", links[0]);
        assert_eq!(text.matches("rel=\"alternate\"").count(), 1, "{path}");
        for other in ["application/atom+xml", "application/json", "application/feed+json"] {
            assert!(!text.contains(other), "{path} offers {other}");
        }
        assert!(!text.contains("<script>") && !text.contains("<img"), "{path}");
        assert!(text.contains("<html lang=\"zh-CN\">"));
        assert_eq!(text.matches("<h1").count(), 1, "{path}");
        assert!(text.contains("<main id=\"main\">") && text.contains("<nav "), "{path}");
    }
    house.close().await;
}

#[tokio::test]
async fn sources_say_how_they_are() {
    let house = House::open("https://desk.example").await;
    let broken = Entry {
        state: State::Broken,
        reason: "选择器没有匹配到任何链接".to_owned(),
        due: START.plus(Time::HOUR),
        last_good: Some(START),
        status: 200,
        ..Entry::default()
    };
    house.front.store.note(&SourceId::new("xuchang-gov").unwrap(), &broken).unwrap();
    house.front.status.complain("feeds.toml", Some("feeds.toml:3:1: error: unknown key `nam`".to_owned()));
    let text = house.get("/sources").await.text();
    assert!(text.contains("选择器没有匹配到任何链接") && text.contains("unknown key `nam`"), "{text}");
    assert!(!text.contains("s3cret"), "keys in addresses are nobody's business");
    let at = |name: &str| text.find(&format!(">{name}</a>")).unwrap();
    assert!(at("许昌市人民政府") < at("许昌晨报"), "most trouble first");
    let one = house.get("/sources/xuchang-gov").await.text();
    assert!(one.contains("选择器没有匹配到任何链接") && !one.contains("s3cret"), "{one}");
    let ready = house.get("/readyz").await;
    assert_eq!(ready.status, 200);
    assert!(ready.text().contains("unknown key `nam`"));
    let numbers = house.get("/metrics").await.text();
    assert!(numbers.contains("citydesk_sources{state=\"broken\"} 1"), "{numbers}");
    house.close().await;
}

#[tokio::test]
async fn a_feed_waits_until_the_ledger_is_applied() {
    let house = House::open("https://desk.example").await;
    house.front.status.set_ready(false);
    assert_eq!(house.get("/readyz").await.status, 503);
    assert_eq!(house.get("/healthz").await.status, 200);
    let mut asked = Box::pin(house.get("/feeds/city/nowhere.rss"));
    let early = tokio::time::timeout(std::time::Duration::from_millis(100), asked.as_mut()).await;
    assert!(early.is_err(), "nothing is called unknown yet");
    house.front.status.set_ready(true);
    assert_eq!(asked.as_mut().await.status, 404);
    drop(asked);
    house.close().await;
}

#[tokio::test]
async fn a_running_answer_ends_when_we_stop() {
    let mut house = House::open("https://desk.example").await;
    house.front.status.set_ready(false);
    let mut stream = TcpStream::connect(house.address).await.unwrap();
    stream.write_all(b"GET /feeds/all.rss HTTP/1.1\r\nhost: a\r\n\r\n").await.unwrap();
    tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    let _ = house.stop.take().unwrap().send(());
    tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    assert!(TcpStream::connect(house.address).await.is_err(), "nothing more is accepted");
    house.front.status.set_ready(true);
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes).await.unwrap();
    assert_eq!(Answer::read(&bytes).status, 200);
    house.served.await.unwrap();
}

#[tokio::test]
async fn http_2_without_tls_is_spoken() {
    let house = House::open("https://desk.example").await;
    let mut stream = TcpStream::connect(house.address).await.unwrap();
    // The preface of RFC 9113 section 3.4 and an empty SETTINGS frame; the server's first frame is SETTINGS too.
    stream.write_all(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\x00\x00\x00\x04\x00\x00\x00\x00\x00").await.unwrap();
    let mut frame = [0; 9];
    stream.read_exact(&mut frame).await.unwrap();
    assert_eq!((frame[3], &frame[5..9]), (4, &[0, 0, 0, 0][..]));
    drop(stream);
    house.close().await;
}

#[tokio::test]
async fn parts_of_a_feed_are_asked_for_by_limit_and_cursor() {
    let mut house = House::open("https://desk.example").await;
    for no in 4..=120 {
        house.story(no, &format!("第{no}条新闻"), &["portal"], "民生");
    }
    let guids = |text: &str| -> Vec<String> {
        text.split("<guid isPermaLink=\"false\">").skip(1).map(|rest| rest[..45].to_owned()).collect()
    };
    let next = |text: &str| -> Option<String> {
        let link = text.lines().find(|line| line.contains("rel=\"next\""))?;
        let href = link.split("href=\"").nth(1)?.split('"').next()?.replace("&amp;", "&");
        href.strip_prefix("https://desk.example").map(str::to_owned)
    };
    // A walk by rel=next from the feed meets every story once.
    for start in ["/feeds/all.rss", "/feeds/all.rss?limit=7", "/feeds/city/xuchang.rss?limit=500"] {
        let (mut at, mut met) = (Some(start.to_owned()), Vec::new());
        while let Some(path) = at {
            let page = house.get(&path).await;
            assert_eq!(page.status, 200, "{path}");
            let text = page.text();
            let own = format!("<atom:link href=\"https://desk.example{}\" rel=\"self\"", path.replace('&', "&amp;"));
            assert!(text.contains(&own), "{own} in {}", &text[..900]);
            assert!(!text.contains("prev-archive"));
            met.extend(guids(&text));
            at = next(&text);
        }
        let whole = met.len();
        met.sort();
        met.dedup();
        assert_eq!((met.len(), whole), (120, 120), "{start}");
    }
    let whole = house.get("/feeds/all.rss").await;
    for (query, entries) in [
        ("limit=5", 5),
        ("limit=0", 1),
        ("limit=-3", 1),
        ("limit=9999", 120),
        ("limit=x", guids(&whole.text()).len()),
        ("before=junk", guids(&whole.text()).len()),
        ("before=1-2-3&limit=2", 2),
        ("before=0-0", 0),
    ] {
        let answer = house.get(&format!("/feeds/all.rss?{query}")).await;
        assert_eq!((answer.status, guids(&answer.text()).len()), (200, entries), "{query}");
        let (path, known) = (format!("/feeds/all.rss?{query}"), [("if-none-match", answer.header("etag"))]);
        let again = house.ask("GET", &path, &known).await;
        assert_eq!(again.status, 304, "{query}");
    }
    for path in ["/feeds/all/archive/1.rss", "/feeds/city/xuchang/archive/7.json"] {
        assert_eq!(house.get(path).await.status, 404, "{path}: archives have not begun");
    }
    let picture = house.get("/feeds/city/xuchang.png").await;
    assert_eq!((picture.status, picture.header("content-type")), (200, "image/png"));
    assert!(whole.text().contains("<url>https://desk.example/feeds/all.png</url>"));
    house.close().await;
}

#[tokio::test]
async fn a_burst_on_a_cold_feed_is_one_render() {
    let house = House::open("https://desk.example").await;
    let asks = (0..500).map(|at| {
        let coding = ["identity", "gzip", "br", "zstd"][at % 4];
        let headers = [("accept-encoding", coding)];
        let address = house.address;
        async move {
            let mut stream = TcpStream::connect(address).await.unwrap();
            let (key, value) = headers[0];
            let request =
                format!("GET /feeds/all.rss HTTP/1.1\r\nhost: a\r\nconnection: close\r\n{key}: {value}\r\n\r\n");
            stream.write_all(request.as_bytes()).await.unwrap();
            let mut bytes = Vec::new();
            stream.read_to_end(&mut bytes).await.unwrap();
            Answer::read(&bytes).status
        }
    });
    let before = house.front.press.renders();
    let asks: Vec<_> = asks.map(tokio::spawn).collect();
    for ask in asks {
        assert_eq!(ask.await.unwrap(), 200);
    }
    assert_eq!(house.front.press.renders() - before, 1);
    assert!(house.front.press.weight() < Press::SHELF + Press::ASIDE);
    house.close().await;
}

/// Serves what `House` would with room for so many connections.
async fn crowded(house: &House, connections: usize) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let front = Arc::clone(&house.front);
    let handler = move |request, address| {
        let front = Arc::clone(&front);
        async move { front.answer(&request, address).await }
    };
    let limits = listen::Limits { connections, per_address: connections, exempt: vec![] };
    tokio::spawn(listen::run(listener, limits, handler, std::future::pending()));
    address
}

async fn once(address: SocketAddr, request: &[u8]) -> Vec<u8> {
    let mut stream = TcpStream::connect(address).await.unwrap();
    // A server that has refused already may close while we still write.
    let _ = stream.write_all(request).await;
    let mut bytes = Vec::new();
    let _ = stream.read_to_end(&mut bytes).await;
    bytes
}

const PLAIN: &[u8] = b"GET /feeds/all.rss HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n";

#[tokio::test(flavor = "multi_thread")]
async fn idle_and_slow_connections_keep_nobody_out() {
    let house = House::open("https://desk.example").await;
    let address = crowded(&house, 60).await;
    let mut idle = Vec::new();
    for at in 0..400_usize {
        let mut stream = TcpStream::connect(address).await.unwrap();
        // Silent, stuck in the first line, in a header, in the preface of HTTP/2, in a body that never comes.
        let begun: &[u8] = [
            b"".as_slice(),
            b"GET /fe",
            b"GET / HTTP/1.1\r\nhost: a\r\nx-slow: ",
            b"PRI * HTTP/2.0\r\n",
            b"POST /feeds/all.rss HTTP/1.1\r\nhost: a\r\ncontent-length: 900\r\n\r\n",
        ][at % 5];
        // It may have had to make room by now.
        let _ = stream.write_all(begun).await;
        idle.push(stream);
        if at % 20 == 0 {
            let begun = Instant::now();
            let answer = once(address, PLAIN).await;
            assert!(answer.starts_with(b"HTTP/1.1 200"), "{at}");
            assert!(begun.elapsed() < std::time::Duration::from_secs(2), "{at}: {:?}", begun.elapsed());
        }
    }
    drop(idle);
    house.close().await;
}

#[tokio::test]
async fn odd_requests_are_refused_and_harm_nobody() {
    let house = House::open("https://desk.example").await;
    let huge = format!("GET / HTTP/1.1\r\nhost: a\r\nx: {}\r\n\r\n", "y".repeat(200_000));
    let many = format!("GET / HTTP/1.1\r\nhost: a\r\n{}\r\n", "a: b\r\n".repeat(500));
    let long = format!("GET /feeds/city/{}.rss HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n", "%41".repeat(3_000));
    let table: &[(&[u8], &[u16])] = &[
        (b"POST /feeds/all.rss HTTP/1.1\r\nhost: a\r\ncontent-length: 4\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\nGET /x HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n", &[400, 405]),
        (b"POST /feeds/all.rss HTTP/1.1\r\nhost: a\r\ncontent-length: 4\r\ncontent-length: 5\r\n\r\nabcde", &[400]),
        (b"POST /feeds/all.rss HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\nconnection: close\r\n\r\nzz\r\n", &[405]),
        (b"GET /feeds/all.rss HTTP/1.1\r\nhost : a\r\n\r\n", &[400]),
        (b"GET /feeds/all.rss HTTP/1.1\nhost: a\nconnection: close\n\n", &[200, 400]),
        (b"\x16\x03\x01\x02\x00\x01\x00", &[400]),
        (b"GET /../../etc/passwd HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n", &[404]),
        (b"GET /feeds/..%2f..%2fetc%2fpasswd.rss HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n", &[404]),
        (b"GET /feeds/city/xuchang%00.rss HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n", &[404]),
        (b"GET http://other.example/feeds/all.rss HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n", &[200]),
        (b"GET /feeds/all.rss?limit=%00&before=%ff%fe&&=&limit HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n", &[200]),
        (huge.as_bytes(), &[431, 400]),
        (many.as_bytes(), &[431, 400]),
        (long.as_bytes(), &[414]),
    ];
    for (request, expected) in table {
        let answer = once(house.address, request).await;
        let shown = String::from_utf8_lossy(&request[..request.len().min(80)]).into_owned();
        let status = String::from_utf8_lossy(answer.get(9..12).unwrap_or_default()).parse::<u16>().unwrap_or(0);
        assert!(expected.contains(&status), "{shown}: {status}");
        // What is hidden behind a request is no request of its own.
        if shown.contains("chunked") && shown.contains("content-length") {
            let answers = answer.windows(9).filter(|nine| nine == b"HTTP/1.1 ").count();
            assert_eq!(answers, 1, "{shown}");
        }
    }
    // Requests in a row are answered in a row.
    let mut row = b"GET /feeds/all.rss HTTP/1.1\r\nhost: a\r\n\r\n".repeat(99);
    row.extend_from_slice(PLAIN);
    let answer = once(house.address, &row).await;
    assert_eq!(answer.windows(15).filter(|it| it == b"HTTP/1.1 200 OK").count(), 100);
    house.close().await;
}

#[tokio::test]
async fn streams_opened_and_reset_in_a_row_end_the_connection_and_nothing_else() {
    let house = House::open("https://desk.example").await;
    let mut stream = TcpStream::connect(house.address).await.unwrap();
    let mut bytes = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\x00\x00\x00\x04\x00\x00\x00\x00\x00".to_vec();
    for stream in (1_u32..20_000).step_by(2) {
        // HEADERS of GET / by entries of the static table (RFC 7541 appendix A), then RST_STREAM with CANCEL.
        bytes.extend_from_slice(b"\x00\x00\x06\x01\x05");
        bytes.extend_from_slice(&stream.to_be_bytes());
        bytes.extend_from_slice(b"\x82\x86\x84\x41\x01a");
        bytes.extend_from_slice(b"\x00\x00\x04\x03\x00");
        bytes.extend_from_slice(&stream.to_be_bytes());
        bytes.extend_from_slice(&8_u32.to_be_bytes());
    }
    let sent = stream.write_all(&bytes).await;
    let mut answer = Vec::new();
    let read = tokio::time::timeout(std::time::Duration::from_secs(20), stream.read_to_end(&mut answer)).await;
    assert!(sent.is_err() || read.is_ok(), "the connection is closed");
    assert_eq!(house.get("/feeds/all.rss").await.status, 200);
    house.close().await;
}

/// The time for a head runs for every request of a connection, not for its first alone, and whoever sends a byte now and then
/// does not stop it; whoever is quick is not cut.
#[tokio::test]
async fn the_time_for_a_head_runs_for_later_requests_too() {
    let house = House::open("https://desk.example").await;
    let mut slow = TcpStream::connect(house.address).await.unwrap();
    let mut quick = TcpStream::connect(house.address).await.unwrap();
    slow.write_all(b"GET /healthz HTTP/1.1\r\nhost: a\r\n\r\nGET /healthz HTTP/1.1\r\nx: ").await.unwrap();
    let begun = Instant::now();
    let mut cut = None;
    let mut buffer = vec![0; 65_536];
    while cut.is_none() && begun.elapsed() < std::time::Duration::from_secs(40) {
        quick.write_all(b"GET /healthz HTTP/1.1\r\nhost: a\r\n\r\n").await.unwrap();
        assert!(quick.read(&mut buffer).await.unwrap() > 0, "one that asks is kept");
        tokio::time::sleep(std::time::Duration::from_millis(400)).await;
        if slow.write_all(b"y").await.is_err() {
            cut = Some(begun.elapsed());
        }
        let read = tokio::time::timeout(std::time::Duration::from_millis(1), slow.read(&mut buffer)).await;
        if matches!(read, Ok(Ok(0) | Err(_))) {
            cut = Some(begun.elapsed());
        }
    }
    let cut = cut.expect("it is cut");
    assert!(cut > std::time::Duration::from_secs(8), "not before its time: {cut:?}");
    house.close().await;
}

#[tokio::test]
async fn every_answer_has_an_id_of_its_own() {
    let house = House::open("https://desk.example").await;
    let mut ids = std::collections::BTreeSet::new();
    for path in ["/feeds/all.rss", "/feeds/all.rss", "/", "/nothing", "/healthz"] {
        let id = house.get(path).await.header("x-request-id").to_owned();
        assert!(!id.is_empty() && ids.insert(id), "{path}");
    }
    house.close().await;
}

#[tokio::test]
async fn feeds_name_their_hub_where_everybody_can_reach_it() {
    let publish = |hub: &str| Body::Settings {
        set: vec![Setting::from(Publish { items: 60, hub: hub.to_owned() })],
        gone: vec![],
        closes: true,
    };
    let mut house = House::open("https://desk.example/news").await;
    assert_eq!(house.get("/news/feeds/all.rss").await.header("link"), "");
    house.record(publish("builtin"));
    let hub = "https://desk.example/news/hub";
    // Publisher's discovery, as the test suite of the recommendation asks for it: in the head of GET and HEAD, and in the
    // document; self is the address of the topic, whatever alias was asked.
    for (path, canonical, named) in [
        ("/feeds/all.rss", "/feeds/all.rss", format!("<atom:link href=\"{hub}\" rel=\"hub\"")),
        ("/feed.xml", "/feeds/all.rss", format!("<atom:link href=\"{hub}\" rel=\"hub\"")),
        ("/feeds/city/许昌市.atom", "/feeds/city/xuchang.atom", format!("<link rel=\"hub\" href=\"{hub}\"")),
        ("/feeds/all.json", "/feeds/all.json", format!("\"url\":\"{hub}\"")),
        ("/feeds/city/xuchang/tag/教育.rss", "/feeds/city/xuchang/tag/%E6%95%99%E8%82%B2.rss", String::new()),
    ] {
        let link = format!("<{hub}>; rel=\"hub\", <https://desk.example/news{canonical}>; rel=\"self\"");
        let path = format!("/news{path}");
        let answer = house.get(&path).await;
        assert_eq!((answer.status, answer.header("link")), (200, link.as_str()), "{path}");
        let text = answer.text().replace(": ", ":");
        let named = named.replace(": ", ":");
        assert!(text.contains(&named), "{named} in {text}");
        let head = house.ask("HEAD", &path, &[]).await;
        assert_eq!((head.header("link"), head.header("etag")), (link.as_str(), answer.header("etag")));
        let same = house.ask("GET", &path, &[("if-none-match", answer.header("etag"))]).await;
        assert_eq!((same.status, same.header("link")), (304, link.as_str()));
    }
    // A part of a feed is nobody's topic.
    let part = house.get("/news/feeds/all.rss?limit=1").await;
    assert!(part.header("link").is_empty() && !part.text().contains("rel=\"hub\""));
    house.record(publish("https://hub.example/"));
    let told = house.get("/news/feeds/all.rss").await;
    assert!(told.header("link").starts_with("<https://hub.example/>; rel=\"hub\""), "{}", told.header("link"));
    house.record(publish("none"));
    assert_eq!(house.get("/news/feeds/all.rss").await.header("link"), "");
    // Nobody stands behind the door of this house.
    assert_eq!(house.get("/news/hub").await.status, 200);
    assert_eq!(house.ask("POST", "/news/hub", &[]).await.status, 404);
    assert_eq!(house.ask("PUT", "/news/hub", &[]).await.status, 405);
    house.close().await;
    // Only from here: nobody outside could reach it.
    let mut house = House::open("http://127.0.0.1:8080").await;
    house.record(publish("builtin"));
    let answer = house.get("/feeds/all.rss").await;
    assert!(answer.header("link").is_empty() && !answer.text().contains("rel=\"hub\""));
    house.close().await;
}
