//! The one encoding of everything kept: CBOR (RFC 8949) with numbered fields, by minicbor.
//!
//! A field keeps its number for good. A new field is `Option` or has `#[cbor(default)]`; a field is never removed or
//! given another meaning. An older binary skips what it does not know, a newer one reads what is missing as absent.

use minicbor::{Decode, Encode};

/// Bytes that are not what they should be: the record was written by something else, or the disk lies.
#[derive(Debug, thiserror::Error)]
#[error("not a record of ours: {0}")]
pub struct Undecodable(String);

/// The codec of what is shared (`#[cbor(with = "shared")]`): encoded as what it points to.
pub mod shared {
    use std::sync::Arc;

    use minicbor::decode::{Decoder, Error};
    use minicbor::encode::{self, Encoder, Write};
    use minicbor::{Decode, Encode};

    /// Encodes what is shared.
    ///
    /// # Errors
    /// If the target takes nothing.
    pub fn encode<C, T: Encode<C>, W: Write>(
        value: &Arc<T>,
        to: &mut Encoder<W>,
        with: &mut C,
    ) -> Result<(), encode::Error<W::Error>> {
        value.as_ref().encode(to, with)
    }

    /// Decodes it, shared with nobody yet.
    ///
    /// # Errors
    /// If the bytes are of another make.
    pub fn decode<'b, C, T: Decode<'b, C>>(from: &mut Decoder<'b>, with: &mut C) -> Result<Arc<T>, Error> {
        T::decode(from, with).map(Arc::new)
    }
}

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
