//! Searches over real sockets: feed, page and API, without an index.

use super::*;
use crate::model::edition::Order;
use crate::search::{self, SearchError};

/// An archive of which only the store is there.
pub(super) struct Shelf(pub Arc<Store>);

fn unreadable(error: crate::store::StoreError) -> SearchError {
    SearchError::Archive(error.to_string())
}

impl search::Archive for Shelf {
    fn desk(&self) -> Guid {
        self.0.view().meta().desk
    }

    fn applied(&self) -> Position {
        self.0.view().meta().applied
    }

    fn holds(&self, _: Position) -> bool {
        true
    }

    fn story(&self, no: StoryNo) -> search::Result<Option<Story>> {
        self.0.view().story(no).map_err(unreadable)
    }

    fn stories(&self, from: StoryNo, most: usize) -> search::Result<Vec<Story>> {
        self.0.view().stories(from).take(most).collect::<Result<_, _>>().map_err(unreadable)
    }

    fn newest(&self, before: Option<Order>, most: usize) -> search::Result<Vec<(Order, Story)>> {
        self.0.view().page(&EditionId::All, before, most).map_err(unreadable)
    }

    fn changed(&self, _: Position) -> search::Result<(Vec<StoryNo>, Position)> {
        Ok((Vec::new(), self.applied()))
    }

    fn item(&self, _: Position) -> Option<Item> {
        None
    }

    fn has_room(&self) -> bool {
        true
    }
}

#[tokio::test]
async fn a_search_is_a_feed() {
    let mut house = House::open("https://desk.example/news").await;
    let path = "/feeds/search.rss?q=%E6%A0%A1%E8%88%8D+-title:%E5%85%AC%E4%BA%A4";
    let first = house.get(path).await;
    let text = first.text();
    assert_eq!(first.status, 200, "{text}");
    let titles = |text: &str| text.matches("<item>").count();
    assert_eq!(titles(&text), 2, "{text}");
    assert!(text.contains("<title>校舍 -title:公交</title>"), "{text}");
    let own = "https://desk.example/news/feeds/search.rss?q=%E6%A0%A1%E8%88%8D%20-title%3A%E5%85%AC%E4%BA%A4";
    assert!(text.contains(&format!("href=\"{own}\"")), "{text}");
    assert_eq!(first.header("last-modified"), "");
    assert_eq!(first.header("access-control-allow-origin"), "*");
    assert!(!text.contains("prev-archive"));
    // Another spelling of the same query is the same feed.
    let other = house.get("/feeds/search.rss?q=%E6%A0%A1%E8%88%8D++%20-title:%22%E5%85%AC%E4%BA%A4%22").await;
    assert_eq!(other.body, first.body);
    let renders = house.front.press.renders();
    let etag = first.header("etag").to_owned();
    let again = house.ask("GET", path, &[("if-none-match", &etag)]).await;
    assert_eq!((again.status, house.front.press.renders()), (304, renders));
    // What it does not find changes nothing of it.
    house.story(4, "另一条公交新闻", &["portal"], "交通");
    let again = house.ask("GET", path, &[("if-none-match", &etag)]).await;
    assert_eq!(again.status, 304);
    house.story(5, "城西新校舍", &["portal"], "教育");
    let changed = house.ask("GET", path, &[("if-none-match", &etag)]).await;
    assert_eq!((changed.status, titles(&changed.text())), (200, 3));
    // Page by page.
    let (mut next, mut seen) = (Some(format!("{path}&limit=1")), Vec::new());
    while let Some(path) = next {
        let page = house.get(&path).await.text();
        seen.extend(page.split("<guid isPermaLink=\"false\">").skip(1).map(|rest| rest[..45].to_owned()));
        assert!(seen.len() <= 3, "{page}");
        let link = page.split("rel=\"next\" href=\"").nth(1).or_else(|| {
            page.split("<atom:link ")
                .find(|link| link.contains("rel=\"next\""))
                .and_then(|link| link.split("href=\"").nth(1))
        });
        next = link.map(|rest| {
            let address = rest.split('"').next().unwrap().replace("&amp;", "&");
            address.strip_prefix("https://desk.example/news").unwrap().to_owned()
        });
    }
    assert_eq!(seen.len(), 3);
    assert_eq!(seen.iter().collect::<std::collections::BTreeSet<_>>().len(), 3);
    for extension in ["atom", "json"] {
        let feed = house.get(&path.replace("rss", extension)).await;
        assert!(feed.status == 200 && feed.text().contains("城西新校舍"), "{}", feed.text());
    }
    // A browser gets the page.
    let page = house.ask("GET", path, &[("sec-fetch-dest", "document")]).await;
    assert_eq!(
        (page.header("content-type"), page.header("cache-control")),
        ("text/html; charset=utf-8", "private, no-store")
    );
    assert!(page.text().contains("城西新<mark>校舍</mark>"));
    assert_eq!(house.ask("OPTIONS", path, &[]).await.status, 204);
    assert_eq!(house.ask("POST", path, &[]).await.status, 405);
    house.close().await;
}

#[tokio::test]
async fn relative_dates_change_with_the_minute() {
    let house = House::open("https://desk.example").await;
    let feed = house.get("/feeds/search.rss?q=after:2d").await;
    assert_eq!((feed.status, feed.text().matches("<item>").count()), (200, 3));
    let renders = house.front.press.renders();
    house.get("/feeds/search.rss?q=after:2d").await;
    assert_eq!(house.front.press.renders(), renders);
    let feed = house.get("/feeds/search.rss?q=after:1h").await;
    assert_eq!((feed.status, feed.text().matches("<item>").count()), (200, 0));
    house.close().await;
}

#[tokio::test]
async fn the_page_of_a_search() {
    let house = House::open("https://desk.example").await;
    let page = house.get("/search?q=%E5%85%AC%E4%BA%A4+%E8%B0%83%E6%95%B4").await.text();
    assert!(page.contains("许昌至郑州城际<mark>公交</mark> &#60;<mark>调整</mark>&#62; &#38; 票价不变"), "{page}");
    assert!(page.contains("<p class=\"standfirst\" id=\"seek-state\">1 条</p>"), "{page}");
    assert!(
        page.contains("href=\"https://desk.example/feeds/search.rss?q=%E5%85%AC%E4%BA%A4%20%E8%B0%83%E6%95%B4\""),
        "{page}"
    );
    assert!(page.contains("when  = &#39;公交 调整&#39;") || page.contains("when  = '公交 调整'"), "{page}");
    assert!(page.contains("name=\"robots\" content=\"noindex\""));
    assert_eq!(page.matches("rel=\"alternate\"").count(), 1);
    // The box stands on every page.
    assert!(house.get("/").await.text().contains("action=\"/search\""));
    let wrong = house.get("/search?q=%E5%85%AC%E4%BA%A4+(").await;
    assert_eq!(wrong.status, 400);
    assert!(wrong.text().contains("<strong>第 4 个字：</strong>"), "{}", wrong.text());
    let nowhere = house.get("/search?q=city:%E4%B8%8D%E5%9C%A8").await;
    assert!(nowhere.status == 400 && nowhere.text().contains("第 1 个字："), "{}", nowhere.text());
    let relative = house.get("/search?q=after:3d").await.text();
    assert!(!relative.contains("[[feed]]") && relative.contains("after:3d"), "{relative}");
    let none = house.get("/search?q=%22nobody%20says%20this%22").await.text();
    assert!(none.contains("没有找到"), "{none}");
    // Whatever stands in the box stays text.
    let hostile = house.get("/search?q=%22%3E%3Cscript%3Ealert(1)%3C/script%3E").await.text();
    assert!(!hostile.contains("<script>alert"), "{hostile}");
    house.close().await;
}

#[tokio::test]
async fn one_address_gets_so_many_searches() {
    let house = House::open("https://desk.example").await;
    let mut refused = None;
    for number in 0..80 {
        let answer = house.get(&format!("/search?q=word{number}")).await;
        if answer.status == 429 {
            refused = Some(answer);
            break;
        }
        assert_eq!(answer.status, 200);
    }
    let refused = refused.expect("a refusal");
    assert!(refused.header("retry-after").parse::<u64>().unwrap() >= 1);
    let feed = house.get("/feeds/search.rss?q=new").await;
    assert_eq!((feed.status, feed.header("access-control-allow-origin")), (429, "*"));
    // Feeds that are no searches are never refused.
    assert_eq!(house.get("/feeds/all.rss").await.status, 200);
    house.close().await;
}
