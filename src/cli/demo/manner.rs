//! The five sources of the demo and their manners: what each makes of a story, well or badly, as real ones do.
//!
//! Written by hand and not with the crates that render our own feeds: these are the documents we read, with their
//! faults.

use std::fmt::Write as _;

use chrono::{DateTime, FixedOffset};

use super::tape::Shown;
use crate::model::time::Time;

/// Minutes east of UTC of every source here.
const OFFSET: i16 = 8 * 60;
/// So many items stand in a document.
const ITEMS: usize = 40;
/// The portal cuts headlines at this width: a full-width character counts two.
const TITLE_COLUMNS: usize = 44;
/// The portal's teasers end after so many characters.
const TEASER: usize = 55;
/// The portal imports in batches: all items of one get one stamp.
const BATCH: i64 = 30 * Time::SECOND;

/// A source of the demo.
#[derive(Debug)]
pub struct Source {
    /// Its id, in feeds.toml and in addresses.
    pub id: &'static str,
    /// Its name.
    pub name: &'static str,
    /// What its document is called.
    pub document: &'static str,
    /// What it claims the document to be.
    pub content_type: &'static str,
    /// What stands in feeds.toml beside id, name and address.
    pub block: &'static str,
    /// Key of feeds.toml that names its kind.
    pub kind: &'static str,
    print: fn(&Source, &str, &[Shown<'_>]) -> Vec<u8>,
}

/// All of them.
pub const SOURCES: &[Source] = &[
    Source {
        id: "xuchang",
        name: "许昌发布（样例）",
        document: "rss.xml",
        content_type: "application/rss+xml; charset=utf-8",
        kind: "feed",
        block: "city = \"许昌市\"\nrank = \"origin\"\nrepublish = \"full\"            # its terms allow it: the whole text is passed on\n",
        print: official,
    },
    Source {
        id: "sanmenxia",
        name: "三门峡发布（样例）",
        document: "rss.xml",
        content_type: "text/xml",
        kind: "feed",
        block: "city = \"三门峡市\"\nrank = \"origin\"                # dates without a zone: `zone` says how to read them\n",
        print: zoneless,
    },
    Source {
        id: "jiaozuo",
        name: "焦作发布（样例）",
        document: "list.html",
        content_type: "text/html; charset=ISO-8859-1",
        kind: "page",
        block: "list = { item = \".news li\", title = \"a\", date = \".date\", credit = \".from\", summary = \"p\" }\ncity = \"焦作市\"\nrank = \"origin\"                # a list page in GBK that says gb2312, under a header that says ISO-8859-1\n",
        print: list,
    },
    Source {
        id: "paper",
        name: "中原样报",
        document: "atom.xml",
        content_type: "application/atom+xml; charset=utf-8",
        kind: "feed",
        block: "rank = \"media\"\n",
        print: atom,
    },
    Source {
        id: "portal",
        name: "样网",
        document: "feed.xml",
        content_type: "application/xml",
        kind: "feed",
        block: "rank = \"reprint\"               # cuts headlines, loses 平 and decimal points, credits itself\n",
        print: portal,
    },
];

impl Source {
    /// The source of this id.
    pub fn find(id: &str) -> Option<&'static Self> {
        SOURCES.iter().find(|source| source.id == id)
    }

    /// Its document, for items newest first; `base` is the origin's address without a slash at the end.
    pub fn print(&self, base: &str, items: &[Shown<'_>]) -> Vec<u8> {
        (self.print)(self, base, &items[..items.len().min(ITEMS)])
    }

    /// Path of the page of one item at this source.
    pub fn path(&self, item: &Shown<'_>) -> String {
        match self.id {
            "portal" => format!("/portal/show-{}.html", 77_000 + item.number),
            "jiaozuo" => format!("/jiaozuo/{}/{}.html", local(item.at).format("%Y/%m-%d"), item.number),
            id => format!("/{id}/{}.html", item.id),
        }
    }

    /// The page of one item, with its content type.
    pub fn page(&self, item: &Shown<'_>) -> (&'static str, Vec<u8>) {
        let reprint = self.id == "portal";
        let text: Vec<String> = item.text.iter().map(|line| if reprint { lose(line) } else { line.clone() }).collect();
        let credit = if reprint { self.name } else { name(item.origin) };
        let charset = if self.id == "jiaozuo" { "gb2312" } else { "utf-8" };
        let mut page = format!(
            "<!DOCTYPE html>\n<html lang=\"zh-CN\"><head><meta charset=\"{charset}\"><title>{title}</title>\n\
             <meta name=\"viewport\" content=\"width=device-width\"></head>\n\
             <body style=\"max-width:40rem;margin:2rem auto;padding:0 1rem;font:1.1rem/1.8 sans-serif\">\n\
             <p>{source} · 虚构样例 invented sample</p>\n<h1>{title}</h1>\n<p>{date} 来源：{credit}</p>\n<div class=\"content\">\n",
            title = escape(item.title),
            source = escape(self.name),
            date = local(item.at).format("%Y-%m-%d %H:%M"),
        );
        for line in &text {
            let _ = writeln!(page, "<p>{}</p>", escape(line));
        }
        if reprint {
            let _ = writeln!(page, "<p>（来源：{}）</p>", name(item.origin));
        }
        page.push_str("</div></body></html>\n");
        match charset {
            "gb2312" => ("text/html", encoding_rs::GBK.encode(&page).0.into_owned()),
            _ => ("text/html; charset=utf-8", page.into_bytes()),
        }
    }
}

/// An official feed done well: RFC 822 dates with a zone, guids, the whole text.
fn official(source: &Source, base: &str, items: &[Shown<'_>]) -> Vec<u8> {
    let mut out = head(source, base, " xmlns:content=\"http://purl.org/rss/1.0/modules/content/\"");
    for item in items {
        let link = format!("{base}{}", source.path(item));
        let body = paragraphs(item.text, "");
        let _ = write!(
            out,
            "<item>\n<title>{}</title>\n<link>{link}</link>\n<guid isPermaLink=\"false\">xuchang-{}</guid>\n<pubDate>{}</pubDate>\n",
            escape(item.title),
            item.number,
            local(item.at).to_rfc2822(),
        );
        categories(&mut out, item);
        let _ = write!(
            out,
            "<description>{}</description>\n<content:encoded><![CDATA[{body}]]></content:encoded>\n</item>\n",
            escape(&item.text[0]),
        );
    }
    foot(out)
}

/// An official feed of a common site-building product: `2026-10-04 01:39:11.0`, stray spaces, no guid.
fn zoneless(source: &Source, base: &str, items: &[Shown<'_>]) -> Vec<u8> {
    let mut out = head(source, base, "");
    for item in items {
        let _ = write!(
            out,
            "<item>\n<title><![CDATA[ {} ]]></title>\n<link>{base}{}</link>\n<pubDate>{}</pubDate>\n\
             <description><![CDATA[ {} ]]></description>\n</item>\n",
            item.title,
            source.path(item),
            local(item.at).format("%Y-%m-%d %H:%M:%S.0"),
            item.text.join(""),
        );
    }
    foot(out)
}

/// A list page: no feed at all, GBK.
fn list(source: &Source, _base: &str, items: &[Shown<'_>]) -> Vec<u8> {
    let mut out = format!(
        "<html><head><meta http-equiv=\"Content-Type\" content=\"text/html; charset=gb2312\">\n<title>{}</title></head>\n\
         <body>\n<div class=\"nav\"><a href=\"/jiaozuo/list.html\">首页</a> <a href=\"/jiaozuo/about.html\">关于我们</a></div>\n<ul class=\"news\">\n",
        escape(source.name)
    );
    for item in items {
        let _ = writeln!(
            out,
            "<li><a href=\"{}\" target=_blank>{}</a><span class=from>{}</span><span class=date>{}</span><p>{}</p></li>",
            source.path(item),
            escape(item.title),
            escape(name(item.origin)),
            local(item.at).format("%Y-%m-%d %H:%M"),
            escape(&item.text[..item.text.len().min(2)].concat()),
        );
    }
    out.push_str("</ul>\n<div class=\"foot\"><a href=\"/jiaozuo/list_2.html\">下一页</a></div>\n</body></html>\n");
    encoding_rs::GBK.encode(&out).0.into_owned()
}

/// A paper's Atom feed: bylines, categories, its own opening line.
fn atom(source: &Source, base: &str, items: &[Shown<'_>]) -> Vec<u8> {
    let newest = items.iter().map(|item| item.at).max().unwrap_or_default();
    let mut out = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<feed xmlns=\"http://www.w3.org/2005/Atom\" xml:lang=\"zh-CN\" xml:base=\"{base}/\">\n\
         <title>{name}</title>\n<id>tag:paper.example,2026:all</id>\n<link href=\"/paper/\"/>\n\
         <link rel=\"self\" href=\"/paper/atom.xml\"/>\n<updated>{}</updated>\n<author><name>{name}</name></author>\n",
        local(newest).to_rfc3339(),
        name = escape(source.name),
    );
    for item in items {
        let byline = item.author.map(|author| format!("（{author}）")).unwrap_or_default();
        let body = paragraphs(item.text, &format!("本报讯{byline} "));
        let at = local(item.at).to_rfc3339();
        let _ = write!(
            out,
            "<entry>\n<title>{}</title>\n<link href=\"{}\"/>\n<id>tag:paper.example,2026:{}</id>\n<published>{at}</published>\n\
             <updated>{at}</updated>\n",
            escape(item.title),
            source.path(item),
            item.number,
        );
        if let Some(author) = item.author {
            let _ = writeln!(out, "<author><name>{}</name></author>", escape(author.trim_start_matches("记者 ")));
        }
        for tag in item.tags {
            let _ = writeln!(out, "<category term=\"{}\"/>", escape(tag));
        }
        let _ = write!(out, "<content type=\"html\">{}</content>\n</entry>\n", escape(&body));
    }
    out.push_str("</feed>\n");
    out.into_bytes()
}

/// A portal that reposts: headlines cut at a fixed width, teasers cut, a character and all decimal points lost,
/// half-width punctuation, one stamp for a whole batch, and itself in the place of the publisher.
fn portal(source: &Source, base: &str, items: &[Shown<'_>]) -> Vec<u8> {
    let mut out = head(source, base, " xmlns:dc=\"http://purl.org/dc/elements/1.1/\"");
    for item in items {
        let stamp = Time(item.at.0.div_euclid(BATCH) * BATCH);
        let teaser: String = lose(&item.text.concat()).chars().take(TEASER).collect();
        let _ = write!(
            out,
            "<item>\n<title>{}</title>\n<link>{base}{}</link>\n<pubDate>{}</pubDate>\n<dc:creator>{}</dc:creator>\n",
            escape(&cut(item.title, TITLE_COLUMNS)),
            source.path(item),
            local(stamp).format("%Y-%m-%d %H:%M:%S"),
            escape(source.name),
        );
        categories(&mut out, item);
        let _ = write!(out, "<description>{}...更多</description>\n</item>\n", escape(&teaser));
    }
    foot(out)
}

fn head(source: &Source, base: &str, names: &str) -> String {
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<rss version=\"2.0\"{names}>\n<channel>\n<title>{name}</title>\n\
         <link>{base}/{id}/</link>\n<description>{name}</description>\n<language>zh-cn</language>\n",
        name = escape(source.name),
        id = source.id,
    )
}

fn foot(mut out: String) -> Vec<u8> {
    out.push_str("</channel>\n</rss>\n");
    out.into_bytes()
}

fn categories(out: &mut String, item: &Shown<'_>) {
    for tag in item.tags {
        let _ = writeln!(out, "<category>{}</category>", escape(tag));
    }
}

/// The text as HTML; `opening` stands before its first word.
fn paragraphs(text: &[String], opening: &str) -> String {
    let mut out = String::new();
    for (index, line) in text.iter().enumerate() {
        let _ = write!(out, "<p>{}{}</p>", if index == 0 { opening } else { "" }, escape(line));
    }
    out
}

fn name(id: &str) -> &'static str {
    Source::find(id).map_or("", |source| source.name)
}

fn local(at: Time) -> DateTime<FixedOffset> {
    at.at_offset(OFFSET)
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

/// Cuts to a width in columns, as the portal's template does: without a sign that it did.
fn cut(title: &str, columns: usize) -> String {
    let mut width = 0;
    title
        .chars()
        .take_while(|c| {
            width += if c.is_ascii() { 1 } else { 2 };
            width <= columns
        })
        .collect()
}

/// What the portal's converter does to a text.
fn lose(text: &str) -> String {
    let chars: Vec<char> = text.chars().collect();
    let digit = |at: Option<usize>| at.and_then(|at| chars.get(at)).is_some_and(char::is_ascii_digit);
    let kept = chars.iter().enumerate().filter(|(_, c)| **c != '平');
    kept.map(|(at, c)| match c {
        '，' => ',',
        '：' => ':',
        '；' => ';',
        '（' => '(',
        '）' => ')',
        '.' if digit(at.checked_sub(1)) && digit(Some(at + 1)) => ' ',
        c => *c,
    })
    .collect()
}

#[cfg(test)]
mod tests {
    use super::super::tape::Tape;
    use super::*;

    const START: Time = Time(1_790_000_000_000);

    fn printed(id: &str) -> Vec<u8> {
        let tape = Tape::builtin().unwrap();
        let now = START.plus(tape.length());
        Source::find(id).unwrap().print("http://127.0.0.1:9", &tape.shown(id, START, now))
    }

    #[test]
    fn the_portal_does_its_damage() {
        assert_eq!(cut("前三季度许昌外贸进出口146.9亿元 同比增长6.5%", 30), "前三季度许昌外贸进出口146.9亿");
        assert_eq!(lose("水平，平均146.9亿元。见9.图"), "水,均146 9亿元。见9.图");
        let portal = String::from_utf8(printed("portal")).unwrap();
        let teasers: Vec<&str> = portal.split("<description>").skip(2).collect();
        assert!(teasers.len() > 20);
        for teaser in teasers {
            assert!(!teaser.split("</description>").next().unwrap().contains('平'), "{teaser}");
        }
        assert!(portal.contains("...更多"));
    }

    #[test]
    fn the_list_page_is_gbk_under_a_wrong_header() {
        let bytes = printed("jiaozuo");
        assert!(String::from_utf8(bytes.clone()).is_err());
        let (text, _, errors) = encoding_rs::GB18030.decode(&bytes);
        assert!(!errors && text.contains("太极拳") && text.contains("charset=gb2312"));
    }

    #[test]
    fn feeds_are_well_formed_and_hold_every_item() {
        for (id, dates) in [("xuchang", "+0800"), ("sanmenxia", ".0</pubDate>"), ("paper", "+08:00"), ("portal", ":")] {
            let bytes = printed(id);
            let feed = items_in(&bytes);
            assert!(feed >= 10, "{id}: {feed}");
            assert!(String::from_utf8(bytes).unwrap().contains(dates), "{id}");
        }
    }

    /// Items of a feed that a strict XML reader gets through.
    fn items_in(bytes: &[u8]) -> usize {
        let mut reader = quick_xml::Reader::from_reader(bytes);
        let mut count = 0;
        loop {
            match reader.read_event().unwrap() {
                quick_xml::events::Event::Start(start) if matches!(start.name().as_ref(), "item" | "entry") => {
                    count += 1;
                }
                quick_xml::events::Event::Eof => return count,
                _ => {}
            }
        }
    }
}
