//! Pictures of a text: the real address where a page loads them late, and none that only counts readers.

use super::address::Bases;
use super::rules;
use crate::model::markup::{Element, TWIN};
use std::borrow::Cow;

/// Attributes in which pages keep the address of a picture until it is scrolled to, as scripts for that and content
/// systems name them; the likeliest to be large first.
const LAZY: [&str; 22] = [
    "data-src",
    "data-original",
    "data-lazy-src",
    "data-actualsrc",
    "data-original-src",
    "data-lazy",
    "data-lazyload",
    "data-ks-lazyload",
    "data-echo",
    "data-real-src",
    "data-cfsrc",
    "data-orig-file",
    "data-large-file",
    "data-img-src",
    "data-image-src",
    "data-url",
    "real_src",
    "lazysrc",
    "original",
    "_src",
    "zoomfile",
    "file",
];

/// Attributes with several addresses, each with its width or density (WHATWG HTML 4.8.4.2.1).
const SETS: [&str; 4] = ["srcset", "data-srcset", "data-lazy-srcset", "data-original-set"];

/// Words in the file names of what stands where a picture will be.
const PLACEHOLDERS: [&str; 18] = [
    "1x1",
    "blank",
    "clear",
    "dot",
    "empty",
    "gray",
    "grey",
    "lazy",
    "lazyload",
    "loader",
    "loading",
    "nopic",
    "pixel",
    "placeholder",
    "preload",
    "spacer",
    "trans",
    "transparent",
];

/// Widest picture wanted of a set, in pixels, if there is a choice.
const WIDEST: u32 = 2_048;

/// Largest picture kept inside a text, in bytes as written.
const INSIDE: usize = 32 * 1024;

/// Formats of pictures inside a text: none of them can hold a script or fetch anything.
const FORMATS: [&str; 7] = ["png", "jpeg", "jpg", "gif", "webp", "avif", "bmp"];

/// What was seen of a text's pictures so far.
#[derive(Debug, Default)]
pub(super) struct Pictures {
    /// The first one shown that has an address, absolute.
    pub first: Option<String>,
    /// Of the `source` elements before a picture: the best address.
    offered: Option<String>,
    before: Before,
}

/// The picture before, in case a `noscript` holds its twin.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum Before {
    #[default]
    Ordinary,
    /// Loaded late, and shown.
    Late,
    /// It stood in a `noscript` itself.
    Twin,
}

impl Pictures {
    /// A `source` of a picture (not of a film): its address is remembered. False if it is none.
    pub fn source(&mut self, element: &Element<'_>) -> bool {
        let best = SETS.iter().find_map(|name| element.get(name).and_then(|set| best(&set)));
        let picture = best.is_some() || element.get("type").is_some_and(|kind| kind.starts_with("image/"));
        self.offered = self.offered.take().or(best);
        picture
    }

    /// Gives a picture its address; false if there is nothing to be shown.
    pub fn picture(&mut self, element: &mut Element<'_>, bases: &Bases) -> bool {
        let before = std::mem::take(&mut self.before);
        let offered = self.offered.take();
        let twin = element.get(TWIN).is_some();
        let source = element.get("src").map(|source| source.trim().to_owned()).unwrap_or_default();
        let lazy = LAZY.iter().find_map(|name| element.get(name).filter(|value| looks_like_address(value)));
        let lazy = lazy.map(Cow::into_owned);
        let set = || SETS.iter().find_map(|name| element.get(name).and_then(|set| best(&set)));
        let other = lazy.clone().or_else(set).or(offered);
        let late = lazy.is_some() && element.get("class").is_some_and(|class| class.contains("lazy"));
        let address = match other {
            Some(other) if late || stands_in(&source, true) => other,
            _ if stands_in(&source, false) => return false,
            _ => source,
        };
        if is_data(&address) {
            let kept = address.len() <= INSIDE && !is_tiny_data(&address);
            element.set("src", &address);
            return kept && !is_hidden(element);
        }
        let Some(address) = bases.absolute(&address) else { return false };
        if is_hidden(element) || rules::counts(&address) {
            return false;
        }
        // Of a picture and its twin the first is shown.
        if (twin && before == Before::Late) || (before == Before::Twin && lazy.is_some()) {
            return false;
        }
        self.before = match (twin, lazy.is_some()) {
            (true, _) => Before::Twin,
            (_, true) => Before::Late,
            _ => Before::Ordinary,
        };
        self.first.get_or_insert_with(|| address.clone());
        element.set("src", &address);
        true
    }
}

/// Whether a picture is too small to be seen, or hidden.
fn is_hidden(element: &Element<'_>) -> bool {
    let style: String = element.get("style").unwrap_or_default().split_whitespace().collect();
    let style = style.to_ascii_lowercase();
    let sized = |name: &str| style.split(';').find_map(|rule| rule.strip_prefix(name)?.strip_prefix(':'));
    ["width", "height"]
        .iter()
        .any(|side| element.get(side).as_deref().is_some_and(is_tiny) || sized(side).is_some_and(is_tiny))
        || style.contains("display:none")
        || style.contains("visibility:hidden")
}

/// At most two pixels.
fn is_tiny(size: &str) -> bool {
    matches!(size.trim().trim_end_matches("px").trim_end(), "0" | "1" | "2")
}

/// Whether an address is that of a stand-in. Where another address is known, a word of the file name is enough.
fn stands_in(source: &str, other: bool) -> bool {
    if source.is_empty() || source.starts_with('#') || source.starts_with("about:") {
        return true;
    }
    if source.get(..5).is_some_and(|begin| begin.eq_ignore_ascii_case("data:")) {
        return other || !is_data(source) || is_tiny_data(source);
    }
    let path = source.split(['?', '#']).next().unwrap_or_default();
    let file = path.rsplit('/').next().unwrap_or_default().to_ascii_lowercase();
    let stem = file.split('.').next().unwrap_or_default();
    let mut words = stem.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty());
    if other { words.any(|word| PLACEHOLDERS.contains(&word)) } else { PLACEHOLDERS.contains(&stem) }
}

fn looks_like_address(value: &str) -> bool {
    value.contains(['/', '.']) && !value.starts_with("data:") && !value.trim().contains(char::is_whitespace)
}

/// The best address of a `srcset`: the widest up to [`WIDEST`], or the densest.
fn best(set: &str) -> Option<String> {
    let mut best: Option<(bool, i64, &str)> = None;
    let mut rest = set;
    loop {
        rest = rest.trim_start_matches(|c: char| c.is_whitespace() || c == ',');
        if rest.is_empty() {
            break;
        }
        let (address, behind) = rest.split_at(rest.find(char::is_whitespace).unwrap_or(rest.len()));
        let (descriptor, behind) =
            if address.ends_with(',') { ("", behind) } else { behind.split_once(',').unwrap_or((behind, "")) };
        rest = behind;
        let (address, descriptor) = (address.trim_end_matches(','), descriptor.trim());
        let (number, unit) = descriptor.split_at(descriptor.len().saturating_sub(1));
        let size = (number.parse::<f32>().unwrap_or(1.0) * 100.0) as i64;
        // Too wide ones last, the narrowest of them first.
        let fits = unit != "w" || size <= i64::from(WIDEST) * 100;
        let rank = (fits, if fits { size } else { -size }, address);
        let better = best.is_none_or(|(fits, size, _)| (rank.0, rank.1) > (fits, size));
        if better && !address.starts_with("data:") && !address.is_empty() {
            best = Some(rank);
        }
    }
    best.map(|(_, _, address)| address.to_owned())
}

/// Whether an address is a picture written into the text, of a format that holds nothing else.
pub(super) fn is_data(address: &str) -> bool {
    payload(address).is_some_and(|payload| {
        !payload.is_empty() && payload.bytes().all(|b| b.is_ascii_alphanumeric() || b"+/=".contains(&b))
    })
}

/// What stands behind `data:image/png;base64,`.
fn payload(address: &str) -> Option<&str> {
    let (head, payload) = address.split_once(',')?;
    let head = head.to_ascii_lowercase();
    let format = head.strip_prefix("data:image/")?.strip_suffix(";base64")?;
    FORMATS.contains(&format).then_some(payload)
}

/// Whether a picture in the text says that it has at most two pixels on a side (GIF89a 18, PNG 11.2.2).
fn is_tiny_data(address: &str) -> bool {
    let head = payload(address).map(beginning).unwrap_or_default();
    let sides = match head.as_slice() {
        [b'G', b'I', b'F', b'8', _, b'a', w0, w1, h0, h1, ..] => {
            [u32::from(u16::from_le_bytes([*w0, *w1])), u32::from(u16::from_le_bytes([*h0, *h1]))]
        }
        [0x89, b'P', b'N', b'G', _, _, _, _, _, _, _, _, _, _, _, _, w0, w1, w2, w3, h0, h1, h2, h3, ..] => {
            [u32::from_be_bytes([*w0, *w1, *w2, *w3]), u32::from_be_bytes([*h0, *h1, *h2, *h3])]
        }
        _ => return false,
    };
    sides.iter().any(|side| *side <= 2)
}

/// The first 24 bytes of a Base64 text.
fn beginning(payload: &str) -> Vec<u8> {
    let digit = |b: u8| match b {
        b'A'..=b'Z' => Some(b - b'A'),
        b'a'..=b'z' => Some(b - b'a' + 26),
        b'0'..=b'9' => Some(b - b'0' + 52),
        b'+' => Some(62),
        b'/' => Some(63),
        _ => None,
    };
    let (mut bits, mut count, mut out) = (0_u32, 0, Vec::new());
    for value in payload.bytes().take(32).map_while(digit) {
        bits = bits << 6 | u32::from(value);
        count += 6;
        if count >= 8 {
            count -= 8;
            out.push((bits >> count & 0xff) as u8);
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_best_of_a_set() {
        for (set, expected) in [
            ("/1.jpg 1x, /2.jpg 2x", Some("/2.jpg")),
            ("/1.jpg 320w, /2.jpg 1280w, /3.jpg 4000w", Some("/2.jpg")),
            ("/3.jpg 4000w, /4.jpg 5000w", Some("/3.jpg")),
            ("/1,2.jpg, /3,4.jpg 1.5x", Some("/3,4.jpg")),
            ("data:image/gif;base64,R0 1x", None),
            ("/only.jpg", Some("/only.jpg")),
            (" , ", None),
        ] {
            assert_eq!(best(set).as_deref(), expected, "{set}");
        }
    }

    #[test]
    fn pictures_in_the_text() {
        let spacer = "data:image/gif;base64,R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7";
        let five = "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAUAAAAFCAYAAACNbyblAAAAHElEQVQI12P4//8/w38GIAXDIBKE";
        assert!(is_data(spacer) && is_tiny_data(spacer));
        assert!(is_data(five) && !is_tiny_data(five));
        for bad in [
            "data:image/svg+xml;base64,PHN2Zz4=",
            "data:text/html;base64,PHNjcmlwdD4=",
            "data:image/png,<script>",
            "data:image/png;base64,",
            "data:image/png;base64,a\"b",
        ] {
            assert!(!is_data(bad), "{bad}");
        }
    }
}
