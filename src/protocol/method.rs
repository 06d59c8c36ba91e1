//! Every method, one row each: the request types, decoding, encoding, the schema, the README's table, the way to a host
//! and who may call it follow from here. Names are never renamed and never reused.

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::de::DeserializeOwned;

use super::error::RpcError;
use super::frame::{Frame, Payload, call, params, params_or_default, success};
use super::request::{
    self, Addressed, Addressee, ChallengeAnswer, ChallengeRef, MintedTicket, Nothing, SessionRef, WholeText,
};
use super::screen::ScreenUpdate;
use super::snapshot::Snapshot;

/// A kind of client, for the question whether it may call a method at all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Caller {
    /// A process of this user, over the Unix socket.
    User,
    /// An outside client whose ticket opens everything.
    Ticket,
    /// An outside client whose ticket opens the logins of one provider.
    Provider,
    /// A process that runs inside of a session.
    Session,
}

impl Caller {
    /// Returns it in a few words.
    pub fn in_words(self) -> &'static str {
        match self {
            Self::User => "this user",
            Self::Ticket => "a ticket",
            Self::Provider => "a provider's ticket",
            Self::Session => "a session's own processes",
        }
    }
}

/// One row of the table.
#[derive(Clone, Copy, Debug)]
pub struct Row {
    /// The name on the wire.
    pub name: &'static str,
    /// What it does, in a sentence.
    pub about: &'static str,
    /// Parameters that fit, as JSON.
    pub example: &'static str,
    /// Who may call it. For [`Caller::Provider`] that is not all: the session must be one of its provider.
    pub callers: &'static [Caller],
    /// Its answer may have megabytes, so one connection gets one such answer at a time.
    pub is_large: bool,
    /// The schema of its parameters.
    pub params: fn(&mut SchemaGenerator) -> Schema,
    /// The schema of its answer.
    pub answer: fn(&mut SchemaGenerator) -> Schema,
}

/// What a row says, as a type. Its parameters and its answer belong together, for whoever asks and whoever answers.
pub trait Method {
    /// Its parameters.
    type Params: Addressed + Payload + JsonSchema + DeserializeOwned;
    /// Its answer.
    type Answer: Payload + JsonSchema + DeserializeOwned;
    /// Its row.
    const ROW: Row;
    /// Makes the request.
    fn request(params: Self::Params) -> Request;
    /// Makes the response.
    fn response(answer: Self::Answer) -> Response;
}

macro_rules! methods {
    ($($(#[$doc:meta])* $group:ident $module:ident {
        $($method:ident $name:literal($params:ty $(, $optional:ident)?) -> $answer:ty $(, $large:ident)?;
          [$($caller:ident)*] $about:literal $example:literal)*
    })*) => {
        /// A request, by who sees to it.
        ///
        /// There is neither `Serialize` nor `Deserialize`: some requests carry secrets, which no intermediate value may
        /// hold. [`super::encode`] writes them, [`super::decode`] reads them.
        #[derive(Clone, Debug)]
        pub enum Request {
            $($(#[$doc])* $group($module::Request),)*
        }

        /// The answer to a request, by who gave it.
        #[derive(Clone, Debug)]
        pub enum Response {
            $($(#[$doc])* $group($module::Response),)*
        }

        $($(#[$doc])* pub mod $module {
            use super::*;

            /// A request.
            #[derive(Clone, Debug)]
            pub enum Request {
                $(#[doc = $about] $method($params),)*
            }

            impl Request {
                /// Returns the row of its method.
                pub fn row(&self) -> &'static Row {
                    match self {
                        $(Self::$method(_) => &$method::ROW,)*
                    }
                }

                /// Returns what it is about.
                pub fn addressee(&self) -> Addressee<'_> {
                    match self {
                        $(Self::$method(params) => params.addressee(),)*
                    }
                }

                /// Replaces the id of what it is about.
                pub fn readdress(&mut self, rename: &dyn Fn(&str) -> String) {
                    match self {
                        $(Self::$method(params) => params.readdress(rename),)*
                    }
                }
            }

            /// The answer to a request.
            #[derive(Clone, Debug)]
            pub enum Response {
                $(#[doc = $about] $method($answer),)*
            }

            $(
                #[doc = $about]
                #[derive(Debug)]
                pub enum $method {}

                impl Method for $method {
                    type Params = $params;
                    type Answer = $answer;
                    const ROW: Row = Row {
                        name: $name,
                        about: $about,
                        example: $example,
                        callers: &[$(Caller::$caller,)*],
                        is_large: methods!(@large $($large)?),
                        params: SchemaGenerator::subschema_for::<$params>,
                        answer: SchemaGenerator::subschema_for::<$answer>,
                    };

                    fn request(params: $params) -> super::Request {
                        super::Request::$group(Request::$method(params))
                    }

                    fn response(answer: $answer) -> super::Response {
                        super::Response::$group(Response::$method(answer))
                    }
                }
            )*
        })*

        /// Every row.
        pub const METHODS: &[Row] = &[$($($module::$method::ROW,)*)*];

        impl Request {
            /// Returns the row of its method.
            pub fn row(&self) -> &'static Row {
                match self {
                    $(Self::$group(request) => request.row(),)*
                }
            }

            /// Returns what it is about.
            pub fn addressee(&self) -> Addressee<'_> {
                match self {
                    $(Self::$group(request) => request.addressee(),)*
                }
            }

            /// Replaces the id of what it is about: another machine may call it by another one.
            pub fn readdress(&mut self, rename: &dyn Fn(&str) -> String) {
                match self {
                    $(Self::$group(request) => request.readdress(rename),)*
                }
            }

            /// Reads the parameters of the method of this name; absent: there is none.
            pub(super) fn read(name: &str, text: &[u8]) -> Option<Result<Self, RpcError>> {
                match name {
                    $($($name => {
                        Some(methods!(@read $($optional)?)(name, text).map($module::$method::request))
                    })*)*
                    _ => None,
                }
            }

            /// Writes it as a frame; without an id no answer is wanted.
            pub(super) fn write(&self, id: Option<u64>) -> Frame {
                match self {
                    $($(Self::$group($module::Request::$method(params)) => call(id, $name, params),)*)*
                }
            }
        }

        impl Response {
            /// Writes it as the answer to the request of this id.
            pub(super) fn write(&self, id: &serde_json::Value) -> Frame {
                match self {
                    $($(Self::$group($module::Response::$method(answer)) => success(id, answer),)*)*
                }
            }
        }
    };
    (@large large) => { true };
    (@large) => { false };
    (@read optional) => { params_or_default };
    (@read) => { params };
}

methods! {
    /// What the server itself sees to: the connection.
    Server server {
        Hello "hello"(request::Hello) -> request::Welcome;
            [User Ticket Provider Session]
            "Says who is there; if at all, the first call on a connection."
            r#"{"protocol":1}"#
        Subscribe "events.subscribe"(Nothing, optional) -> Snapshot;
            [User Ticket Provider Session]
            "Answers everything as of now; what happens from then on follows as `event` notifications. Again: after a gap."
            "{}"
        ScreenTaken "screen.taken"(Nothing, optional) -> ();
            [User Ticket Provider Session]
            "A notification: the last screen was drawn, the next one may come."
            "{}"
        Upgrade "supervisor.upgrade"(request::Upgrade, optional) -> bool;
            [User]
            "Has another process of a program take the supervisor's place; every connection goes on. A WebSocket only."
            r#"{"executable":"/usr/local/bin/authdeck"}"#
    }

    /// What concerns no session and no challenge, or several.
    Supervisor supervisor {
        Start "session.start"(request::StartSession) -> request::Started;
            [User Ticket Provider Session]
            "Starts a login: of a provider, or of any command."
            r#"{"providerId":"gh","name":"work","columns":100,"rows":30}"#
        Sessions "session.list"(Nothing, optional) -> request::SessionList, large;
            [User Ticket Provider Session]
            "Answers all sessions, oldest first."
            "{}"
        Providers "provider.list"(Nothing, optional) -> request::ProviderList, large;
            [User Ticket Provider Session]
            "Answers the catalogue, installed providers first."
            "{}"
        Bundles "bundle.list"(Nothing, optional) -> request::BundleList, large;
            [User Ticket Provider Session]
            "Answers the stored logins."
            "{}"
        Challenges "challenge.list"(Nothing, optional) -> request::ChallengeList, large;
            [User Ticket Session]
            "Answers what is parked, oldest first: who asks, for what, and until when."
            "{}"
        Pending "challenge.pending"(Nothing, optional) -> u64;
            [User Ticket Session]
            "Answers how many challenges are parked."
            "{}"
        CancelOwner "challenge.cancelOwner"(request::OwnerRef) -> u64;
            [User Ticket Session]
            "Cancels all challenges of an owner; answers how many."
            r#"{"owner":"window-3"}"#
        MintTicket "ticket.mint"(request::MintTicket, optional) -> MintedTicket;
            [User Ticket Provider Session]
            "Mints a ticket with which a client comes in over TCP: once, within 30 s."
            r#"{"providerId":"gh"}"#
        Stop "supervisor.stop"(Nothing, optional) -> bool;
            [User]
            "Ends the supervisor; its sessions go on, and what is parked is cancelled."
            "{}"
    }

    /// One session.
    Session session {
        Poll "session.poll"(SessionRef) -> Option<request::Polled>;
            [User Ticket Provider Session]
            "Answers where a login stands; null if there is no such session."
            r#"{"sessionId":"auth-1"}"#
        Submit "session.submit"(request::Submit) -> request::Submitted;
            [User Ticket Provider Session]
            "Hands in what the browser ended on or shows; it is checked, then goes to the child or to its listener."
            r#"{"sessionId":"auth-1","text":"http://localhost:1455/auth/callback?code=c&state=s"}"#
        Focus "session.focus"(request::Focus) -> bool;
            [User Ticket Provider Session]
            "Makes this connection get the session's screen as `screen` notifications, or none."
            r#"{"sessionId":"auth-1","acknowledged":true}"#
        Opened "session.opened"(request::Opened) -> bool;
            [Session]
            "From inside of a session only: reports what was to be opened in a browser."
            r#"{"sessionId":"auth-1","url":"https://github.com/login/device"}"#
        Cancel "session.cancel"(SessionRef) -> bool;
            [User Ticket Provider Session]
            "Gives a login up; true if this call did it."
            r#"{"sessionId":"auth-1"}"#
        Kill "session.kill"(request::Kill) -> bool;
            [User Ticket Provider Session]
            "Kills the child with everything it started; true if there was something to kill."
            r#"{"sessionId":"auth-1","force":true}"#
        Remove "session.remove"(SessionRef) -> bool;
            [User Ticket Provider Session]
            "Takes a session off the list, and ends what is left of it."
            r#"{"sessionId":"auth-1"}"#
        Explain "session.explain"(SessionRef) -> String;
            [User Ticket Provider Session]
            "Answers in a few sentences what the session waits for, and why."
            r#"{"sessionId":"auth-1"}"#
    }

    /// One session's terminal.
    Terminal terminal {
        Input "session.input"(request::InputBytes) -> bool;
            [User Ticket Provider Session]
            "Types bytes into the child as they are; false if it takes none."
            r#"{"sessionId":"auth-1","base64":"eQ0="}"#
        Resize "session.resize"(request::Resize) -> bool;
            [User Ticket Provider Session]
            "Resizes the child's terminal; false if there is no child."
            r#"{"sessionId":"auth-1","columns":100,"rows":30}"#
        Screen "session.screen"(SessionRef) -> ScreenUpdate, large;
            [User Ticket Provider Session]
            "Answers the whole screen."
            r#"{"sessionId":"auth-1"}"#
        History "session.history"(request::HistoryRange) -> request::History, large;
            [User Ticket Provider Session]
            "Answers lines of the history and the screen, by their absolute numbers."
            r#"{"sessionId":"auth-1","first":0,"count":100}"#
        Search "session.search"(request::Search) -> request::SearchResult;
            [User Ticket Provider Session]
            "Answers the numbers of the lines that have a text in them."
            r#"{"sessionId":"auth-1","text":"error"}"#
        Transcript "session.transcript"(SessionRef) -> WholeText, large;
            [User Ticket Provider Session]
            "Answers everything the child printed as text, secrets masked."
            r#"{"sessionId":"auth-1"}"#
        Recording "session.recording"(SessionRef) -> WholeText, large;
            [User Ticket Provider Session]
            "Answers the recording as an asciicast v2 file's text, secrets masked."
            r#"{"sessionId":"auth-1"}"#
    }

    /// One challenge.
    Challenge challenge {
        Park "challenge.park"(request::ParkChallenge) -> request::Parked;
            [User Ticket Session]
            "Parks a request for a credential; one call over HTTP names an `owner`."
            r#"{"challengeId":"request-7","owner":"window-3","kind":"http-digest","proxy":true,
                "origin":"https://proxy.example:3128","realm":"staff"}"#
        Wait "challenge.wait"(ChallengeRef) -> ChallengeAnswer;
            [User Ticket Session]
            "Waits until a challenge ends; answers its owner only, and once."
            r#"{"challengeId":"request-7","owner":"window-3"}"#
        Answer "challenge.answer"(request::AnswerChallenge) -> bool;
            [User Ticket Session]
            "Answers a challenge; true if this call was the one that ended it."
            r#"{"challengeId":"request-7","epoch":3,"user":"ada","secret":"…"}"#
        Cancel "challenge.cancel"(ChallengeRef) -> bool;
            [User Ticket Session]
            "Refuses a challenge, or takes it back; true if this call was the one that ended it."
            r#"{"challengeId":"request-7"}"#
    }
}

/// Notification: the next event ([`super::event::NumberedEvent`]).
pub const EVENT: &str = "event";
/// Notification: what changed on the focused session's screen ([`super::screen::ScreenUpdate`]).
pub const SCREEN: &str = "screen";
/// Notification: events were dropped for this client, everything starts over from here
/// ([`super::snapshot::Snapshot`]).
pub const RESYNC: &str = "resync";
