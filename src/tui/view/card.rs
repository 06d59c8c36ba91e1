//! The card over the pane: what it waits for in words, the URL, the code, the time left, and the keys.

use ratatui::layout::{Position, Rect};

use super::areas::Areas;
use super::painter::{Line, Painter, action_in, hint, line_width, piece};
use super::{big_code, challenge};
use crate::core::finding::Verdict;
use crate::core::status::Status;
use crate::core::time::Timestamp;
use crate::protocol::snapshot::{ChildState, SessionView, UrlView, Waiting};
use crate::tui::action::Action;
use crate::tui::availability;
use crate::tui::model::{Model, state_of};
use crate::tui::text::{self, visible};
use crate::tui::theme::Role;

/// Below this many rows for card and pane together the card has no air and no large letters.
const ROOMY: u16 = 15;

/// Returns the rows the card wants.
pub fn height(model: &Model, now: Timestamp, right: Rect) -> u16 {
    u16::try_from(lines(model, now, right).len()).unwrap_or(u16::MAX)
}

/// Draws it.
pub fn draw(model: &Model, now: Timestamp, painter: &mut Painter<'_>, areas: &Areas) {
    let right = whole(areas);
    for (y, line) in (areas.card.top()..areas.card.bottom()).zip(lines(model, now, right)) {
        painter.line(areas.card.x, y, areas.card.width, &line);
    }
    draw_time(model, now, painter, areas);
}

/// Returns the action whose key is drawn at a place.
pub fn action_at(model: &Model, now: Timestamp, areas: &Areas, at: Position) -> Option<Action> {
    let lines = lines(model, now, whole(areas));
    let line = lines.get(usize::from(at.y.checked_sub(areas.card.y)?))?;
    action_in(line, usize::from(at.x.checked_sub(areas.card.x)?))
}

/// Returns the row of the card that has the URL, and how many columns of it.
pub fn url_row(model: &Model, now: Timestamp, areas: &Areas) -> Option<(u16, u16)> {
    let lines = lines(model, now, whole(areas));
    let row = lines.iter().position(|line| line.iter().any(|piece| piece.role == Role::CardHost))?;
    Some((u16::try_from(row).ok()?, u16::try_from(line_width(&lines[row])).ok()?))
}

fn whole(areas: &Areas) -> Rect {
    if areas.card_divider.width > 0 {
        return areas.card;
    }
    Rect { height: areas.card.height + areas.pane_rule.height + areas.pane.height, ..areas.card }
}

fn draw_time(model: &Model, now: Timestamp, painter: &mut Painter<'_>, areas: &Areas) {
    if let Some(left) = model.selected_time_left(now) {
        let role = if left.expiring { Role::StateExpiring } else { Role::TextQuiet };
        let line = [piece(format!("{} left ", left.text), role)];
        painter.line_ending(areas.card.right(), areas.card.y, areas.card.width, &line);
    }
}

fn lines(model: &Model, now: Timestamp, right: Rect) -> Vec<Line> {
    if let Some(session) = model.selected_session() {
        session_lines(model, session, now, right)
    } else if let Some(challenge) = model.selected_challenge() {
        challenge::lines(model, challenge, now, right.width)
    } else {
        welcome(model, usize::from(right.width).saturating_sub(1))
    }
}

fn welcome(model: &Model, columns: usize) -> Vec<Line> {
    let mut lines =
        vec![Line::new(), vec![piece("Nothing to log in to yet.", Role::TextStrong)], Line::new()];
    let contexts = model.open_contexts();
    for (action, words) in [
        (Action::SessionNew, "start a login"),
        (Action::PaletteOpen, "find anything by its name"),
        (Action::HelpOpen, "every key"),
    ] {
        let key = model.keymap.keys_in(&contexts, action).into_iter().next().unwrap_or_default();
        let mut line = vec![piece(format!("  {key:<3}"), Role::UiKey), piece(words, Role::Text)];
        for piece in &mut line {
            piece.action = Some(action);
        }
        lines.push(line);
    }
    lines.push(Line::new());
    let demo = "Without any provider's CLI, `authdeck demo` shows how it works.";
    lines.extend(quiet(demo, columns));
    lines
}

fn quiet(text: &str, columns: usize) -> impl Iterator<Item = Line> {
    text::wrap(text, columns).into_iter().map(|line| vec![piece(line, Role::TextQuiet)])
}

fn session_lines(model: &Model, session: &SessionView, now: Timestamp, right: Rect) -> Vec<Line> {
    let roomy = right.height >= ROOMY;
    let columns = usize::from(right.width).saturating_sub(1);
    let time = model.selected_time_left(now).map_or(0, |left| text::width(&left.text) + 7);
    let mut lines = vec![title(model, session, columns.saturating_sub(time))];
    if model.typing {
        return lines;
    }
    match &session.status {
        Status::Success { email, .. } => success(session, email.as_deref(), columns, &mut lines),
        Status::Failed { error } => failed(session, error, columns, &mut lines),
        Status::Pending | Status::UrlAvailable { .. } | Status::CodeEmitted { .. } if !roomy => {
            return cramped(model, session, columns, lines);
        }
        Status::Pending | Status::UrlAvailable { .. } | Status::CodeEmitted { .. } => {
            live(model, session, columns, &mut lines);
        }
    }
    survivors(session, columns, &mut lines);
    if let Some(url) = session.url.as_ref().filter(|_| session.listening) {
        space(&mut lines, roomy);
        lines.extend(quiet("Something that it left behind still waits for the browser:", columns));
        lines.push(url_line(url, columns));
    }
    space(&mut lines, roomy);
    lines.extend(keys(model, session, columns));
    lines
}

fn space(lines: &mut Vec<Line>, roomy: bool) {
    if roomy && lines.last().is_some_and(|line| !line.is_empty()) {
        lines.push(Line::new());
    }
}

/// The state is shown whole; the names are cut if they must be.
fn title(model: &Model, session: &SessionView, columns: usize) -> Line {
    let (title, name) = Model::title_of(session);
    let state = state_of(session);
    let unicode = model.settings.surroundings.unicode;
    let glyph = if unicode { state.glyph } else { state.ascii };
    let word = format!("  {glyph} {}", state.word);
    let room = columns.saturating_sub(text::width(&word));
    let title = text::cut(&title, room, "…").into_owned();
    let room = room.saturating_sub(text::width(&title));
    let host = model.hosts.name_of(session.session_id.as_str()).map(|host| format!("on {host}"));
    let names = name.into_iter().chain(host).filter(|_| room > 6);
    let name: String = names.map(|name| format!(" · {name}")).collect();
    let name = text::cut(&name, room, "…").into_owned();
    vec![piece(title, Role::TextStrong), piece(name, Role::TextQuiet), piece(word, state.role)]
}

/// On a phone: the code, the URL, the keys, and then what can be said in words; the code is never off the screen.
fn cramped(model: &Model, session: &SessionView, columns: usize, mut lines: Vec<Line>) -> Vec<Line> {
    if let Some(code) = &session.code {
        lines.extend(big_code::lines(&visible(code), columns, false));
    }
    if let Some(url) = &session.url {
        lines.push(url_line(url, columns));
        lines.extend(verdict_lines(model, url, columns).into_iter().take(2));
        if url.disputed {
            let warning = text::cut("! Screen and CLI disagree: compare it", columns, "…").into_owned();
            lines.push(vec![piece(warning, Role::VerdictSuspicious)]);
        }
    }
    carry(session, columns, &mut lines);
    prompt(session, columns, &mut lines);
    lines.extend(keys(model, session, columns));
    survivors(session, columns, &mut lines);
    waiting(session, columns, &mut lines);
    lines
}

fn waiting(session: &SessionView, columns: usize, lines: &mut Vec<Line>) {
    let role = if session.waiting.needs_person() { Role::StateWaiting } else { Role::TextQuiet };
    for line in text::wrap(&visible(&session.waiting_text), columns) {
        lines.push(vec![piece(line, role)]);
    }
}

fn live(model: &Model, session: &SessionView, columns: usize, lines: &mut Vec<Line>) {
    waiting(session, columns, lines);
    if let Some(url) = &session.url {
        space(lines, true);
        lines.push(url_line(url, columns));
        lines.extend(verdict_lines(model, url, columns));
        if url.disputed {
            let warning =
                "The screen and what the CLI sent disagree about this URL: compare before you use it.";
            lines.extend(
                text::wrap(warning, columns)
                    .into_iter()
                    .map(|line| vec![piece(line, Role::VerdictSuspicious)]),
            );
        }
    }
    if let Some(code) = &session.code {
        space(lines, true);
        let large = model.settings.surroundings.unicode;
        lines.extend(big_code::lines(&visible(code), columns, large));
    }
    if session.carry.is_some() {
        space(lines, true);
    }
    carry(session, columns, lines);
    prompt(session, columns, lines);
}

/// What is to be carried, whole: whoever copies it by hand must not lose its end.
fn carry(session: &SessionView, columns: usize, lines: &mut Vec<Line>) {
    let Some(carry) = &session.carry else { return };
    let text = visible(carry);
    let what = if text.starts_with('/') {
        "Send this where the CLI says:"
    } else if text.starts_with("ssh ") {
        "Run this on your own computer:"
    } else {
        "Take this link to the program that it is for; it is never opened here:"
    };
    lines.extend(text::wrap(what, columns).into_iter().map(|line| vec![piece(line, Role::TextQuiet)]));
    let characters: Vec<char> = text.chars().collect();
    for row in characters.chunks(columns.max(1)) {
        lines.push(vec![piece(row.iter().collect::<String>(), Role::CardUrl)]);
    }
}

fn prompt(session: &SessionView, columns: usize, lines: &mut Vec<Line>) {
    let asks = match session.waiting {
        Waiting::Prompt | Waiting::Secret => true,
        Waiting::Child
        | Waiting::OpenUrl
        | Waiting::OpenUrlThenPaste
        | Waiting::EnterCode
        | Waiting::Carry
        | Waiting::Delivering
        | Waiting::Submitted
        | Waiting::Checking
        | Waiting::Finished => false,
    };
    if let Some(prompt) = session.prompt.as_ref().filter(|_| asks) {
        let quoted = text::cut(&visible(prompt), columns.saturating_sub(11), "…").into_owned();
        lines.push(vec![piece("It asks: ", Role::TextQuiet), piece(format!("“{quoted}”"), Role::Quote)]);
    }
}

/// The URL on one line, its host standing out; cut, never wrapped.
fn url_line(url: &UrlView, columns: usize) -> Line {
    let shown = visible(&url.url).into_owned();
    let host_start = shown.find("://").map_or(0, |at| at + 3);
    let authority = shown[host_start..].find(['/', '?', '#']).map_or(shown.len(), |at| host_start + at);
    let host_start = shown[host_start..authority].rfind('@').map_or(host_start, |at| host_start + at + 1);
    let before = text::cut(&shown[..host_start], columns, "…").into_owned();
    let host = text::cut(&shown[host_start..authority], columns.saturating_sub(text::width(&before)), "…")
        .into_owned();
    let used = text::width(&before) + text::width(&host);
    let rest = text::cut(&shown[authority..], columns.saturating_sub(used), "…").into_owned();
    let mut line =
        vec![piece(before, Role::CardUrl), piece(host, Role::CardHost), piece(rest, Role::CardUrl)];
    for piece in &mut line {
        piece.action = Some(Action::UrlCopy);
    }
    line
}

fn verdict_lines(model: &Model, url: &UrlView, columns: usize) -> Vec<Line> {
    let unicode = model.settings.surroundings.unicode;
    let (sign, word, role) = match url.verdict {
        Verdict::Expected => (if unicode { "✓" } else { "+" }, "", Role::VerdictExpected),
        Verdict::Unknown => ("?", "unknown: ", Role::VerdictUnknown),
        Verdict::Suspicious => ("!", "suspicious: ", Role::VerdictSuspicious),
    };
    let sentence = format!("{sign} {} · {word}{}", visible(&url.host), visible(&url.reason));
    text::wrap(&sentence, columns).into_iter().take(3).map(|line| vec![piece(line, role)]).collect()
}

fn success(session: &SessionView, email: Option<&str>, columns: usize, lines: &mut Vec<Line>) {
    let who = email.or(session.identity.as_deref());
    let text = match who {
        Some(who) => format!("Logged in as {}.", visible(who)),
        None => "Logged in; the CLI does not say as whom.".to_owned(),
    };
    lines.extend(text::wrap(&text, columns).into_iter().map(|line| vec![piece(line, Role::StateSuccess)]));
    if let Some(warning) = &session.warning {
        let wrapped = text::wrap(&visible(warning), columns);
        lines.extend(wrapped.into_iter().map(|line| vec![piece(line, Role::StatusWarning)]));
    }
}

fn failed(session: &SessionView, error: &str, columns: usize, lines: &mut Vec<Line>) {
    let role = state_of(session).role;
    lines.extend(text::wrap(&visible(error), columns).into_iter().map(|line| vec![piece(line, role)]));
    if let Some(failure) = &session.failure {
        let quoted = text::cut(&visible(failure), columns.saturating_sub(11), "…").into_owned();
        lines.push(vec![piece("It said: ", Role::TextQuiet), piece(format!("“{quoted}”"), Role::Quote)]);
    }
    if let Some(advice) = &session.advice {
        lines.extend(
            text::wrap(&visible(advice), columns).into_iter().map(|line| vec![piece(line, Role::Text)]),
        );
    }
}

fn survivors(session: &SessionView, columns: usize, lines: &mut Vec<Line>) {
    if let ChildState::Survived { survivors } = &session.child {
        let text = "These could not be killed:";
        lines.push(vec![piece(text, Role::StateFailed)]);
        for survivor in survivors {
            let shown = text::cut(&visible(survivor), columns.saturating_sub(2), "…").into_owned();
            lines.push(vec![piece(format!("  {shown}"), Role::Text)]);
        }
    }
}

/// The keys that apply, in as many lines as they need.
fn keys(model: &Model, session: &SessionView, columns: usize) -> Vec<Line> {
    let actions: &[Action] = if session.listening {
        &[Action::UrlCopy, Action::UrlOpen, Action::UrlScan, Action::PasteOpen, Action::SessionKill]
    } else if session.status.is_terminal() {
        &[Action::SessionRestart, Action::SessionRemove, Action::SessionKillNow, Action::RecordingSave]
    } else {
        &[
            Action::CodeCopy,
            Action::UrlCopy,
            Action::UrlOpen,
            Action::UrlScan,
            Action::PasteOpen,
            Action::PaneType,
        ]
    };
    let contexts = model.open_contexts();
    let mut lines: Vec<Line> = Vec::new();
    for action in actions.iter().filter(|action| fits(model, **action)) {
        let hint = hint(model, &contexts, *action);
        match lines.last_mut() {
            Some(line) if line_width(line) + line_width(&hint) <= columns + 2 => line.extend(hint),
            Some(_) | None => lines.push(hint),
        }
    }
    lines
}

/// The card shows what helps with what it waits for; the rest is in the footer.
fn fits(model: &Model, action: Action) -> bool {
    if action == Action::UrlOpen && !model.settings.surroundings.has_browser() {
        return false;
    }
    availability::of(action, model).is_ok()
}
