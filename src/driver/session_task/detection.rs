//! Feeds the detector and turns what it finds into facts for the engine.

use std::sync::Arc;

use crate::core::input::SessionInput;
use crate::core::provider::Provider;
use crate::core::screen::Screen;
use crate::core::secret::Secret;

/// What a look found.
#[derive(Debug, Default)]
pub(super) struct Found {
    /// Facts, in order.
    pub inputs: Vec<SessionInput>,
    /// What must not be shown any more.
    pub secrets: Vec<Secret>,
}

/// The detector of one session.
#[derive(Debug)]
pub(super) struct Detection {
    _provider: Option<Arc<Provider>>,
}

impl Detection {
    pub fn new(provider: Option<Arc<Provider>>) -> Self {
        Self { _provider: provider }
    }

    /// Takes note of output that the screen has just been fed.
    pub fn fed(&mut self, _screen: &mut Screen, _bytes: &[u8]) {}

    /// Looks at the screen; `settled` if nothing more is expected for now.
    pub fn look(&mut self, _screen: &mut Screen, _settled: bool) -> Found {
        Found::default()
    }
}
