//! What the tasks that the runtime started tell it.

use super::command::AnswerSender;
use super::keeper_link::KeeperHello;
use super::launch::Launch;
use super::moved::Parked;
use crate::core::ids::{ClientId, SessionId};
use crate::core::input::Input;
use crate::core::view::{BundleView, Level};

/// What a task of ours tells the runtime.
pub(super) enum Fact {
    /// Something for the engine.
    Input(Input),
    /// A login was looked up and can be started.
    Prepared { client: ClientId, launch: Box<Launch>, reply: AnswerSender },
    /// A challenge was parked for a client that went away meanwhile.
    Abandoned(Parked),
    /// The store was read.
    Bundles(Vec<BundleView>),
    /// A keeper that had not answered is attached to.
    Reached { session_id: SessionId, hello: Box<KeeperHello> },
    /// Something that a person should know.
    Notice { level: Level, text: String, session_id: Option<SessionId> },
}
