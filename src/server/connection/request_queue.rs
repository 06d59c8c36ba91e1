//! Requests on their way to the driver.

use std::collections::VecDeque;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};

use futures_util::stream::FuturesUnordered;
use serde_json::Value;

use crate::driver::Connection;
use crate::driver::panics::or_panic;
use crate::protocol::error::{self, RpcError};
use crate::protocol::frame::Frame;
use crate::protocol::method::Request;
use crate::server::written;

/// The answer to a request that is being worked on; absent if none is wanted.
pub(super) type Pending = Pin<Box<dyn Future<Output = Option<Frame>> + Send>>;

/// Requests that are worked on one after the other.
#[derive(Default)]
pub(super) struct RequestQueue {
    /// Those that wait, with the ids to answer under.
    pub(super) waiting: VecDeque<(Option<Value>, Request)>,
    /// The one that is worked on; never more.
    pub(super) working: FuturesUnordered<Pending>,
}

impl RequestQueue {
    /// Tells whether nothing waits and nothing is worked on.
    pub(super) fn is_idle(&self) -> bool {
        self.waiting.is_empty() && self.working.is_empty()
    }

    /// Begins with the next one, unless one is being worked on.
    pub(super) fn begin_next(&mut self, connection: &Connection) {
        if self.working.is_empty()
            && let Some((id, request)) = self.waiting.pop_front()
        {
            self.working.push(work_on(connection, id, request));
        }
    }

    /// Works on a request behind those that wait; if there are none, and it need not wait for anything itself, that is
    /// done when this returns. Returns its answer in that case, if one is wanted.
    pub(super) fn add(
        &mut self,
        connection: &Connection,
        id: Option<Value>,
        request: Request,
    ) -> Option<Frame> {
        if !self.is_idle() {
            self.waiting.push_back((id, request));
            return None;
        }
        let mut work = work_on(connection, id, request);
        // Whoever is woken for it looks in vain: what is not done now is polled again with the others.
        match work.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(answer) => answer,
            Poll::Pending => {
                self.working.push(work);
                None
            }
        }
    }
}

/// Works on a request beside everything else.
pub(super) fn work_on(connection: &Connection, id: Option<Value>, request: Request) -> Pending {
    let connection = connection.clone();
    Box::pin(async move {
        let outcome =
            or_panic(connection.call(request), |reason| Err(RpcError::new(error::INTERNAL, reason))).await;
        Some(written(&id?, &outcome))
    })
}
