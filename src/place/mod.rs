//! The gazetteer, and "which cities is this about?"
