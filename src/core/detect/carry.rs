//! What is no web page, but has to be carried elsewhere by the person: a link for another program, a command for a chat,
//! a port forwarding for the laptop.
//!
//! Nothing of it is ever opened: a scheme may run any program of the machine that it is opened on.

use std::sync::LazyLock;

use memchr::memmem::Finder;
use regex::Regex;

use super::address::{Address, assemble};
use super::expression::fixed;
use super::screen_text::ScreenText;

/// Lines above that may say what something is for.
const ABOVE: usize = 6;

/// Something to be carried, and where it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Carried {
    /// The text, byte for byte.
    pub text: String,
    /// Index of the line that it begins on.
    pub line: usize,
    /// Index of the line that it ends on.
    pub last: usize,
    /// More of it may follow.
    pub open: bool,
}

static LINK: LazyLock<Regex> =
    LazyLock::new(|| fixed(r"\b[a-z][a-z0-9+.-]{1,30}://[A-Za-z0-9\-._~:/?#\[\]@!$&'()*+,;=%]+"));

/// Schemes of things that no person carries: files, databases, repositories, sockets.
static TECHNICAL: LazyLock<Regex> = LazyLock::new(|| {
    fixed(
        r"^(?:https?|wss?|ftps?|sftp|scp|ssh|git(?:\+\w+)?|svn(?:\+\w+)?|hg|file|data|blob|about|chrome|s3a?|gs|az|abfss?|hdfs|r2|rediss?|postgres(?:ql)?(?:\+\w+)?|mysql(?:\+\w+)?|mariadb|mongodb(?:\+srv)?|sqlite\d?|mssql|oracle|jdbc|cassandra|amqps?|mqtts?|nats|kafka|tcp|udp|tls|unix|unixgram|npipe|fd|vsock|socks[45]?h?|grpcs?|dns|ldaps?|smtps?|imaps?|pop3s?|nfs|smb|cifs|afp|rsync|docker(?:-daemon)?|oci|containers?|registry|npm|jar|zip|nix|flake|github|gitlab|bitbucket|rtsps?|rtmps?|stun|turn|irc[s6]?|telnet|vnc|rdp|spice|k8s|pulsar|zk|consul|vault|env|op|secret|arn|urn|config|stdin|stdout|mem|memory|local|res|asset|package|classpath|webpack|node|bun|deno|app)$",
    )
});

/// What a link of another program has in it if it is for a login.
static LOGIN_LINK: LazyLock<Regex> = LazyLock::new(|| {
    fixed(
        r"(?i)(?:link|login|log-in|sign-?in|auth|device|pair|connect|verify|activate|totp|hotp|enroll|onboard|token=|key=|secret=|code=|uuid=|session=|state=|challenge=|nonce=)",
    )
});

/// Words that hand something over to another program or machine.
static HANDED_OVER: LazyLock<Regex> = LazyLock::new(|| {
    fixed(
        r"(?i)\b(?:scan|qr|link(?:ing)? (?:this|your|a|the)|pair|log ?in|sign ?in|authenticat\w+|authori[sz]\w+|on your (?:phone|mobile|device|laptop|computer)|in the app|(?:phone|mobile|desktop|authenticator) app)\b",
    )
});

/// Words that send a slash command to a chat.
static CHAT: LazyLock<Regex> = LazyLock::new(|| {
    fixed(
        r"(?i)\bslash[ -]command\b|\b(?:in|to|into) (?:any|a|an|the|your|our|this) (?:\w+ ){0,3}(?:channel|chat|dm|conversation|workspace|room|server|thread|bot)\b|\b(?:channel|dm) or (?:channel|dm)\b",
    )
});

static SLASH_COMMAND: LazyLock<Regex> =
    LazyLock::new(|| fixed(r"^[`'\x22]?(?P<command>/[a-z][a-z0-9_-]{2,40}(?: [^\s/]\S{3,})*)[`'\x22]?$"));

/// `ssh -L 8085:localhost:8085 dev@box`, with other options anywhere.
static FORWARDING: LazyLock<Regex> = LazyLock::new(|| {
    let option = r"-(?:[NfTqnCv46]+|[ip] \S+|o \S+|p\d+)";
    fixed(&format!(
        r"\bssh (?:{option} )*-[NfTqnCv46]*[LRD] ?(?:[\w.\[\]:*-]+:)?\d{{2,5}}(?::[\w.\[\]:-]+:\d{{1,5}})?(?: -[LRD] ?\S+| {option})* (?P<host>[\w][\w.@<>-]*)(?: {option})*"
    ))
});

/// Words around a forwarding that say that a person is to do it.
static TO_DO: LazyLock<Regex> = LazyLock::new(|| {
    fixed(
        r"(?i)\b(?:your (?:own |local |other )?(?:laptop|computer|machine|pc|terminal|workstation)|local(?:ly)?|laptop|another terminal|forward(?:ing)?|tunnel|browser|remote|headless|log ?in|sign ?in|authenticat\w+|run)\b",
    )
});

/// Returns what is to be carried, in reading order.
pub(super) fn carried(screen_text: &ScreenText) -> Vec<Carried> {
    let mut found = Vec::new();
    let mut covered = 0;
    for (index, line) in screen_text.lines.iter().enumerate() {
        if line.text.is_empty() || index < covered {
            continue;
        }
        if let Some(address) = link(screen_text, index) {
            covered = address.last + 1;
            found.push(Carried { text: address.text, line: index, last: address.last, open: address.open });
        } else if let Some(text) =
            slash_command(screen_text, index).or_else(|| forwarding(screen_text, index))
        {
            let open = line.has_cursor && line.text.ends_with(&text);
            found.push(Carried { text, line: index, last: index, open });
        }
    }
    found
}

fn link(screen_text: &ScreenText, index: usize) -> Option<Address> {
    static SCHEME_END: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new("://"));
    let text = screen_text.lines[index].text.as_str();
    SCHEME_END.find(text.as_bytes())?;
    let run = LINK.find_iter(text).find(|run| {
        let scheme = run.as_str().split("://").next().unwrap_or_default();
        let whole = !text[..run.start()].ends_with(['.', '/', '-', '=', '&', '%']);
        whole && !TECHNICAL.is_match(scheme)
    })?;
    let address = assemble(screen_text, index, run.range());
    let opaque = address.text.split("://").nth(1).is_some_and(|rest| rest.len() >= 8);
    let told = LOGIN_LINK.is_match(&address.text) || is_told(screen_text, index, &HANDED_OVER);
    (opaque && told && !address.cut_short).then_some(address)
}

fn slash_command(screen_text: &ScreenText, index: usize) -> Option<String> {
    let text = screen_text.lines[index].text.as_str();
    if !text.starts_with(['/', '`', '\'', '"']) {
        return None;
    }
    let command = SLASH_COMMAND.captures(text)?;
    is_told(screen_text, index, &CHAT)
        .then(|| command["command"].trim_end_matches(['`', '\'', '"']).to_owned())
}

fn forwarding(screen_text: &ScreenText, index: usize) -> Option<String> {
    static SSH: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new("ssh -"));
    let text = screen_text.lines[index].text.as_str();
    SSH.find(text.as_bytes())?;
    let found = FORWARDING.captures(text)?;
    let command = found.get(0)?.as_str().trim_end_matches(['.', ',']);
    (is_told(screen_text, index, &TO_DO) && !found["host"].starts_with('<')).then(|| command.to_owned())
}

/// Whether a line or one of those above it has such words.
fn is_told(screen_text: &ScreenText, index: usize, words: &Regex) -> bool {
    screen_text.lines[index.saturating_sub(ABOVE)..=index].iter().any(|line| words.is_match(&line.text))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::detect::screen_text::Line;

    fn texts(lines: &[&str]) -> Vec<String> {
        let line = |text: &&str| Line { text: text.trim().to_owned(), rows: 1, ..Line::default() };
        let screen_text = ScreenText { lines: lines.iter().map(line).collect() };
        carried(&screen_text).into_iter().map(|carried| carried.text).collect()
    }

    #[test]
    fn links_commands_and_forwardings_are_carried() {
        for (lines, text) in [
            (
                &["sgnl://linkdevice?uuid=24QoGo%3D%3D&pub_key=BVEuzV1"][..],
                "sgnl://linkdevice?uuid=24QoGo%3D%3D&pub_key=BVEuzV1",
            ),
            (&["Scan this with the app:", "kitapp://x/8f7e6d5c4b3a"], "kitapp://x/8f7e6d5c4b3a"),
            (&["Send this in any Chat channel:", "/kitauth abcdef123456"], "/kitauth abcdef123456"),
            (&["Run this slash command:", "", "`/link 4711-0815`"], "/link 4711-0815"),
            (
                &["On your laptop: ssh -L 8085:localhost:8085 dev@box.example"],
                "ssh -L 8085:localhost:8085 dev@box.example",
            ),
            (
                &["Run:", "ssh -N -L 127.0.0.1:1455:[::1]:1455 -p 2222 box"],
                "ssh -N -L 127.0.0.1:1455:[::1]:1455 -p 2222 box",
            ),
        ] {
            assert_eq!(texts(lines), [text], "{lines:?}");
        }
    }

    #[test]
    fn paths_repositories_and_databases_are_not() {
        for lines in [
            &["Cloning from", "git+ssh://git@git.example/login"][..],
            &["postgres://auth:pw@db/login"],
            &["/usr/bin/env"],
            &["Run this slash command:", "/etc/hosts is a file"],
            &["/help"],
            &["ssh -L port:host:hostport destination"],
            &["see the docs of widget://x"],
        ] {
            assert!(texts(lines).is_empty(), "{lines:?} gave {:?}", texts(lines));
        }
    }
}
