//! A session's status as every client sees it (behaviour S2). Wire names are kept exactly.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::ids::BundleId;

/// Where a login stands.
///
/// `Success` and `Failed` are terminal (behaviour S7).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "status", rename_all = "kebab-case", rename_all_fields = "camelCase")]
pub enum Status {
    /// The child runs; nothing that a person could act on was seen yet.
    Pending,
    /// An authorization URL is there to be opened.
    UrlAvailable {
        /// The URL, exactly as the provider's CLI gave it.
        auth_url: String,
    },
    /// A device code is there to be typed in.
    CodeEmitted {
        /// The code, exactly as shown.
        device_code: String,
        /// Where it is to be typed in.
        verification_url: String,
    },
    /// The login is finished, checked and stored.
    Success {
        /// The bundle that records who is logged in where.
        bundle_id: BundleId,
        /// Who is logged in, if the provider said so.
        email: Option<String>,
    },
    /// The login ended without success.
    Failed {
        /// Why, in a sentence for a person.
        error: String,
    },
}

impl Status {
    /// Tells whether nothing can change the status any more.
    pub fn is_terminal(&self) -> bool {
        match self {
            Self::Success { .. } | Self::Failed { .. } => true,
            Self::Pending | Self::UrlAvailable { .. } | Self::CodeEmitted { .. } => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wire(status: &Status) -> String {
        serde_json::to_string(status).expect("a status has only text in it")
    }

    #[test]
    fn the_wire_form_is_the_documented_one() {
        assert_eq!(
            wire(&Status::UrlAvailable { auth_url: "https://example.com/oauth".into() }),
            r#"{"status":"url-available","authUrl":"https://example.com/oauth"}"#
        );
        assert_eq!(
            wire(&Status::CodeEmitted {
                device_code: "ABCD-1234".into(),
                verification_url: "https://github.com/login/device".into(),
            }),
            r#"{"status":"code-emitted","deviceCode":"ABCD-1234","verificationUrl":"https://github.com/login/device"}"#
        );
        assert_eq!(
            wire(&Status::Success {
                bundle_id: BundleId::new("bundle-1"),
                email: Some("a@example.com".into()),
            }),
            r#"{"status":"success","bundleId":"bundle-1","email":"a@example.com"}"#
        );
        assert_eq!(wire(&Status::Pending), r#"{"status":"pending"}"#);
        assert_eq!(
            wire(&Status::Failed { error: "cancelled by user".into() }),
            r#"{"status":"failed","error":"cancelled by user"}"#
        );
    }
}
