//! What one of several hosts tells.

use super::{callbacks, server, sessions, trust};
use crate::core::ids::{BundleId, ChallengeId, SessionId};
use crate::core::time::Timestamp;
use crate::protocol::event::{Event, Level};
use crate::protocol::snapshot::{BundleView, ChallengeView, SessionView, Snapshot};
use crate::tui::model::{HostIndex, Model};
use crate::tui::msg::{Cmd, HostNews};

/// Takes it.
pub fn told(model: &mut Model, host: HostIndex, news: HostNews, now: Timestamp, orders: &mut Vec<Cmd>) {
    if model.hosts.all.get(host).is_none() {
        return;
    }
    match news {
        HostNews::Snapshot(snapshot) => snapshot_of(model, host, *snapshot, now, orders),
        HostNews::Event(event) => event_of(model, host, *event, orders),
        HostNews::Trouble(reason) => trouble(model, host, reason),
    }
}

fn snapshot_of(
    model: &mut Model,
    host: HostIndex,
    snapshot: Snapshot,
    now: Timestamp,
    orders: &mut Vec<Cmd>,
) {
    let offset = i128::from(snapshot.now.0) - i128::from(now.0);
    let known = &mut model.hosts.all[host];
    known.clock_offset = i64::try_from(offset).unwrap_or(0);
    if known.trouble.take().is_some() {
        let text = format!("{} is reached again.", known.name);
        model.say(Level::Info, text);
    }
    let of = &model.hosts.of;
    model.sessions.retain(|session| of.get(session.session_id.as_str()) != Some(&host));
    model.challenges.retain(|challenge| of.get(challenge.challenge_id.as_str()) != Some(&host));
    for session in snapshot.sessions {
        let mut session = own_session(model, host, session);
        trust::judged_here(model, &mut session);
        model.sessions.push(session);
    }
    for challenge in snapshot.challenges {
        let challenge = own_challenge(model, host, challenge);
        model.challenges.push(challenge);
    }
    for bundle in snapshot.bundles {
        let bundle = own_bundle(model, host, bundle);
        server::bundle_stored(model, bundle);
    }
    // A new connection knows neither the focus nor the size that were ordered before.
    if model.pane.session.as_ref().is_some_and(|id| model.hosts.of.get(id.as_str()) == Some(&host)) {
        model.pane.turn_to(None);
        model.ordered_size = None;
    }
    callbacks::follow(model, false, orders);
    if host == model.host_for_new() {
        let start = std::mem::take(&mut model.start);
        sessions::start_all(model, start, orders);
    }
}

fn event_of(model: &mut Model, host: HostIndex, event: Event, orders: &mut Vec<Cmd>) {
    let event = match event {
        Event::SessionAdded { session } => {
            Event::SessionAdded { session: Box::new(own_session(model, host, *session)) }
        }
        Event::SessionChanged { session } => {
            Event::SessionChanged { session: Box::new(own_session(model, host, *session)) }
        }
        Event::ChallengeParked { challenge } => {
            Event::ChallengeParked { challenge: Box::new(own_challenge(model, host, *challenge)) }
        }
        Event::BundleStored { bundle } => {
            Event::BundleStored { bundle: Box::new(own_bundle(model, host, *bundle)) }
        }
        Event::Notice { level, text, session_id } => {
            let text = format!("{}: {text}", model.hosts.all[host].name);
            let own = |id: SessionId| SessionId::new(model.hosts.find_id(host, id.as_str()));
            Event::Notice { level, text, session_id: session_id.map(own) }
        }
        // The others go on.
        Event::SupervisorStopping {} => return trouble(model, host, "its supervisor was stopped".into()),
        Event::SessionRemoved { session_id } => {
            let session_id = SessionId::new(model.hosts.find_id(host, session_id.as_str()));
            Event::SessionRemoved { session_id }
        }
        Event::ChallengeEnded { challenge_id, epoch, outcome } => {
            let challenge_id = ChallengeId::new(model.hosts.find_id(host, challenge_id.as_str()));
            Event::ChallengeEnded { challenge_id, epoch, outcome }
        }
    };
    server::apply(model, event, orders);
}

fn trouble(model: &mut Model, host: HostIndex, reason: String) {
    let known = &mut model.hosts.all[host];
    // Trying again and again is not told again and again.
    if known.trouble.as_ref() != Some(&reason) {
        let text = format!("{} is not reached: {reason}. What runs there goes on.", known.name);
        known.trouble = Some(reason);
        model.say(Level::Error, text);
    }
}

fn own_session(model: &mut Model, host: HostIndex, mut session: SessionView) -> SessionView {
    session.session_id = SessionId::new(model.hosts.own_id(host, session.session_id.as_str()));
    let offset = model.hosts.all[host].clock_offset;
    session.started_at = shifted(session.started_at, offset);
    session.deadline_at = session.deadline_at.map(|at| shifted(at, offset));
    session.ended_at = session.ended_at.map(|at| shifted(at, offset));
    session
}

fn own_challenge(model: &mut Model, host: HostIndex, mut challenge: ChallengeView) -> ChallengeView {
    challenge.challenge_id = ChallengeId::new(model.hosts.own_id(host, challenge.challenge_id.as_str()));
    challenge.session_id =
        challenge.session_id.map(|id| SessionId::new(model.hosts.own_id(host, id.as_str())));
    let offset = model.hosts.all[host].clock_offset;
    challenge.parked_at = shifted(challenge.parked_at, offset);
    challenge.expires_at = shifted(challenge.expires_at, offset);
    challenge
}

/// A login's place is its folder on its host.
fn own_bundle(model: &Model, host: HostIndex, mut bundle: BundleView) -> BundleView {
    bundle.bundle_id = BundleId::new(format!("{host}/{}", bundle.bundle_id));
    let host = &model.hosts.all[host];
    let folder = bundle.configuration_folder.unwrap_or_default();
    bundle.configuration_folder = Some(format!("{}:{folder}", host.name));
    bundle.created_at = shifted(bundle.created_at, host.clock_offset);
    bundle.updated_at = shifted(bundle.updated_at, host.clock_offset);
    bundle
}

/// From the host's clock to the deck's.
fn shifted(at: Timestamp, offset: i64) -> Timestamp {
    Timestamp(at.0.saturating_add_signed(offset.saturating_neg()))
}

/// Chooses the next host that is reached for the next login.
pub fn choose_next(model: &mut Model) {
    let count = model.hosts.all.len();
    let current = model.host_for_new();
    let next = (1..=count)
        .map(|step| (current + step) % count)
        .find(|index| model.hosts.all[*index].trouble.is_none());
    match next {
        Some(next) => {
            model.hosts.chosen = Some(next);
            model.say(Level::Info, format!("The next login starts on {}.", model.hosts.all[next].name));
        }
        None => model.say(Level::Warning, "No host is reached just now."),
    }
}
