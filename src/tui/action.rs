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

            /// Returns what it does, in a sentence.
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
    SessionNew, "session.new", "new", "Starts a login: opens the list of providers.";
    UrlCopy, "url.copy", "copy URL", "Copies the URL to open.";
    CodeCopy, "code.copy", "copy code", "Copies the device code.";
    UrlOpen, "url.open", "open", "Opens the URL in this machine's browser.";
    UrlScan, "url.scan", "scan", "Shows the URL as a QR code to scan with a phone.";
    PasteOpen, "paste.open", "paste", "Takes what the browser ended on: URL, code or code#state.";
    PaneType, "pane.type", "type into it", "Sends every key to the CLI, until the escape chord.";
    PaneTypeLeave, "pane.type-leave", "stop typing", "Takes the keys back from the CLI.";
    SessionKill, "session.kill", "kill", "Kills the CLI and everything it started; asks once.", danger;
    SessionKillNow, "session.kill-now", "kill now", "Kills the CLI and everything it started, at once.", danger;
    SessionRestart, "session.restart", "start again", "Starts the same login once more.";
    SessionRemove, "session.remove", "remove", "Takes a finished session off the list.";
    SessionExplain, "session.explain", "explain", "Says what the session waits for, and why.";
    ChallengeAnswer, "challenge.answer", "answer", "Answers the selected challenge.";
    ChallengeDeny, "challenge.deny", "deny", "Refuses the selected challenge.";
    WaitingNext, "waiting.next", "next waiting", "Goes to the next one that waits for you.";
    ListDown, "list.down", "down", "Selects the next entry.";
    ListUp, "list.up", "up", "Selects the entry above.";
    ListFirst, "list.first", "first", "Selects the first entry.";
    ListLast, "list.last", "last", "Selects the last entry.";
    FocusNext, "focus.next", "list/pane", "Moves between the list and the pane.";
    PaneFocus, "pane.focus", "to the pane", "Moves into the pane.";
    PaneLeave, "pane.leave", "back", "Moves back to the list.";
    PaneZoom, "pane.zoom", "zoom", "Gives the pane the whole width, or back.";
    PaneUp, "pane.up", "scroll up", "Scrolls the history up by a line.";
    PaneDown, "pane.down", "scroll down", "Scrolls the history down by a line.";
    PanePageUp, "pane.page-up", "page up", "Scrolls the history up by a page.";
    PanePageDown, "pane.page-down", "page down", "Scrolls the history down by a page.";
    PaneTop, "pane.top", "oldest", "Scrolls to the oldest line that is kept.";
    PaneBottom, "pane.bottom", "live", "Scrolls back to the live screen.";
    SearchOpen, "search.open", "search", "Searches the transcript.";
    SearchNext, "search.next", "next match", "Goes to the next match.";
    SearchPrevious, "search.previous", "match before", "Goes to the match before.";
    SearchClose, "search.close", "end search", "Ends the search.";
    RecordingSave, "recording.save", "save recording", "Saves the session as an asciicast v2 file, secrets masked.";
    BundlesOpen, "bundles.open", "bundles", "Lists who is logged in where.";
    HostNext, "host.next", "host", "Chooses the host of the next login, where the deck shows several.";
    ThemeNext, "theme.next", "theme", "Switches to the next theme.";
    MessagesOpen, "messages.open", "messages", "Shows what the status line has said.";
    HelpOpen, "help.open", "help", "Shows every key.";
    PaletteOpen, "palette.open", "palette", "Finds any action, URL or code by name.";
    DeckRedraw, "deck.redraw", "redraw", "Draws everything anew, after something else wrote on the terminal.";
    SupervisorStop, "supervisor.stop", "stop", "Ends the background supervisor and every deck; asks if logins are live.";
    DeckQuit, "deck.quit", "leave", "Leaves the deck; the sessions go on.";
    DialogAccept, "dialog.accept", "accept", "Takes what is entered or selected.";
    DialogCancel, "dialog.cancel", "back", "Closes the dialog and does nothing.";
    DialogDeny, "dialog.deny", "deny", "Refuses the challenge that asks.";
    DialogNext, "dialog.next", "next", "Goes to the next entry or field.";
    DialogPrevious, "dialog.previous", "previous", "Goes to the entry or field before.";
    DialogPageDown, "dialog.page-down", "page down", "Goes a page down.";
    DialogPageUp, "dialog.page-up", "page up", "Goes a page up.";
}

impl Action {
    /// Finds an action by its name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|action| action.name() == name)
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
        }
    }
}
