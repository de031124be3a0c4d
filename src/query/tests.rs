//! What matches, what is refused and where, and that the canonical form means the same.

use proptest::prelude::*;

use super::*;
use crate::model::id::SourceId;
use crate::model::place::Placed;
use crate::model::source::Rank;
use crate::model::tag::Tag;
use crate::model::time::Time;

fn placed(code: u32, name: &str, counties: &[u32]) -> Placed {
    let counties = counties.iter().copied().map(Code).collect();
    Placed { code: Code(code), name: name.to_owned(), score: 900, evidence: Vec::new(), counties, point: None }
}

/// 2026-11-10 12:00 UTC.
const NOW: Time = Time(1_794_312_000_000);

/// A story published on 2026-11-08 at 04:00 UTC: 56 hours before [`NOW`].
fn matches(query: &str) -> bool {
    let mut query = Query::parse(query).unwrap_or_else(|error| panic!("{query}: {error}"));
    let unresolved = query.resolve(&mut |term| match (term.kind, term.name) {
        (PlaceKind::City, "许昌" | "莲城") => Some(Code(411_000)),
        (PlaceKind::City, "长葛") => Some(Code(411_082)),
        (PlaceKind::City, "郑州") => Some(Code(410_100)),
        (PlaceKind::Province, "河南") => Some(Code(410_000)),
        _ => None,
    });
    drop(unresolved);
    let subject = Subject {
        title: "许昌义务教育学校“双减”工作推进会召开",
        text: "许昌义务教育学校“双减”工作推进会召开 本报讯 11月8日，臺灣与許昌的教師参加了 Foo-Bar Open Day。\
               校外 培训机构 12,345 家，增长5.8%，ＧＤＰ破千亿，G30高速通车。",
        cities: &[placed(411_000, "许昌市", &[411_082])],
        provinces: &[placed(410_000, "河南省", &[])],
        tags: &[Tag::new("教育").expect("a tag"), Tag::new("Foo Bar").expect("a tag")],
        sources: &[SourceId::new("xuchang-gov").expect("an id"), SourceId::new("dahe").expect("an id")],
        rank: Rank::Origin,
        language: Some("zh-CN"),
        published: Time(1_794_110_400_000),
        copies: 3,
    };
    query.matches(&subject, Some(NOW))
}

#[test]
fn what_matches() {
    let table: &[(&str, bool)] = &[
        // CJK: anywhere, over punctuation and spaces, in either quotes or none.
        ("双减", true),
        ("减", true),
        ("\"学校双减\"", true),
        ("“校外培训”", true),
        ("\"校外  培训\"", true),
        ("驾驶", false),
        // Side by side: all.
        ("双减 许昌", true),
        ("双减 驾驶", false),
        ("双减　许昌", true),
        // Other scripts: whole words.
        ("foo", true),
        ("FOO bar", true),
        ("\"foo bar\"", true),
        ("\"foo-bar open\"", true),
        ("\"bar foo\"", false),
        ("fo", false),
        ("foobar", false),
        ("ＧＤＰ", true),
        ("gdp", true),
        ("台湾", true),
        ("臺灣", true),
        ("许昌的教师", true),
        ("12345", true),
        ("5·8", true),
        ("30", false),
        ("g30", true),
        ("G30高速", true),
        ("30高速", false),
        ("g3", false),
        // Numbers are words.
        ("5.8", true),
        ("11月8日", true),
        ("1月8日", false),
        // Not, OR, parentheses.
        ("-驾驶", true),
        ("-双减", false),
        ("双减 -\"驾驶教育\"", true),
        ("驾驶 OR 双减", true),
        ("驾驶 OR 彩票", false),
        ("-(驾驶 OR 双减)", false),
        ("-(驾驶 双减)", true),
        ("(驾驶 OR 双减) 许昌", true),
        ("（驾驶 OR 双减） 许昌", true),
        // OR binds its two neighbours, so what is excluded is excluded from all choices.
        ("双减 OR 双减 驾驶", false),
        ("双减 驾驶 OR foo", true),
        ("驾驶 OR 双减 许昌", true),
        ("驾驶 双减 OR foo", false),
        ("(驾驶 双减) OR foo", true),
        ("双减 OR (双减 驾驶)", true),
        ("\"双减\" OR \"义务教育\" OR \"中考\" -\"驾驶教育\"", true),
        ("\"义务教育\" OR \"双减\" -\"双减\"", false),
        // Fields.
        ("title:双减", true),
        ("TITLE:双减", true),
        ("title:foo", false),
        ("title:\"教育 学校\"", true),
        ("-title:foo", true),
        ("city:许昌", true),
        ("city：许昌", true),
        ("city:莲城", true),
        ("city:许昌市", true),
        ("city:\"许昌市\"", true),
        ("city:411000", true),
        ("city:长葛", true),
        ("city:郑州", false),
        ("city:河南", false),
        ("province:河南", true),
        ("province:410000", true),
        ("province:湖南", false),
        ("tag:教育", true),
        ("tag:教", false),
        ("tag:foo-bar", true),
        ("tag:\"FOO BAR\"", true),
        ("source:dahe", true),
        ("source:DAHE", true),
        ("source:da", false),
        ("rank:origin", true),
        ("rank:media", false),
        ("lang:zh", true),
        ("lang:zh-cn", true),
        ("lang:zh-TW", false),
        ("lang:z", false),
        ("after:2026-11-08", true),
        ("after:2026-11-09", false),
        ("before:2026-11-08", false),
        ("before:2026-11-09", true),
        ("after:2026-11-1 before:2026-12-1", true),
        ("after:3d", true),
        ("after:2d", false),
        ("after:1w", true),
        ("after:56h", true),
        ("after:55h", false),
        ("before:55h", true),
        ("before:90m", true),
        ("copies>=3", true),
        ("copies>3", false),
        ("copies>2", true),
        ("copies=3", true),
        ("copies==3", true),
        ("copies<=2", false),
        ("copies<4", true),
        ("copies≥3", true),
        ("province:河南 tag:教育", true),
        ("city:许昌 (\"双减\" OR \"校外培训\")", true),
        ("title:\"广告\" OR \"彩票开奖\"", false),
        // Colons that make no field.
        ("10:30", false),
        ("许昌：双减", false),
        ("教育：学校", true),
        ("\"义务：教育\"", true),
    ];
    let wrong: Vec<_> = table.iter().filter(|(query, expected)| matches(query) != *expected).collect();
    assert!(wrong.is_empty(), "expected otherwise: {wrong:#?}");
}

#[test]
fn what_is_refused_and_where() {
    let deep = format!("{}a{}", "(".repeat(33), ")".repeat(33));
    let long = "a".repeat(1_001);
    let many = "a ".repeat(201);
    let growing = "\"a\"b".repeat(250);
    let table: &[(&str, usize, &str, &str)] = &[
        ("", 1, "empty", ""),
        ("   ", 1, "empty", ""),
        ("双减 citi:许昌", 4, "no field \"citi\"", "\"city\""),
        ("Titel:x", 1, "no field \"Titel\"", "\"title\""),
        ("https://a.example/", 1, "no field \"https\"", "quotes"),
        ("许昌:双减", 1, "no field \"许昌\"", "quotes"),
        ("copis>=3", 1, "no field \"copis\"", "\"copies\""),
        ("(双减", 1, "never closed", ""),
        ("a (b (c)", 3, "never closed", ""),
        ("(", 1, "never closed", ""),
        ("双减)", 3, "closes nothing", ""),
        (")", 1, "closes nothing", ""),
        ("a () b", 4, "nothing between", ""),
        ("a \"双减", 3, "quotation mark", ""),
        ("title:\"双减", 7, "quotation mark", ""),
        ("-", 1, "minus", ""),
        ("a - b", 3, "minus", ""),
        ("a --b", 3, "minus", ""),
        ("a -OR b", 3, "minus", ""),
        ("(-)", 2, "minus", ""),
        ("OR a", 1, "OR needs", ""),
        ("a OR", 3, "OR needs", ""),
        ("a OR OR b", 3, "OR needs", ""),
        ("(a OR) b", 4, "OR needs", ""),
        ("(OR a)", 2, "OR needs", ""),
        ("a AND b", 3, "AND", "leave it out"),
        ("NOT a", 1, "NOT", "-word"),
        ("a ！", 3, "nothing to search", ""),
        ("\"\"", 1, "nothing to search", ""),
        ("title:", 7, "no value", "title:"),
        ("title: 双减", 7, "no value", "without a space"),
        ("city:\"\"", 6, "no value", ""),
        ("tag:!", 5, "no tag", ""),
        ("city:!", 6, "no city", ""),
        ("source:许昌", 8, "id of a source", ""),
        ("rank:medai", 6, "no rank", "\"media\""),
        ("lang:中文", 6, "language tag", "BCP 47"),
        ("after:yesterday", 7, "no date", "2026-11-01"),
        ("after:2026-02-30", 7, "no date", ""),
        ("before:d", 8, "no date", ""),
        ("after>=2026-11-01", 6, "colon", "after:"),
        ("copies:3", 7, "comparison", "copies>=3"),
        ("copies>=x", 9, "number of copies", ""),
        ("copies>=-1", 9, "number of copies", ""),
        ("copies>=99999999999", 9, "number of copies", ""),
        (&deep, 33, "nested", ""),
        (&long, 1_001, "at most 1000 characters", ""),
        (&many, 401, "at most 200 terms", ""),
        (&growing, 401, "at most 200 terms", ""),
    ];
    for (text, column, message, hint) in table {
        match Query::parse(text) {
            Ok(query) => panic!("{text} was taken as {query}"),
            Err(error) => {
                assert_eq!(error.column, *column, "{text}: {error}");
                assert!(error.message.contains(message), "{text}: {error}");
                assert!(error.hint.contains(hint) && !error.hint.is_empty(), "{text}: {error}");
            }
        }
    }
}

#[test]
fn limits_are_allowed_to_be_reached() {
    for text in [format!("{}a{}", "(".repeat(32), ")".repeat(32)), "a".repeat(1_000), "a ".repeat(200)] {
        assert!(Query::parse(&text).is_ok(), "{text}");
    }
}

#[test]
fn canonical_form() {
    for (text, canonical) in [
        ("  a   b ", "a b"),
        ("\"a\" “b c”", "a \"b c\""),
        ("(a b) (c OR (d OR e))", "a b (c OR d OR e)"),
        ("a OR b c", "(a OR b) c"),
        ("(a b) OR c", "(a b) OR c"),
        ("-(a)", "-a"),
        ("-(a b)", "-(a b)"),
        ("-(-a)", "-(-a)"),
        ("a\"b\"(c)", "a b c"),
        ("\"OR\" \"AND\" \"-a\" \"title:x\"", "\"OR\" \"AND\" \"-a\" \"title:x\""),
        ("\"a \\\" \\\\ b\"", "\"a \\\" \\\\ b\""),
        ("Title:\"a\" CITY：\"许昌\"", "title:a city:许昌"),
        ("title:\"a b\"", "title:\"a b\""),
        ("after:2026-1-5 before:06h", "after:2026-01-05 before:6h"),
        ("copies≥03 Source:DaHe LANG:zh_CN", "copies>=3 source:dahe lang:zh-cn"),
    ] {
        assert_eq!(Query::parse(text).map(|query| query.to_string()).as_deref(), Ok(canonical), "{text}");
    }
}

#[test]
fn relative_dates_are_pointed_at() {
    for (text, column) in
        [("a after:2026-11-01", None), ("双减 -(a OR before:3d)", Some(11)), ("after:1h after:2h", Some(1))]
    {
        assert_eq!(Query::parse(text).map(|query| query.relative()), Ok(column), "{text}");
    }
    let query = Query::parse("after:1d").expect("a query");
    let nothing = Subject {
        title: "",
        text: "",
        cities: &[],
        provinces: &[],
        tags: &[],
        sources: &[],
        rank: Rank::Media,
        language: None,
        published: NOW,
        copies: 1,
    };
    assert!(query.matches(&nothing, Some(NOW)));
    assert!(!query.matches(&nothing, None));
}

#[test]
fn unknown_places_are_reported_with_their_columns() {
    let mut query = Query::parse("city:许昌 -(city:某市 OR province:某省)").expect("a query");
    let errors = query.resolve(&mut |term| (term.name == "许昌").then_some(Code(411_000)));
    let found: Vec<_> = errors.iter().map(|error| (error.column, error.message.as_str())).collect();
    assert_eq!(found, [(11, "no single city is called \"某市\""), (22, "no single province is called \"某省\"")]);
}

/// Texts that are often queries: pieces that mean something, glued at random.
fn nearly_a_query() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        Just(" ".to_owned()),
        proptest::sample::select(vec![
            "(",
            ")",
            "（",
            "）",
            "-",
            "OR",
            " OR ",
            "AND",
            "\"",
            "“",
            "”",
            "\\",
            ":",
            "：",
            "title:",
            "city:",
            "tag:",
            "source:",
            "rank:media",
            "lang:",
            "after:",
            "before:",
            "copies",
            ">=",
            "<",
            "=",
            "3",
            "3d",
            "2026-11-01",
            "双减",
            "foo",
            " a ",
            "5.8",
            "　",
            "\u{301}",
            "\u{fe0f}",
            "💥",
        ])
        .prop_map(str::to_owned),
        any::<char>().prop_map(String::from),
    ];
    proptest::collection::vec(piece, 0..24).prop_map(|pieces| pieces.concat())
}

/// Queries in their grammar.
fn query(depth: u32) -> impl Strategy<Value = String> {
    let leaf = proptest::sample::select(vec![
        "双减",
        "\"a b\"",
        "title:\"x y\"",
        "city:许昌",
        "tag:教育",
        "copies>2",
        "after:3d",
        "before:2026-01-01",
        "\"OR\"",
    ])
    .prop_map(str::to_owned);
    leaf.prop_recursive(depth, 40, 4, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 2..4).prop_map(|parts| parts.join(" ")),
            proptest::collection::vec(inner.clone(), 2..4).prop_map(|parts| format!("({})", parts.join(" OR "))),
            inner.clone().prop_map(|part| format!("-({part})")),
            inner.prop_map(|part| format!("({part})")),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_input_panics_and_the_canonical_form_means_the_same(text in prop_oneof![nearly_a_query(), any::<String>()]) {
        if let Ok(query) = Query::parse(&text) {
            prop_assert_eq!(Query::parse(&query.to_string()), Ok(query));
        }
    }

    #[test]
    fn every_query_of_the_grammar_is_read(text in query(5)) {
        let query = Query::parse(&text);
        prop_assert!(query.is_ok(), "{:?}", query);
        let query = query.expect("checked");
        prop_assert_eq!(Query::parse(&query.to_string()), Ok(query));
    }
}
