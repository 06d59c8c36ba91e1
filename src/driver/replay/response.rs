//! As much of an HTTP/1.1 response (RFC 9112) as is needed to tell a person what a listener answered.

use std::borrow::Cow;

use crate::driver::plain_text;

/// How many characters of an answer are shown.
const SHOWN: usize = 160;

/// How many header fields an answer may have.
const MOST_FIELDS: usize = 100;

/// The largest chunk that is believed, in bytes: more than is ever read of an answer.
const LARGEST_CHUNK: u64 = 1024 * 1024;

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
        let mut fields = [httparse::EMPTY_HEADER; MOST_FIELDS];
        let mut head = httparse::Response::new(&mut fields);
        let mut reading = httparse::ParserConfig::default();
        reading.ignore_invalid_headers_in_responses(true);
        let end = match reading.parse_response(&mut head, received).map_err(|_| ResponseError)? {
            httparse::Status::Complete(end) => end,
            httparse::Status::Partial if complete => return Err(ResponseError),
            httparse::Status::Partial => return Ok(None),
        };
        let status = head.code.filter(|code| (100..600).contains(code)).ok_or(ResponseError)?;
        let body = received.get(end..).unwrap_or_default();
        if (100..200).contains(&status) {
            return Self::parse(body, complete);
        }
        let location = field(head.headers, "location");
        let body = body_of(head.headers, status, body, complete);
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

/// Returns a header field's value; names have no case (RFC 9110 section 5.1).
fn field(fields: &[httparse::Header<'_>], name: &str) -> Option<String> {
    let found = fields.iter().find(|field| field.name.eq_ignore_ascii_case(name))?;
    Some(String::from_utf8_lossy(found.value).trim().to_owned())
}

/// Returns the body, as much of it as is of use; absent while more may come.
fn body_of(fields: &[httparse::Header<'_>], status: u16, received: &[u8], complete: bool) -> Option<Vec<u8>> {
    if field(fields, "transfer-encoding").is_some_and(|coding| coding.contains("chunked")) {
        return unchunk(received, complete);
    }
    let length = field(fields, "content-length").and_then(|length| length.parse::<usize>().ok());
    let without_body = status == 204 || status == 304;
    let length = if without_body { Some(0) } else { length };
    match length.and_then(|length| received.get(..length)) {
        Some(body) => Some(body.to_vec()),
        None => complete.then(|| received.to_vec()),
    }
}

/// Decodes the chunked coding (RFC 9112 section 7.1); absent while the last chunk is missing. A size that cannot be
/// one ends it: what came before is enough to be shown.
fn unchunk(mut rest: &[u8], complete: bool) -> Option<Vec<u8>> {
    let mut body = Vec::new();
    loop {
        let (start, size) = match httparse::parse_chunk_size(rest) {
            Ok(httparse::Status::Complete((start, size))) if size > 0 && size <= LARGEST_CHUNK => {
                (start, usize::try_from(size).unwrap_or_default())
            }
            Ok(httparse::Status::Partial) => return complete.then_some(body),
            Ok(httparse::Status::Complete(_)) | Err(_) => return Some(body),
        };
        let data = rest.get(start..).unwrap_or_default();
        let Some((chunk, after)) = data.split_at_checked(size) else {
            body.extend_from_slice(data);
            return complete.then_some(body);
        };
        body.extend_from_slice(chunk);
        let Some(next) = after.strip_prefix(b"\r\n") else {
            let broken = after.len() >= 2;
            return (complete || broken).then_some(body);
        };
        rest = next;
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
    fn a_chunk_size_that_cannot_be_one_ends_the_body() {
        for size in ["ffffffffffffffff", "7fffffffffffffff", "fffffffffffffffff", "-1", "xyz", "100001"] {
            let text = format!(
                "HTTP/1.1 400 Bad Request\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n{size}\r\nde"
            );
            for complete in [false, true] {
                let response = Response::parse(text.as_bytes(), complete).unwrap().unwrap();
                assert_eq!((response.status, response.line().as_str()), (400, "abc"), "{size}");
            }
        }
    }

    proptest::proptest! {
        #[test]
        fn no_answer_makes_it_panic_and_a_cut_one_is_never_more(
            bytes in "(HTTP/1.1 [0-9]{2,4}( OK)?\r\n)?((transfer-encoding: chunked|content-length: [0-9]{1,22}|x: y|[ -~]{0,9})\r\n){0,3}(\r\n)?([0-9a-f]{1,17}(;x)?\r\n[ -~]{0,9}(\r\n)?){0,4}[\\x00-\\xff]{0,9}",
            cut in 0usize..120,
        ) {
            let bytes = bytes.as_bytes();
            let cut = cut.min(bytes.len());
            let _ = Response::parse(&bytes[..cut], true);
            // What is enough before the end is enough at the end.
            if let Ok(Some(early)) = Response::parse(&bytes[..cut], false) {
                let whole = Response::parse(bytes, true).unwrap().unwrap();
                proptest::prop_assert_eq!(early.status, whole.status);
            }
        }
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
