//! Names of sessions, bundles, challenges and clients.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

macro_rules! text_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
        #[serde(transparent)]
        pub struct $name(String);

        impl $name {
            /// Takes the id as text, as it stands on the wire or in a file.
            pub fn new(text: impl Into<String>) -> Self {
                Self(text.into())
            }

            /// Returns the id as text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str(&self.0)
            }
        }
    };
}

text_id! {
    /// One attempt of one person to log in to one provider: `auth-` and a random UUID v4 (behaviour S1).
    SessionId
}
text_id! {
    /// One stored login: who is logged in where, in which configuration folder. `bundle-` and a random UUID v4.
    BundleId
}
text_id! {
    /// The request id under which a challenge is parked; chosen by whoever parks it (behaviour C1).
    ChallengeId
}
text_id! {
    /// A provider's name in the catalogue, such as `claude` or `gh`.
    ProviderId
}

impl SessionId {
    /// Makes a session's id from randomness that the caller drew.
    pub fn from_uuid(uuid: Uuid) -> Self {
        Self(format!("auth-{uuid}"))
    }
}

impl BundleId {
    /// Makes a bundle's id from randomness that the caller drew.
    pub fn from_uuid(uuid: Uuid) -> Self {
        Self(format!("bundle-{uuid}"))
    }
}

/// One connection to the supervisor, numbered from 1 in the order of arrival; never reused within one supervisor.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ClientId(pub u64);
