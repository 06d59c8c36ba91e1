//! The dialogs: one question each, the safe answer first, and Esc leaves every one.

use super::action::Action;
use super::chooser::Chooser;
use super::field::Field;
use super::keymap::Context;
use super::palette::PaletteEntry;
use super::picker::PickerEntry;
use crate::core::ids::{ChallengeId, SessionId};

/// A dialog that is open.
#[derive(Debug)]
pub enum Dialog {
    /// Every key.
    Help(Reader),
    /// Who is logged in where.
    Bundles(Reader),
    /// Sentences about something.
    Text {
        /// What about.
        title: String,
        /// The sentences, one paragraph each.
        paragraphs: Vec<String>,
        /// Where one reads.
        reader: Reader,
    },
    /// A QR code to scan.
    Scan {
        /// What is encoded.
        url: String,
        /// The device code to type in then, if there is one.
        code: Option<String>,
    },
    /// Any action, URL or code.
    Palette(Chooser<PaletteEntry>),
    /// The providers.
    Picker(Chooser<PickerEntry>),
    /// A question before something that cannot be taken back.
    Confirm(Confirm),
    /// What the browser ended on.
    Paste(Paste),
    /// A command line to start.
    Command(CommandLine),
    /// The answer to a challenge.
    Answer(Answer),
    /// What to search for.
    Search(Field),
}

/// Where one reads in something longer than the dialog.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Reader {
    /// The first line shown; `view` stops at the end.
    pub top: u16,
}

/// A question with a safe answer and another one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Confirm {
    /// The question.
    pub question: String,
    /// What there is to know before answering, one paragraph each.
    pub detail: Vec<String>,
    /// The safe answer: nothing happens.
    pub safe: &'static str,
    /// The other answer.
    pub other: &'static str,
    /// Whether the other answer is selected.
    pub other_selected: bool,
    /// What the other answer does.
    pub then: Confirmed,
}

/// What a confirmed question does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Confirmed {
    /// Kills a session's processes.
    Kill(SessionId),
    /// Copies a URL that something speaks against.
    CopyUrl(String),
    /// Opens such a URL.
    OpenUrl(String),
    /// Shows the QR code of such a URL.
    ScanUrl {
        /// What is encoded.
        url: String,
        /// The device code to type in then, if there is one.
        code: Option<String>,
    },
    /// Refuses a challenge as it was parked in this epoch.
    Deny(ChallengeId, u64),
    /// Runs an action of the palette that destroys something.
    Run(Action),
    /// Ends the supervisor.
    StopSupervisor,
}

impl Confirmed {
    /// What yes and no do, in a word or two each, for the keys below the question.
    pub fn words(&self) -> (&'static str, &'static str) {
        match self {
            Self::Kill(_) => ("kill", "keep"),
            Self::Deny(..) => ("refuse", "let it wait"),
            Self::CopyUrl(_) => ("copy", "leave it"),
            Self::OpenUrl(_) => ("open", "leave it"),
            Self::ScanUrl { .. } => ("show", "leave it"),
            Self::Run(_) => ("do it", "leave it"),
            Self::StopSupervisor => ("stop", "keep"),
        }
    }

    /// Tells whether it ends something by the key that asked for it.
    fn ends(&self) -> bool {
        match self {
            Self::Kill(_) | Self::Deny(..) => true,
            Self::CopyUrl(_)
            | Self::OpenUrl(_)
            | Self::ScanUrl { .. }
            | Self::Run(_)
            | Self::StopSupervisor => false,
        }
    }
}

/// The dialog for a paste.
#[derive(Debug)]
pub struct Paste {
    /// For which session.
    pub session: SessionId,
    /// What is in it so far.
    pub field: Field,
    /// Why the last one was refused.
    pub refusal: Option<String>,
    /// The refusal asks: Enter hands it in all the same.
    pub asks: bool,
    /// It was handed in, and the answer is awaited.
    pub sent: bool,
}

/// The dialog for any command. It stays until the command is known to have been started.
#[derive(Debug, Default)]
pub struct CommandLine {
    /// The line.
    pub field: Field,
    /// Why the last one could not be started.
    pub refusal: Option<String>,
    /// It was handed in, and the answer is awaited.
    pub sent: bool,
}

/// The dialog that answers a challenge.
#[derive(Debug)]
pub struct Answer {
    /// Which challenge.
    pub challenge: ChallengeId,
    /// Which arming of it.
    pub epoch: u64,
    /// The user name, where one is asked for.
    pub user: Option<Field>,
    /// The secret or the text, where one is asked for.
    pub secret: Option<Field>,
    /// Whether `secret` is typed into (else `user`).
    pub at_secret: bool,
    /// Whether `secret` is masked.
    pub masked: bool,
    /// For yes or no: whether yes is selected.
    pub yes: bool,
}

impl Dialog {
    /// Returns the contexts in which its keys are looked up, the most particular one first.
    pub fn contexts(&self) -> Vec<Context> {
        match self {
            Self::Confirm(confirm) if confirm.then.ends() => {
                vec![Context::Ending, Context::Confirm, Context::Reader]
            }
            Self::Confirm(_) => vec![Context::Confirm, Context::Reader],
            Self::Answer(answer) if answer.is_question() => vec![Context::Confirm, Context::Prompt],
            Self::Help(_)
            | Self::Bundles(_)
            | Self::Text { .. }
            | Self::Scan { .. }
            | Self::Palette(_)
            | Self::Picker(_)
            | Self::Paste(_)
            | Self::Command(_)
            | Self::Answer(_)
            | Self::Search(_) => vec![self.context()],
        }
    }

    fn context(&self) -> Context {
        match self {
            Self::Help(_) | Self::Bundles(_) | Self::Text { .. } | Self::Scan { .. } | Self::Confirm(_) => {
                Context::Reader
            }
            Self::Palette(_) => Context::Palette,
            Self::Picker(_) => Context::Picker,
            Self::Paste(_) | Self::Command(_) | Self::Answer(_) | Self::Search(_) => Context::Prompt,
        }
    }

    /// Returns the field that is typed into.
    pub fn field(&mut self) -> Option<&mut Field> {
        match self {
            Self::Help(_) | Self::Bundles(_) | Self::Text { .. } | Self::Scan { .. } | Self::Confirm(_) => {
                None
            }
            Self::Palette(chooser) => Some(&mut chooser.field),
            Self::Picker(chooser) => Some(&mut chooser.field),
            Self::Paste(paste) if paste.sent => None,
            Self::Paste(paste) => Some(&mut paste.field),
            Self::Command(line) if line.sent => None,
            Self::Command(line) => Some(&mut line.field),
            Self::Search(field) => Some(field),
            Self::Answer(answer) => answer.field(),
        }
    }
}

impl Answer {
    fn field(&mut self) -> Option<&mut Field> {
        if self.at_secret { self.secret.as_mut() } else { self.user.as_mut() }
    }

    /// Tells whether it is a plain yes or no.
    pub fn is_question(&self) -> bool {
        self.user.is_none() && self.secret.is_none()
    }
}
