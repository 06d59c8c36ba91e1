//! A bounded trial: logins that go on while processes are killed and stopped, the disk fills, and upgrades fail. No
//! session, no byte and no question is lost.
//!
//! AUTHDECK_TRIAL_SECONDS says for how many seconds mishaps happen (30 unless it is set), and AUTHDECK_TEST_SEED makes
//! the same ones happen again.

use std::fs;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant, SystemTime};

use authdeck::client::{Client, connect_unix};
use authdeck::core::ids::SessionId;
use authdeck::core::secret::Secret;
use authdeck::protocol::request::{AnswerChallenge, StartSession};
use authdeck::protocol::snapshot::ChildState;

use super::common::env::Home;
use super::common::process;
use super::common::wait::GENEROUS;

/// Prints numbered lines until a file says that it is enough, asks a question, and says how often it has printed.
const LOGIN: &str = r#"n=0; while [ ! -e "$0" ]; do echo "line-$n-"; n=$((n + 1)); sleep 0.05; done
answer=$("$SSH_ASKPASS" "Password of the trial: "); echo "counted $n answer ${#answer}."; read end"#;

const LOGINS: usize = 4;

/// How long a process is stopped that is stopped.
const STOPPED: Duration = Duration::from_secs(1);

/// Numbers that look random and can be had again: SplitMix64.
struct Dice(u64);

impl Dice {
    fn below(&mut self, limit: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        usize::try_from((mixed ^ (mixed >> 31)) % limit as u64).unwrap()
    }
}

/// What may happen to somebody's machine.
#[derive(Clone, Copy, Debug)]
enum Mishap {
    SupervisorKilled,
    SupervisorStopped,
    KeeperStopped,
    UpgradeToNothing,
    UpgradeToCrash,
    UpgradeToThisProgram,
    PlaceEmptied,
}

impl Mishap {
    const ALL: [Self; 7] = [
        Self::SupervisorKilled,
        Self::SupervisorStopped,
        Self::KeeperStopped,
        Self::UpgradeToNothing,
        Self::UpgradeToCrash,
        Self::UpgradeToThisProgram,
        Self::PlaceEmptied,
    ];
}

struct Trial {
    home: Home,
    sessions: Vec<SessionId>,
    crash: PathBuf,
}

impl Trial {
    fn place(&self) -> PathBuf {
        self.home.runtime().join("authdeck")
    }

    async fn serve(&self) -> Client {
        let begun = Instant::now();
        loop {
            let started = self.home.authdeck(["serve"]).stdin(Stdio::null()).output().unwrap();
            if started.status.success()
                && let Ok((client, events)) = connect_unix(&self.place().join("supervisor.sock")).await
            {
                drop(events);
                return client;
            }
            assert!(
                begun.elapsed() < GENEROUS,
                "no supervisor: {}",
                String::from_utf8_lossy(&started.stderr)
            );
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    async fn begin() -> Self {
        let home = Home::new();
        let crash = home.write_script("work/crash", "#!/bin/sh\nexit 3\n");
        let mut trial = Self { home, sessions: Vec::new(), crash };
        let client = trial.serve().await;
        let enough = trial.home.work().join("enough").display().to_string();
        for _ in 0..LOGINS {
            let command = ["/bin/sh", "-c", LOGIN, &enough].map(str::to_owned).into();
            let start = StartSession { command, ..StartSession::default() };
            trial.sessions.push(client.start(start).await.unwrap().session_id);
        }
        trial
    }

    fn keepers(&self) -> Vec<process::Process> {
        self.home.processes().into_iter().filter(|process| process.is_authdeck("keeper")).collect()
    }

    /// Lets it happen, and makes good what only happens for a while.
    async fn happen(&self, mishap: Mishap, dice: &mut Dice) {
        let supervisors = self.home.supervisors();
        let supervisor = supervisors[dice.below(supervisors.len())].id;
        match mishap {
            Mishap::SupervisorKilled => process::signal(supervisor, "KILL"),
            Mishap::SupervisorStopped => self.stop_for_a_while(supervisor).await,
            Mishap::KeeperStopped => {
                let keepers = self.keepers();
                self.stop_for_a_while(keepers[dice.below(keepers.len())].id).await;
            }
            Mishap::UpgradeToNothing => self.upgrade("/nonexistent/authdeck").await,
            Mishap::UpgradeToCrash => self.upgrade(&self.crash.display().to_string()).await,
            Mishap::UpgradeToThisProgram => {
                let mut upgrade: Command = self.home.authdeck(["upgrade"]);
                upgrade.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).status().unwrap();
            }
            Mishap::PlaceEmptied => {
                // What is made again meanwhile may be in the way of the removal.
                let _again = fs::remove_dir_all(self.place());
                let sock = |id: &SessionId| self.place().join(format!("sessions/{id}/sock"));
                let begun = Instant::now();
                while !self.sessions.iter().all(|id| sock(id).exists()) {
                    assert!(begun.elapsed() < GENEROUS, "the folder is not made again");
                    tokio::time::sleep(Duration::from_millis(20)).await;
                }
            }
        }
    }

    async fn stop_for_a_while(&self, id: u32) {
        process::signal(id, "STOP");
        tokio::time::sleep(STOPPED).await;
        process::signal(id, "CONT");
    }

    async fn upgrade(&self, program: &str) {
        let client = self.serve().await;
        let refused = client.upgrade_supervisor(Some(program.to_owned())).await;
        assert!(refused.is_err(), "{program} took over");
    }

    /// Every login is listed and runs.
    async fn check(&self, after: &str) {
        let client = self.serve().await;
        let begun = Instant::now();
        loop {
            let views = client.sessions().await.unwrap();
            let runs = |id: &SessionId| {
                views
                    .iter()
                    .any(|view| view.session_id == *id && matches!(view.child, ChildState::Running { .. }))
            };
            if self.sessions.iter().all(runs) && views.len() == LOGINS {
                return;
            }
            assert!(begun.elapsed() < GENEROUS, "after {after}: {views:?}");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// Lets every login ask, and answers.
    async fn answer_all(&self, dice: &mut Dice) {
        fs::write(self.home.work().join("enough"), "").unwrap();
        let client = self.serve().await;
        let begun = Instant::now();
        while client.challenges().await.unwrap().len() < LOGINS {
            assert!(begun.elapsed() < GENEROUS, "not every login asks: {:?}", client.challenges().await);
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        self.happen(Mishap::SupervisorKilled, dice).await;
        let client = self.serve().await;
        let (mut answered, begun) = (0, Instant::now());
        while answered < LOGINS {
            for challenge in client.challenges().await.unwrap() {
                let answer = AnswerChallenge {
                    challenge_id: challenge.challenge_id,
                    epoch: Some(challenge.epoch),
                    user: None,
                    secret: Some(Secret::new("0123456789")),
                };
                answered += usize::from(client.answer_challenge(answer).await.is_ok_and(|won| won));
            }
            assert!(begun.elapsed() < GENEROUS, "{answered} questions came back");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// Compares what was kept with what was printed.
    async fn judge(&self) {
        let client = self.serve().await;
        for session in &self.sessions {
            let begun = Instant::now();
            let transcript = loop {
                let transcript = client.transcript(session).await.unwrap();
                if transcript.contains("answer 10.") {
                    break transcript;
                }
                assert!(begun.elapsed() < GENEROUS, "{session} has no end:\n{transcript}");
                tokio::time::sleep(Duration::from_millis(50)).await;
            };
            let numbers: Vec<usize> = transcript
                .split("line-")
                .skip(1)
                .filter_map(|rest| rest.split('-').next()?.parse().ok())
                .collect();
            assert_eq!(numbers, (0..numbers.len()).collect::<Vec<_>>(), "{transcript}");
            assert!(transcript.contains(&format!("counted {} ", numbers.len())), "{transcript}");
        }
    }
}

#[tokio::test]
async fn mishaps_at_random_moments_lose_no_session_no_byte_and_no_question() {
    let number = |name: &str| std::env::var(name).ok().and_then(|text| text.parse::<u64>().ok());
    let since_epoch = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap();
    let seed = number("AUTHDECK_TEST_SEED").unwrap_or(since_epoch.as_secs());
    let span = Duration::from_secs(number("AUTHDECK_TRIAL_SECONDS").unwrap_or(30));
    println!("AUTHDECK_TEST_SEED={seed}");
    let mut dice = Dice(seed);
    let trial = Trial::begin().await;
    let begun = Instant::now();
    let mut done = Vec::new();
    while begun.elapsed() < span {
        let mishap = Mishap::ALL[dice.below(Mishap::ALL.len())];
        done.push(mishap);
        println!("{mishap:?}");
        trial.happen(mishap, &mut dice).await;
        trial.check(&format!("{done:?}, AUTHDECK_TEST_SEED={seed}")).await;
    }
    trial.answer_all(&mut dice).await;
    trial.judge().await;
}
