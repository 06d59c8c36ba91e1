//! The ways into the person's clipboard, as the configuration file names them.

/// A way into the person's clipboard.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ClipboardWay {
    /// Chosen by what is there.
    #[default]
    Auto,
    /// tmux's own buffer, which tmux hands to the terminal: `set-buffer -w`.
    Tmux,
    /// OSC 52, the terminal's escape sequence for it.
    Osc52,
    /// The desktop's clipboard.
    Desktop,
    /// A file that only the person can read.
    File,
}

impl ClipboardWay {
    /// Every way with its name in the configuration file.
    pub const NAMES: [(&'static str, Self); 5] = [
        ("auto", Self::Auto),
        ("tmux", Self::Tmux),
        ("osc52", Self::Osc52),
        ("desktop", Self::Desktop),
        ("file", Self::File),
    ];
}
