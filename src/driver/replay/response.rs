//! As much of an HTTP/1.1 response (RFC 9112) as is needed to tell a person what a listener answered.

use std::borrow::Cow;

use crate::driver::plain_text;

/// How many characters of an answer are shown.
const SHOWN: usize = 160;

/// It is no HTTP.
#[derive(Debug, PartialEq, Eq)]
pub struct ResponseError;

/// A response, or as much of it as came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Response {
    /// The status code.
    pub status: u16,
    location: Option<String>,
    body: Vec<u8>,
}

impl Response {
    /// Reads a response. Absent while more bytes are needed; with `complete`, what is there has to do.
    ///
    /// # Errors
    /// It is no HTTP, or its head does not end within what is there.
    pub fn parse(received: &[u8], complete: bool) -> Result<Option<Self>, ResponseError> {
        let looks_right = received.iter().zip(b"HTTP/1.").all(|(got, wanted)| got == wanted);
        if !looks_right {
            return Err(ResponseError);
        }
        let Some(head_end) = memchr::memmem::find(received, b"\r\n\r\n") else {
            return if complete { Err(ResponseError) } else { Ok(None) };
        };
        let head = String::from_utf8_lossy(&received[..head_end]);
        let body = &received[head_end + 4..];
        let status = status_of(&head)?;
        if (100..200).contains(&status) {
            return Self::parse(body, complete);
        }
        let body = if field(&head, "transfer-encoding").is_some_and(|coding| coding.contains("chunked")) {
            unchunk(body, complete)
        } else {
            let length = field(&head, "content-length").and_then(|length| length.parse::<usize>().ok());
            let without_body = status == 204 || status == 304;
            match if without_body { Some(0) } else { length } {
                Some(length) if body.len() >= length => Some(body[..length].to_vec()),
                _ => complete.then(|| body.to_vec()),
            }
        };
        let location = field(&head, "location").map(str::to_owned);
        Ok(body.map(|body| Self { status, location, body }))
    }

    /// Returns where the response redirects to, if it does.
    pub fn redirect(&self) -> Option<&str> {
        self.location.as_deref().filter(|_| matches!(self.status, 301 | 302 | 303 | 307 | 308))
    }

    /// Returns the page's text in one line.
    pub fn line(&self) -> String {
        one_line(&String::from_utf8_lossy(&self.body))
    }
}

fn status_of(head: &str) -> Result<u16, ResponseError> {
    let code = head.split_ascii_whitespace().nth(1).ok_or(ResponseError)?;
    code.parse().ok().filter(|code| (100..600).contains(code)).ok_or(ResponseError)
}

/// Returns a header field's value; names have no case (RFC 9110 section 5.1).
fn field<'a>(head: &'a str, name: &str) -> Option<&'a str> {
    head.lines().skip(1).find_map(|line| {
        let (key, value) = line.split_once(':')?;
        key.eq_ignore_ascii_case(name).then(|| value.trim())
    })
}

/// Decodes the chunked coding (RFC 9112 section 7.1); absent while the last chunk is missing.
fn unchunk(mut rest: &[u8], complete: bool) -> Option<Vec<u8>> {
    let mut body = Vec::new();
    loop {
        let Some(line_end) = memchr::memmem::find(rest, b"\r\n") else {
            return complete.then_some(body);
        };
        let size = std::str::from_utf8(&rest[..line_end]).ok()?;
        let size = usize::from_str_radix(size.split(';').next()?.trim(), 16).ok();
        let Some(size) = size.filter(|size| *size > 0) else {
            return Some(body);
        };
        let data = &rest[line_end + 2..];
        if data.len() < size + 2 {
            body.extend_from_slice(&data[..data.len().min(size)]);
            return complete.then_some(body);
        }
        body.extend_from_slice(&data[..size]);
        rest = &data[size + 2..];
    }
}

/// Turns a page into one line of plain text: what stands outside of tags, scripts, styles and the head.
fn one_line(page: &str) -> String {
    let mut text = String::new();
    let mut rest = page;
    while let Some(open) = rest.find('<') {
        text.push_str(&rest[..open]);
        text.push(' ');
        rest = skip_element(&rest[open..]);
    }
    text.push_str(rest);
    let text = decode_entities(&text);
    plain_text::one_line(&text, SHOWN)
}

/// Skips a tag, and with it the content of elements whose text is not for people.
fn skip_element(from: &str) -> &str {
    let after_tag = from.find('>').map_or("", |end| &from[end + 1..]);
    for silent in ["script", "style", "title", "head"] {
        let named = from.get(1..=silent.len()).is_some_and(|name| name.eq_ignore_ascii_case(silent));
        let ends = from.as_bytes().get(silent.len() + 1).is_some_and(|byte| !byte.is_ascii_alphanumeric());
        if named && ends {
            let lower = after_tag.to_ascii_lowercase();
            let close = lower.find(&format!("</{silent}"));
            return close.map_or("", |close| &after_tag[close..]);
        }
    }
    after_tag
}

fn decode_entities(text: &str) -> Cow<'_, str> {
    if !text.contains('&') {
        return Cow::Borrowed(text);
    }
    let named =
        [("&nbsp;", " "), ("&lt;", "<"), ("&gt;", ">"), ("&quot;", "\""), ("&#39;", "'"), ("&amp;", "&")];
    Cow::Owned(named.iter().fold(text.to_owned(), |text, (name, sign)| text.replace(name, sign)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn whole(text: &str) -> Response {
        Response::parse(text.as_bytes(), true).unwrap().unwrap()
    }

    #[test]
    fn it_waits_for_the_whole_body() {
        let text = b"HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nabcd";
        for end in 0..text.len() {
            assert_eq!(Response::parse(&text[..end], false), Ok(None), "after {end} bytes");
        }
        assert_eq!(Response::parse(text, false).unwrap().unwrap().line(), "abcd");
    }

    #[test]
    fn chunks_are_joined() {
        let text =
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3;x=y\r\nabc\r\n2\r\nde\r\n0\r\n\r\n";
        assert_eq!(whole(text).line(), "abcde");
        assert_eq!(Response::parse(&text.as_bytes()[..text.len() - 5], false), Ok(None));
    }

    #[test]
    fn interim_answers_are_skipped() {
        assert_eq!(whole("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 204 No Content\r\n\r\n").status, 204);
    }

    #[test]
    fn scripts_styles_and_the_head_are_not_for_people() {
        let page = "HTTP/1.1 200 OK\r\n\r\n<head><title>T</title></head><STYLE>p{}</STYLE><header>Signed in</header>\
                    <script>if (a < b) {}</script>&amp; done\u{202e}";
        assert_eq!(whole(page).line(), "Signed in & done<U+202E>");
    }

    #[test]
    fn a_long_answer_is_cut() {
        let line = whole(&format!("HTTP/1.1 200 OK\r\n\r\n{}", "ä".repeat(5000))).line();
        assert_eq!(line.chars().count(), SHOWN + 1);
    }

    #[test]
    fn other_protocols_are_refused_at_the_first_wrong_byte() {
        assert_eq!(Response::parse(b"SSH", false), Err(ResponseError));
        assert_eq!(Response::parse(b"HTTP/1.1 999999 x\r\n\r\n", false), Err(ResponseError));
    }
}
