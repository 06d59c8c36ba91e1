//! The ways into the person's clipboard.

/// A way into the person's clipboard.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClipboardWay {
    /// tmux's own buffer, which tmux hands to the terminal it runs in: `set-buffer -w`.
    Tmux,
    /// OSC 52, the terminal's escape sequence for it.
    Osc52,
    /// The desktop's clipboard.
    Desktop,
    /// A file that only the person can read.
    File,
}

impl ClipboardWay {
    /// Every choice with its name in the configuration file; none is chosen by what is there.
    pub const CHOICES: [(&'static str, Option<Self>); 5] = [
        ("auto", None),
        ("tmux", Some(Self::Tmux)),
        ("osc52", Some(Self::Osc52)),
        ("desktop", Some(Self::Desktop)),
        ("file", Some(Self::File)),
    ];
}
