//! What is lost when the supervisor is killed at any point of a login, or the SSH connection of the deck is cut: nothing.

use std::collections::BTreeSet;
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::process::Stdio;
use std::time::{Duration, Instant, SystemTime};

use authdeck::client::{Client, ClientError, connect_unix};
use authdeck::core::ids::{ChallengeId, ProviderId, SessionId};
use authdeck::core::secret::Secret;
use authdeck::core::status::Status;
use authdeck::os::peers::PeerCredentials;
use authdeck::protocol::request::{AnswerChallenge, StartSession};
use authdeck::protocol::snapshot::{ChildState, SessionView, Snapshot};

use super::common::deck::State;
use super::common::env::{AUTHDECK, Home};
use super::common::peer;
use super::common::process::{self, list};
use super::common::servers::SshServer;
use super::common::supervisor::SAMPLE;
use super::common::tmux::{Terminal, Tmux};
use super::common::wait::{GENEROUS, wait_until};

/// Logins that are gone through.
const FLOWS: usize = 20;

/// How often each one's supervisor is killed.
const KILLS: usize = 5;

/// Logins at the same time.
const AT_ONCE: usize = 4;

/// The lines that each login prints.
const LINES: usize = 240;

const URL: &str = "https://login.example.com/authorize?response_type=code&client_id=x&state=s-1234567890&redirect_uri=https%3A%2F%2Flogin.example.com%2Fdone";

/// A login: lines all the way, a URL, a question by askpass, a code to paste, success.
const LOGIN: &str = r#"i=0
say() { n=0; while [ $n -lt $1 ]; do echo line-$i-; i=$((i + 1)); n=$((n + 1)); [ $((n % 20)) = 0 ] && sleep 0.02; done; }
say 60; echo "Open URL"; say 60
answer=$("$SSH_ASKPASS" "Password of the test: ") || exit 7
echo "answer has ${#answer} letters"; say 40
printf "Paste code here: "; read code; echo "took $code"; say 40
echo "Successfully logged in as a@example.com"; echo "Logged in as a@example.com" > logged-in; say 40"#;

/// Numbers that look random and can be had again: SplitMix64.
pub(super) struct Dice(pub(super) u64);

impl Dice {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    pub(super) fn below(&mut self, limit: u64) -> u64 {
        self.next() % limit
    }
}

/// Where a login stands when its supervisor is killed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Point {
    /// Nothing was found yet.
    Start,
    /// The URL is known, and no success.
    UrlAvailable,
    /// The question waits.
    Parked,
    /// The code is handed in.
    Submitted,
    /// It is over.
    Over,
}

impl Point {
    const ALL: [Self; 5] = [Self::Start, Self::UrlAvailable, Self::Parked, Self::Submitted, Self::Over];
}

/// One login, and what is known of it across all supervisors.
struct Flow {
    home: Home,
    name: String,
    session: SessionId,
    /// Where the supervisor is still to be killed, and how long after that point is reached.
    kills: Vec<(Point, Duration)>,
    killed: BTreeSet<Point>,
    url_seen: bool,
    successes: usize,
    challenge: Option<ChallengeId>,
    submitted: bool,
}

/// What comes of working with one supervisor.
enum Outcome {
    /// It was killed.
    Killed,
    /// The login has ended.
    Over,
}

fn socket(home: &Home) -> PathBuf {
    home.runtime().join("authdeck/supervisor.sock")
}

/// The supervisor's process, as the kernel names it.
pub(super) fn supervisor(home: &Home) -> u32 {
    let stream = UnixStream::connect(socket(home)).unwrap();
    PeerCredentials::of(&stream).unwrap().process_id.unwrap()
}

pub(super) async fn serve(home: &Home) -> Client {
    let started = home.authdeck(["serve"]).stdin(Stdio::null()).output().unwrap();
    assert!(started.status.success(), "{started:?}");
    let (client, events) = connect_unix(&socket(home)).await.unwrap();
    drop(events);
    client
}

impl Flow {
    async fn start(number: usize, dice: &mut Dice) -> Self {
        let home = Home::new();
        home.write_file("home/.config/authdeck/providers/sample.toml", SAMPLE);
        home.write_file("work/login.sh", &LOGIN.replace("URL", URL));
        let client = serve(&home).await;
        let start = StartSession {
            provider_id: Some(ProviderId::new("sample")),
            command: ["/bin/sh", "login.sh"].map(str::to_owned).into(),
            directory: Some(home.work().display().to_string()),
            ..StartSession::default()
        };
        let session = client.start(start).await.unwrap().session_id;
        let mut kills: Vec<_> = (0..KILLS)
            .map(|_| {
                let point = Point::ALL[usize::try_from(dice.below(Point::ALL.len() as u64)).unwrap()];
                (point, Duration::from_millis(dice.below(60)))
            })
            .collect();
        kills.sort_by_key(|(point, _)| *point);
        kills.reverse();
        let name = format!("login {number}, kills {kills:?}");
        let challenge = None;
        let killed = BTreeSet::new();
        Self {
            home,
            name,
            session,
            kills,
            killed,
            url_seen: false,
            successes: 0,
            challenge,
            submitted: false,
        }
    }

    /// Works with one supervisor until it is killed, or everything is over.
    async fn work(&mut self) -> Outcome {
        let client = serve(&self.home).await;
        let begun = Instant::now();
        let mut kill_at = None;
        loop {
            assert!(begun.elapsed() < GENEROUS, "{}: it does not go on", self.name);
            let snapshot = client.subscribe().await.unwrap();
            let view = self.check(&snapshot);
            let point = self.point(&view, &snapshot);
            if kill_at.is_none() && self.kills.last().is_some_and(|(at, _)| *at <= point) {
                let (_, wait) = self.kills.pop().unwrap();
                kill_at = Some(Instant::now() + wait);
            }
            if kill_at.is_some_and(|at| Instant::now() >= at) {
                self.killed.insert(point);
                self.kill();
                return Outcome::Killed;
            }
            // The point at which it is to be killed must not be over before that.
            if kill_at.is_none() {
                match self.advance(&client, &view, &snapshot).await {
                    Ok(true) if self.kills.is_empty() => return Outcome::Over,
                    Ok(_) => {}
                    Err(error) => panic!("{}: {error}", self.name),
                }
            }
            tokio::time::sleep(Duration::from_millis(3)).await;
        }
    }

    fn kill(&self) {
        let id = supervisor(&self.home);
        let process = rustix::process::Pid::from_raw(id.cast_signed()).unwrap();
        rustix::process::kill_process(process, rustix::process::Signal::KILL).unwrap();
        wait_until("the supervisor is dead", || !process::is_alive(id), String::new);
    }

    /// Makes sure that the login is listed, once, and that nothing that was reached is taken back.
    fn check(&mut self, snapshot: &Snapshot) -> SessionView {
        let name = &self.name;
        let [view] = &snapshot.sessions[..] else { panic!("{name}: {:?}", snapshot.sessions) };
        assert_eq!(view.session_id, self.session, "{name}");
        match &view.status {
            Status::Pending => assert!(!self.url_seen && self.successes == 0, "{name}: {view:?}"),
            Status::UrlAvailable { auth_url } => {
                assert!(auth_url == URL && self.successes == 0, "{name}: {view:?}");
                self.url_seen = true;
            }
            Status::Success { email, .. } => {
                assert_eq!(email.as_deref(), Some("a@example.com"), "{name}");
                self.successes = 1;
            }
            other => panic!("{name}: {other:?} {view:?}"),
        }
        assert!(snapshot.bundles.len() <= 1, "{name}: {:?}", snapshot.bundles);
        assert!(snapshot.challenges.len() <= 1, "{name}: {:?}", snapshot.challenges);
        for challenge in &snapshot.challenges {
            let known = self.challenge.get_or_insert_with(|| challenge.challenge_id.clone());
            assert_eq!(challenge.challenge_id, *known, "{name}: parked again under another id");
        }
        view.clone()
    }

    fn point(&self, view: &SessionView, snapshot: &Snapshot) -> Point {
        if view.status.is_terminal() {
            Point::Over
        } else if self.submitted {
            Point::Submitted
        } else if !snapshot.challenges.is_empty() {
            Point::Parked
        } else if self.url_seen {
            Point::UrlAvailable
        } else {
            Point::Start
        }
    }

    /// Does what a person would do now. Returns true once the login is over.
    async fn advance(
        &mut self,
        client: &Client,
        view: &SessionView,
        snapshot: &Snapshot,
    ) -> Result<bool, ClientError> {
        if let Some(challenge) = snapshot.challenges.first() {
            let answer = AnswerChallenge {
                challenge_id: challenge.challenge_id.clone(),
                epoch: Some(challenge.epoch),
                user: None,
                secret: Some(Secret::new("0123456789")),
            };
            client.answer_challenge(answer).await?;
        }
        if !self.submitted && view.prompt.as_ref().is_some_and(|prompt| prompt.contains("Paste code")) {
            let submitted = client.submit(&self.session, Secret::new("code-1234567890")).await?;
            assert!(submitted.delivered, "{}: {submitted:?}", self.name);
            self.submitted = true;
        }
        Ok(view.status.is_terminal())
    }

    /// Compares what was kept with what was printed, and looks for what was left behind.
    async fn judge(self) -> BTreeSet<Point> {
        let client = serve(&self.home).await;
        let snapshot = client.subscribe().await.unwrap();
        let name = &self.name;
        let view = &snapshot.sessions[0];
        assert!(matches!(view.status, Status::Success { .. }), "{name}: {view:?}");
        assert!(matches!(view.child, ChildState::Exited { .. }), "{name}: {view:?}");
        // Asked for, because a first snapshot may be made before the store was read; what is read later is told.
        assert_eq!(client.bundles().await.unwrap().len(), 1, "{name}");
        let transcript = client.transcript(&self.session).await.unwrap();
        let numbers: Vec<usize> = transcript
            .split("line-")
            .skip(1)
            .filter_map(|rest| rest.split('-').next()?.parse().ok())
            .collect();
        assert_eq!(numbers, (0..LINES).collect::<Vec<_>>(), "{name}\n{transcript}");
        assert_eq!(transcript.matches("Successfully logged in").count(), 1, "{name}");
        assert!(transcript.contains("answer has 10 letters"), "{name}\n{transcript}");
        let left = || {
            let mut left = self.home.processes();
            left.retain(|process| !process.is_authdeck("serve"));
            left
        };
        wait_until(
            "nothing of the login is left",
            || left().is_empty(),
            || format!("{name}\n{}", list(&left())),
        );
        assert_eq!(self.home.supervisors().len(), 1, "{name}");
        self.killed
    }
}

async fn go_through(number: usize, seed: u64) -> BTreeSet<Point> {
    let mut dice = Dice(seed.wrapping_add(number as u64));
    let mut flow = Flow::start(number, &mut dice).await;
    while matches!(flow.work().await, Outcome::Killed) {}
    flow.judge().await
}

#[test]
fn a_hundred_kills_at_random_points_of_logins_lose_and_double_nothing() {
    // The same again: AUTHDECK_TEST_SEED=… cargo test --test suite a_hundred_kills
    let since_epoch = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap();
    let given = std::env::var("AUTHDECK_TEST_SEED").ok().and_then(|seed| seed.parse().ok());
    let seed: u64 = given.unwrap_or(since_epoch.as_secs());
    println!("AUTHDECK_TEST_SEED={seed}");
    let threads: Vec<_> = (0..AT_ONCE)
        .map(|first| {
            std::thread::spawn(move || {
                let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
                let mut killed = BTreeSet::new();
                for number in (first..FLOWS).step_by(AT_ONCE) {
                    killed.extend(runtime.block_on(go_through(number, seed)));
                }
                killed
            })
        })
        .collect();
    let mut killed = BTreeSet::new();
    for thread in threads {
        match thread.join() {
            Ok(points) => killed.extend(points),
            Err(panic) => {
                println!("AUTHDECK_TEST_SEED={seed}");
                std::panic::resume_unwind(panic);
            }
        }
    }
    for point in [Point::UrlAvailable, Point::Parked] {
        assert!(killed.contains(&point), "no supervisor was killed at {point:?}; seed {seed}: {killed:?}");
    }
}

/// Prints ten more lines for each line in the file `more`; ends when it says `end`.
const COUNTER: &str = r#"n=0; said=0; echo "Open URL"
while :; do
    wanted=$(grep -c more more)
    while [ $said -lt $wanted ]; do
        said=$((said + 1)); i=0; while [ $i -lt 10 ]; do echo line-$n-; n=$((n + 1)); i=$((i + 1)); done
        echo "batch $said is over"
    done
    if grep -q end more; then exit 0; fi
    sleep 0.05
done"#;

#[tokio::test(flavor = "multi_thread")]
async fn a_cut_ssh_connection_costs_the_deck_and_nothing_else() {
    let test = "a_cut_ssh_connection_costs_the_deck_and_nothing_else";
    if !peer::has(test, &[&["tmux", "sh"][..], &SshServer::NEEDS].concat()) {
        return;
    }
    let home = Home::new();
    let server = SshServer::start(&home);
    let passphrase = home.write_script("work/passphrase", "#!/bin/sh\necho keypass\n");
    home.write_file("work/counter.sh", &COUNTER.replace("URL", URL));
    let more = home.write_file("work/more", "more\n");
    let say = |word: &str| {
        let text = std::fs::read_to_string(&more).unwrap();
        std::fs::write(&more, format!("{text}{word}\n")).unwrap();
    };
    // What sshd starts has the environment of the account, which is not the test's.
    let variables: Vec<String> =
        home.variables().iter().map(|(name, value)| format!("{name}='{value}'")).collect();
    let remote = |arguments: &str| {
        let (folder, variables) = (home.work().display().to_string(), variables.join(" "));
        let command = format!("cd {folder} && exec env -i {variables} {AUTHDECK} {arguments}");
        let mut login = server.login(&command);
        login.insert(1, "-tt".into());
        let mut line = vec![
            "env".to_owned(),
            format!("SSH_ASKPASS={}", passphrase.display()),
            "SSH_ASKPASS_REQUIRE=force".to_owned(),
        ];
        line.extend(login);
        line
    };
    let open = |arguments: &str| {
        let line = remote(arguments);
        let line: Vec<&str> = line.iter().map(String::as_str).collect();
        Tmux::start(&home, &Terminal::default(), &line)
    };

    let first = open("run -- sh counter.sh");
    first.wait("a URL to open", |screen| State::OpenUrl.is_on(screen));
    first.wait_text("batch 1 is over");
    let (before, child) = (supervisor(&home), home.children());
    let decks = || home.processes().into_iter().filter(|one| one.is_authdeck("run")).collect::<Vec<_>>();
    assert_eq!(decks().len(), 1, "{}", list(&home.processes()));
    // The whole connection at once: the client, and the server's end of it.
    let ssh = first.process_id();
    let ends = server.connections();
    assert!(!ends.is_empty());
    for id in ends.iter().chain(&[ssh]) {
        process::signal(*id, "KILL");
    }
    wait_until("the deck has ended", || decks().is_empty(), || list(&home.processes()));
    say("more");

    assert_eq!(supervisor(&home), before, "the supervisor lives on");
    let second = open("");
    second.wait("the same URL to open", |screen| State::OpenUrl.is_on(screen));
    second.wait_text("batch 2 is over");
    let running = home.children().into_iter().map(|one| one.id).collect::<BTreeSet<_>>();
    let counter = child.iter().find(|one| one.command == "sh counter.sh").unwrap();
    assert!(running.contains(&counter.id), "{}", list(&home.children()));
    say("end");
    second.wait("the session is over", |screen| !State::OpenUrl.is_on(screen));

    let (client, _events) = connect_unix(&socket(&home)).await.unwrap();
    let sessions = client.sessions().await.unwrap();
    assert_eq!(sessions.len(), 1);
    let transcript = wait_transcript(&client, &sessions[0].session_id).await;
    let numbers: Vec<usize> =
        transcript.split("line-").skip(1).filter_map(|rest| rest.split('-').next()?.parse().ok()).collect();
    assert_eq!(numbers, (0..20).collect::<Vec<_>>(), "{transcript}");
}

async fn wait_transcript(client: &Client, session: &SessionId) -> String {
    let begun = Instant::now();
    loop {
        let transcript = client.transcript(session).await.unwrap();
        if transcript.contains("batch 2 is over") {
            return transcript;
        }
        assert!(begun.elapsed() < GENEROUS, "{transcript}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}
