//! What a URL's host means for a provider, and what speaks against a URL.

use url::{Host, Url};

use crate::core::finding::Verdict;
use crate::core::provider::Provider;
use crate::core::view::UrlView;

/// A verdict with its reason.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Judged {
    /// The host in ASCII form, lower case; none if the URL has none.
    pub host: Option<String>,
    /// The verdict.
    pub verdict: Verdict,
    /// The reason in a few words for a person, such as `expected for claude`.
    pub reason: String,
}

/// Makes what is shown of a URL, whatever found it.
pub fn view(url: String, provider: Option<&Provider>) -> UrlView {
    let Judged { host, verdict, reason } = judge(&url, provider, false);
    UrlView { url, host: host.unwrap_or_default(), verdict, reason, disputed: false }
}

/// Judges a URL. `disguised` tells that the text on the screen shows another host than the link opens.
pub fn judge(url: &str, provider: Option<&Provider>, disguised: bool) -> Judged {
    let suspicious = |host: Option<String>, reason: &str| Judged {
        host,
        verdict: Verdict::Suspicious,
        reason: reason.to_owned(),
    };
    let Ok(parsed) = Url::parse(url) else { return suspicious(None, "it is not a valid URL") };
    let host = parsed.host_str().map(str::to_ascii_lowercase);
    if let Some(reason) = what_speaks_against(url, &parsed, disguised) {
        return suspicious(host, &reason);
    }
    let name = host.clone().unwrap_or_default();
    match provider {
        Some(provider) if provider.expects_host(&name) => {
            Judged { host, verdict: Verdict::Expected, reason: format!("expected for {}", provider.id) }
        }
        Some(provider) if is_loopback(&parsed) => Judged {
            host,
            verdict: Verdict::Unknown,
            reason: format!("a page that {} itself serves on this machine", provider.id),
        },
        Some(provider) => Judged {
            host,
            verdict: Verdict::Unknown,
            reason: format!("not a host that is known for {}", provider.id),
        },
        None => Judged {
            host,
            verdict: Verdict::Unknown,
            reason: "the command is not in the catalogue, so no host is expected".to_owned(),
        },
    }
}

fn what_speaks_against(text: &str, url: &Url, disguised: bool) -> Option<String> {
    if disguised {
        return Some("the link opens another host than it shows".into());
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Some("there is a user name before the host, which hides where it leads".into());
    }
    let host = url.host_str().unwrap_or_default();
    if host.split('.').any(|label| label.starts_with("xn--")) {
        return Some(format!("its host is written in letters that can look like others ({host})"));
    }
    if text.contains('\\') {
        return Some("there is a backslash in it, which hides where it leads".into());
    }
    if url.scheme() != "https" && !is_loopback(url) {
        return Some("it is not https".into());
    }
    if let Some(Host::Ipv4(_) | Host::Ipv6(_)) = url.host()
        && !is_loopback(url)
    {
        return Some("its host is a number, not a name".into());
    }
    None
}

/// Whether the host is this machine.
pub(super) fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        Some(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        None => false,
    }
}
