//! Everything the deck knows. `update` changes it, `view` draws it.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use super::dialog::Dialog;
use super::field::Field;
use super::keymap::{Context, Keymap};
use super::keys::KeyPress;
use super::pane::Pane;
use super::settings::Settings;
use super::theme::Themes;
use crate::core::ids::{ChallengeId, SessionId};
use crate::core::time::Timestamp;
use crate::protocol::event::{Level, NumberedEvent};
use crate::protocol::request::StartSession;
use crate::protocol::snapshot::{BundleView, ChallengeView, ProviderView, SessionView};

mod entry;
mod hosts;
mod time;

pub use hosts::{Host, HostIndex, Hosts};

pub use entry::{Entry, Group, State, state_of};

/// Messages that can be read again.
const MOST_MESSAGES: usize = 200;

/// What is selected in the list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Item {
    /// A session.
    Session(SessionId),
    /// A challenge.
    Challenge(ChallengeId),
}

/// Which part has the keys.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Focus {
    /// The list.
    #[default]
    List,
    /// The pane.
    Pane,
}

/// A sentence for the status line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// How loud.
    pub level: Level,
    /// What.
    pub text: String,
}

/// A search with its matches.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Search {
    /// What is searched for.
    pub text: String,
    /// Absolute numbers of the lines that match, oldest first.
    pub lines: Vec<u64>,
    /// Which of them one is at.
    pub current: usize,
}

/// The deck's state.
#[derive(Debug)]
pub struct Model {
    // --- What the supervisor said ---
    /// The host name of the supervisor's machine.
    pub host: String,
    /// All sessions, oldest first.
    pub sessions: Vec<SessionView>,
    /// All parked challenges, oldest first.
    pub challenges: Vec<ChallengeView>,
    /// All stored logins.
    pub bundles: Vec<BundleView>,
    /// The catalogue, once it was asked for.
    pub providers: Option<Vec<ProviderView>>,
    /// The number of the last event that is in here; none while a snapshot is awaited.
    pub sequence: Option<u64>,
    /// Events that came before the snapshot they belong to.
    pub early: Vec<NumberedEvent>,
    /// Why there is no supervisor, if there is none.
    pub disconnected: Option<String>,
    /// The supervisor was stopped on purpose.
    pub stopped: bool,
    /// The supervisor's clock minus the deck's, in milliseconds.
    pub clock_offset: i64,
    // --- On the laptop's side ---
    /// The hosts, if there are several.
    pub hosts: Hosts,
    /// The sessions run on another machine than the deck, which waits for the browser's callbacks in their place.
    pub remote: bool,
    /// The sessions whose callback is waited for here, each with its authorize URL.
    pub listening: BTreeMap<SessionId, String>,
    /// The sessions for which the browser was opened unasked.
    pub opened: BTreeSet<SessionId>,
    // --- Where the person is ---
    /// Columns and rows of the terminal.
    pub size: (u16, u16),
    /// What is selected.
    pub selection: Option<Item>,
    /// Was started here and is to be selected, but the supervisor has not told of it yet.
    pub started: Option<SessionId>,
    /// Which part has the keys.
    pub focus: Focus,
    /// Every key goes to the child.
    pub typing: bool,
    /// The pane has the whole width.
    pub zoomed: bool,
    /// The dialog that is open.
    pub dialog: Option<Dialog>,
    /// Keys of a sequence that has not ended.
    pub pending: Vec<KeyPress>,
    /// The selected session's screen.
    pub pane: Pane,
    /// The search in it.
    pub search: Option<Search>,
    /// The status line.
    pub status: Option<Message>,
    /// What the status line said so far.
    pub messages: VecDeque<Message>,
    // --- What was settled before ---
    /// The keys.
    pub keymap: Keymap,
    /// The themes.
    pub themes: Themes,
    /// The rest.
    pub settings: Settings,
    /// Sessions to start as soon as the supervisor is there.
    pub start: Vec<StartSession>,
    /// The size last ordered for a child, so that it is ordered once.
    pub ordered_size: Option<(SessionId, u16, u16)>,
}

impl Model {
    /// Opens the deck for a terminal of this size; `messages` are shown first.
    pub fn new(
        settings: Settings,
        size: (u16, u16),
        start: Vec<StartSession>,
        messages: Vec<String>,
    ) -> Self {
        let (keymap, key_mistakes) = Keymap::with(&settings.configuration_file, &settings.keys);
        let (mut themes, theme_warnings) = Themes::with(&settings.themes);
        let mut all = messages;
        all.extend(key_mistakes);
        all.extend(theme_warnings);
        themes.choose(settings.surroundings.default_theme());
        if let Some(name) = &settings.theme
            && !themes.choose(name)
        {
            let names: Vec<&str> = themes.all().iter().map(|theme| theme.name.as_str()).collect();
            all.push(format!("There is no theme `{name}`; there are {}.", names.join(", ")));
        }
        let mut model = Self {
            host: String::new(),
            sessions: Vec::new(),
            challenges: Vec::new(),
            bundles: Vec::new(),
            providers: None,
            sequence: None,
            early: Vec::new(),
            disconnected: None,
            stopped: false,
            clock_offset: 0,
            hosts: Hosts::default(),
            remote: false,
            listening: BTreeMap::new(),
            opened: BTreeSet::new(),
            size,
            selection: None,
            started: None,
            focus: Focus::List,
            typing: false,
            zoomed: false,
            dialog: None,
            pending: Vec::new(),
            pane: Pane::default(),
            search: None,
            status: None,
            messages: VecDeque::new(),
            keymap,
            themes,
            settings,
            start,
            ordered_size: None,
        };
        for text in all {
            model.say(Level::Warning, text);
        }
        model
    }

    /// Makes it the deck of sessions on other machines; with several hosts, each by its name.
    pub fn reach_out(&mut self, names: Vec<String>) {
        self.remote = true;
        if names.len() > 1 {
            self.hosts = Hosts::new(names);
            // Each host's state comes by itself, and there is none to wait for before.
            self.sequence = Some(0);
        }
    }

    /// Puts a sentence into the status line.
    pub fn say(&mut self, level: Level, text: impl Into<String>) {
        let message = Message { level, text: super::text::visible(&text.into()).into_owned() };
        if self.messages.len() == MOST_MESSAGES {
            self.messages.pop_front();
        }
        self.messages.push_back(message.clone());
        self.status = Some(message);
    }

    /// Returns a session.
    pub fn session(&self, id: &SessionId) -> Option<&SessionView> {
        self.sessions.iter().find(|session| session.session_id == *id)
    }

    /// Returns a challenge.
    pub fn challenge(&self, id: &ChallengeId) -> Option<&ChallengeView> {
        self.challenges.iter().find(|challenge| challenge.challenge_id == *id)
    }

    /// Returns the selected session; if a challenge is selected there is none.
    pub fn selected_session(&self) -> Option<&SessionView> {
        match &self.selection {
            Some(Item::Session(id)) => self.session(id),
            Some(Item::Challenge(_)) | None => None,
        }
    }

    /// Returns the selected challenge.
    pub fn selected_challenge(&self) -> Option<&ChallengeView> {
        match &self.selection {
            Some(Item::Challenge(id)) => self.challenge(id),
            Some(Item::Session(_)) | None => None,
        }
    }

    /// Returns the contexts that keys are looked up in, the most particular one first.
    pub fn contexts(&self) -> Vec<Context> {
        match &self.dialog {
            Some(dialog) => dialog.contexts(),
            None if self.typing => vec![Context::Passthrough],
            None => self.open_contexts(),
        }
    }

    /// Returns the contexts as they are without a dialog: those of the keys that the card shows.
    pub fn open_contexts(&self) -> Vec<Context> {
        let mut contexts = Vec::new();
        if self.search.is_some() {
            contexts.push(Context::Search);
        }
        if self.selected_challenge().is_some() {
            contexts.push(Context::Challenge);
        }
        contexts.push(match self.focus {
            Focus::List => Context::List,
            Focus::Pane => Context::Pane,
        });
        contexts.push(Context::Global);
        contexts
    }

    /// Returns the field that is being typed into, if one is.
    pub fn field(&mut self) -> Option<&mut Field> {
        self.dialog.as_mut().and_then(Dialog::field)
    }

    /// Returns the supervisor's time for a time of the deck.
    pub fn supervisor_time(&self, now: Timestamp) -> Timestamp {
        Timestamp(now.0.saturating_add_signed(self.clock_offset))
    }
}
