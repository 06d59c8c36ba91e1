//! What every connection is served with.

use std::path::PathBuf;

use tokio::sync::{mpsc, oneshot};

use super::registry::Registry;
use crate::driver::Handle;

/// The supervisor, the list of all connections, and the way to have this process replaced. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Context {
    handle: Handle,
    registry: Registry,
    /// Absent where the supervisor lives in a deck's process, whose place no other one takes.
    upgrades: Option<mpsc::Sender<UpgradeOrder>>,
}

/// Somebody wants another process in this one's place.
#[derive(Debug)]
pub struct UpgradeOrder {
    /// The program; absent: the file that this one was started from.
    pub executable: Option<PathBuf>,
    /// Hears why not. If it works the other process answers.
    pub refused: oneshot::Sender<String>,
}

impl From<&Handle> for Context {
    fn from(handle: &Handle) -> Self {
        Self { handle: handle.clone(), registry: Registry::default(), upgrades: None }
    }
}

impl From<&Self> for Context {
    fn from(context: &Self) -> Self {
        context.clone()
    }
}

impl Context {
    /// Makes one for a process that can be replaced; the orders to do so come through the receiver.
    pub fn replaceable(handle: &Handle) -> (Self, mpsc::Receiver<UpgradeOrder>) {
        let (upgrades, orders) = mpsc::channel(1);
        (Self { upgrades: Some(upgrades), ..Self::from(handle) }, orders)
    }

    /// Returns the supervisor.
    pub fn handle(&self) -> &Handle {
        &self.handle
    }

    pub(super) fn registry(&self) -> &Registry {
        &self.registry
    }

    /// Orders another process. Returns where it is told why not.
    pub(super) fn upgrade(&self, executable: Option<String>) -> Result<oneshot::Receiver<String>, String> {
        let upgrades = self.upgrades.as_ref().ok_or(
            "this supervisor cannot be replaced: it lives in a deck, or is run by a service manager; start that again",
        )?;
        let executable = executable.map(PathBuf::from);
        if executable.as_ref().is_some_and(|path| !path.is_absolute()) {
            return Err("the program must be named by its absolute path".to_owned());
        }
        let (refused, reason) = oneshot::channel();
        match upgrades.try_send(UpgradeOrder { executable, refused }) {
            Ok(()) => Ok(reason),
            Err(_) => Err("another upgrade is under way; try again when it is done".to_owned()),
        }
    }
}
