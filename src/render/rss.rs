//! RSS 2.0 (<https://www.rssboard.org/rss-specification>) with the Atom, Dublin Core, content, GeoRSS and Media RSS
//! modules.
//!
//! What readers do with each field decides what is in it: the producer stands in `dc:creator`, since hardly a reader shows
//! `source` and `author` must be an e-mail address; `description` is HTML by custom, so the plain summary is escaped for
//! it; the guid is no address; an enclosure without a real length is an error to validators, so there is none.

use std::collections::BTreeMap;

use ::rss::extension::atom::{AtomExtension, Link};
use ::rss::extension::dublincore::DublinCoreExtension;
use ::rss::extension::{Extension, ExtensionMap};

use super::{Channel, Entry, Format, GENERATOR, date, enclosure, foreign, namespace, whole_text, xml};
use crate::model::story::Emission;

/// RSS 2.0.
#[derive(Debug, Clone, Copy)]
pub struct Rss;

/// Media type of RSS, without charset, as links state it.
const MEDIA_TYPE: &str = "application/rss+xml";

/// Prefixes we use beyond those that the writer declares by itself, declared always: a root element that changes with its
/// items would be noise.
const NAMESPACES: &[(&str, &str)] = &[
    ("atom", "http://www.w3.org/2005/Atom"),
    ("content", "http://purl.org/rss/1.0/modules/content/"),
    ("dc", "http://purl.org/dc/elements/1.1/"),
    ("fh", "http://purl.org/syndication/history/1.0"),
    ("georss", "http://www.georss.org/georss"),
    ("media", "http://search.yahoo.com/mrss/"),
];

impl Format for Rss {
    fn name(&self) -> &'static str {
        "RSS 2.0"
    }

    fn extension(&self) -> &'static str {
        "rss"
    }

    fn media_type(&self) -> &'static str {
        "application/rss+xml; charset=utf-8"
    }

    fn render(&self, channel: &Channel) -> Vec<u8> {
        let document = document(channel);
        match document.pretty_write_to(Vec::with_capacity(4096 + channel.entries.len() * 2048), b' ', 1) {
            Ok(mut bytes) => {
                bytes.push(b'\n');
                bytes
            }
            // Writing to a Vec cannot fail, and the writer has no other error.
            Err(error) => unreachable!("rendering to memory failed: {error}"),
        }
    }
}

fn document(channel: &Channel) -> ::rss::Channel {
    let title = line(&channel.title);
    let home = line(&channel.home);
    let mut links = vec![link("self", &channel.address, Some(MEDIA_TYPE))];
    links.extend(channel.hub.as_deref().map(|hub| link("hub", hub, None)));
    for (rel, href) in [("next", &channel.next), ("prev-archive", &channel.prev_archive), ("current", &channel.current)]
    {
        links.extend(href.as_deref().map(|href| link(rel, href, Some(MEDIA_TYPE))));
    }
    let mut extensions = ExtensionMap::new();
    if channel.current.is_some() {
        // The empty value keeps the writer from breaking the line inside the element.
        let archive = Extension { name: "fh:archive".to_owned(), value: Some(String::new()), ..Extension::default() };
        extensions.entry("fh".to_owned()).or_default().insert("archive".to_owned(), vec![archive]);
    }
    ::rss::Channel {
        title: title.clone(),
        link: home.clone(),
        description: line(&channel.description),
        language: Some(line(&channel.language)),
        last_build_date: Some(date::rfc2822(channel.modified, 0)),
        generator: Some(GENERATOR.to_owned()),
        docs: Some("https://www.rssboard.org/rss-specification".to_owned()),
        ttl: Some(channel.ttl.to_string()),
        // The specification wants title and link of the image to be the channel's.
        image: channel.image.as_deref().map(|url| ::rss::Image {
            url: line(url),
            title,
            link: home,
            ..Default::default()
        }),
        items: channel.entries.iter().map(|entry| item(channel, entry)).collect(),
        atom_ext: Some(AtomExtension { links }),
        extensions,
        namespaces: NAMESPACES.iter().map(|(prefix, uri)| ((*prefix).to_owned(), (*uri).to_owned())).collect(),
        ..Default::default()
    }
}

fn item(channel: &Channel, entry: &Entry) -> ::rss::Item {
    let emission = &entry.emission;
    let summary = xml::clean(emission.summary.trim());
    let source = |url| ::rss::Source { url, title: Some(line(&emission.source_name)) };
    ::rss::Item {
        // One of title and description must be there.
        title: filled(&emission.title).or_else(|| summary.is_empty().then(String::new)),
        link: xml::address(&emission.link),
        description: (!summary.is_empty()).then(|| xml::escape(&summary).into_owned()),
        categories: categories(channel, emission),
        enclosure: enclosure(emission).map(|enclosure| ::rss::Enclosure {
            url: enclosure.url,
            length: enclosure.length.to_string(),
            mime_type: enclosure.kind,
        }),
        guid: Some(::rss::Guid { value: entry.guid.urn(), permalink: false }),
        pub_date: Some(date::rfc2822(emission.published, emission.offset)),
        source: xml::address(&entry.source_feed).map(source),
        content: whole_text(channel, entry),
        extensions: extensions(emission),
        dublin_core_ext: Some(DublinCoreExtension {
            creators: filled(&emission.creator).into_iter().collect(),
            languages: foreign(channel, entry).and_then(filled).into_iter().collect(),
            ..Default::default()
        }),
        ..Default::default()
    }
}

fn categories(channel: &Channel, emission: &Emission) -> Vec<::rss::Category> {
    let (city, tag) = (namespace(channel, "city"), namespace(channel, "tag"));
    let cities = emission.cities.iter().map(|placed| (&placed.name, &city));
    let tags = emission.tags.iter().map(|tagged| (&tagged.name, &tag));
    cities.chain(tags).map(|(name, domain)| ::rss::Category { name: line(name), domain: Some(line(domain)) }).collect()
}

fn extensions(emission: &Emission) -> ExtensionMap {
    let point = emission.point.map(|point| ("georss", "point", Some(point.georss()), None));
    let picture = emission.image.as_deref().and_then(xml::address);
    // The empty value keeps the writer from breaking the line inside the element.
    let picture = picture.map(|url| ("media", "thumbnail", Some(String::new()), Some(url)));
    let updated = emission.updated.map(|at| ("atom", "updated", Some(date::rfc3339(at, emission.offset)), None));
    let mut map = ExtensionMap::new();
    for (prefix, name, value, url) in [point, picture, updated].into_iter().flatten() {
        let extension = Extension {
            name: format!("{prefix}:{name}"),
            value,
            attrs: url.map(|url| ("url".to_owned(), url)).into_iter().collect(),
            children: BTreeMap::new(),
        };
        map.entry(prefix.to_owned()).or_default().entry(name.to_owned()).or_default().push(extension);
    }
    map
}

fn link(rel: &str, href: &str, kind: Option<&str>) -> Link {
    Link { href: line(href), rel: rel.to_owned(), mime_type: kind.map(str::to_owned), ..Default::default() }
}

fn line(text: &str) -> String {
    xml::line(text).trim().to_owned()
}

/// The line, if anything is in it.
fn filled(text: &str) -> Option<String> {
    Some(line(text)).filter(|text| !text.is_empty())
}
