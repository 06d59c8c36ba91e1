//! Serves clients: one protocol over any byte stream.
