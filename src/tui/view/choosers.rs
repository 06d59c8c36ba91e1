//! The palette and the picker: a line to type into, and what matches.

use ratatui::layout::{Position, Rect};

use super::painter::{Line, Painter, Target, piece};
use super::{dialogs, footer};
use crate::tui::chooser::{Choice, Chooser};
use crate::tui::model::Model;
use crate::tui::palette::PaletteEntry;
use crate::tui::picker::PickerEntry;
use crate::tui::text::{visible, width};
use crate::tui::theme::Role;

/// Draws the palette.
pub fn palette(painter: &mut Painter<'_>, screen: Rect, chooser: &Chooser<PaletteEntry>) -> Option<Position> {
    draw(painter, screen, "Palette", chooser, 76, |entry| {
        let (left, role) =
            (entry.label.clone(), if entry.unavailable.is_some() { Role::TextQuiet } else { Role::Text });
        let right = match entry.unavailable {
            Some(reason) => vec![piece(reason, Role::TextQuiet)],
            None => vec![piece(format!("{:>3}", entry.keys), Role::UiKey)],
        };
        (vec![piece(left, role)], right)
    })
}

/// Draws the picker.
pub fn picker(
    model: &Model,
    painter: &mut Painter<'_>,
    screen: Rect,
    chooser: &Chooser<PickerEntry>,
) -> Option<Position> {
    let host = model.hosts.all.get(model.host_for_new()).map(|host| format!(" on {}", host.name));
    let looking = if model.providers.is_some() { "" } else { " (looking for what is installed)" };
    let title = format!("Start a login{}{looking}", host.unwrap_or_default());
    draw(painter, screen, &title, chooser, 72, |entry| match entry {
        PickerEntry::AnyCommand => (
            vec![piece("any command", Role::TextStrong)],
            vec![piece("type a command line", Role::TextQuiet)],
        ),
        PickerEntry::Provider(provider) => {
            let id = visible(provider.provider_id.as_str()).into_owned();
            let title = visible(&provider.title).into_owned();
            let role = if provider.installed { Role::TextStrong } else { Role::TextQuiet };
            let mut left = vec![piece(id.clone(), role)];
            if title.to_lowercase() != id {
                left.push(piece(format!("  {title}"), Role::TextQuiet));
            }
            let right = if provider.installed {
                visible(&provider.command.join(" ")).into_owned()
            } else {
                format!("not installed: {}", visible(&provider.install_hint))
            };
            (left, vec![piece(right, Role::TextQuiet)])
        }
    })
}

fn draw<T: Choice>(
    painter: &mut Painter<'_>,
    screen: Rect,
    title: &str,
    chooser: &Chooser<T>,
    columns: u16,
    show: impl Fn(&T) -> (Line, Line),
) -> Option<Position> {
    let rows = screen.height.saturating_sub(4).min(20);
    let area = dialogs::frame(painter, screen, columns, rows, title);
    let field = Rect { height: 1, ..area };
    painter.fill(field, Role::UiField);
    let cursor = footer::draw_field(painter, field.x, field.y, field.width, &chooser.field, false);
    let list = Rect { y: area.y + 1, height: area.height.saturating_sub(1), ..area };
    if chooser.matching.is_empty() {
        painter.text(list.x, list.y, list.width, "Nothing of that name.", Role::TextQuiet);
    }
    let top = (chooser.selected + 1).saturating_sub(usize::from(list.height));
    for (y, (at, index)) in (list.top()..list.bottom()).zip(chooser.matching.iter().enumerate().skip(top)) {
        let (left, right) = show(&chooser.all[*index]);
        let line = Rect { y, height: 1, ..list };
        draw_choice(painter, line, &left, &right, at == chooser.selected);
        painter.target(line, Target::Choice(at));
    }
    Some(cursor)
}

fn draw_choice(
    painter: &mut Painter<'_>,
    line: Rect,
    left: &[super::painter::Piece],
    right: &[super::painter::Piece],
    selected: bool,
) {
    let mark = if selected { "> " } else { "  " };
    let x = painter.text(line.x, line.y, 2, mark, Role::UiKey);
    let x = painter.line(x, line.y, line.right().saturating_sub(x), left);
    let room = line.right().saturating_sub(x + 2);
    let needed: usize = right.iter().map(|piece| width(&piece.text)).sum();
    if usize::from(room) >= needed.min(12) {
        painter.line_ending(line.right(), line.y, room, right);
    }
    if selected {
        painter.tint(line, Role::UiSelection);
    }
}
