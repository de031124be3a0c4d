//! Signs that a document is not what it was: a page that asks for a password, mojibake, dates that all lie in the future.

use super::draft::Sheet;
use crate::fetch::Hop;
use crate::model::book::Signs;
use crate::model::time::Time;

/// So far ahead of our clock is the future; less is a clock that goes wrong.
const AHEAD: i64 = Time::HOUR;
/// Bytes of a page that are looked at for a field of a password: beyond that it is no login page.
const LOOKED: usize = 512 * 1024;
/// Parts of a path that name a login.
const LOGINS: [&str; 9] = ["login", "signin", "sign-in", "logon", "passport", "sso", "cas", "oauth", "authenticate"];

/// Characters that the lead bytes of Chinese in UTF-8 make when they are read as GBK, rare in any other text.
const RARE: &str = "锛銆鐨鏄涓鍦鍜鏈鍙鍥鏂鏃閮鎴鐢鍏瀹寮浠";

/// Whether an answer is a page that asks for a password: by where it redirected, or by its form.
#[must_use]
pub fn login(hops: &[Hop], sheets: &[Sheet]) -> bool {
    let led = hops.last().is_some_and(|hop| {
        let (address, _) = hop.to.split_once(['?', '#']).unwrap_or((&hop.to, ""));
        let path = address.split_once("://").map_or(address, |(_, rest)| rest).to_ascii_lowercase();
        path.split(['/', '.']).any(|part| LOGINS.contains(&part))
    });
    let [sheet] = sheets else { return false };
    let body = &sheet.body[..sheet.body.len().min(LOOKED)];
    led || field(body)
}

/// Whether there is `<input … type="password" …>`.
fn field(body: &[u8]) -> bool {
    const WORD: &[u8] = b"password";
    let places = body.windows(WORD.len()).enumerate().filter(|(_, window)| window.eq_ignore_ascii_case(WORD));
    places.map(|(at, _)| at).any(|at| {
        let before = body[..at].trim_ascii_end();
        let before = before.strip_suffix(b"\"").or_else(|| before.strip_suffix(b"'")).unwrap_or(before);
        let before = before.trim_ascii_end();
        let Some(before) = before.strip_suffix(b"=") else { return false };
        let before = before.trim_ascii_end();
        before.len() >= 4 && before[before.len() - 4..].eq_ignore_ascii_case(b"type")
    })
}

/// Counts what is odd about the items of a document.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Marks {
    headlines: u32,
    garbled: u32,
    dated: u32,
    ahead: u32,
}

impl Marks {
    /// Looks at one item.
    pub fn see(&mut self, headline: Option<&str>, dated: Option<Time>, now: Time) {
        if let Some(headline) = headline {
            self.headlines += 1;
            self.garbled += u32::from(garbled(headline));
        }
        if let Some(dated) = dated {
            self.dated += 1;
            self.ahead += u32::from(dated > now.plus(AHEAD));
        }
    }

    /// What is odd about all of them.
    #[must_use]
    pub const fn signs(&self) -> Signs {
        let garbled = self.garbled > 0 && self.garbled * 2 >= self.headlines;
        let future = self.dated > 1 && self.ahead == self.dated;
        Signs(0).with(Signs::GARBLED, garbled).with(Signs::FUTURE, future)
    }
}

/// Whether a headline was read in a character set that it is not in.
#[must_use]
pub fn garbled(headline: &str) -> bool {
    // What a decoder puts for what it cannot read, and the same read as GBK.
    if headline.contains('\u{fffd}') || headline.contains("锟斤拷") || headline.contains("烫烫") {
        return true;
    }
    // UTF-8 read as Windows-1252: runs of letters that no language puts in a row.
    let (mut run, mut letters) = (0, 0);
    for c in headline.chars() {
        let upper = matches!(c, '\u{c0}'..='\u{ff}');
        let mark = matches!(c, '\u{80}'..='\u{bf}' | '\u{152}' | '\u{153}' | '\u{160}' | '\u{161}' | '\u{178}')
            || matches!(c, '\u{17d}' | '\u{17e}' | '\u{192}' | '\u{2c6}' | '\u{2dc}' | '\u{2018}'..='\u{201e}')
            || matches!(c, '\u{2020}'..='\u{2022}' | '\u{2026}' | '\u{2030}' | '\u{2039}' | '\u{203a}' | '\u{20ac}');
        if upper || mark {
            (run, letters) = (run + 1, letters + i32::from(upper));
            if run >= 6 && letters >= 2 && letters < run {
                return true;
            }
        } else {
            (run, letters) = (0, 0);
        }
    }
    // UTF-8 read as GBK.
    let count = headline.chars().count();
    let rare = headline.chars().filter(|c| RARE.contains(*c)).count();
    rare >= 3 && rare * 5 >= count
}

#[cfg(test)]
mod tests {
    use super::*;
    use bytes::Bytes;

    const NOW: Time = Time(1_795_399_200_000);

    #[test]
    fn mojibake_is_known_and_languages_are_not_mistaken_for_it() {
        let wrong = |text: &str, read: &'static encoding_rs::Encoding| {
            read.decode_without_bom_handling(text.as_bytes()).0.into_owned()
        };
        let headline = "许昌市第二所学校今日开工建设";
        for garbage in [
            wrong(headline, encoding_rs::WINDOWS_1252),
            wrong(headline, encoding_rs::GBK),
            wrong("省政府召开常务会议，研究部署明年工作", encoding_rs::GBK),
            String::from_utf8_lossy(&encoding_rs::GBK.encode(headline).0).into_owned(),
            "锟斤拷锟斤拷".to_owned(),
        ] {
            assert!(garbled(&garbage), "{garbage}");
        }
        for fine in [
            headline,
            "“双减”之后……——一位班主任的日常",
            "Überfüllte Züge: Städte fordern größere Kapazitäten",
            "Où sont passés les élèves ? « À l’école »",
            "浜海新区与张家浜的治理",
            "Ярославль: новости дня",
            "İstanbul’da yağış",
            "",
        ] {
            assert!(!garbled(fine), "{fine}");
        }
    }

    #[test]
    fn a_page_that_asks_for_a_password() {
        let sheet = |body: &str| Sheet {
            url: "https://news.example/".to_owned(),
            body: Bytes::copy_from_slice(body.as_bytes()),
            content_type: None,
        };
        let hop = |to: &str| Hop { status: 302, to: to.to_owned() };
        for (hops, body, expected) in [
            (vec![], "<form><input type=\"password\" name=p></form>", true),
            (vec![], "<INPUT NAME=p TYPE = 'Password'>", true),
            (vec![], "<p>forgot your password? type it again</p>", false),
            (vec![hop("https://passport.example/?from=news")], "<p>…</p>", true),
            (vec![hop("https://news.example/user/login.jsp")], "", true),
            (vec![hop("https://news.example/logins-of-the-day.xml")], "", false),
            (vec![hop("https://news.example/rss?next=/login")], "", false),
        ] {
            assert_eq!(login(&hops, &[sheet(body)]), expected, "{hops:?} {body}");
        }
    }

    #[test]
    fn what_most_items_show_is_a_sign() {
        let mut marks = Marks::default();
        for (headline, hours) in [("正常的标题", -1), ("锟斤拷", 2), ("\u{fffd}\u{fffd}", 9)] {
            marks.see(Some(headline), Some(NOW.plus(hours * Time::HOUR)), NOW);
        }
        assert!(marks.signs().has(Signs::GARBLED) && !marks.signs().has(Signs::FUTURE));
        let mut marks = Marks::default();
        for hours in [2, 30] {
            marks.see(Some("明天"), Some(NOW.plus(hours * Time::HOUR)), NOW);
        }
        assert_eq!(marks.signs(), Signs::FUTURE);
    }
}
