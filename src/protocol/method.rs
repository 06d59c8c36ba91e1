//! The methods' names, each in one place. They are never renamed and never reused.

/// See [`super::request::Request::Hello`].
pub const HELLO: &str = "hello";
/// See [`super::request::Request::EventsSubscribe`].
pub const EVENTS_SUBSCRIBE: &str = "events.subscribe";
/// See [`super::request::Request::SessionStart`].
pub const SESSION_START: &str = "session.start";
/// See [`super::request::Request::SessionPoll`].
pub const SESSION_POLL: &str = "session.poll";
/// See [`super::request::Request::SessionList`].
pub const SESSION_LIST: &str = "session.list";
/// See [`super::request::Request::SessionSubmit`].
pub const SESSION_SUBMIT: &str = "session.submit";
/// See [`super::request::Request::SessionInput`].
pub const SESSION_INPUT: &str = "session.input";
/// See [`super::request::Request::SessionResize`].
pub const SESSION_RESIZE: &str = "session.resize";
/// See [`super::request::Request::SessionFocus`].
pub const SESSION_FOCUS: &str = "session.focus";
/// See [`super::request::Request::SessionScreen`].
pub const SESSION_SCREEN: &str = "session.screen";
/// See [`super::request::Request::SessionHistory`].
pub const SESSION_HISTORY: &str = "session.history";
/// See [`super::request::Request::SessionSearch`].
pub const SESSION_SEARCH: &str = "session.search";
/// See [`super::request::Request::SessionTranscript`].
pub const SESSION_TRANSCRIPT: &str = "session.transcript";
/// See [`super::request::Request::SessionRecording`].
pub const SESSION_RECORDING: &str = "session.recording";
/// See [`super::request::Request::SessionCancel`].
pub const SESSION_CANCEL: &str = "session.cancel";
/// See [`super::request::Request::SessionKill`].
pub const SESSION_KILL: &str = "session.kill";
/// See [`super::request::Request::SessionRemove`].
pub const SESSION_REMOVE: &str = "session.remove";
/// See [`super::request::Request::SessionExplain`].
pub const SESSION_EXPLAIN: &str = "session.explain";
/// See [`super::request::Request::SessionOpened`].
pub const SESSION_OPENED: &str = "session.opened";
/// See [`super::request::Request::ProviderList`].
pub const PROVIDER_LIST: &str = "provider.list";
/// See [`super::request::Request::BundleList`].
pub const BUNDLE_LIST: &str = "bundle.list";
/// See [`super::request::Request::ChallengePark`].
pub const CHALLENGE_PARK: &str = "challenge.park";
/// See [`super::request::Request::ChallengeWait`].
pub const CHALLENGE_WAIT: &str = "challenge.wait";
/// See [`super::request::Request::ChallengeAnswer`].
pub const CHALLENGE_ANSWER: &str = "challenge.answer";
/// See [`super::request::Request::ChallengeCancel`].
pub const CHALLENGE_CANCEL: &str = "challenge.cancel";
/// See [`super::request::Request::ChallengeCancelOwner`].
pub const CHALLENGE_CANCEL_OWNER: &str = "challenge.cancelOwner";
/// See [`super::request::Request::ChallengeList`].
pub const CHALLENGE_LIST: &str = "challenge.list";
/// See [`super::request::Request::ChallengePending`].
pub const CHALLENGE_PENDING: &str = "challenge.pending";
/// See [`super::request::Request::SupervisorStop`].
pub const SUPERVISOR_STOP: &str = "supervisor.stop";
/// See [`super::request::Request::SupervisorUpgrade`].
pub const SUPERVISOR_UPGRADE: &str = "supervisor.upgrade";
/// See [`super::request::Request::ScreenTaken`].
pub const SCREEN_TAKEN: &str = "screen.taken";

/// See [`super::request::Request::TicketMint`].
pub const TICKET_MINT: &str = "ticket.mint";

/// Notification: the next event ([`super::event::NumberedEvent`]).
pub const EVENT: &str = "event";
/// Notification: what changed on the focused session's screen ([`super::screen::ScreenUpdate`]).
pub const SCREEN: &str = "screen";
/// Notification: events were dropped for this client, everything starts over from here
/// ([`super::snapshot::Snapshot`]).
pub const RESYNC: &str = "resync";
