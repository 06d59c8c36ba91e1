//! What the detector finds in a child's output, in the words that `authdeck detect` prints.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The kinds of finding.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FindingKind {
    /// A URL to open; what the browser ends on finishes the login.
    AuthorizeUrl,
    /// A URL at which a device code is typed in (or which carries it).
    VerificationUrl,
    /// A code to be typed in at the verification URL, or to be compared by eye there.
    DeviceCode,
    /// No web page, but to be carried elsewhere by the person: a link for another program, a command for a chat, a port
    /// forwarding for the laptop. It is shown and copied, never opened.
    Carry,
    /// The child waits for a person to type something.
    Prompt,
    /// A line that claims the login succeeded. It changes no status (behaviour S6).
    Success,
    /// A line that claims the login failed. It changes no status either.
    Failure,
    /// A token or password printed on the screen; it is masked everywhere.
    Secret,
}

/// What a URL's host means for this provider.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// The catalogue lists this host for this provider.
    Expected,
    /// The catalogue does not list it, and nothing speaks against it.
    Unknown,
    /// Something speaks against it: user info, mixed script, no https, link text and target disagree.
    Suspicious,
}

/// What a prompt takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Expects {
    /// The code that the browser shows, or `code#state`.
    Code,
    /// The whole URL that the browser ended on.
    CallbackUrl,
    /// The Enter key.
    Enter,
    /// A token or password, not echoed.
    Secret,
    /// A choice: yes or no, or an entry of a menu.
    Choice,
}

/// Where a finding comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Source {
    /// The text on the child's screen.
    Screen,
    /// The target of an OSC 8 hyperlink.
    Osc8,
    /// What the child handed to a browser opener: exact, and outranks the screen.
    Browser,
}

/// One thing found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// What it is.
    pub kind: FindingKind,
    /// The URL or code byte for byte; for the other kinds the line it stands on (a secret is masked in it).
    pub text: String,
    /// The URL's host in its ASCII form, for URLs only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub host: Option<String>,
    /// The verdict on that host, for URLs only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub verdict: Option<Verdict>,
    /// What is awaited, for prompts only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expects: Option<Expects>,
    /// Who is logged in, for success lines that say it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub identity: Option<String>,
    /// Where it was found.
    pub source: Source,
}
