//! A URL taken apart strictly.
//!
//! The `url` crate follows the browsers: it drops tabs and newlines, takes backslashes for slashes and repairs what
//! it can. A check must not repair: whatever is not plainly a URL is none here.

use std::borrow::Cow;

/// A parameter of a query, decoded.
pub(super) type Parameter<'a> = (Cow<'a, str>, Cow<'a, str>);

/// A URL's parts, as they stand in the text.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(in crate::core) struct Address<'a> {
    pub(super) secure: bool,
    pub(super) has_userinfo: bool,
    /// As it stands there; an IPv6 address with its brackets.
    pub(super) host: &'a str,
    /// The port, written or implied.
    pub(super) port: u16,
    /// Host and port as written.
    pub(super) authority: &'a str,
    /// Never empty: `/` at the least.
    pub(super) path: &'a str,
    pub(super) query: &'a str,
    pub(super) fragment: &'a str,
}

/// Why a text is no URL that can be judged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::core) enum Malformed {
    /// It has another scheme than `http` or `https`.
    Scheme,
    /// It is not a URL.
    Form,
    /// A percent sign is not followed by two hexadecimal digits, or what it encodes is not text.
    Encoding,
}

impl<'a> Address<'a> {
    pub(in crate::core) fn parse(text: &'a str) -> Result<Self, Malformed> {
        let (scheme, rest) = text.split_once("://").ok_or(Malformed::Form)?;
        let secure = match scheme.to_ascii_lowercase().as_str() {
            "http" => false,
            "https" => true,
            _ => return Err(Malformed::Scheme),
        };
        if rest.bytes().any(|byte| byte == b'\\' || !byte.is_ascii_graphic()) {
            return Err(Malformed::Form);
        }
        let (before, fragment) = rest.split_once('#').unwrap_or((rest, ""));
        let (before, query) = before.split_once('?').unwrap_or((before, ""));
        let slash = before.find('/').unwrap_or(before.len());
        let (whole_authority, path) = before.split_at(slash);
        let (has_userinfo, authority) = match whole_authority.rsplit_once('@') {
            Some((_, authority)) => (true, authority),
            None => (false, whole_authority),
        };
        let (host, port) = split_port(authority, if secure { 443 } else { 80 })?;
        let path = if path.is_empty() { "/" } else { path };
        Ok(Self { secure, has_userinfo, host, port, authority, path, query, fragment })
    }

    /// Tells whether the host is one of the three names of this machine that a redirect may use (RFC 8252 section
    /// 7.3, and `localhost`, which CLIs use all the same).
    pub(super) fn is_loopback(&self) -> bool {
        self.host.eq_ignore_ascii_case("localhost") || matches!(self.host, "127.0.0.1" | "[::1]")
    }

    /// Tells whether two addresses are the same page of the same server.
    pub(super) fn same_page(&self, other: &Self) -> bool {
        self.host.eq_ignore_ascii_case(other.host) && self.port == other.port && self.path == other.path
    }

    /// Takes the query apart and decodes it.
    pub(super) fn parameters(&self) -> Result<Vec<Parameter<'a>>, Malformed> {
        self.query
            .split('&')
            .filter(|pair| !pair.is_empty())
            .map(|pair| {
                let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
                Ok((decode(name)?, decode(value)?))
            })
            .collect()
    }
}

fn split_port(authority: &str, default: u16) -> Result<(&str, u16), Malformed> {
    let after_bracket = authority.rfind(']').map_or(0, |at| at + 1);
    let (host, port) = match authority[after_bracket..].rfind(':') {
        Some(colon) => {
            let digits = &authority[after_bracket + colon + 1..];
            let plain = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
            let port = digits.parse::<u16>().ok().filter(|port| plain && *port != 0);
            (&authority[..after_bracket + colon], port.ok_or(Malformed::Form)?)
        }
        None => (authority, default),
    };
    let bracketed = host.starts_with('[') && host.ends_with(']');
    if host.is_empty() || (!bracketed && host.contains([':', '[', ']'])) {
        return Err(Malformed::Form);
    }
    Ok((host, port))
}

/// Decodes `%XX` and `+` (the form in which a query carries a space). What comes out has no control character.
pub(super) fn decode(text: &str) -> Result<Cow<'_, str>, Malformed> {
    if !text.contains(['%', '+']) {
        return Ok(Cow::Borrowed(text));
    }
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&first, after)) = rest.split_first() {
        rest = after;
        match first {
            b'+' => bytes.push(b' '),
            b'%' => {
                let (digits, after) = rest.split_at_checked(2).ok_or(Malformed::Encoding)?;
                bytes.push(hexadecimal(digits[0])? << 4 | hexadecimal(digits[1])?);
                rest = after;
            }
            plain => bytes.push(plain),
        }
    }
    let decoded = String::from_utf8(bytes).map_err(|_| Malformed::Encoding)?;
    if decoded.chars().any(char::is_control) {
        return Err(Malformed::Encoding);
    }
    Ok(Cow::Owned(decoded))
}

fn hexadecimal(digit: u8) -> Result<u8, Malformed> {
    char::from(digit).to_digit(16).and_then(|value| u8::try_from(value).ok()).ok_or(Malformed::Encoding)
}

/// Reads the `state` of an authorize URL, decoded; absent if there is none, or more than one.
pub(in crate::core) fn state_of(url: &str) -> Option<String> {
    single(&Address::parse(url).ok()?.parameters().ok()?, "state")
}

/// Reads where an authorize URL sends the browser, decoded.
pub(in crate::core) fn redirect_of(url: &str) -> Option<String> {
    single(&Address::parse(url).ok()?.parameters().ok()?, "redirect_uri")
}

/// Reads a URL's host as it stands there, without its port.
pub(in crate::core) fn host_of(url: &str) -> Option<String> {
    Address::parse(url).ok().map(|address| address.host.to_ascii_lowercase())
}

/// Tells whether two URLs differ in their query at most.
pub(in crate::core) fn same_page(left: &str, right: &str) -> bool {
    match (Address::parse(left), Address::parse(right)) {
        (Ok(left), Ok(right)) => left.same_page(&right),
        (Ok(_) | Err(_), _) => false,
    }
}

/// Tells whether a login ends on a port of this machine.
pub(in crate::core) fn redirects_to_loopback(url: &str) -> bool {
    let loopback = |url: &str| Address::parse(url).is_ok_and(|address| address.is_loopback());
    loopback(url) || redirect_of(url).is_some_and(|redirect| loopback(&redirect))
}

/// Reads a parameter that stands there exactly once and is not empty.
pub(super) fn single(parameters: &[Parameter<'_>], name: &str) -> Option<String> {
    let mut values = parameters.iter().filter(|(found, _)| found == name).map(|(_, value)| value);
    let value = values.next().filter(|value| !value.is_empty())?;
    values.next().is_none().then(|| value.clone().into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_as_written() {
        let address = Address::parse("http://[::1]:8080/a/b?code=1&state=2#f").ok().unwrap();
        assert_eq!((address.host, address.port, address.path), ("[::1]", 8080, "/a/b"));
        assert_eq!(
            (address.query, address.fragment, address.authority),
            ("code=1&state=2", "f", "[::1]:8080")
        );
        assert!(address.is_loopback());
        let address = Address::parse("https://example.com").ok().unwrap();
        assert_eq!((address.port, address.path, address.secure), (443, "/", true));
    }

    #[test]
    fn what_a_browser_would_repair_is_malformed() {
        for text in [
            "http:/localhost/",
            "http:\\\\localhost",
            "http://local\thost/",
            "http://localhost:/",
            "http://:80/",
            "http://localhost:99999/",
            "http://localhost:0/",
            "http://::1/",
            "http://localhost:+80/",
            "localhost:80",
            "http://localhost:8 0/",
        ] {
            assert!(Address::parse(text).is_err(), "{text}");
        }
        assert_eq!(Address::parse("file:///etc/passwd").err(), Some(Malformed::Scheme));
    }

    #[test]
    fn decoding_is_strict() {
        assert_eq!(decode("a%2Bb+c").ok().as_deref(), Some("a+b c"));
        for text in ["%", "%4", "%zz", "%+1", "%ff", "%0a", "%00"] {
            assert!(decode(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_state_counts_only_if_it_stands_there_once() {
        assert_eq!(state_of("https://example.com/a?state=x%2Fy").as_deref(), Some("x/y"));
        assert_eq!(state_of("https://example.com/a?state=x&%73tate=y"), None);
        assert_eq!(state_of("https://example.com/a?state="), None);
    }
}
