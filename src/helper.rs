//! Thin translators between other programs' prompts and the protocol.
