//! `[[source]]`: whom we ask. The key names the kind: exactly one of `feed page api sitemap files`.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use crate::config::address::{Proxy, Web};
use crate::config::city::City;
use crate::config::key::{Entry, Fields, Key, Table};
use crate::config::kind::{File, Glob, Many, NAME};
use crate::config::name::{self, Charset, Id, TagName};
use crate::config::pattern::{Body, Form, Json, Links, Lists};
use crate::config::reading::Reading;
use crate::config::search::Search;
use crate::config::secret::Headers;
use crate::config::table::defaults::{self, Defaults};
use crate::model::id::SourceId;
use crate::model::place::Code;
use crate::model::source::{How, JsonPattern, Kind, ListPattern, Secret, Source, SourceRules};

const ID: Key<SourceId> = Key {
    name: "id",
    doc: "Identity: address and name may change, this may not. Else made from host and path.",
    default: "",
    kind: &Id,
};
const NAME_: Key<String> = Key { name: "name", doc: "Name for people; else the id.", default: "", kind: &NAME };
const FEED: Key<String> = Key { name: "feed", doc: "Address of an RSS, Atom or JSON feed.", default: "", kind: &Web };
const PAGE: Key<String> = Key {
    name: "page",
    doc: "Address of a page that lists articles; `list` or `links` say where.",
    default: "",
    kind: &Web,
};
const API: Key<String> =
    Key { name: "api", doc: "Address of a JSON list; `json` says where the items are.", default: "", kind: &Web };
const SITEMAP: Key<String> = Key { name: "sitemap", doc: "Address of a sitemap.", default: "", kind: &Web };
const FILES: Key<String> = Key {
    name: "files",
    doc: "Feeds from disk, such as samples/*.xml, relative to feeds.toml.",
    default: "",
    kind: &Glob,
};
const LIST: Key<Vec<ListPattern>> = Key {
    name: "list",
    doc: "How to find items on the page by selectors; or a list of such patterns, each for a part of the page; or the name of a preset: gov-cn, people-cn, chinanews, hanweb.",
    default: "",
    kind: &Lists,
};
const LINKS: Key<String> = Key {
    name: "links",
    doc: "Regular expression on the addresses of the page's links; groups y, m, d give the date. Beside list: used where list finds nothing.",
    default: "",
    kind: &Links,
};
const BODY: Key<String> = Key {
    name: "body",
    doc: "Where an article's text is: a selector, readable, or the name of a preset: gov-cn, people-cn, chinanews, hanweb; its page is fetched for new items only.",
    default: "",
    kind: &Body,
};
const JSON: Key<JsonPattern> =
    Key { name: "json", doc: "Where the items of the JSON list are.", default: "", kind: &Json };
const POST: Key<BTreeMap<String, String>> =
    Key { name: "post", doc: "Form fields, sent by POST instead of GET.", default: "", kind: &Form };
const CITY: Key<Vec<Code>> = Key {
    name: "city",
    doc: "Cities it writes about, a prior and not a verdict: a name, a code or a list.",
    default: "[]",
    kind: &Many(City),
};
const TAGS: Key<Vec<String>> =
    Key { name: "tags", doc: "Tags of everything it sends.", default: "[]", kind: &Many(TagName) };
const DROP: Key<String> = Key {
    name: "drop",
    doc: "Query: items never filed.",
    default: "",
    kind: &Search { relative: true, places: false },
};
const ONLY: Key<String> = Key {
    name: "only",
    doc: "Query: only these items are filed.",
    default: "",
    kind: &Search { relative: true, places: false },
};
const HEADERS: Key<Vec<(String, Secret)>> =
    Key { name: "headers", doc: "Headers of its requests.", default: "{}", kind: &Headers };
const ENCODING: Key<String> =
    Key { name: "encoding", doc: "Character set, only where detection is wrong.", default: "", kind: &Charset };
const PROXY: Key<Option<String>> =
    Key { name: "proxy", doc: "http or socks5 proxy for this source.", default: "\"\"", kind: &Proxy };
const CA: Key<PathBuf> = Key {
    name: "ca",
    doc: "Certificate authority (PEM file) that alone may vouch for the host of this source.",
    default: "",
    kind: &File,
};

/// The register of its keys.
pub(in crate::config) const TABLE: Table = Table {
    name: "source",
    many: true,
    doc: "Whom we ask: exactly one of feed, page, api, sitemap, files.",
    keys: &[
        &ID as &dyn Entry,
        &NAME_,
        &FEED,
        &PAGE,
        &API,
        &SITEMAP,
        &FILES,
        &LIST,
        &LINKS,
        &BODY,
        &JSON,
        &POST,
        &CITY,
        &TAGS,
        &DROP,
        &ONLY,
        &HEADERS,
        &ENCODING,
        &PROXY,
        &CA,
        &defaults::EVERY,
        &defaults::ZONE,
        &defaults::EXPECT,
        &defaults::REPUBLISH,
        &defaults::KEEP,
        &defaults::BACKFILL,
        &defaults::RANK,
        &defaults::JOIN,
        &defaults::TIMEOUT,
    ],
};

/// The keys of which a source has exactly one.
pub(in crate::config) const KINDS: [&str; 5] = ["feed", "page", "api", "sitemap", "files"];

/// Keys that make sense with one kind only.
const TIED: [(&str, &[&str]); 6] = [
    ("list", &["page"]),
    ("links", &["page"]),
    ("json", &["api"]),
    ("post", &["api"]),
    ("headers", &["feed", "page", "api", "sitemap"]),
    ("ca", &["feed", "page", "api", "sitemap"]),
];

/// Whether user or password stand in an address (RFC 3986, 3.2.1).
fn has_login(address: &str) -> bool {
    url::Url::parse(address).is_ok_and(|url| !url.username().is_empty() || url.password().is_some())
}

/// Reads one. `None` if it has no usable address; it was complained about.
pub(in crate::config) fn read(fields: &Fields<'_>, defaults: &Defaults, reading: &mut Reading) -> Option<Source> {
    let kind = kind(fields, reading);
    let id = id(fields, kind.as_ref(), reading);
    let name = fields.get(&NAME_, reading);
    let rules = SourceRules {
        name: name.unwrap_or_else(|| id.to_string()),
        feed: kind.as_ref().and_then(|kind| match kind {
            // A secret in an address must not be printed, so such an address is not named as the source's feed: one from
            // the environment, or a password before the host.
            Kind::Feed(url) if !url.contains("${") && !has_login(url) => Some(url.clone()),
            _ => None,
        }),
        cities: once(fields.or_default(&CITY, reading)),
        tags: fields.or_default(&TAGS, reading),
        rank: fields.get(&defaults::RANK, reading).unwrap_or(defaults.rank),
        republish: fields.get(&defaults::REPUBLISH, reading).unwrap_or(defaults.republish),
        join: fields.get(&defaults::JOIN, reading).unwrap_or(defaults.join),
        backfill: fields.get(&defaults::BACKFILL, reading).unwrap_or(defaults.backfill),
        keep: fields.get(&defaults::KEEP, reading).unwrap_or(defaults.keep),
        zone: fields.get(&defaults::ZONE, reading).unwrap_or_else(|| defaults.zone.clone()),
        id,
    };
    let every = fields.get(&defaults::EVERY, reading).unwrap_or(defaults.every);
    let expect = fields.get(&defaults::EXPECT, reading).unwrap_or_default().over(&defaults.expect);
    let timeout = fields.get(&defaults::TIMEOUT, reading).unwrap_or(defaults.timeout);
    let how = How {
        headers: fields.or_default(&HEADERS, reading),
        encoding: fields.get(&ENCODING, reading),
        drop: fields.get(&DROP, reading),
        only: fields.get(&ONLY, reading),
        body: fields.get(&BODY, reading),
        proxy: fields.or_default(&PROXY, reading),
        ca: fields.get(&CA, reading),
    };
    Some(Source { rules: Arc::new(rules), kind: kind?, every, expect, timeout, how: Arc::new(how) })
}

/// Without what stands there again.
fn once<T: PartialEq>(all: Vec<T>) -> Vec<T> {
    all.into_iter().fold(Vec::new(), |mut once, it| {
        if !once.contains(&it) {
            once.push(it);
        }
        once
    })
}

/// What is polled.
fn kind(fields: &Fields<'_>, reading: &mut Reading) -> Option<Kind> {
    let all = KINDS.join(" ");
    let present = fields.present(&KINDS);
    match present.as_slice() {
        [_] => {}
        [] if fields.misspelt(&KINDS) => {}
        [] => reading.missing(
            fields.sheet,
            fields.span,
            "this source has no address",
            format!("give it exactly one of: {all}"),
        ),
        [first, second, ..] => {
            let message = format!("`{second}` beside `{first}`: a source is polled in one way");
            let hint = format!("exactly one of: {all}; make a second [[source]] of the other");
            reading.error(fields.sheet, fields.key_span(second), message, hint);
        }
    }
    tied(fields, &present, reading);
    let (feed, page) = (fields.get(&FEED, reading), fields.get(&PAGE, reading));
    let (api, sitemap) = (fields.get(&API, reading), fields.get(&SITEMAP, reading));
    let files = fields.get(&FILES, reading);
    let (list, links) = (fields.get(&LIST, reading), fields.get(&LINKS, reading));
    let (json, post) = (fields.get(&JSON, reading), fields.get(&POST, reading));
    if present == ["api"] && fields.present(&["json"]).is_empty() {
        let hint = "json = { items = \"data.rows\", title = \"t\", link = \"url\" }";
        reading.missing(fields.sheet, fields.key_span("api"), "`api` needs `json`", hint);
    }
    let page = page.map(|url| Kind::Page { url, list: list.unwrap_or_default(), links });
    let api =
        api.map(|url| Kind::Api { url, post: post.unwrap_or_default(), json: Box::new(json.unwrap_or_default()) });
    let kinds = [feed.map(Kind::Feed), page, api, sitemap.map(Kind::Sitemap), files.map(Kind::Files)];
    kinds.into_iter().flatten().next()
}

/// Keys that say nothing about a source of this kind.
fn tied(fields: &Fields<'_>, present: &[&str], reading: &mut Reading) {
    let [kind] = present else { return };
    for (key, kinds) in TIED {
        if fields.raw(key).is_some() && !kinds.contains(kind) {
            let message = format!("`{key}` means nothing beside `{kind}`");
            let hint = format!("it goes with {}", kinds.join(", "));
            reading.error(fields.sheet, fields.key_span(key), message, hint);
        }
    }
}

/// The id, or the one that the address makes.
fn id(fields: &Fields<'_>, kind: Option<&Kind>, reading: &mut Reading) -> SourceId {
    if fields.raw("id").is_some() {
        return fields.get(&ID, reading).unwrap_or_default();
    }
    let written = KINDS.iter().find_map(|kind| fields.raw(kind)).and_then(|value| value.text());
    let Some(written) = written.filter(|_| kind.is_some()) else { return SourceId::default() };
    let id = name::made(written);
    if fields.sheet.broken.is_empty() {
        let message = format!("this source has no `id`: \"{id}\" is made from its address");
        let hint = format!("write id = \"{id}\", or a new address will make it a new source");
        reading.warning(fields.sheet, fields.span, message, hint);
    }
    id
}

/// Ids and addresses that stand twice.
pub(in crate::config) fn doubles(sources: &[(Fields<'_>, Source)], reading: &mut Reading) {
    let mut ids: BTreeMap<&SourceId, &Fields<'_>> = BTreeMap::new();
    let mut addresses: BTreeMap<(&str, String), &Fields<'_>> = BTreeMap::new();
    for (fields, source) in sources {
        if source.id().as_str().is_empty() {
            continue;
        }
        if let Some(first) = ids.get(source.id()) {
            let message = format!("the id \"{}\" is taken by the source at {}", source.id(), at(first, "id"));
            let hint = match fields.raw("id") {
                Some(_) => "every source needs an id of its own",
                None => "it is made from the address: give both sources an `id`",
            };
            reading.error(fields.sheet, fields.value_span("id"), message, hint);
            continue;
        }
        ids.insert(source.id(), fields);
        let address = match &source.kind {
            Kind::Api { url, post, .. } => format!("{url} {post:?}"),
            other => other.address().to_owned(),
        };
        let key = source.kind.name();
        if let Some(first) = addresses.get(&(key, address.clone())) {
            let message = format!("the same address is polled by the source at {}", at(first, key));
            reading.warning(fields.sheet, fields.value_span(key), message, "one of the two is enough");
            continue;
        }
        addresses.insert((key, address), fields);
    }
}

/// Where a key of another source stands, for a message.
fn at(fields: &Fields<'_>, key: &str) -> String {
    let place = fields.sheet.place(fields.value_span(key));
    format!("{}:{}", fields.sheet.name, place.line)
}
