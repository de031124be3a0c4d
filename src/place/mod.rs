//! The gazetteer, and "which cities is this about?"

mod gazetteer;
mod lexicon;
mod placer;
mod surface;
mod table;
mod words;

pub use gazetteer::{Address, Found, Gazetteer, Unit};
pub use placer::{Look, Placer};
pub use table::GazetteerError;
