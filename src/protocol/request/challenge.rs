//! What is asked about challenges, and how it is answered.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize};

use crate::core::ids::ChallengeId;
use crate::core::secret::Secret;
use crate::protocol::event::ChallengeOutcome;
use crate::protocol::frame::{Payload, room_for};
use crate::protocol::request::{Addressed, Addressee};
use crate::protocol::snapshot::{ChallengeKind, Requester};

/// Names a challenge.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ChallengeRef {
    /// Which one.
    pub challenge_id: ChallengeId,
    /// Which arming; absent: whichever is parked now.
    #[serde(default)]
    pub epoch: Option<u64>,
    /// The owner that it was parked for; absent: whoever this connection parked it for. Not needed to refuse it.
    #[serde(default)]
    pub owner: Option<String>,
}

impl Addressed for ChallengeRef {
    fn addressee(&self) -> Addressee<'_> {
        Addressee::Challenge(&self.challenge_id)
    }

    fn readdress(&mut self, rename: &dyn Fn(&str) -> String) {
        self.challenge_id = ChallengeId::new(rename(self.challenge_id.as_str()));
    }
}

/// Names an owner.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct OwnerRef {
    /// The owner's name, as given when parking.
    pub owner: String,
}

impl Addressed for OwnerRef {}

/// A challenge to park.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ParkChallenge {
    /// The request id; parking again under it supersedes (behaviour C4).
    pub challenge_id: ChallengeId,
    /// The owner; absent: the session of the connection, or the connection itself.
    #[serde(default)]
    pub owner: Option<String>,
    /// What is asked; `http-basic` and `http-digest` are the schemes of HTTP.
    pub kind: ChallengeKind,
    /// The short name: `ssh`, `git`, `sudo`; absent: what HTTP says of itself.
    #[serde(default)]
    pub title: String,
    /// The prompt, in the requester's words; absent: what HTTP says of itself.
    #[serde(default)]
    pub message: String,
    /// The origin, for HTTP: scheme, host and port.
    #[serde(default)]
    pub origin: Option<String>,
    /// The realm, for HTTP.
    #[serde(default)]
    pub realm: Option<String>,
    /// For HTTP: a proxy asks (407), and not the server itself (401).
    #[serde(default)]
    pub proxy: bool,
    /// Who asks, where the supervisor cannot see it itself.
    #[serde(default)]
    pub requester: Option<Requester>,
    /// Seconds until it is cancelled by itself; bounded by the setting (300 by default).
    #[serde(default)]
    pub limit_seconds: Option<u64>,
}

impl Addressed for ParkChallenge {
    fn addressee(&self) -> Addressee<'_> {
        Addressee::Challenge(&self.challenge_id)
    }

    fn readdress(&mut self, rename: &dyn Fn(&str) -> String) {
        self.challenge_id = ChallengeId::new(rename(self.challenge_id.as_str()));
    }
}

/// The answer to `challenge.park`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Parked {
    /// The id it is parked under.
    pub challenge_id: ChallengeId,
    /// The arming epoch.
    pub epoch: u64,
}

/// An answer for a challenge.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct AnswerChallenge {
    /// Which one.
    pub challenge_id: ChallengeId,
    /// Which arming; absent: whichever is parked now.
    #[serde(default)]
    pub epoch: Option<u64>,
    /// The user name, for HTTP.
    #[serde(default)]
    pub user: Option<String>,
    /// The secret or the text; absent for a plain yes.
    #[serde(default)]
    pub secret: Option<Secret>,
}

impl Addressed for AnswerChallenge {
    fn addressee(&self) -> Addressee<'_> {
        Addressee::Challenge(&self.challenge_id)
    }

    fn readdress(&mut self, rename: &dyn Fn(&str) -> String) {
        self.challenge_id = ChallengeId::new(rename(self.challenge_id.as_str()));
    }
}

impl Payload for AnswerChallenge {
    fn room(&self) -> usize {
        self.secret.as_ref().map_or(0, room_for)
    }

    fn form(&self) -> impl Serialize + '_ {
        #[derive(Serialize)]
        #[serde(rename_all = "camelCase")]
        struct Form<'a> {
            challenge_id: &'a ChallengeId,
            #[serde(skip_serializing_if = "Option::is_none")]
            epoch: Option<u64>,
            #[serde(skip_serializing_if = "Option::is_none")]
            user: Option<&'a str>,
            #[serde(skip_serializing_if = "Option::is_none")]
            secret: Option<&'a str>,
        }
        Form {
            challenge_id: &self.challenge_id,
            epoch: self.epoch,
            user: self.user.as_deref(),
            secret: self.secret.as_ref().map(Secret::secret),
        }
    }
}

/// What `challenge.wait` answers, to the owner's connection only. On the wire the outcome is a field beside the others.
#[derive(Clone, Debug)]
pub enum ChallengeAnswer {
    /// Somebody answered.
    Answered {
        /// The user name, for HTTP.
        user: Option<String>,
        /// The secret or text; empty for a plain yes.
        secret: Secret,
    },
    /// It ended otherwise.
    Ended(ChallengeOutcome),
}

impl Payload for ChallengeAnswer {
    fn room(&self) -> usize {
        match self {
            Self::Answered { user: _, secret } => room_for(secret),
            Self::Ended(_) => 0,
        }
    }

    fn form(&self) -> impl Serialize + '_ {
        #[derive(Serialize)]
        struct Form<'a> {
            outcome: ChallengeOutcome,
            #[serde(skip_serializing_if = "Option::is_none")]
            user: Option<&'a str>,
            #[serde(skip_serializing_if = "Option::is_none")]
            secret: Option<&'a str>,
        }
        match self {
            Self::Answered { user, secret } => Form {
                outcome: ChallengeOutcome::Answered,
                user: user.as_deref(),
                secret: Some(secret.secret()),
            },
            Self::Ended(outcome) => Form { outcome: *outcome, user: None, secret: None },
        }
    }
}

impl<'de> Deserialize<'de> for ChallengeAnswer {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        struct Form {
            outcome: ChallengeOutcome,
            #[serde(default)]
            user: Option<String>,
            #[serde(default)]
            secret: Option<Secret>,
        }
        let form = Form::deserialize(deserializer)?;
        Ok(match form.outcome {
            ChallengeOutcome::Answered => {
                Self::Answered { user: form.user, secret: form.secret.unwrap_or_default() }
            }
            ended @ (ChallengeOutcome::Denied
            | ChallengeOutcome::Expired
            | ChallengeOutcome::Cancelled
            | ChallengeOutcome::Superseded) => Self::Ended(ended),
        })
    }
}

impl JsonSchema for ChallengeAnswer {
    fn schema_name() -> Cow<'static, str> {
        "ChallengeAnswer".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "object",
            "required": ["outcome"],
            "properties": {
                "outcome": generator.subschema_for::<ChallengeOutcome>(),
                "user": {"type": "string", "description": "The user name, for HTTP."},
                "secret": {"type": "string", "description": "There if it was answered; empty for a plain yes."},
            },
        })
    }
}
