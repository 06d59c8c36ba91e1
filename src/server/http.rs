//! Reading and writing the little HTTP that there is: bodies with a bound, answers in a sentence.

use std::time::Duration;

use http_body_util::{BodyExt as _, Full, LengthLimitError, Limited};
use hyper::body::{Bytes, Incoming};
use hyper::header::{
    ALLOW, CACHE_CONTROL, CONNECTION, CONTENT_TYPE, HeaderName, HeaderValue, WWW_AUTHENTICATE,
};
use hyper::{Response, StatusCode};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};

use crate::protocol::frame::Frame;

/// The body of an answer.
pub(super) type Body = Full<Bytes>;

/// The longest body that is taken, in bytes.
pub(super) const LONGEST_BODY: usize = 1024 * 1024;

/// How long a request's body may take.
const BODY_LIMIT: Duration = Duration::from_secs(10);

/// How long the other side may take to read the answer and close.
const GOODBYE_LIMIT: Duration = Duration::from_secs(1);

/// Why a request is not done, for a person.
#[derive(Debug)]
pub(super) struct Refusal {
    status: StatusCode,
    text: String,
    /// What HTTP wants beside the status.
    header: Option<(HeaderName, &'static str)>,
}

impl Refusal {
    /// Makes a refusal of one or two sentences.
    pub(super) fn new(status: StatusCode, text: impl Into<String>) -> Self {
        Self { status, text: text.into(), header: None }
    }

    /// Makes the refusal of a method.
    pub(super) fn of_method(allowed: &'static str) -> Self {
        let text = format!("Only {allowed} is answered at this address.");
        Self { status: StatusCode::METHOD_NOT_ALLOWED, text, header: Some((ALLOW, allowed)) }
    }

    /// Makes the refusal of somebody who has not shown a valid credential.
    pub(super) fn of_credential(text: impl Into<String>) -> Self {
        let header = Some((WWW_AUTHENTICATE, "Bearer"));
        Self { status: StatusCode::UNAUTHORIZED, text: text.into(), header }
    }

    /// Writes it as an answer.
    pub(super) fn answer(mut self) -> Response<Body> {
        self.text.push('\n');
        let mut answer = answer(self.status, "text/plain; charset=utf-8", Bytes::from(self.text));
        if let Some((name, value)) = self.header {
            answer.headers_mut().insert(name, HeaderValue::from_static(value));
        }
        answer
    }
}

/// Makes an answer that is data.
pub(super) fn json(frame: Frame) -> Response<Body> {
    answer(StatusCode::OK, "application/json", Bytes::from_owner(frame))
}

/// Makes the answer to a call that wants none.
pub(super) fn nothing() -> Response<Body> {
    let mut answer = Response::new(Body::default());
    *answer.status_mut() = StatusCode::NO_CONTENT;
    last(answer)
}

fn answer(status: StatusCode, kind: &'static str, text: Bytes) -> Response<Body> {
    let mut answer = Response::new(Body::new(text));
    *answer.status_mut() = status;
    answer.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    answer.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    last(answer)
}

/// Says that there is one request to a connection.
fn last(mut answer: Response<Body>) -> Response<Body> {
    answer.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
    answer
}

/// Reads a request's body.
///
/// # Errors
/// It is too long, too slow, or broke off.
pub(super) async fn body(incoming: Incoming) -> Result<Bytes, Refusal> {
    let reading = Limited::new(incoming, LONGEST_BODY).collect();
    match tokio::time::timeout(BODY_LIMIT, reading).await {
        Ok(Ok(body)) => Ok(body.to_bytes()),
        Ok(Err(error)) if error.is::<LengthLimitError>() => Err(Refusal::new(
            StatusCode::PAYLOAD_TOO_LARGE,
            format!("A request has {LONGEST_BODY} bytes at most."),
        )),
        Ok(Err(error)) => {
            Err(Refusal::new(StatusCode::BAD_REQUEST, format!("The request cannot be read: {error}.")))
        }
        Err(_) => Err(Refusal::new(
            StatusCode::REQUEST_TIMEOUT,
            format!("The request was not there within {} s.", BODY_LIMIT.as_secs()),
        )),
    }
}

/// Ends a connection so that the answer arrives: what the other side still sends is taken and forgotten, because a
/// stream that is closed over unread bytes is reset, and the answer with it.
pub(super) async fn hang_up<S: AsyncRead + AsyncWrite + Unpin>(mut stream: S) {
    let goodbye = async {
        stream.shutdown().await?;
        let mut rest = [0; 4096];
        while stream.read(&mut rest).await? > 0 {}
        std::io::Result::Ok(())
    };
    // The connection ends either way.
    let _ = tokio::time::timeout(GOODBYE_LIMIT, goodbye).await;
}
