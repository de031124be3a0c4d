//! The register of presets: what is known of site builders that many sources share, by name.
//!
//! A name may stand for selectors in feeds.toml: `list = "people-cn"`, `body = "gov-cn"`. Selectors are tried in turn. What a
//! preset finds belongs to the reading: whoever changes one raises `READING_VERSION`.

use crate::model::source::ListPattern;

/// What is known of one site builder.
#[derive(Debug)]
pub struct Preset {
    /// As written in feeds.toml.
    pub name: &'static str,
    /// What it is for, in a line.
    pub doc: &'static str,
    /// List patterns: item, title, link, date, credit; empty for none.
    lists: &'static [[&'static str; 5]],
    /// Where an article's headline is.
    pub(super) title: &'static [&'static str],
    /// Where its date is, perhaps with its credit.
    pub(super) date: &'static [&'static str],
    /// Where its credit is.
    pub(super) credit: &'static [&'static str],
    /// Where its text is.
    pub(super) text: &'static [&'static str],
}

/// `readable` knows no site: the text is where most of the text is.
pub(super) const READABLE: &str = "readable";

/// All presets.
pub const PRESETS: [Preset; 5] = [
    // The meta tags that governments' pages carry by the guideline 国办发〔2017〕47号 and GB/T 42147-2022 (ArticleTitle, PubDate,
    // ContentSource, Keywords, ColumnName) are read for every preset; here headline and date are taken from them first. The
    // text's place differs by site builder: the names seen most.
    Preset {
        name: "gov-cn",
        doc: "Chinese governments: standard meta tags for headline, date, source and keywords",
        lists: &[
            [".list ul li:has(a)", "a", "a", "span", ""],
            ["ul.list li:has(a)", "a", "a", "span", ""],
            [".page-list a", "span", "", "em:nth-of-type(1)", "em:nth-of-type(2)"],
            ["ul.infolist li:has(a)", "a", "a", ".time", ""],
            ["li:has(a[title]):has(span)", "a", "a", "span", ""],
        ],
        title: &["meta[name=ArticleTitle]@content"],
        date: &["meta[name=PubDate]@content"],
        credit: &["meta[name=ContentSource]@content"],
        text: &[
            "#UCAP-CONTENT",
            ".TRS_UEDITOR",
            ".trs_editor_view",
            ".TRS_Editor",
            "#zoom",
            "#zoomcon",
            ".content-txt",
            ".wzcon",
            ".pages_content",
            ".article-content",
            ".article_content",
            ".news_content",
            "#content",
        ],
    },
    Preset {
        name: READABLE,
        doc: "any page: the text is found by its density",
        lists: &[],
        title: &[],
        date: &[],
        credit: &[],
        text: &[],
    },
    // One layout for the channels of all provinces; GBK in the older ones.
    Preset {
        name: "people-cn",
        doc: "People's Daily Online and its provincial channels",
        lists: &[
            ["div.ej_list_box li:has(a)", "a", "a", "em", ""],
            ["div.p2j_list li:has(a)", "a", "a", "em", ""],
            ["div.headingNews .hdNews:has(a)", "h5 a", "h5 a", "em", ""],
            [".leftItem li:has(a)", "a", "a", "em", ""],
            ["div.p6 li:has(a), div.fl li:has(a)", "a", "a", "em", ""],
        ],
        title: &[".text_title h1", "h1"],
        date: &[".text_title .fl", ".box01 .fl", ".col-1-1"],
        credit: &[".text_title .fl a", ".box01 .fl a", ".col-1-1 a"],
        text: &[".box_con", ".rm_txt_con", "#rwb_zw", ".text_con", "#p_content"],
    },
    // Three templates of articles are in use beside each other; provinces have templates of their own.
    Preset {
        name: "chinanews",
        doc: "China News Service: the roll and columns",
        lists: &[
            [".content_list li:has(.dd_bt)", ".dd_bt a", ".dd_bt a", ".dd_time", ""],
            ["div.neiron_liebiao li:has(a)", "a", "a", "span", ""],
            ["div.neiron_liebiao a", "", "", "", ""],
        ],
        title: &["h1", ".content_title", ".neiron_title"],
        date: &[".content_left_time", ".left-t", ".left_time", "#BaiduSpider"],
        credit: &["#source_baidu", ".content_left_time", ".left-t"],
        text: &[".left_zw", ".content_desc", "div.t3"],
    },
    // Lists stand as records inside a script (`<datastore>`), addresses are /art/2026/11/23/art_33686_123.html.
    Preset {
        name: "hanweb",
        doc: "sites with columns under /col/ and articles under /art/",
        lists: &[
            ["li:has(a[href*='/art/'])", "a", "a[href*='/art/']", "span", ""],
            ["tr:has(a[href*='/art/'])", "a[href*='/art/']", "a[href*='/art/']", "td:last-of-type", ""],
            ["a[href*='/art/']", "", "", "", ""],
        ],
        title: &["meta[name=ArticleTitle]@content", "h1", ".title"],
        date: &["meta[name=PubDate]@content", "meta[name=pubDate]@content"],
        credit: &["meta[name=ContentSource]@content"],
        text: &["#zoom", ".article_content", ".bt_content", "#content"],
    },
];

/// The preset of this name.
#[must_use]
pub fn preset(name: &str) -> Option<&'static Preset> {
    PRESETS.iter().find(|preset| preset.name == name)
}

impl Preset {
    /// Its list patterns; none if it knows articles only.
    #[must_use]
    pub fn lists(&self) -> Vec<ListPattern> {
        let some = |text: &str| (!text.is_empty()).then(|| text.to_owned());
        let pattern = |(at, [item, title, link, date, credit]): (usize, &[&str; 5])| ListPattern {
            item: (*item).to_owned(),
            title: some(title),
            link: some(link),
            date: some(date),
            credit: some(credit),
            summary: None,
            fallback: at > 0,
        };
        self.lists.iter().enumerate().map(pattern).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::parse;

    #[test]
    fn every_selector_of_every_preset_compiles() {
        for preset in &PRESETS {
            let lists = preset.lists.iter().flatten().filter(|selector| !selector.is_empty());
            let rest = [preset.title, preset.date, preset.credit, preset.text].into_iter().flatten();
            for selector in lists.chain(rest) {
                assert_eq!(parse::selector(selector), Ok(()), "{}: {selector}", preset.name);
            }
        }
        assert!(preset("gov-cn").is_some() && preset("govcn").is_none());
    }
}
