//! What a login is: what is known of its CLI, what it is to be, how its child ended.

use serde::{Deserialize, Serialize};

use super::ids::{BundleId, ProviderId, SessionId};
use super::provider::Answer;

/// What the engine must know of a provider (or of any other command) to judge its login. From the catalogue.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct LoginFacts {
    /// The catalogue's entry; absent for any other command.
    pub provider_id: Option<ProviderId>,
    /// Its name for people.
    pub title: String,
    /// The ways in which it takes an answer; empty if that is not known, and then any fitting paste is taken.
    pub answers: Vec<Answer>,
    /// Where a device code is typed in, if the CLI does not say so (behaviour S5).
    pub verification_url: Option<String>,
    /// Whether there is a command that tells whether somebody is logged in.
    pub auth_check: bool,
    /// Whether exit status 0 alone means success where there is no check. True for commands outside the catalogue;
    /// without it, a success line must have been seen as well, because some CLIs end a denied login with 0
    /// (opencode 1.18).
    pub exit_decides: bool,
    /// Whether the CLI goes on running after a login that succeeded. Then its success line starts the check, and
    /// the CLI is ended when that passed.
    pub stays_open: bool,
    /// What a person types into it, or does, to begin again; ends the advice after a failure.
    pub retry_hint: Option<String>,
    /// The configuration folder the login is made in, if it is not the CLI's default.
    pub configuration_folder: Option<String>,
}

/// What a session is to be. No secret in it: the runtime may keep it in the session's folder, so that a session whose
/// saved state cannot be read is adopted all the same.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct LoginPlan {
    /// A fresh id (behaviour S1).
    pub session_id: SessionId,
    /// A fresh bundle id, used if the login succeeds and `into_bundle` is absent. Drawn now, so that storing the
    /// bundle twice after a crash makes one bundle.
    pub bundle_id: BundleId,
    /// A bundle that a success updates (behaviour S12). The runtime has made sure that it exists.
    #[serde(default)]
    pub into_bundle: Option<BundleId>,
    /// What is known of the provider.
    pub facts: LoginFacts,
    /// The command line as it may be shown to people: no secret in it.
    pub command: Vec<String>,
    /// The person's name for it.
    #[serde(default)]
    pub name: Option<String>,
    /// The time limit in seconds, if it is not the setting's.
    #[serde(default)]
    pub limit_seconds: Option<u64>,
}

/// How a child ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Exit {
    /// Its exit status; absent if a signal ended it.
    pub code: Option<i32>,
    /// The signal's number that ended it.
    pub signal: Option<i32>,
}
