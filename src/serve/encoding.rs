//! Chooses a content coding by `Accept-Encoding` (RFC 9110 section 12.5.3).

use http::HeaderMap;
use http::header::ACCEPT_ENCODING;

/// A content coding that we may have ready. Later ones are preferred where the client likes both equally.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Coding {
    /// As it is.
    Identity,
    /// RFC 1952.
    Gzip,
    /// RFC 8878.
    Zstd,
    /// RFC 7932.
    Brotli,
}

impl Coding {
    /// The value of `Content-Encoding`; none for what is sent as it is.
    #[must_use]
    pub const fn name(self) -> Option<&'static str> {
        match self {
            Self::Identity => None,
            Self::Gzip => Some("gzip"),
            Self::Zstd => Some("zstd"),
            Self::Brotli => Some("br"),
        }
    }
}

/// The best of `ready` (which always includes identity) for this request. Where nothing is acceptable, identity: a 406
/// helps nobody.
#[must_use]
pub fn choose(headers: &HeaderMap, ready: &[Coding]) -> Coding {
    let mut likings = Likings::default();
    for line in headers.get_all(ACCEPT_ENCODING) {
        if let Ok(text) = line.to_str() {
            likings.read(text);
        }
    }
    let liked = ready.iter().copied().map(|coding| (likings.of(coding), coding)).filter(|(q, _)| *q > 0);
    liked.max().map_or(Coding::Identity, |(_, coding)| coding)
}

/// How much the client likes each coding, in thousandths.
#[derive(Debug, Default)]
struct Likings {
    identity: Option<u16>,
    gzip: Option<u16>,
    zstd: Option<u16>,
    brotli: Option<u16>,
    others: Option<u16>,
}

impl Likings {
    fn read(&mut self, text: &str) {
        for part in text.split(',') {
            let (name, parameters) = part.split_once(';').unwrap_or((part, ""));
            let q = Some(quality(parameters));
            match name.trim() {
                "*" => self.others = q,
                name if name.eq_ignore_ascii_case("gzip") || name.eq_ignore_ascii_case("x-gzip") => self.gzip = q,
                name if name.eq_ignore_ascii_case("zstd") => self.zstd = q,
                name if name.eq_ignore_ascii_case("br") => self.brotli = q,
                name if name.eq_ignore_ascii_case("identity") => self.identity = q,
                _ => {}
            }
        }
    }

    /// Identity needs no mention to be acceptable, but anything mentioned is liked better (hence 1, the least above 0).
    fn of(&self, coding: Coding) -> u16 {
        match coding {
            Coding::Identity => self.identity.unwrap_or(match self.others {
                Some(0) => 0,
                _ => 1,
            }),
            Coding::Gzip => self.gzip.or(self.others).unwrap_or(0),
            Coding::Zstd => self.zstd.or(self.others).unwrap_or(0),
            Coding::Brotli => self.brotli.or(self.others).unwrap_or(0),
        }
    }
}

/// `q=0.5` as 500. Absent means 1; what can't be read means 0, so that an odd client gets what everybody understands.
fn quality(parameters: &str) -> u16 {
    let q =
        parameters.split(';').filter_map(|p| p.split_once('=')).find(|(key, _)| key.trim().eq_ignore_ascii_case("q"));
    let Some((_, value)) = q else { return 1_000 };
    let (whole, part) = value.trim().split_once('.').unwrap_or((value.trim(), ""));
    if part.len() > 3 || !part.bytes().all(|b| b.is_ascii_digit()) {
        return 0;
    }
    let thousandths = format!("{part:0<3}").parse().unwrap_or(0);
    match whole {
        "1" => 1_000,
        "0" => thousandths,
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::Coding::{Brotli, Gzip, Identity, Zstd};
    use super::*;

    #[test]
    fn accept_encoding() {
        let table: &[(Option<&str>, Coding, Coding)] = &[
            // header, with identity and gzip ready, with brotli as well
            (None, Identity, Identity),
            (Some(""), Identity, Identity),
            (Some("gzip"), Gzip, Gzip),
            (Some("GZIP"), Gzip, Gzip),
            (Some("x-gzip"), Gzip, Gzip),
            (Some("gzip, deflate, br, zstd"), Gzip, Brotli),
            (Some("deflate"), Identity, Identity),
            (Some("zstd, gzip"), Gzip, Gzip),
            (Some("br"), Identity, Brotli),
            (Some("gzip;q=0"), Identity, Identity),
            (Some("gzip; q = 0.000"), Identity, Identity),
            (Some("gzip;q=0.001"), Gzip, Gzip),
            (Some("br;q=0.5, gzip;q=0.8"), Gzip, Gzip),
            (Some("identity;q=1, gzip;q=0.5"), Identity, Identity),
            (Some("identity;q=0.5, gzip;q=1.0"), Gzip, Gzip),
            (Some("*"), Gzip, Brotli),
            (Some("gzip;q=0, *"), Identity, Brotli),
            (Some("*;q=0, gzip"), Gzip, Gzip),
            (Some("identity;q=0"), Identity, Identity),
            (Some("*;q=0"), Identity, Identity),
            (Some("gzip;q=high"), Identity, Identity),
            (Some("gzip;q=1.5"), Gzip, Gzip),
            (Some("gzip;q=0.12345"), Identity, Identity),
            (Some("gzipped"), Identity, Identity),
        ];
        for (header, two, three) in table {
            let mut headers = HeaderMap::new();
            if let Some(header) = header {
                headers.insert(ACCEPT_ENCODING, http::HeaderValue::from_str(header).unwrap());
            }
            if *header == Some("zstd, gzip") {
                assert_eq!(choose(&headers, &[Identity, Gzip, Zstd, Brotli]), Zstd);
            }
            assert_eq!(choose(&headers, &[Identity, Gzip]), *two, "{header:?}");
            assert_eq!(choose(&headers, &[Identity, Gzip, Brotli]), *three, "{header:?} with brotli");
        }
    }
}
