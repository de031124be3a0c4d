//! Films that a text shows in a frame of another site: a link to where they can be seen. Frames themselves are never kept.

use super::address::Bases;
use crate::model::markup::{Element, escape};
use url::Url;

/// Where a player's address has the name of the film.
#[derive(Debug, Clone, Copy)]
enum Name {
    /// The path behind this beginning.
    Path(&'static str),
    /// A parameter of the query.
    Query(&'static str),
    /// Nowhere known: the player's own address is the link.
    Unknown,
}

/// A site whose films may be linked.
struct Site {
    /// Its host, all hosts below it included.
    host: &'static str,
    /// Where the name is.
    name: Name,
    /// The page of a film; `*` stands for its name.
    page: &'static str,
}

const fn site(host: &'static str, name: Name, page: &'static str) -> Site {
    Site { host, name, page }
}

/// The sites, in the order in which they are tried.
const SITES: [Site; 37] = [
    site("youtube.com", Name::Path("/embed/"), "https://www.youtube.com/watch?v=*"),
    site("youtube.com", Name::Path("/v/"), "https://www.youtube.com/watch?v=*"),
    site("youtube.com", Name::Path("/shorts/"), "https://www.youtube.com/shorts/*"),
    site("youtube-nocookie.com", Name::Path("/embed/"), "https://www.youtube.com/watch?v=*"),
    site("youtube.com", Name::Unknown, ""),
    site("youtu.be", Name::Unknown, ""),
    site("player.vimeo.com", Name::Path("/video/"), "https://vimeo.com/*"),
    site("vimeo.com", Name::Unknown, ""),
    site("dailymotion.com", Name::Path("/embed/video/"), "https://www.dailymotion.com/video/*"),
    site("dailymotion.com", Name::Query("video"), "https://www.dailymotion.com/video/*"),
    site("player.bilibili.com", Name::Query("bvid"), "https://www.bilibili.com/video/*"),
    site("player.bilibili.com", Name::Query("aid"), "https://www.bilibili.com/video/av*"),
    site("bilibili.com", Name::Unknown, ""),
    site("v.qq.com", Name::Query("vid"), "https://v.qq.com/x/page/*.html"),
    site("v.qq.com", Name::Unknown, ""),
    site("player.youku.com", Name::Path("/embed/"), "https://v.youku.com/v_show/id_*.html"),
    site("youku.com", Name::Unknown, ""),
    site("ixigua.com", Name::Path("/iframe/"), "https://www.ixigua.com/*"),
    site("douyin.com", Name::Query("vid"), "https://www.douyin.com/video/*"),
    site("iqiyi.com", Name::Unknown, ""),
    site("mgtv.com", Name::Unknown, ""),
    site("tv.sohu.com", Name::Unknown, ""),
    site("cctv.com", Name::Unknown, ""),
    site("cntv.cn", Name::Unknown, ""),
    site("video.weibo.com", Name::Unknown, ""),
    site("facebook.com", Name::Query("href"), "*"),
    site("tiktok.com", Name::Path("/embed/v2/"), "https://www.tiktok.com/@/video/*"),
    site("player.twitch.tv", Name::Unknown, ""),
    site("rutube.ru", Name::Path("/play/embed/"), "https://rutube.ru/video/*/"),
    site("vk.com", Name::Unknown, ""),
    site("ok.ru", Name::Path("/videoembed/"), "https://ok.ru/video/*"),
    site("embed.nicovideo.jp", Name::Path("/watch/"), "https://www.nicovideo.jp/watch/*"),
    site("tv.naver.com", Name::Path("/embed/"), "https://tv.naver.com/v/*"),
    site("embed.ted.com", Name::Path("/talks/"), "https://www.ted.com/talks/*"),
    site("archive.org", Name::Path("/embed/"), "https://archive.org/details/*"),
    site("streamable.com", Name::Unknown, ""),
    site("arte.tv", Name::Unknown, ""),
];

/// A paragraph with the link, if a frame, embedded or other object shows a film of a listed site.
pub(super) fn link(element: &Element<'_>, bases: &Bases) -> Option<String> {
    let address = ["src", "data", "data-src", "data-lazy-src"]
        .iter()
        .filter_map(|name| element.get(name))
        .find_map(|value| bases.absolute(&value))?;
    let page = page(&Url::parse(&address).ok()?)?;
    let host = page.host_str()?.trim_start_matches("www.").to_owned();
    let title = element.get("title").map(|title| title.trim().to_owned()).filter(|title| !title.is_empty());
    let href = escape(page.as_str()).replace('"', "&quot;");
    Some(format!("<p><a href=\"{href}\">▶ {}</a></p>", escape(&title.unwrap_or(host))))
}

/// Where the film of a player can be seen; `None` if the site is not listed.
fn page(player: &Url) -> Option<Url> {
    let host = player.host_str()?;
    let below = |known: &str| host.strip_suffix(known).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'));
    SITES.iter().filter(|site| below(site.host)).find_map(|site| {
        let name = match site.name {
            Name::Path(begin) => {
                player.path().strip_prefix(begin)?.split(['/', '&']).next().unwrap_or_default().to_owned()
            }
            Name::Query(key) => player.query_pairs().find(|(name, _)| name == key)?.1.into_owned(),
            Name::Unknown => return Some(player.clone()),
        };
        let page = Url::parse(&site.page.replace('*', &name)).ok()?;
        (!name.is_empty() && matches!(page.scheme(), "http" | "https")).then_some(page)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn players_become_pages_and_other_frames_nothing() {
        for (player, expected) in [
            ("https://www.youtube.com/embed/abc_123?rel=0", Some("https://www.youtube.com/watch?v=abc_123")),
            ("http://www.youtube.com/v/abc&hl=en", Some("https://www.youtube.com/watch?v=abc")),
            ("https://player.bilibili.com/player.html?aid=1&bvid=BV1x", Some("https://www.bilibili.com/video/BV1x")),
            ("https://v.qq.com/txp/iframe/player.html?vid=a1", Some("https://v.qq.com/x/page/a1.html")),
            (
                "https://www.facebook.com/plugins/video.php?href=https%3A%2F%2Fwww.facebook.com%2Fx%2Fvideos%2F1",
                Some("https://www.facebook.com/x/videos/1"),
            ),
            ("https://www.facebook.com/plugins/video.php?href=javascript:alert(1)", None),
            ("https://video.weibo.com/show?fid=1", Some("https://video.weibo.com/show?fid=1")),
            ("https://notyoutube.com/embed/abc", None),
            ("https://youtube.com.evil.example/embed/abc", None),
            ("https://ads.example/frame.html", None),
        ] {
            assert_eq!(page(&Url::parse(player).unwrap()).as_ref().map(Url::as_str), expected, "{player}");
        }
    }
}
