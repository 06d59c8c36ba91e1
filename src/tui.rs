//! The deck: a client that draws.

use std::future::Future;
use std::pin::Pin;

use crate::client::{Client, Events};
use crate::config::Settings;
use crate::error::{Error, Kind};
use crate::protocol::request::StartSession;

/// A new connection after one was lost.
pub type Reconnected = Pin<Box<dyn Future<Output = Result<(Client, Events), Error>> + Send>>;

/// What the deck works with.
pub struct Deck {
    /// Asks the supervisor.
    pub client: Client,
    /// What the supervisor tells. Nothing was subscribed to yet.
    pub events: Events,
    /// The person's settings.
    pub settings: Settings,
    /// What is to be started at once.
    pub start: Vec<StartSession>,
    /// What was wrong in the person's files, a sentence each.
    pub messages: Vec<String>,
    /// Attaches to the supervisor that runs, or starts one, after the connection was lost.
    pub reconnect: Box<dyn FnMut() -> Reconnected + Send>,
}

/// Shows the deck until the person leaves it.
///
/// # Errors
/// The terminal cannot be used, or no supervisor can be had any more.
pub async fn run(deck: Deck) -> Result<(), Error> {
    drop(deck);
    std::future::ready(()).await;
    Err(Error::new(Kind::Failed, "the deck cannot be drawn in this build"))
}
