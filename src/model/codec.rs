//! The one encoding of everything kept: CBOR (RFC 8949) with numbered fields, by minicbor.
//!
//! A field keeps its number for good. A new field is `Option` or has `#[cbor(default)]`; a field is never removed or
//! given another meaning. An older binary skips what it does not know, a newer one reads what is missing as absent.

use minicbor::{Decode, Encode};

/// Bytes that are not what they should be: the record was written by something else, or the disk lies.
#[derive(Debug, thiserror::Error)]
#[error("not a record of ours: {0}")]
pub struct Undecodable(String);

/// Encodes a value. It cannot fail: the target is memory and every type of ours is encodable.
pub fn encode<T: Encode<()>>(value: &T) -> Vec<u8> {
    let mut out = Vec::with_capacity(256);
    if let Err(error) = minicbor::encode(value, &mut out) {
        // Writing to a Vec cannot fail, and no Encode of ours raises a message.
        unreachable!("encoding to memory failed: {error}");
    }
    out
}

/// Decodes a value from all of `bytes`.
///
/// # Errors
/// [`Undecodable`] with the decoder's reason.
pub fn decode<'b, T: Decode<'b, ()>>(bytes: &'b [u8]) -> Result<T, Undecodable> {
    minicbor::decode(bytes).map_err(|error| Undecodable(error.to_string()))
}
