//! The status that findings alone lead to (behaviour S4 and S5), for recordings, which have no supervisor.

use crate::core::finding::FindingKind;
use crate::core::input::Found;
use crate::core::provider::Provider;
use crate::core::status::Status;

/// Returns where a session stands after these findings.
///
/// It is never `success` or `failed`: a line changes no status (behaviour S6), and nobody ran the auth check.
pub fn status(found: &[Found], provider: Option<&Provider>) -> Status {
    let mut auth_url: Option<String> = None;
    let mut code: Option<(String, Option<String>)> = None;
    let mut verification: Option<String> = None;
    for found in found {
        let text = &found.finding.text;
        match found.finding.kind {
            FindingKind::AuthorizeUrl if auth_url.is_none() || found.new_attempt => {
                auth_url = Some(text.clone());
            }
            FindingKind::VerificationUrl if verification.is_none() || found.new_attempt => {
                verification = Some(text.clone());
            }
            FindingKind::DeviceCode if code.is_none() || found.new_attempt => {
                code = Some((text.clone(), found.verification_url.as_ref().map(|url| url.url.clone())));
            }
            FindingKind::AuthorizeUrl
            | FindingKind::VerificationUrl
            | FindingKind::DeviceCode
            | FindingKind::Carry
            | FindingKind::Prompt
            | FindingKind::Success
            | FindingKind::Failure
            | FindingKind::Secret => {}
        }
    }
    let default = || provider.and_then(|provider| provider.verification_url.clone());
    if let Some((device_code, own)) = code {
        let verification_url = own.or(verification).or_else(default).unwrap_or_default();
        return Status::CodeEmitted { device_code, verification_url };
    }
    match auth_url.or(verification) {
        Some(auth_url) => Status::UrlAvailable { auth_url },
        None => Status::Pending,
    }
}
