//! A real terminal: a tmux server of the test's own, on a private socket, without anybody's configuration.

use std::path::PathBuf;
use std::process::Output;
use std::time::Duration;

use super::env::Home;
use super::wait::{GENEROUS, wait_for};

/// A tmux server with one session and one window. It is killed when dropped.
pub struct Tmux<'a> {
    home: &'a Home,
    socket: PathBuf,
}

/// How to start one.
pub struct Terminal<'a> {
    /// Columns of the window.
    pub columns: u16,
    /// Rows of the window.
    pub rows: u16,
    /// Lines of configuration.
    pub config: &'a [&'a str],
    /// What to put before the `tmux` command: the way into a network namespace, say.
    pub prefix: &'a [String],
}

impl Default for Terminal<'_> {
    fn default() -> Self {
        Self { columns: 100, rows: 30, config: &[], prefix: &[] }
    }
}

impl<'a> Tmux<'a> {
    /// Starts `command` in a window of its own. The window stays, with its last text, after the command has ended.
    pub fn start(home: &'a Home, terminal: &Terminal<'_>, command: &[&str]) -> Self {
        let number = std::fs::read_dir(home.runtime()).unwrap().count();
        let socket = home.runtime().join(format!("tmux-{number}"));
        let mut config = "set -g default-terminal tmux-256color\nset -g status off\nset -g escape-time 0\n\
                          set -g remain-on-exit on\nset -g history-limit 5000\n"
            .to_owned();
        terminal.config.iter().for_each(|line| config.push_str(&format!("{line}\n")));
        let config = home.write_file(&format!("run/tmux-{number}.conf"), &config);

        let mut line: Vec<String> = terminal.prefix.to_vec();
        line.extend(
            ["tmux", "-S", &socket.to_string_lossy(), "-f", &config.to_string_lossy()].map(str::to_owned),
        );
        line.extend(["new-session", "-d", "-x"].map(str::to_owned));
        line.extend([terminal.columns.to_string(), "-y".into(), terminal.rows.to_string(), "--".into()]);
        // A single word goes through a shell, which would stay beside the program.
        line.push("env".to_owned());
        line.extend(command.iter().map(|&argument| argument.to_owned()));
        let started = home.command(&line[0]).args(&line[1..]).output().unwrap();
        assert!(
            started.status.success(),
            "tmux does not start: {}",
            String::from_utf8_lossy(&started.stderr)
        );
        Self { home, socket }
    }

    /// Runs a tmux command and returns what it printed; panics if it fails.
    pub fn run(&self, arguments: &[&str]) -> String {
        let output = self.try_run(arguments);
        assert!(output.status.success(), "tmux {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8_lossy(&output.stdout).into_owned()
    }

    fn try_run(&self, arguments: &[&str]) -> Output {
        self.home.command("tmux").arg("-S").arg(&self.socket).args(arguments).output().unwrap()
    }

    /// Presses keys by tmux's names (`Enter`, `Escape`, `C-c`, `Up`), one after the other.
    pub fn press(&self, keys: &[&str]) {
        self.run(&[&["send-keys", "-t", ":0"], keys].concat());
    }

    /// Types text as it is.
    pub fn type_text(&self, text: &str) {
        self.run(&["send-keys", "-t", ":0", "-l", "--", text]);
    }

    /// Pastes text as a terminal does: in brackets if the program asked for that.
    pub fn paste(&self, text: &str) {
        self.run(&["set-buffer", "-b", "test-paste", "--", text]);
        self.run(&["paste-buffer", "-p", "-d", "-r", "-b", "test-paste", "-t", ":0"]);
    }

    /// The screen as text, one line per row, blanks at the ends cut.
    pub fn screen(&self) -> String {
        self.run(&["capture-pane", "-p", "-t", ":0"])
    }

    /// The screen with its colours, as escape sequences.
    pub fn coloured_screen(&self) -> String {
        self.run(&["capture-pane", "-p", "-e", "-t", ":0"])
    }

    /// What was copied last: the newest buffer, which OSC 52 fills when `set-clipboard` is `on`.
    pub fn clipboard(&self) -> Option<String> {
        let output = self.try_run(&["show-buffer"]);
        output.status.success().then(|| String::from_utf8_lossy(&output.stdout).into_owned())
    }

    /// Throws away what was copied so far.
    pub fn forget_clipboard(&self) {
        for name in self.run(&["list-buffers", "-F", "#{buffer_name}"]).lines() {
            self.run(&["delete-buffer", "-b", name]);
        }
    }

    /// From now on, everything that the program writes to its terminal is appended to this file.
    pub fn tap(&self, file: &std::path::Path) {
        self.run(&["pipe-pane", "-t", ":0", "-O", &format!("exec cat >> '{}'", file.display())]);
    }

    /// A format such as `#{pane_dead}` of the window.
    pub fn ask(&self, format: &str) -> String {
        self.run(&["display-message", "-p", "-t", ":0", format]).trim_end().to_owned()
    }

    /// Process id of the command that was started.
    pub fn process_id(&self) -> u32 {
        self.ask("#{pane_pid}").parse().unwrap()
    }

    /// Whether the command has ended.
    pub fn is_over(&self) -> bool {
        self.ask("#{pane_dead}") == "1"
    }

    /// Changes the window's size.
    pub fn resize(&self, columns: u16, rows: u16) {
        self.run(&["resize-window", "-t", ":0", "-x", &columns.to_string(), "-y", &rows.to_string()]);
    }

    /// Takes the terminal away: the kernel hangs up what runs in it.
    pub fn close(&self) {
        self.run(&["kill-pane", "-t", ":0"]);
    }

    /// Waits until the screen satisfies `predicate`, and returns it.
    pub fn wait(&self, what: &str, predicate: impl FnMut(&str) -> bool) -> String {
        self.wait_within(what, GENEROUS, predicate)
    }

    /// The same with a limit of its own.
    pub fn wait_within(
        &self,
        what: &str,
        limit: Duration,
        mut predicate: impl FnMut(&str) -> bool,
    ) -> String {
        wait_for(what, limit, || {
            let screen = self.screen();
            if predicate(&screen) { Ok(screen) } else { Err(screen) }
        })
    }

    /// Waits until `text` stands somewhere on the screen.
    pub fn wait_text(&self, text: &str) -> String {
        self.wait(&format!("`{text}` on the screen"), |screen| screen.contains(text))
    }

    /// Waits until the clipboard has something that satisfies `predicate`.
    pub fn wait_clipboard(&self, what: &str, predicate: impl Fn(&str) -> bool) -> String {
        wait_for(what, GENEROUS, || match self.clipboard() {
            Some(text) if predicate(&text) => Ok(text),
            other => Err(format!("clipboard: {other:?}\n{}", self.screen())),
        })
    }
}

impl Drop for Tmux<'_> {
    fn drop(&mut self) {
        let _already_gone = self.try_run(&["kill-server"]);
    }
}
