//! Invented Chinese news in the mix that a desk meets: stories of their own, copies cut and retitled, headlines that recur
//! daily, one template for many towns, headlines without a text. The same number gives the same piece.

use std::fmt::Write as _;
use std::sync::LazyLock;

use super::Dice;

/// One piece as a source would list it.
#[derive(Debug, Clone)]
pub struct Piece {
    /// Headline.
    pub title: String,
    /// Text; empty for a bare headline.
    pub text: String,
    /// Which source lists it.
    pub source: usize,
}

/// Sources that list the pieces.
pub const SOURCES: usize = 500;
/// Copies are of pieces listed at most so long ago.
const RECENT: usize = 4_000;

/// Common characters, of which the words are made.
const LETTERS: &str = "的一是不了在人有我他这中大来上国个到说们为子和你地出道也时年得就那要下以生会自着去之过家学对可里后小么心多天而能好都然没日\
于起还发成事只作当想看文无开手十用主行方又如前所本见经头面公同三已老从动两长知民样现分将外但身些与高意进把法此实回二理美点月明其种声全工己话儿者\
向情部正名定女问力机给等几很业最间新什打便位因重被走电四第门相次东政海口使教西再平真听世气信北少关并内加化由却代军产入先山五太水万市眼体别处总才场师\
书比住员九笑性通目华报立马命张活难神数件安表原车白应路期叫死常提感金何更反合放做系计或司利受光王果亲界及今京务制解各任至清物台象记边共风战干接它许八特觉\
望直服毛林题建南度统色字请交爱让认算论百吃义科怎元社术结六功指思非流每青管夫连远资队跟带花快条院变联言权往展该领传近留红治决周保达办运武半候七必城父强步完\
革深区即求品士转量空甚众技轻程告江语英基派满式李息写呢识极令黄德收脸钱党倒未持取设始版双历越史商千片容研像找友孩站广改议形委早房音火际则首单据导影失拿网香";

/// Towns that the pieces are about.
const TOWNS: &[&str] = &[
    "许昌市",
    "郑州市",
    "芜湖市",
    "焦作市",
    "洛阳市",
    "开封市",
    "新乡市",
    "安阳市",
    "南阳市",
    "信阳市",
    "周口市",
    "商丘市",
    "漯河市",
    "濮阳市",
    "鹤壁市",
    "平顶山市",
    "三门峡市",
    "驻马店市",
    "合肥市",
    "马鞍山市",
    "武汉市",
    "宜昌市",
    "长沙市",
    "太原市",
    "大同市",
    "西安市",
];

/// Words, the commoner ones first.
static WORDS: LazyLock<Vec<String>> = LazyLock::new(|| {
    let letters: Vec<char> = LETTERS.chars().filter(|letter| !letter.is_whitespace()).collect();
    let mut dice = Dice::new(4_711);
    (0..6_000)
        .map(|_| [letters[dice.roll(letters.len())], letters[dice.roll(letters.len())]].iter().collect())
        .collect()
});

fn word(dice: &mut Dice) -> &'static str {
    // A few words are common, most are rare.
    let share = dice.roll(10_000) as f64 / 10_000.0;
    &WORDS[(share * share * WORDS.len() as f64) as usize]
}

fn sentence(dice: &mut Dice, out: &mut String) {
    for at in 0..7 + dice.roll(8) {
        out.push_str(word(dice));
        match dice.roll(48) {
            4..8 => out.push('，'),
            1 | 2 if at > 0 => {
                let _ = write!(out, "{}万元", dice.roll(9_000) + 10);
            }
            3 => out.push_str(TOWNS[dice.roll(TOWNS.len())]),
            _ => {}
        }
    }
    out.push('。');
}

/// The word of this rank: the smaller, the commoner.
#[must_use]
pub fn word_of(rank: usize) -> &'static str {
    &WORDS[rank % WORDS.len()]
}

/// A story of its own: headline and text.
#[must_use]
pub fn own(number: u64) -> (String, String) {
    let mut dice = Dice::new(number.wrapping_mul(31) + 5);
    let mut title = TOWNS[dice.roll(TOWNS.len())].to_owned();
    for _ in 0..5 + dice.roll(4) {
        title.push_str(word(&mut dice));
    }
    if dice.roll(3) == 0 {
        let _ = write!(title, "{}人", dice.roll(900) + 20);
    }
    let mut text = String::new();
    let length = 900 + dice.roll(2_200);
    while text.len() < length {
        sentence(&mut dice, &mut text);
    }
    (title, text)
}

/// The piece of this number.
#[must_use]
pub fn piece(number: u64) -> Piece {
    let mut dice = Dice::new(number + 1_000_003);
    // Twenty in a row come from a handful of sources, as polls bring them.
    let source = (number / 20 * 7 + dice.roll(6) as u64) as usize % SOURCES;
    let (title, text) = match dice.roll(100) {
        // A copy: of a story of the last days, cut at its end, sometimes under another headline.
        0..15 => {
            let (mut title, text) = own(number.saturating_sub(1 + dice.roll(RECENT) as u64));
            if dice.roll(5) == 0 {
                title.push_str(word(&mut dice));
            }
            let letters = text.chars().count();
            let kept = letters * (40 + dice.roll(61)) / 100;
            (title, text.chars().take(kept).collect())
        }
        // What a source writes daily under the same headline.
        15..20 => {
            let town = TOWNS[source % TOWNS.len()];
            let mut text = format!("{town}气象台{}日发布天气预报：", number % 28 + 1);
            for day in 0..7 {
                let _ = write!(
                    text,
                    "第{}天最高气温{}度，最低气温{}度，{}级风，降水概率百分之{}。",
                    day + 1,
                    dice.roll(30) + 5,
                    dice.roll(15),
                    dice.roll(6) + 1,
                    dice.roll(100)
                );
            }
            (format!("{town}未来七天天气预报"), text)
        }
        // One template for many towns.
        20..25 => {
            let town = TOWNS[dice.roll(TOWNS.len())];
            let text = format!(
                "{town}统计局公布，前{}月规模以上工业增加值增长{}.{}%，固定资产投资{}亿元，社会消费品零售总额{}亿元，\
                 进出口总额{}亿元，城镇新增就业{}人。",
                dice.roll(11) + 2,
                dice.roll(12),
                dice.roll(10),
                dice.roll(4_000),
                dice.roll(3_000),
                dice.roll(900),
                dice.roll(90_000)
            );
            (format!("{town}公布前{}月主要经济指标", dice.roll(11) + 2), text)
        }
        25..30 => (own(number).0, String::new()),
        _ => own(number),
    };
    // What a source writes under everything.
    let text = if text.is_empty() {
        text
    } else {
        format!("{text}来源{source}编辑部版权所有未经授权不得转载")
    };
    Piece { title, text, source }
}
