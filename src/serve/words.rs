//! What pages say around the news, in Chinese and in English.

/// The words of one language. Which one a page uses follows `[site] language`.
#[derive(Debug)]
pub struct Words {
    /// BCP 47 language of these words.
    pub lang: &'static str,
    /// Link for keyboards and screen readers past the navigation.
    pub skip: &'static str,
    /// Name of the navigation.
    pub navigation: &'static str,
    /// Navigation: the front page.
    pub front: &'static str,
    /// Navigation, and title of the page of sources.
    pub sources: &'static str,
    /// Navigation, and title of the page that explains subscribing.
    pub subscribe: &'static str,
    /// Navigation, and title of the page about this desk.
    pub about: &'static str,
    /// Heading of the list of cities.
    pub cities: &'static str,
    /// Heading of the list of provinces.
    pub provinces: &'static str,
    /// Heading of the list of tags.
    pub tags: &'static str,
    /// Heading of the list of saved searches.
    pub saved: &'static str,
    /// Label of the field with a feed's address.
    pub address: &'static str,
    /// The button beside it.
    pub copy: &'static str,
    /// The button after it was pressed.
    pub copied: &'static str,
    /// Link to older stories.
    pub older: &'static str,
    /// Link back to the newest stories.
    pub newer: &'static str,
    /// In place of stories where there are none.
    pub empty: &'static str,
    /// Further sources beside the shown one: "+3".
    pub also: fn(usize) -> String,
    /// Link to a story's page where nobody else carries it.
    pub details: &'static str,
    /// Who is credited for a copy.
    pub credits: &'static str,
    /// Number of stories.
    pub stories: fn(u64) -> String,
    /// The table of a story's copies: caption.
    pub who_first: &'static str,
    /// Its columns, and those of the sources.
    pub columns: Columns,
    /// Marks the copy that came first.
    pub first: &'static str,
    /// Marks the copy that is shown.
    pub shown: &'static str,
    /// A publication date that nobody claimed.
    pub no_date: &'static str,
    /// Heading of the evidence for the places.
    pub why_here: &'static str,
    /// Places seen but not counted.
    pub not_counted: &'static str,
    /// A story without any place.
    pub no_place: &'static str,
    /// A story that stands in no feed.
    pub held: &'static str,
    /// A story taken out by an editor.
    pub spiked: &'static str,
    /// A story retired into another: link text.
    pub retired: &'static str,
    /// Words for the account of a story.
    pub account: AccountWords,
    /// Link to the publisher's page.
    pub read_at: &'static str,
    /// States of a source: ok, late, silent, broken, gone, new, retired.
    pub states: [&'static str; 7],
    /// A time that has not come yet or never was.
    pub never: &'static str,
    /// What is wrong with feeds.toml.
    pub config_wrong: &'static str,
    /// Words for the page of one source.
    pub source: SourceWords,
    /// How pages say when.
    pub zone: &'static str,
    /// A feed of everything.
    pub everything: &'static str,
    /// The page at a feed's address: what this is, in a sentence or two.
    pub this_is_a_feed: &'static str,
    /// Link that a reader on this machine opens.
    pub in_reader: &'static str,
    /// Link to the feed itself.
    pub raw: &'static str,
    /// Link to the page that a feed belongs to.
    pub as_page: &'static str,
    /// The page of a search.
    pub search: SearchWords,
    /// Pages about nothing.
    pub problem: Problems,
    /// The page that explains subscribing, paragraph by paragraph.
    pub how: &'static [&'static str],
    /// Whom feeds are delivered to at once: the address of the hub.
    pub push: fn(&str) -> String,
    /// Link to the OPML of all feeds.
    pub opml: &'static str,
    /// Link to the OPML of all sources.
    pub sources_opml: &'static str,
    /// Heading of the readers that can be told by a link.
    pub readers: &'static str,
    /// The page about this desk, paragraph by paragraph.
    pub desk: &'static [&'static str],
    /// How to write to the operator.
    pub contact: &'static str,
    /// Names of the days of the week, Monday first.
    pub weekdays: [&'static str; 7],
    /// The day of a date, with its weekday and whether the year must be said.
    pub day: fn(year: Option<i32>, month: u32, day: u32, weekday: &str) -> String,
    /// A moment in a table.
    pub moment: fn(month: u32, day: u32, time: &str) -> String,
}

/// Column heads.
#[derive(Debug)]
pub struct Columns {
    /// When we saw it.
    pub seen: &'static str,
    /// When the publisher says it was published.
    pub claimed: &'static str,
    /// Whose it is.
    pub source: &'static str,
    /// Its headline.
    pub headline: &'static str,
    /// How sure the join is.
    pub join: &'static str,
    /// State of a source.
    pub state: &'static str,
    /// Why it is in that state.
    pub reason: &'static str,
    /// Last time that something new came.
    pub last_new: &'static str,
    /// Last answer that could be read.
    pub last_good: &'static str,
    /// When it is asked next.
    pub due: &'static str,
    /// Items in all.
    pub items: &'static str,
    /// A place.
    pub place: &'static str,
    /// How sure we are.
    pub score: &'static str,
    /// The evidence.
    pub evidence: &'static str,
}

/// Words for the page of one source.
#[derive(Debug)]
pub struct SourceWords {
    /// Its home page.
    pub home: &'static str,
    /// What is polled.
    pub polled: &'static str,
    /// Format and character set of its last answer.
    pub format: &'static str,
    /// Cities it writes about.
    pub about: &'static str,
    /// How much of its text is passed on.
    pub passed_on: &'static str,
    /// Title, summary, full.
    pub republish: [&'static str; 3],
    /// What was wrong with its last answer.
    pub complaints: &'static str,
    /// What it brought.
    pub brought: &'static str,
    /// HTTP status of the last answer.
    pub status: &'static str,
    /// It is not in feeds.toml any more.
    pub retired: &'static str,
    /// Time between polls.
    pub interval: &'static str,
    /// Its hub, which delivers its news.
    pub hub: &'static str,
    /// Since when the hub delivers, when it did last, when that ends, and what went wrong.
    pub pushed: [&'static str; 4],
    /// In its state since.
    pub since: &'static str,
    /// Where it moved for good.
    pub moved: &'static str,
    /// A span of so many seconds.
    pub span: fn(i64) -> String,
}

/// Words for the account of a story: what its copies changed, where its date comes from, where it stands.
#[derive(Debug)]
pub struct AccountWords {
    /// Marks the copy that claims the earliest date.
    pub earliest: &'static str,
    /// Marks a copy that was held back.
    pub held: &'static str,
    /// The headline, and the text, was taken from the copy of this source.
    pub repaired: [fn(&str) -> String; 2],
    /// The headline, and the text, was mended word by word where the copies of these sources agree.
    pub worded: [fn(&str) -> String; 2],
    /// Before a changed headline.
    pub headline: &'static str,
    /// Before a changed text.
    pub text: &'static str,
    /// So many characters cut, of so many, and so many added.
    pub changed: fn(usize, usize, usize) -> String,
    /// Its text is the one shown.
    pub same: &'static str,
    /// Its text has nearly nothing of the one shown.
    pub other: &'static str,
    /// One of the two has no text, or it is not kept any more.
    pub nothing: &'static str,
    /// Dates of low trust, and those not believed.
    pub doubts: [&'static str; 2],
    /// Heading of the reason of the date.
    pub why_date: &'static str,
    /// The date as this source claims it.
    pub claimed: fn(&str) -> String,
    /// The date is when we first saw it.
    pub seen: &'static str,
    /// The date stood before its copies claimed others.
    pub pinned: &'static str,
    /// Heading of the reasons of the tags.
    pub why_tags: &'static str,
    /// Heading of the feeds.
    pub feeds: &'static str,
    /// Column: the feed.
    pub feed: &'static str,
    /// Column: since when.
    pub since: &'static str,
    /// It left the live window.
    pub left: &'static str,
    /// Heading of stories that became part of it.
    pub absorbed: &'static str,
    /// Heading of stories that an editor split from it.
    pub apart: &'static str,
    /// Heading of stories that came near.
    pub near: &'static str,
    /// One that is alike, with how and how sure.
    pub alike: fn(&str, &str) -> String,
}

/// Words for the page of a search.
#[derive(Debug)]
pub struct SearchWords {
    /// Its title.
    pub title: &'static str,
    /// Label of the box.
    pub label: &'static str,
    /// The button beside it.
    pub go: &'static str,
    /// Where a mistake begins, by its column.
    pub column: fn(usize) -> String,
    /// So many stories or more.
    pub at_least: fn(u64) -> String,
    /// So many stories, nearly.
    pub about: fn(u64) -> String,
    /// Nothing was found.
    pub none: &'static str,
    /// Link that goes on with the search where it stopped.
    pub on: &'static str,
    /// It stopped at its bound.
    pub cut: &'static str,
    /// The index is being made.
    pub unindexed: &'static str,
    /// Heading of the bars.
    pub per_day: &'static str,
    /// What the bars say: days, stories in them, most in one day, stories today.
    pub days: fn(usize, u64, u64, u64) -> String,
    /// The bars in numbers.
    pub numbers: &'static str,
    /// Column: the day.
    pub day: &'static str,
    /// Heading of the block of feeds.toml.
    pub block: &'static str,
    /// What the block is good for.
    pub why_block: &'static str,
    /// Why there is none: the query counts from now.
    pub relative: &'static str,
    /// Heading of the help.
    pub how: &'static str,
    /// Its columns: what to write, what it finds.
    pub write: &'static str,
    /// What it finds.
    pub finds: &'static str,
    /// The help: what to write, what it finds.
    pub help: &'static [(&'static str, &'static str)],
}

/// Words for pages about nothing.
#[derive(Debug)]
pub struct Problems {
    /// Title for an unknown address.
    pub not_found: &'static str,
    /// An address that was never ours.
    pub no_page: &'static str,
    /// No city of this name.
    pub no_city: fn(&str) -> String,
    /// No province of this name.
    pub no_province: fn(&str) -> String,
    /// Several cities of this name.
    pub several: fn(&str) -> String,
    /// No tag of this name.
    pub no_tag: fn(&str) -> String,
    /// No source of this id.
    pub no_source: fn(&str) -> String,
    /// No saved search of this id.
    pub no_saved: fn(&str) -> String,
    /// No story of this id.
    pub no_story: &'static str,
    /// Heading of what may have been meant.
    pub perhaps: &'static str,
    /// Title when a page cannot be made.
    pub broken: &'static str,
    /// What to do then.
    pub try_again: &'static str,
}

/// The words for a site's language: Chinese for anything that begins with `zh`, else English.
#[must_use]
pub fn of(language: &str) -> &'static Words {
    let chinese = language.get(..2).is_some_and(|start| start.eq_ignore_ascii_case("zh"));
    if chinese { &CHINESE } else { &ENGLISH }
}

static CHINESE: Words = Words {
    lang: "zh-CN",
    skip: "跳到正文",
    navigation: "站内导航",
    front: "首页",
    sources: "信源",
    subscribe: "订阅",
    about: "关于",
    cities: "城市",
    provinces: "省份",
    tags: "标签",
    saved: "专题",
    address: "订阅地址",
    copy: "复制",
    copied: "已复制",
    older: "更早的新闻",
    newer: "回到最新",
    empty: "这里还没有新闻。",
    also: |n| format!("另有 {n} 家"),
    details: "详情",
    credits: "来源：",
    stories: |n| format!("{n} 条"),
    who_first: "谁先发布",
    columns: Columns {
        seen: "收到",
        claimed: "标称发布",
        source: "信源",
        headline: "标题",
        join: "判为同一新闻的依据",
        state: "状态",
        reason: "说明",
        last_new: "最近有新内容",
        last_good: "最近正常",
        due: "下次抓取",
        items: "条目",
        place: "地点",
        score: "把握",
        evidence: "依据",
    },
    first: "最先收到",
    shown: "采用",
    no_date: "未注明",
    why_here: "为什么归到这里",
    not_counted: "看到但未计入",
    no_place: "没有找到地点。",
    held: "此条暂未进入任何订阅。",
    spiked: "此条已被编辑撤下。",
    retired: "已并入另一条新闻",
    account: AccountWords {
        earliest: "自称最早",
        held: "未进入订阅",
        repaired: [
            |source| format!("采用的一篇标题被截断或损坏，刊出的标题取自“{source}”；原标题见下表。"),
            |source| format!("采用的一篇正文被截断或损坏，刊出的正文取自“{source}”；改动见下表。"),
        ],
        worded: [
            |sources| format!("标题中有字词丢失或损坏，已按“{sources}”一致的写法补正；原标题见下表。"),
            |sources| format!("正文中有字词丢失或损坏，刊出的摘要已按“{sources}”一致的写法补正；改动见下表。"),
        ],
        headline: "标题改动：",
        text: "正文改动：",
        changed: |cut, of, added| match (cut, added) {
            (_, 0) => format!("{of} 字中删去 {cut} 字"),
            (0, _) => format!("添加 {added} 字"),
            _ => format!("{of} 字中删去 {cut} 字，添加 {added} 字"),
        },
        same: "正文与采用的一篇相同",
        other: "正文与采用的一篇几乎全不相同",
        nothing: "没有正文可比",
        doubts: ["可信度低", "不可信"],
        why_date: "发布时间的依据",
        claimed: |source| format!("按“{source}”标称的时间"),
        seen: "没有可信的标称时间，以最先收到的时间为准",
        pinned: "首次发布时已固定；各篇此后标称的时间与之不同",
        why_tags: "标签的依据",
        feeds: "收录此条的订阅",
        feed: "订阅",
        since: "收录时间",
        left: "已不在最新列表",
        absorbed: "并入此条的新闻",
        apart: "由编辑从此条分出的新闻",
        near: "相近而未合并的新闻",
        alike: |why, sure| format!("{why}（{sure}），但没有一篇稿件能证明两者是同一条"),
    },
    read_at: "阅读原文",
    states: ["正常", "迟到", "无声", "故障", "停用", "待抓取", "已移除"],
    never: "暂无",
    config_wrong: "feeds.toml 有误，仍按上一份正确的设置运行：",
    source: SourceWords {
        home: "主页",
        polled: "抓取地址",
        format: "格式与编码",
        about: "所属城市",
        passed_on: "转载范围",
        republish: ["仅标题", "标题与摘要", "全文"],
        complaints: "最近一次的问题",
        brought: "最近的新闻",
        status: "HTTP 状态",
        retired: "该信源已从设置中移除；已收录的新闻和订阅地址仍然有效。",
        interval: "抓取间隔",
        hub: "推送（WebSub）",
        pushed: ["推送始于", "最近一次推送", "推送到期", "推送问题"],
        since: "此状态自",
        moved: "已永久迁往",
        span: |seconds| match seconds {
            0..60 => format!("{seconds} 秒"),
            60..7_200 => format!("{} 分钟", seconds / 60),
            _ => format!("{} 小时", seconds / 3_600),
        },
    },
    zone: "时间按",
    everything: "全部新闻",
    this_is_a_feed: "这是一个订阅源（RSS）。把下面的地址添加到阅读器，有新内容时就会收到；也可以直接看下面的最新条目。",
    in_reader: "用本机阅读器打开",
    raw: "查看原始 XML",
    as_page: "在网页上阅读",
    search: SearchWords {
        title: "搜索",
        label: "搜索已发布的新闻",
        go: "搜索",
        column: |column| format!("第 {column} 个字："),
        at_least: |n| format!("至少 {n} 条"),
        about: |n| format!("约 {n} 条"),
        none: "没有找到符合条件的新闻。",
        on: "继续往前找",
        cut: "本次查找达到上限，更早的新闻还没有看到，可以继续往前找。",
        unindexed: "索引正在重建，暂时逐条查找，结果可能不全。",
        per_day: "每日条数",
        days: |days, stories, most, today| {
            format!("最近 {days} 天共 {stories} 条，单日最多 {most} 条，今天 {today} 条")
        },
        numbers: "逐日数字",
        day: "日期",
        block: "存为专题",
        why_block: "把这一段加进 feeds.toml，它就有自己的名字、页面和归档：",
        relative: "含有相对日期（如 after:3d）的搜索不能存为专题；订阅地址可以照常使用。",
        how: "可以这样写",
        write: "写法",
        finds: "找到",
        help: &[
            ("双减 学校", "两个词都有"),
            ("\"校外培训\"", "连在一起的词"),
            ("中考 OR 高考", "有一个即可"),
            ("教育 -驾驶", "不含后一个"),
            ("(停水 OR 停电) 郑州", "括号分组"),
            ("title:招聘会", "标题里有"),
            ("city:许昌", "关于某市；province:河南 关于某省"),
            ("tag:教育", "带某个标签"),
            ("source:dahe rank:origin", "来自某个信源；采用的一篇是原发"),
            ("after:2026-11-01 before:7d", "某日以后；七天以前"),
            ("copies>=3 lang:zh", "至少三家刊发；某种语言"),
        ],
    },
    problem: Problems {
        not_found: "没有这个地址",
        no_page: "这里没有网页，也从未有过。",
        no_city: |name| format!("没有叫“{name}”的城市。"),
        no_province: |name| format!("没有叫“{name}”的省份。"),
        several: |name| format!("“{name}”不止一处，请选一个："),
        no_tag: |name| format!("没有标签“{name}”。"),
        no_source: |name| format!("没有编号为“{name}”的信源。"),
        no_saved: |name| format!("没有编号为“{name}”的专题。"),
        no_story: "没有这条新闻。",
        perhaps: "您要找的可能是",
        broken: "暂时打不开",
        try_again: "请稍后再试；原因已写入日志。",
    },
    how: &[
        "订阅之后，新内容会自动出现在您的阅读器里：不需要注册，也没有算法推荐。",
        "先选一个阅读器（手机、电脑和网页上都有免费的），再把城市页或标签页上的“订阅地址”粘贴进去。浏览器扩展和多数阅读器也能从网页上自动找到订阅地址。",
        "同一条新闻无论有多少家转载，在订阅里只出现一次；标题链接指向最初发布者的网页。",
    ],
    push: |hub| format!("支持 WebSub 的阅读器会在有新内容时立即收到推送（hub：{hub}）。"),
    opml: "全部订阅（OPML，可一次导入阅读器）",
    sources_opml: "我们读取的信源（OPML）",
    readers: "用这些阅读器打开",
    desk: &[
        "本站读取各信源公开发布的内容，把各家转载的同一条新闻合并为一条，判断它说的是哪座城市，再按城市整理成订阅。",
        "抓取有节制：只在内容可能更新时询问，使用条件请求，每个网站同一时间只有一个连接，遵守对方的缓存与重试要求，并在 User-Agent 中写明身份。列表页、站点地图和文章页还遵守 robots.txt，我们在其中的名字是 citydesk。",
        "我们只转载信源允许的部分（默认是标题与摘要），始终注明出处，标题链接指向原网页。",
        "如果您是某个网站的负责人，希望不再被收录或调整频率，请与我们联系，我们会照办。",
    ],
    contact: "联系我们",
    weekdays: ["周一", "周二", "周三", "周四", "周五", "周六", "周日"],
    day: |year, month, day, weekday| match year {
        Some(year) => format!("{year}年{month}月{day}日 {weekday}"),
        None => format!("{month}月{day}日 {weekday}"),
    },
    moment: |month, day, time| format!("{month}月{day}日 {time}"),
};

const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

fn month_name(month: u32) -> &'static str {
    MONTHS.get((month as usize).wrapping_sub(1)).copied().unwrap_or("")
}

static ENGLISH: Words = Words {
    lang: "en",
    skip: "Skip to the news",
    navigation: "Site",
    front: "Front page",
    sources: "Sources",
    subscribe: "Subscribe",
    about: "About",
    cities: "Cities",
    provinces: "Provinces",
    tags: "Tags",
    saved: "Topics",
    address: "Feed address",
    copy: "Copy",
    copied: "Copied",
    older: "Older stories",
    newer: "Back to the newest",
    empty: "No stories here yet.",
    also: |n| if n == 1 { "and 1 other".to_owned() } else { format!("and {n} others") },
    details: "details",
    credits: "credits ",
    stories: |n| if n == 1 { "1 story".to_owned() } else { format!("{n} stories") },
    who_first: "Who had it first",
    columns: Columns {
        seen: "Seen",
        claimed: "Claimed",
        source: "Source",
        headline: "Headline",
        join: "Why it is the same story",
        state: "State",
        reason: "Why",
        last_new: "Last new",
        last_good: "Last good",
        due: "Next",
        items: "Items",
        place: "Place",
        score: "Sure",
        evidence: "Evidence",
    },
    first: "seen first",
    shown: "shown",
    no_date: "none",
    why_here: "Why here",
    not_counted: "Seen and not counted",
    no_place: "No place was found.",
    held: "This story is in no feed yet.",
    spiked: "An editor took this story out.",
    retired: "Became part of another story",
    account: AccountWords {
        earliest: "claims the earliest date",
        held: "held back",
        repaired: [
            |source| {
                format!(
                    "The headline is that of {source}: the one of the copy shown was cut or damaged. It stands below."
                )
            },
            |source| {
                format!("The text is that of {source}: the one of the copy shown was cut or damaged, as told below.")
            },
        ],
        worded: [
            |sources| {
                format!(
                    "Words of the headline were lost or damaged: they are those in which {sources} agree. It stands below as it came."
                )
            },
            |sources| {
                format!(
                    "Words of the text were lost or damaged: in the summary they are those in which {sources} agree, as told below."
                )
            },
        ],
        headline: "Headline: ",
        text: "Text: ",
        changed: |cut, of, added| match (cut, added) {
            (_, 0) => format!("cut {cut} of {of} characters"),
            (0, _) => format!("added {added} characters"),
            _ => format!("cut {cut} of {of} characters, added {added}"),
        },
        same: "The text is the one shown",
        other: "Nearly nothing of the text shown",
        nothing: "No text to compare",
        doubts: ["low trust", "not believed"],
        why_date: "Why this date",
        claimed: |source| format!("As {source} claims it"),
        seen: "When it was first seen: nobody claimed a date that can be believed",
        pinned: "Pinned when it was first published; its copies claim other dates since",
        why_tags: "Why these tags",
        feeds: "Feeds that hold it",
        feed: "Feed",
        since: "Since",
        left: "left the live window",
        absorbed: "Became part of it",
        apart: "Split from it by an editor",
        near: "Near, and not joined",
        alike: |why, sure| format!("{why} ({sure}), but no item proved the two one"),
    },
    read_at: "Read it at the publisher",
    states: ["ok", "late", "silent", "broken", "gone", "new", "retired"],
    never: "not yet",
    config_wrong: "feeds.toml has a mistake; the last good settings stay in force:",
    source: SourceWords {
        home: "Home page",
        polled: "Polled",
        format: "Format and charset",
        about: "Writes about",
        passed_on: "Passed on",
        republish: ["headline", "headline and summary", "full text"],
        complaints: "What was wrong last time",
        brought: "What it brought last",
        status: "HTTP status",
        retired: "This source is not in the settings any more; its stories and its feed stay.",
        interval: "Asked every",
        hub: "Pushed by (WebSub)",
        pushed: ["Pushed since", "Last push", "Push lease ends", "Trouble with push"],
        since: "In this state since",
        moved: "Moved for good to",
        span: |seconds| match seconds {
            0..60 => format!("{seconds} s"),
            60..7_200 => format!("{} min", seconds / 60),
            _ => format!("{} h", seconds / 3_600),
        },
    },
    zone: "Times in",
    everything: "All news",
    this_is_a_feed: "This is a news feed (RSS). Add the address below to your reader, and new stories come to you; \
                     or read the newest ones here.",
    in_reader: "Open in a reader",
    raw: "The feed itself (XML)",
    as_page: "Read it as a page",
    search: SearchWords {
        title: "Search",
        label: "Search the archive",
        go: "Search",
        column: |column| format!("Column {column}:"),
        at_least: |n| format!("at least {n} stories"),
        about: |n| format!("about {n} stories"),
        none: "Nothing was found.",
        on: "Go on with older stories",
        cut: "The search stopped at its limit: older stories were not looked at yet. Go on below.",
        unindexed: "The index is being made: until it is whole, stories are searched one by one, and some may be missing.",
        per_day: "Per day",
        days: |days, stories, most, today| {
            format!("{stories} in the last {days} days, at most {most} in one day, {today} today")
        },
        numbers: "In numbers",
        day: "Day",
        block: "Keep as a feed of its own",
        why_block: "With this in feeds.toml it has a name, a page and an archive:",
        relative: "A search with relative dates (such as after:3d) cannot be kept as a feed of its own; its address works as it is.",
        how: "What can be written",
        write: "Write",
        finds: "Finds",
        help: &[
            ("school bus", "both words"),
            ("\"school bus\"", "the words side by side"),
            ("bus OR tram", "one of them is enough"),
            ("school -driving", "not with the second"),
            ("(water OR power) outage", "parentheses group"),
            ("title:fair", "in the headline"),
            ("city:许昌", "about a city; province:河南 about a province"),
            ("tag:education", "with a tag"),
            ("source:dahe rank:origin", "of a source; the shown copy is the original"),
            ("after:2026-11-01 before:7d", "since a day; older than seven days"),
            ("copies>=3 lang:en", "carried by three or more; in a language"),
        ],
    },
    problem: Problems {
        not_found: "Nothing at this address",
        no_page: "There is no page here and never was.",
        no_city: |name| format!("No city is called “{name}”."),
        no_province: |name| format!("No province is called “{name}”."),
        several: |name| format!("Several places are called “{name}”; pick one:"),
        no_tag: |name| format!("There is no tag “{name}”."),
        no_source: |name| format!("No source has the id “{name}”."),
        no_saved: |name| format!("No topic has the id “{name}”."),
        no_story: "There is no such story.",
        perhaps: "Perhaps you meant",
        broken: "This page cannot be shown now",
        try_again: "Please try again later; the reason is in the log.",
    },
    how: &[
        "Once subscribed, new stories appear in your reader by themselves: no account, nothing picked by an algorithm.",
        "Choose a reader (there are free ones for phones, computers and the web) and paste the feed address of a city or \
         a tag into it. Most readers also find the address by themselves when you paste that of the page.",
        "A story appears once, however many publishers carry it, and its headline leads to the publisher.",
    ],
    push: |hub| format!("Readers that know WebSub get new stories pushed as they come (hub: {hub})."),
    opml: "All feeds (OPML, for importing them at once)",
    sources_opml: "What we read (OPML)",
    readers: "Open in",
    desk: &[
        "This desk reads what its sources publish, merges copies of one story, works out which city it is \
         about, and republishes one feed for each city.",
        "It is a considerate guest: it asks only when something may be new, with conditional requests, one at a time for \
         each site, keeps to what a site says about caching and retrying, and names itself in its User-Agent. On list pages, \
         sitemaps and articles it obeys robots.txt, where its name is citydesk.",
        "It passes on as much of a text as its source allows (headline and summary unless stated otherwise), always with \
         its name, and headlines lead to the publisher's page.",
        "If you run one of these sites and want to be left out or asked less often, write to us: we will see to it.",
    ],
    contact: "Contact",
    weekdays: ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"],
    day: |year, month, day, weekday| match year {
        Some(year) => format!("{weekday} {day} {} {year}", month_name(month)),
        None => format!("{weekday} {day} {}", month_name(month)),
    },
    moment: |month, day, time| format!("{day} {} {time}", month_name(month)),
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_language_of_the_site_decides() {
        for (language, lang) in
            [("zh-CN", "zh-CN"), ("zh", "zh-CN"), ("ZH-Hant-TW", "zh-CN"), ("en", "en"), ("", "en"), ("许", "en")]
        {
            assert_eq!(of(language).lang, lang, "{language}");
        }
        assert_eq!((CHINESE.day)(None, 11, 23, "周一"), "11月23日 周一");
        assert_eq!((ENGLISH.day)(Some(2025), 1, 2, "Thu"), "Thu 2 Jan 2025");
    }
}
