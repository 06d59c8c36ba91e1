//! Everything a person can do, one line each: help, palette, footer, keys and the README's table derive from it.

/// Why an action cannot be run now, as a phrase for a person.
pub type Reason = &'static str;

macro_rules! actions {
    ($($variant:ident, $name:literal, $label:literal, $doc:literal $(, $danger:ident)?;)*) => {
        /// An action that keys, the palette and the mouse run.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Action {
            $(#[doc = $doc] $variant,)*
        }

        impl Action {
            /// Every action, in the order of help.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// Returns its name in keymaps: `noun.verb`.
            pub fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }

            /// Returns the one or two words that the footer shows.
            pub fn label(self) -> &'static str {
                match self { $(Self::$variant => $label,)* }
            }

            /// Returns what it does, as an order in a sentence.
            pub fn doc(self) -> &'static str {
                match self { $(Self::$variant => $doc,)* }
            }

            /// Tells whether it destroys something, so that the palette asks first.
            pub fn is_dangerous(self) -> bool {
                match self { $(Self::$variant => actions!(@danger $($danger)?),)* }
            }
        }
    };
    (@danger danger) => { true };
    (@danger) => { false };
}

actions! {
    SessionNew, "session.new", "new", "Start a login: open the list of providers.";
    UrlCopy, "url.copy", "copy URL", "Copy the URL to open.";
    CodeCopy, "code.copy", "copy code", "Copy the device code.";
    UrlOpen, "url.open", "open", "Open the URL in this machine's browser.";
    UrlScan, "url.scan", "scan", "Show the URL as a QR code to scan with a phone.";
    PasteOpen, "paste.open", "paste", "Take what the browser ended on: URL, code or code#state.";
    PaneType, "pane.type", "type into it", "Send every key to the CLI, until the escape chord.";
    PaneTypeLeave, "pane.type-leave", "stop typing", "Take the keys back from the CLI.";
    SessionKill, "session.kill", "kill", "Kill the CLI and everything it started; ask first.", danger;
    SessionKillNow, "session.kill-now", "kill now", "Kill the CLI and everything it started, at once.", danger;
    SessionRestart, "session.restart", "start again", "Start the same login once more.";
    SessionRemove, "session.remove", "remove", "Take a finished session off the list.";
    SessionExplain, "session.explain", "explain", "Say what the session waits for, and why.";
    ChallengeAnswer, "challenge.answer", "answer", "Answer the selected challenge.";
    ChallengeDeny, "challenge.deny", "deny", "Refuse the selected challenge.";
    WaitingNext, "waiting.next", "next waiting", "Go to the next one that waits for you.";
    ListDown, "list.down", "down", "Select the next entry.";
    ListUp, "list.up", "up", "Select the entry above.";
    ListFirst, "list.first", "first", "Select the first entry.";
    ListLast, "list.last", "last", "Select the last entry.";
    FocusNext, "focus.next", "list/pane", "Move between the list and the pane.";
    PaneFocus, "pane.focus", "to the pane", "Move into the pane.";
    PaneLeave, "pane.leave", "back", "Move back to the list.";
    PaneZoom, "pane.zoom", "zoom", "Give the pane the whole width, or back.";
    PaneUp, "pane.up", "scroll up", "Scroll the history up by a line.";
    PaneDown, "pane.down", "scroll down", "Scroll the history down by a line.";
    PanePageUp, "pane.page-up", "page up", "Scroll the history up by a page.";
    PanePageDown, "pane.page-down", "page down", "Scroll the history down by a page.";
    PaneTop, "pane.top", "oldest", "Scroll to the oldest line that is kept.";
    PaneBottom, "pane.bottom", "live", "Scroll back to the live screen.";
    SearchOpen, "search.open", "search", "Search the transcript.";
    SearchNext, "search.next", "next match", "Go to the next match.";
    SearchPrevious, "search.previous", "match before", "Go to the match before.";
    SearchClose, "search.close", "end search", "End the search.";
    RecordingSave, "recording.save", "save recording", "Save the session as an asciicast v2 file, secrets masked.";
    BundlesOpen, "bundles.open", "bundles", "List who is logged in where.";
    HostNext, "host.next", "host", "Choose the host of the next login, where the deck shows several.";
    ThemeNext, "theme.next", "theme", "Switch to the next theme.";
    MessagesOpen, "messages.open", "messages", "Show what the status line has said.";
    HelpOpen, "help.open", "help", "Show every key.";
    PaletteOpen, "palette.open", "palette", "Find any action, URL or code by name.";
    DeckRedraw, "deck.redraw", "redraw", "Draw everything anew, after something else wrote on the terminal.";
    DeckSuspend, "deck.suspend", "suspend", "Stop the deck and give the terminal to the shell; `fg` brings it back.";
    SupervisorStop, "supervisor.stop", "stop", "End the background supervisor and every deck; ask if logins are live.";
    DeckQuit, "deck.quit", "leave", "Leave the deck; the sessions go on.";
    DialogAccept, "dialog.accept", "accept", "Take what is entered or selected.";
    DialogCancel, "dialog.cancel", "back", "Close the dialog and do nothing.";
    DialogYes, "dialog.yes", "yes", "Say yes to the question.";
    DialogDeny, "dialog.deny", "deny", "Refuse the challenge that asks.";
    DialogNext, "dialog.next", "next", "Go to the next entry or field.";
    DialogPrevious, "dialog.previous", "previous", "Go to the entry or field before.";
    DialogPageDown, "dialog.page-down", "page down", "Go a page down.";
    DialogPageUp, "dialog.page-up", "page up", "Go a page up.";
}

/// The headings of help, in its order, each with the nouns of its actions. A test looks for a noun without one.
pub const GROUPS: &[(&str, &[&str])] = &[
    ("Logins", &["session", "waiting"]),
    ("What the selected login shows", &["url", "code", "paste", "recording"]),
    ("Questions", &["challenge"]),
    ("The list", &["list", "focus"]),
    ("The pane", &["pane"]),
    ("Search", &["search"]),
    ("The deck", &["palette", "help", "messages", "bundles", "host", "theme", "deck", "supervisor"]),
    ("Dialogs", &["dialog"]),
];

impl Action {
    /// Finds an action by its name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|action| action.name() == name)
    }

    /// Returns the heading under which help lists it.
    pub fn group(self) -> &'static str {
        let noun = self.name().split('.').next().unwrap_or_default();
        GROUPS.iter().find(|(_, nouns)| nouns.contains(&noun)).map_or("", |(title, _)| title)
    }

    /// Tells whether it only makes sense inside a dialog, so that the palette leaves it out.
    pub fn is_for_dialogs(self) -> bool {
        self.name().starts_with("dialog.") || matches!(self, Self::PaneTypeLeave)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_noun_verb_and_lead_back() {
        for action in Action::ALL {
            assert_eq!(Action::from_name(action.name()), Some(*action));
            assert_eq!(action.name().split('.').count(), 2, "{}", action.name());
            assert!(action.doc().ends_with('.'), "{}", action.doc());
            assert!(!action.group().is_empty(), "{}", action.name());
        }
    }
}
