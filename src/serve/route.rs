//! Finds what stands at an address that is no feed's: files, health, numbers, lists, pages.

use std::sync::Arc;

use http::header::CACHE_CONTROL;
use http::{HeaderValue, Method, StatusCode};
use percent_encoding::percent_decode_str;

use super::address::Wanted;
use super::reply::{self, Reply, Unmade};
use super::{Asked, Front, Shown, feeds, health, lookup, metrics, pages, searching};
use crate::model::book::State;
use crate::model::edition::EditionId;
use crate::model::id::{Guid, SourceId};
use crate::render::opml;

/// Embedded files are kept for good: a changed one has another address.
const FOR_GOOD: &str = "public, max-age=31536000, immutable";
/// Those whose address stays are asked for daily.
const FOR_A_DAY: &str = "public, max-age=86400";
/// Lists of feeds, like busy feeds.
const FOR_MINUTES: &str = "public, max-age=300";

/// What crawlers should leave alone: pages made for one look, and numbers.
const ROBOTS: &str = "User-agent: *\nDisallow: /story/\nDisallow: /search\nDisallow: /api/\nDisallow: /metrics\n";

/// The answer, and the word under which it is counted.
pub async fn answer(front: &Arc<Front>, asked: Asked<'_>) -> (&'static str, Reply) {
    let known = asked.path != "/feeds" && !asked.path.starts_with("/feeds/");
    if asked.method == Method::OPTIONS && is_list(asked.path) {
        return ("opml", feeds::preflight());
    }
    if asked.method != Method::GET && asked.method != Method::HEAD {
        return ("other", reply::not_allowed("GET, HEAD"));
    }
    match asked.path {
        "/healthz" => return ("health", health::alive()),
        "/readyz" => return ("health", health::readiness(&front.status)),
        "/metrics" => return ("metrics", numbers(front).await),
        "/metrics/sources" => return ("metrics", each(front).await),
        "/robots.txt" => return ("asset", file("text/plain; charset=utf-8", FOR_A_DAY, ROBOTS.into())),
        _ => {}
    }
    if let Some((kind, bytes)) = pages::asset(asked.path) {
        let cache = if asked.path.starts_with("/assets/") { FOR_GOOD } else { FOR_A_DAY };
        return ("asset", file(kind, cache, bytes));
    }
    front.status.when_ready().await;
    if let Some(search) = front.search.as_ref().filter(|_| asked.path.trim_end_matches('/') == "/search") {
        return ("search", searching::page(front, search, asked).await);
    }
    if is_list(asked.path) {
        return ("opml", list(front, asked).await);
    }
    (if known { "page" } else { "feed" }, page(front, asked).await)
}

/// Whether a search stands at this path: its queries may be long.
pub(super) fn searches(path: &str) -> bool {
    path.trim_end_matches('/') == "/search" || searching::address(path).is_some() || super::api::is_ours(path)
}

fn file(kind: &'static str, cache: &'static str, bytes: bytes::Bytes) -> Reply {
    let mut reply = reply::plain(StatusCode::OK, kind, bytes);
    reply.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static(cache));
    reply
}

/// Addresses of our lists of feeds; `/.well-known/feeds` is registered for one (IANA, provisional).
fn is_list(path: &str) -> bool {
    matches!(path, "/feeds.opml" | "/sources.opml" | "/.well-known/feeds")
}

async fn list(front: &Arc<Front>, asked: Asked<'_>) -> Reply {
    let sources = asked.path == "/sources.opml";
    let province = asked.query.filter(|_| !sources).and_then(province);
    let made = front.made(move |desk| match &province {
        _ if sources => desk.sources_opml().map(Ok),
        Some(name) => Ok(match lookup::edition(desk.view, desk.gazetteer, &Wanted::Province(name.clone()))? {
            Ok(EditionId::Province(code)) => Ok(desk.province_opml(code)),
            Ok(_) => Ok(desk.feeds_opml()?),
            Err(missing) => Err(missing.sentence(desk.words)),
        }),
        None => desk.feeds_opml().map(Ok),
    });
    match made.await {
        Ok(Err(missing)) => reply::line(StatusCode::NOT_FOUND, format!("{missing}\n")),
        Ok(Ok(text)) => {
            let mut reply = reply::made(asked.headers, opml::MEDIA_TYPE, FOR_MINUTES, text.into_bytes());
            feeds::open(reply.headers_mut());
            reply
        }
        Err(error) => front.unmade(&error),
    }
}

/// The province that a list is asked for: `?province=henan`, or by its name or code.
fn province(query: &str) -> Option<String> {
    let named = query.split('&').find_map(|part| part.strip_prefix("province="))?;
    let named = percent_decode_str(named).decode_utf8().ok()?.trim().to_owned();
    (!named.is_empty()).then_some(named)
}

/// `/metrics`; the states of the sources are counted now.
async fn numbers(front: &Arc<Front>) -> Reply {
    if front.status.is_ready() {
        let counted = front.made(|desk| {
            let mut states = std::collections::BTreeMap::new();
            for source in &desk.directory.sources {
                *states.entry(source.state.map_or("retired", State::word)).or_insert(0) += 1;
            }
            Ok(states)
        });
        match counted.await {
            Ok(states) => front.metrics.sources(&states),
            Err(error) => tracing::error!(%error, "the sources could not be counted"),
        }
    }
    front.metrics.page()
}

/// `/metrics/sources`.
async fn each(front: &Arc<Front>) -> Reply {
    front.status.when_ready().await;
    let made = front.made(|desk| {
        let polled = desk.directory.sources_by_id().filter(|source| source.state.is_some());
        let polled: Vec<_> = polled.take(metrics::SOURCES + 1).collect();
        if polled.len() > metrics::SOURCES {
            return Ok(None);
        }
        let lines = polled.into_iter().map(|source| metrics::OfSource {
            id: source.id.as_str(),
            items: source.items,
            book: desk.view.book(&source.id).unwrap_or_default(),
        });
        Ok(Some(metrics::sources(lines)))
    });
    match made.await {
        Ok(Some(text)) => metrics::text(text),
        Ok(None) => {
            let sentence = format!("off above {} sources: /metrics counts them by state\n", metrics::SOURCES);
            reply::line(StatusCode::NOT_FOUND, sentence)
        }
        Err(error) => front.unmade(&error),
    }
}

/// What page stands at a path.
#[derive(Debug, PartialEq, Eq)]
enum Page {
    Front,
    Edition(Wanted),
    Story(String),
    Sources,
    Source(String),
    Subscribe,
    About,
}

fn read(path: &str) -> Option<Page> {
    let segments: Vec<String> = path
        .trim_matches('/')
        .split('/')
        .filter(|segment| !segment.is_empty())
        .map(|segment| percent_decode_str(segment).decode_utf8().map(|text| text.trim().to_owned()))
        .collect::<Result<_, _>>()
        .ok()?;
    let segments: Vec<&str> = segments.iter().map(String::as_str).collect();
    let own = |name: &&str| (*name).to_owned();
    Some(match segments.as_slice() {
        [] => Page::Front,
        // A tag may hold a slash, which proxies decode.
        ["city", city, "tag", tag @ ..] if !tag.is_empty() => Page::Edition(Wanted::CityTag(own(city), tag.join("/"))),
        ["city", city] => Page::Edition(Wanted::City(own(city))),
        ["province", province] => Page::Edition(Wanted::Province(own(province))),
        ["tag", tag @ ..] if !tag.is_empty() => Page::Edition(Wanted::Tag(tag.join("/"))),
        ["saved", id] => Page::Edition(Wanted::Saved(own(id))),
        ["story", guid] => Page::Story(own(guid)),
        ["sources"] => Page::Sources,
        ["sources", id] => Page::Source(own(id)),
        // The namespaces of our categories are addresses: something stands there.
        ["subscribe"] | ["ns", "city" | "tag"] => Page::Subscribe,
        ["about"] => Page::About,
        _ => return None,
    })
}

async fn page(front: &Arc<Front>, asked: Asked<'_>) -> Reply {
    let page = read(asked.path);
    let query = asked.query.map(str::to_owned);
    let complaints = front.status.complaints();
    let told = match &page {
        Some(Page::Story(guid)) => match Guid::parse(guid) {
            Some(guid) => front.account(guid).await,
            None => Ok(None),
        },
        _ => Ok(None),
    };
    let told = match told {
        Ok(told) => told,
        Err(error) => return front.unmade(&error),
    };
    front
        .page(asked.headers, move |desk| {
            let query = query.as_deref();
            let html = match page {
                Some(Page::Front) => desk.front(query)?,
                Some(Page::Edition(wanted)) => match lookup::edition(desk.view, desk.gazetteer, &wanted)? {
                    Ok(edition) => desk.edition(&edition, query)?,
                    Err(missing) => return unknown(desk, &missing),
                },
                Some(Page::Story(_)) => match told {
                    Some((story, _)) if story.spiked => {
                        let html = desk.problem(desk.words.spiked.to_owned(), Vec::new())?;
                        return Ok(Shown { status: StatusCode::GONE, html });
                    }
                    Some((story, account)) => desk.story(&story, &account.named(&story, desk.view)?)?,
                    None => return nothing(desk, desk.words.problem.no_story),
                },
                Some(Page::Sources) => desk.sources(query, &complaints)?,
                Some(Page::Source(id)) => match SourceId::new(&id).and_then(|id| desk.directory.source(&id)) {
                    Some(source) => desk.source(source, query)?,
                    None => return unknown(desk, &lookup::Missing::Source(id)),
                },
                Some(Page::Subscribe) => desk.subscribe()?,
                Some(Page::About) => desk.about()?,
                None => return nothing(desk, desk.words.problem.no_page),
            };
            Ok(Shown { status: StatusCode::OK, html })
        })
        .await
}

fn unknown(desk: &pages::Desk<'_>, missing: &lookup::Missing) -> Result<Shown, Unmade> {
    let near = missing.near(&desk.directory).iter().map(|near| desk.chip(near, desk.name(near), None)).collect();
    let html = desk.problem(missing.sentence(desk.words), near)?;
    Ok(Shown { status: StatusCode::NOT_FOUND, html })
}

fn nothing(desk: &pages::Desk<'_>, sentence: &str) -> Result<Shown, Unmade> {
    Ok(Shown { status: StatusCode::NOT_FOUND, html: desk.problem(sentence.to_owned(), Vec::new())? })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_of_pages() {
        let s = str::to_owned;
        let table = [
            ("/", Some(Page::Front)),
            ("/city/xuchang", Some(Page::Edition(Wanted::City(s("xuchang"))))),
            ("/city/xuchang/", Some(Page::Edition(Wanted::City(s("xuchang"))))),
            ("/city/%E8%AE%B8%E6%98%8C", Some(Page::Edition(Wanted::City(s("许昌"))))),
            ("/city/xuchang/tag/a%2Fb", Some(Page::Edition(Wanted::CityTag(s("xuchang"), s("a/b"))))),
            ("/city/xuchang/tag", None),
            ("/city/xuchang/more", None),
            ("/tag/a/b", Some(Page::Edition(Wanted::Tag(s("a/b"))))),
            ("/tag", None),
            ("/province/henan", Some(Page::Edition(Wanted::Province(s("henan"))))),
            ("/story/x", Some(Page::Story(s("x")))),
            ("/sources", Some(Page::Sources)),
            ("/sources/dahe", Some(Page::Source(s("dahe")))),
            ("/subscribe", Some(Page::Subscribe)),
            ("/ns/city", Some(Page::Subscribe)),
            ("/about", Some(Page::About)),
            ("/%FF", None),
            ("/wp-login.php", None),
            ("/feeds/nothing", None),
        ];
        for (path, expected) in table {
            assert_eq!(read(path), expected, "{path}");
        }
    }
}
