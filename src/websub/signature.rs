//! Signatures of what is delivered: `X-Hub-Signature: method=signature`, an HMAC (RFC 2104) of the body (section 7.1).

use ring::hmac::{self, Algorithm, Key};

use super::intent::hex;
use crate::model::websub::Secret;

/// Name of the header.
pub const HEADER: &str = "x-hub-signature";

/// The methods of section 7.1.
const METHODS: [(&str, Algorithm); 4] = [
    ("sha1", hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY),
    ("sha256", hmac::HMAC_SHA256),
    ("sha384", hmac::HMAC_SHA384),
    ("sha512", hmac::HMAC_SHA512),
];

/// The header's value for a body that we deliver.
#[must_use]
pub fn sign(secret: &Secret, body: &[u8]) -> String {
    let tag = hmac::sign(&Key::new(hmac::HMAC_SHA256, secret.0.as_bytes()), body);
    format!("sha256={}", hex(tag.as_ref()))
}

/// What is wrong with a signature.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Unsigned {
    /// There is none.
    #[error("it is not signed")]
    Missing,
    /// Of a method that is not the recommendation's.
    #[error("its signature is of a method that we do not know")]
    Method,
    /// It does not fit.
    #[error("its signature is wrong")]
    Wrong,
}

/// Whether a body that was delivered to us carries the signature that only the holder of the secret can make. Compared in
/// constant time.
///
/// # Errors
/// [`Unsigned`] says what is wrong.
pub fn verify(header: Option<&str>, secret: &Secret, body: &[u8]) -> Result<(), Unsigned> {
    let header = header.map(str::trim).filter(|header| !header.is_empty()).ok_or(Unsigned::Missing)?;
    let (method, signature) = header.split_once('=').ok_or(Unsigned::Method)?;
    let known = METHODS.iter().find(|(name, _)| name.eq_ignore_ascii_case(method.trim()));
    let (_, algorithm) = known.ok_or(Unsigned::Method)?;
    let tag = bytes(signature.trim()).ok_or(Unsigned::Wrong)?;
    hmac::verify(&Key::new(*algorithm, secret.0.as_bytes()), body, &tag).map_err(|_| Unsigned::Wrong)
}

/// Hexadecimal digits as bytes.
fn bytes(hex: &str) -> Option<Vec<u8>> {
    let digits: Vec<u8> = hex.chars().map(|c| c.to_digit(16).map(|digit| digit as u8)).collect::<Option<_>>()?;
    digits.len().is_multiple_of(2).then(|| digits.chunks(2).map(|pair| pair[0] << 4 | pair[1]).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Test case 2 of RFC 2202 (SHA-1) and RFC 4231 (the others).
    const KEY: &str = "Jefe";
    const BODY: &[u8] = b"what do ya want for nothing?";
    const TAGS: [&str; 4] = [
        "sha1=effcdf6ae5eb2fa2d27416d5f184df9c259a7c79",
        "sha256=5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
        "sha384=af45d2e376484031617f78d2b58a6b1b9c7ef464f5a01b47e42ec3736322445e8e2240ca5e69e2c78b3239ecfab21649",
        "sha512=164b7a7bfcf819e2e395fbe73b56e0a387bd64222e831fd610270cd7ea2505549758bf75c05a994a6d034f65f8f0e6fdcaeab1a34d4a6b4b636e070a38bce737",
    ];

    #[test]
    fn signatures_of_the_rfcs() {
        let secret = Secret(KEY.to_owned());
        assert_eq!(sign(&secret, BODY), TAGS[1]);
        for tag in TAGS {
            assert_eq!(verify(Some(tag), &secret, BODY), Ok(()), "{tag}");
            assert_eq!(verify(Some(&tag.to_uppercase()), &secret, BODY), Ok(()), "{tag}");
            assert_eq!(verify(Some(tag), &secret, b"what do ya want"), Err(Unsigned::Wrong));
            assert_eq!(verify(Some(tag), &Secret("Jeff".to_owned()), BODY), Err(Unsigned::Wrong));
            assert_eq!(verify(Some(&tag[..tag.len() - 2]), &secret, BODY), Err(Unsigned::Wrong));
        }
        for (header, wrong) in [
            (None, Unsigned::Missing),
            (Some(" "), Unsigned::Missing),
            (Some("sha256"), Unsigned::Method),
            (Some("md5=abcd"), Unsigned::Method),
            (Some("sha256="), Unsigned::Wrong),
            (Some("sha256=xyz"), Unsigned::Wrong),
            (Some("sha1=5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"), Unsigned::Wrong),
        ] {
            assert_eq!(verify(header, &secret, BODY), Err(wrong), "{header:?}");
        }
    }
}
