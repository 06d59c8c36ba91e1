//! Drawing the whole deck at 240x70, every cell of the pane being different each time, against ratatui's own widgets
//! painting as much text, both with the diff and the bytes for the terminal.

use authdeck::core::ids::SessionId;
use authdeck::core::status::Status;
use authdeck::core::time::Timestamp;
use authdeck::protocol::screen::{Colour, Modes, Row, Run, ScreenUpdate, Style};
use authdeck::protocol::snapshot::{ChildState, SessionView, Snapshot, Waiting};
use authdeck::tui::canvas::Canvas;
use authdeck::tui::model::Model;
use authdeck::tui::msg::Msg;
use authdeck::tui::settings::Settings;
use authdeck::tui::surroundings::{Colours, Surroundings};
use authdeck::tui::update::update;
use divan::{Bencher, black_box};
use ratatui::Terminal;
use ratatui::backend::CrosstermBackend;
use ratatui::layout::{Constraint, Layout};
use ratatui::text::{Line, Span};
use ratatui::widgets::{Block, Paragraph};

const COLUMNS: u16 = 240;
const ROWS: u16 = 70;
const NOW: Timestamp = Timestamp(1_700_000_000_000);

fn session(number: u64) -> SessionView {
    SessionView {
        session_id: SessionId::new(format!("auth-{number}")),
        provider_id: None,
        name: Some(format!("number {number}")),
        command: vec!["claude".into()],
        status: Status::Pending,
        started_at: Timestamp(NOW.0 + number),
        deadline_at: Some(Timestamp(NOW.0 + 500_000)),
        ended_at: None,
        waiting: Waiting::Prompt,
        waiting_text: "waiting for you: answer in its pane".into(),
        url: None,
        code: None,
        carry: None,
        expects: None,
        prompt: None,
        identity: None,
        failure: None,
        child: ChildState::Running { process_id: 1 },
        output_bytes: 0,
        attention: false,
        advice: None,
        takes_paste: false,
        outcome: None,
        listening: false,
        warning: None,
    }
}

/// Six runs to a row, as a program that uses colour draws.
fn rows(turn: u64) -> Vec<Row> {
    (0..u64::from(ROWS))
        .map(|number| {
            let run = |part: u64| Run {
                text: format!("{:<30}", (number + part + turn) * 7_919),
                style: Style {
                    foreground: Colour::Indexed(
                        u8::try_from((part + turn) % 8).expect("the benchmark's own data fits"),
                    ),
                    ..Style::default()
                },
            };
            Row { number, wrapped: false, runs: (0..6).map(run).collect() }
        })
        .collect()
}

#[divan::bench]
fn draw_deck(bencher: Bencher<'_, '_>) {
    let around = Surroundings { unicode: true, colours: Colours::True, ..Surroundings::default() };
    let settings = Settings { surroundings: around, ..Settings::default() };
    let mut model = Model::new(settings, (COLUMNS, ROWS), Vec::new(), Vec::new());
    let sessions = (0..40).map(session).collect();
    let snapshot = Snapshot { now: NOW, sessions, ..Snapshot::default() };
    update(&mut model, Msg::Snapshot(Box::new(snapshot)), NOW);
    let mut canvas = Canvas::new((COLUMNS, ROWS), Colours::True);
    let mut turn = 0;
    bencher.bench_local(|| {
        turn += 1;
        let screen = ScreenUpdate {
            session_id: SessionId::new("auth-0"),
            generation: turn,
            columns: 190,
            rows: ROWS,
            full: true,
            changed: rows(turn),
            cursor: None,
            modes: Modes::default(),
            history_start: 0,
            screen_start: 0,
            acknowledge: false,
        };
        update(&mut model, Msg::Screen(Box::new(screen)), NOW);
        black_box(canvas.draw(&model, NOW));
    });
}

#[divan::bench]
fn draw_with_widgets(bencher: Bencher<'_, '_>) {
    let mut terminal = Terminal::with_options(
        CrosstermBackend::new(std::io::sink()),
        ratatui::TerminalOptions {
            viewport: ratatui::Viewport::Fixed(ratatui::layout::Rect::new(0, 0, COLUMNS, ROWS)),
        },
    )
    .expect("the benchmark's own data fits");
    let mut turn = 0;
    bencher.bench_local(|| {
        turn += 1;
        let pane = rows(turn);
        terminal
            .draw(|frame| {
                let [left, right] =
                    Layout::horizontal([Constraint::Length(46), Constraint::Fill(1)]).areas(frame.area());
                let list: Vec<Line<'_>> =
                    (0..40).map(|number| Line::from(format!("◆ claude · number {number}  8:20"))).collect();
                frame.render_widget(Paragraph::new(list).block(Block::bordered()), left);
                let lines: Vec<Line<'_>> = pane
                    .iter()
                    .map(|row| {
                        let spans = row.runs.iter().map(|run| {
                            let Colour::Indexed(index) = run.style.foreground else {
                                return Span::raw(run.text.as_str());
                            };
                            Span::styled(run.text.as_str(), ratatui::style::Color::Indexed(index))
                        });
                        Line::from_iter(spans)
                    })
                    .collect();
                frame.render_widget(Paragraph::new(lines).block(Block::bordered()), right);
            })
            .expect("the benchmark's own data fits");
    });
}
