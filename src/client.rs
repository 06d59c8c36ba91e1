//! Requests and the event stream over any byte stream.
