//! `askpass` and its kin: thin translators between what other programs speak and the supervisor's protocol.

pub mod askpass;
pub mod browser;
mod requester;
