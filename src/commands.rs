//! What the commands of the command line do: each puts together the parts that it needs.

pub mod askpass;
pub mod browser;
pub mod deck;
pub mod demo;
pub mod demo_provider;
pub mod providers;
mod supervisor;
