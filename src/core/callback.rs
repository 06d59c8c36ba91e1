//! Recognises what a person pasted and checks it against the session's own authorize URL.
