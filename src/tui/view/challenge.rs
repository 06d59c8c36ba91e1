//! A challenge's card: who asks, in the kernel's words; what they say, quoted as theirs.

use super::painter::{Line, hint, piece};
use crate::core::time::Timestamp;
use crate::protocol::snapshot::{ChallengeKind, ChallengeView};
use crate::tui::action::Action;
use crate::tui::model::Model;
use crate::tui::text::{self, visible};
use crate::tui::theme::Role;

/// Returns the card's lines.
pub fn lines(model: &Model, challenge: &ChallengeView, _now: Timestamp, width: u16) -> Vec<Line> {
    let columns = usize::from(width).saturating_sub(1);
    let mut lines = vec![vec![
        piece(visible(&challenge.title).into_owned(), Role::TextStrong),
        piece(format!("  ! {}", wants(challenge.kind)), Role::StateWaiting),
    ]];
    lines.push(Line::new());
    lines.extend(who(challenge, columns));
    lines.push(Line::new());
    lines.extend(words(challenge, columns, LINES_OF_CARD));
    lines.push(Line::new());
    let contexts = model.open_contexts();
    let mut keys = hint(model, &contexts, Action::ChallengeAnswer);
    keys.extend(hint(model, &contexts, Action::ChallengeDeny));
    lines.push(keys);
    lines
}

/// Says what is asked for.
pub fn wants(kind: ChallengeKind) -> &'static str {
    match kind {
        ChallengeKind::Secret => "wants a secret",
        ChallengeKind::Text => "wants a line of text",
        ChallengeKind::Confirm => "wants a yes or no",
        ChallengeKind::Notice => "tells you something",
        ChallengeKind::HttpBasic => "wants a user and password (HTTP Basic)",
        ChallengeKind::HttpDigest => "wants a user and password (HTTP Digest)",
    }
}

/// Who asks: what the kernel says of the process.
pub fn who(challenge: &ChallengeView, columns: usize) -> Vec<Line> {
    let requester = &challenge.requester;
    let chain = match requester.chain.as_slice() {
        [] => "unknown".to_owned(),
        chain => chain.iter().map(|name| visible(name).into_owned()).collect::<Vec<_>>().join(" < "),
    };
    let chain_role = if requester.chain.is_empty() { Role::StateFailed } else { Role::Text };
    let mut lines = vec![field("Asked by", &chain, chain_role, columns)];
    if let Some(process_id) = requester.process_id {
        lines.push(field("Process", &process_id.to_string(), Role::Text, columns));
    }
    if let Some(directory) = &requester.directory {
        lines.push(field("Folder", &visible(directory), Role::Text, columns));
    }
    if let Some(origin) = &challenge.origin {
        let label = if challenge.proxy { "Proxy" } else { "For" };
        lines.push(field(label, &visible(origin), Role::CardHost, columns));
    }
    if let Some(realm) = &challenge.realm {
        lines.push(field("Realm", &format!("“{}”", visible(realm)), Role::Quote, columns));
    }
    lines
}

fn field(label: &str, value: &str, role: Role, columns: usize) -> Line {
    let value = text::cut(value, columns.saturating_sub(10), "…").into_owned();
    vec![piece(format!("{label:<10}"), Role::TextQuiet), piece(value, role)]
}

/// Lines of a requester's words that its card shows; a text with a login page in it has a dozen.
const LINES_OF_CARD: usize = 16;

/// The requester's own words, marked as theirs. Its lines stay lines: a code that it sets apart stays apart.
pub fn words(challenge: &ChallengeView, columns: usize, most: usize) -> Vec<Line> {
    let mut lines = vec![vec![piece("In its own words:", Role::TextQuiet)]];
    let rows = challenge.message.lines().flat_map(|line| {
        let rows = text::wrap(&visible(line), columns.saturating_sub(2));
        if rows.is_empty() { vec![String::new()] } else { rows }
    });
    for line in rows.take(most) {
        lines.push(vec![piece("│ ", Role::UiRule), piece(line, Role::Quote)]);
    }
    lines
}
