//! A deck on a stage: a model, keys as people write them, and what is drawn. No terminal, no supervisor, no clock.

use authdeck::core::finding::{Expects, Verdict};
use authdeck::core::ids::{BundleId, ChallengeId, ProviderId, SessionId};
use authdeck::core::secret::Secret;
use authdeck::core::status::Status;
use authdeck::core::time::Timestamp;
use authdeck::protocol::event::{Event, NumberedEvent};
use authdeck::protocol::method::Request;
use authdeck::protocol::screen::{Colour, Cursor, Modes, Row, Run, ScreenUpdate, Style};
use authdeck::protocol::snapshot::{
    BundleView, ChallengeKind, ChallengeView, ChildState, ProviderView, Requester, SessionView, Snapshot,
    UrlView, Waiting,
};
use authdeck::tui::keys::parse_sequence;
use authdeck::tui::model::Model;
use authdeck::tui::msg::{Ask, Cmd, Msg};
use authdeck::tui::settings::Settings;
use authdeck::tui::surroundings::{Colours, Surroundings};
use authdeck::tui::update::update;
use authdeck::tui::view;
use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};
use serde_json::Value;

/// When every scene plays.
pub const NOW: Timestamp = Timestamp(1_700_000_000_000);

/// A deck that keys can be pressed on.
pub struct Stage {
    pub model: Model,
    pub orders: Vec<Cmd>,
    sequence: u64,
}

pub fn settings() -> Settings {
    Settings {
        configuration_file: "config.toml".into(),
        bell: true,
        osc9: true,
        mouse: true,
        hyperlinks: true,
        surroundings: Surroundings {
            ssh: true,
            unicode: true,
            colours: Colours::True,
            ..Surroundings::default()
        },
        ..Settings::default()
    }
}

impl Stage {
    pub fn new(size: (u16, u16)) -> Self {
        Self::with(settings(), size, Snapshot::default())
    }

    pub fn with(settings: Settings, size: (u16, u16), snapshot: Snapshot) -> Self {
        let model = Model::new(settings, size, Vec::new(), Vec::new());
        let mut stage = Self { model, orders: Vec::new(), sequence: 0 };
        let snapshot = Snapshot { host: "devbox".into(), now: NOW, ..snapshot };
        stage.send(Msg::Snapshot(Box::new(snapshot)));
        stage
    }

    pub fn of(size: (u16, u16), sessions: Vec<SessionView>) -> Self {
        Self::with(settings(), size, Snapshot { sessions, ..Snapshot::default() })
    }

    pub fn send(&mut self, msg: Msg) {
        self.orders.extend(update(&mut self.model, msg, NOW));
    }

    pub fn event(&mut self, event: Event) {
        self.sequence += 1;
        let numbered = NumberedEvent { sequence: self.sequence, event };
        self.send(Msg::Event(Box::new(numbered)));
    }

    /// Presses keys: `j j enter`.
    pub fn press(&mut self, keys: &str) {
        for key in parse_sequence(keys).unwrap() {
            self.send(Msg::Key(key));
        }
    }

    /// Types letters, blanks too.
    pub fn type_text(&mut self, text: &str) {
        for letter in text.chars() {
            let key = if letter == ' ' { "space".into() } else { letter.to_string() };
            self.press(&key);
        }
    }

    pub fn paste(&mut self, text: &str) {
        self.send(Msg::Paste(Secret::new(text)));
    }

    pub fn answer(&mut self, ask: Ask, value: Value) {
        self.send(Msg::Answered(ask, Ok(value)));
    }

    /// Takes the requests that were ordered since the last time.
    pub fn requests(&mut self) -> Vec<(Ask, Request)> {
        let mut requests = Vec::new();
        for order in std::mem::take(&mut self.orders) {
            match order {
                Cmd::Request(ask, request) => requests.push((ask, *request)),
                Cmd::Tell(request) => requests.push((Ask::Plain, *request)),
                _ => {}
            }
        }
        requests
    }

    pub fn draw(&self) -> (Buffer, Option<Position>) {
        let mut buffer = Buffer::empty(Rect::new(0, 0, self.model.size.0, self.model.size.1));
        let cursor = view::draw(&self.model, NOW, &mut buffer);
        (buffer, cursor)
    }

    /// What a person sees, as text; the end of each line is trimmed.
    pub fn picture(&self) -> String {
        let (buffer, cursor) = self.draw();
        let mut picture = String::new();
        for y in 0..buffer.area.height {
            let mut line = String::new();
            let mut skip = 0;
            for x in 0..buffer.area.width {
                if skip > 0 {
                    skip -= 1;
                    continue;
                }
                let symbol = buffer[(x, y)].symbol();
                skip = unicode_width::UnicodeWidthStr::width(symbol).saturating_sub(1);
                line.push_str(symbol);
            }
            picture.push_str(line.trim_end());
            picture.push('\n');
        }
        match cursor {
            Some(at) => format!("{picture}cursor {},{}\n", at.x, at.y),
            None => picture,
        }
    }

    /// Finds where a text is drawn.
    pub fn find(&self, text: &str) -> Position {
        let (buffer, _) = self.draw();
        for y in 0..buffer.area.height {
            let line: Vec<&str> = (0..buffer.area.width).map(|x| buffer[(x, y)].symbol()).collect();
            for x in 0..line.len() {
                if line[x..].concat().starts_with(text) {
                    return Position::new(x as u16, y);
                }
            }
        }
        panic!("{text:?} is nowhere on the deck:\n{}", self.picture());
    }
}

pub fn session(id: &str, provider: &str) -> SessionView {
    SessionView {
        session_id: SessionId::new(format!("auth-{id}")),
        provider_id: Some(ProviderId::new(provider)),
        name: None,
        command: vec![provider.into(), "login".into()],
        status: Status::Pending,
        started_at: Timestamp(NOW.0 - 79_000),
        deadline_at: Some(Timestamp(NOW.0 + 521_000)),
        ended_at: None,
        waiting: Waiting::Child,
        waiting_text: format!("waiting for {provider} to show something to act on"),
        url: None,
        code: None,
        carry: None,
        expects: None,
        prompt: None,
        identity: None,
        failure: None,
        child: ChildState::Running { process_id: 4242 },
        output_bytes: 0,
        attention: false,
        advice: None,
        takes_paste: false,
        outcome: None,
        listening: false,
        warning: None,
    }
}

pub const CLAUDE_URL: &str = "https://claude.com/cai/oauth/authorize?code=true&client_id=9d1c250a-e61b-44d9-88ed-5944d1962f5e&response_type=code&redirect_uri=https%3A%2F%2Fplatform.claude.com%2Foauth%2Fcode%2Fcallback&scope=org%3Acreate_api_key&code_challenge=kc1aYw_xY2&code_challenge_method=S256&state=v_xyZ";

pub fn claude() -> SessionView {
    SessionView {
        name: Some("work".into()),
        status: Status::UrlAvailable { auth_url: CLAUDE_URL.into() },
        waiting: Waiting::OpenUrlThenPaste,
        waiting_text: "waiting for you: open the URL, then paste what the browser ends on".into(),
        url: Some(UrlView {
            url: CLAUDE_URL.into(),
            host: "claude.com".into(),
            verdict: Verdict::Expected,
            reason: "expected for claude".into(),
            disputed: false,
        }),
        expects: Some(Expects::Code),
        takes_paste: true,
        ..session("1", "claude")
    }
}

pub fn codex() -> SessionView {
    SessionView {
        status: Status::CodeEmitted {
            device_code: "WDJB-MJHT".into(),
            verification_url: "https://auth.openai.com/codex/device".into(),
        },
        deadline_at: Some(Timestamp(NOW.0 + 842_000)),
        waiting: Waiting::EnterCode,
        waiting_text: "waiting for you: open the URL and enter the code".into(),
        url: Some(UrlView {
            url: "https://auth.openai.com/codex/device".into(),
            host: "auth.openai.com".into(),
            verdict: Verdict::Expected,
            reason: "expected for codex".into(),
            disputed: false,
        }),
        code: Some("WDJB-MJHT".into()),
        ..session("2", "codex")
    }
}

pub fn gh_done() -> SessionView {
    SessionView {
        status: Status::Success { bundle_id: BundleId::new("bundle-1"), email: Some("octocat".into()) },
        deadline_at: None,
        ended_at: Some(Timestamp(NOW.0 - 30_000)),
        waiting: Waiting::Finished,
        waiting_text: "logged in as octocat".into(),
        identity: Some("octocat".into()),
        child: ChildState::Exited { code: Some(0), signal: None },
        ..session("3", "gh")
    }
}

pub fn wrangler_failed() -> SessionView {
    SessionView {
        status: Status::Failed { error: "auth session timed out after 600s".into() },
        deadline_at: None,
        ended_at: Some(Timestamp(NOW.0 - 60_000)),
        waiting: Waiting::Finished,
        failure: Some("Timed out waiting for authorization code, please try again.".into()),
        child: ChildState::Killed,
        advice: Some("Start it again with r, and open the URL within ten minutes.".into()),
        ..session("4", "wrangler")
    }
}

pub fn git_challenge() -> ChallengeView {
    ChallengeView {
        challenge_id: ChallengeId::new("git-1"),
        epoch: 1,
        session_id: None,
        kind: ChallengeKind::Secret,
        title: "git".into(),
        message: "Password for 'https://octocat@github.com': ".into(),
        origin: None,
        realm: None,
        proxy: false,
        requester: Requester {
            process_id: Some(4711),
            chain: vec!["git-remote-https".into(), "git".into(), "bash".into()],
            directory: Some("/home/me/src/deck".into()),
        },
        parked_at: Timestamp(NOW.0 - 48_000),
        expires_at: Timestamp(NOW.0 + 252_000),
    }
}

pub fn sudo_challenge() -> ChallengeView {
    ChallengeView {
        challenge_id: ChallengeId::new("sudo-1"),
        title: "sudo".into(),
        message: "[sudo] password for me: ".into(),
        expires_at: Timestamp(NOW.0 + 40_000),
        requester: Requester::default(),
        ..git_challenge()
    }
}

pub fn everything() -> Snapshot {
    Snapshot {
        sessions: vec![claude(), codex(), session("5", "vercel"), gh_done(), wrangler_failed()],
        challenges: vec![git_challenge(), sudo_challenge()],
        bundles: vec![BundleView {
            bundle_id: BundleId::new("bundle-1"),
            provider: "gh".into(),
            identity: Some("octocat".into()),
            configuration_folder: None,
            created_at: Timestamp(NOW.0 - 86_400_000),
            updated_at: Timestamp(NOW.0 - 30_000),
        }],
        ..Snapshot::default()
    }
}

pub fn providers() -> Vec<ProviderView> {
    let provider = |id: &str, title: &str, command: &[&str], installed, hint: &str| ProviderView {
        provider_id: ProviderId::new(id),
        title: title.into(),
        command: command.iter().map(|word| (*word).to_owned()).collect(),
        installed,
        install_hint: hint.into(),
    };
    vec![
        provider("aws", "AWS IAM Identity Center", &["aws", "sso", "login"], false, "pip install awscli"),
        provider(
            "claude",
            "Claude Code",
            &["claude", "setup-token"],
            true,
            "npm install -g @anthropic-ai/claude-code",
        ),
        provider("codex", "Codex", &["codex", "login"], true, "npm install -g @openai/codex"),
        provider(
            "gcloud",
            "Google Cloud",
            &["gcloud", "auth", "login"],
            false,
            "https://cloud.google.com/sdk",
        ),
        provider("gh", "GitHub CLI", &["gh", "auth", "login"], true, "apt install gh"),
    ]
}

/// Lines as a child drew them; `*` makes a line coloured.
pub fn screen(id: &str, columns: u16, rows: u16, lines: &[&str]) -> ScreenUpdate {
    let row = |(number, line): (usize, &&str)| {
        let (text, style) = match line.strip_prefix('*') {
            Some(text) => (text, Style { foreground: Colour::Indexed(3), ..Style::default() }),
            None => (*line, Style::default()),
        };
        let runs = if text.is_empty() { Vec::new() } else { vec![Run { text: text.to_owned(), style }] };
        Row { number: number as u64, wrapped: false, runs }
    };
    ScreenUpdate {
        session_id: SessionId::new(format!("auth-{id}")),
        generation: 1,
        columns,
        rows,
        full: true,
        changed: lines.iter().enumerate().map(row).collect(),
        cursor: Some(Cursor {
            row: lines.len().saturating_sub(1) as u16,
            column: lines.last().map_or(0, |line| line.len()) as u16,
        }),
        modes: Modes::default(),
        history_start: 0,
        screen_start: 40,
        acknowledge: false,
    }
}

pub fn claude_screen() -> ScreenUpdate {
    screen(
        "1",
        80,
        20,
        &[
            "*Welcome to Claude Code",
            "",
            "Browser didn't open? Use the url below to sign in:",
            "",
            "https://claude.com/cai/oauth/authorize?code=tru",
            "e&client_id=9d1c250a-e61b-44d9-88ed-5944d1962f5",
            "",
            "Paste code here if prompted > ",
        ],
    )
}
