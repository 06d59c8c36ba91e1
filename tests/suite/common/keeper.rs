//! A keeper of one's own: started through the link with the real program, ended whatever happens.

use std::time::Duration;

use authdeck::core::ids::SessionId;
use authdeck::core::secret::Secret;
use authdeck::driver::keeper_link::{
    KeeperError, KeeperEvent, KeeperEvents, KeeperHandle, KeeperHello, KeeperSpec, attach, spawn,
};
use tempfile::TempDir;

use super::env::{AUTHDECK, TAG};
use super::process::{self, Process};
use super::wait::GENEROUS;

/// A session with its folder. When it is dropped, every process that carries its tag is ended.
pub struct Session {
    folder: TempDir,
    spec: KeeperSpec,
    tag: String,
}

impl Session {
    /// Starts a keeper with this command; `change` may alter the specification first.
    pub async fn start(argv: &[&str], change: impl FnOnce(&mut KeeperSpec)) -> Self {
        Self::try_start(argv, change).await.unwrap()
    }

    /// The same, for starts that are to fail.
    pub async fn try_start(argv: &[&str], change: impl FnOnce(&mut KeeperSpec)) -> Result<Self, KeeperError> {
        let folder = tempfile::Builder::new().prefix("adk-").tempdir().unwrap();
        let tag = folder.path().file_name().unwrap().to_string_lossy().into_owned();
        let argv = argv.iter().map(|one| (*one).to_owned()).collect();
        let mut spec = KeeperSpec::new(folder.path().join("s"), SessionId::new(&*tag), argv);
        spec.environment = vec![
            ("PATH".into(), std::env::var("PATH").unwrap()),
            ("HOME".into(), folder.path().to_string_lossy().into_owned()),
            ("TERM".into(), "xterm-256color".into()),
            (TAG.into(), tag.clone()),
        ]
        .into();
        spec.working_directory = folder.path().to_owned();
        spec.credential = Secret::new("internal-credential-of-the-test");
        change(&mut spec);
        let session = Self { folder, spec, tag };
        spawn(AUTHDECK.as_ref(), &session.spec).await?;
        Ok(session)
    }

    /// The specification as it was used.
    pub fn spec(&self) -> &KeeperSpec {
        &self.spec
    }

    /// A folder for the test's own files, which is also the child's working folder.
    pub fn folder(&self) -> &std::path::Path {
        self.folder.path()
    }

    /// Attaches.
    pub async fn attach(&self, from: Option<u64>) -> (KeeperHandle, KeeperEvents, KeeperHello) {
        attach(&self.spec.directory, from).await.unwrap()
    }

    /// Every live process of the session but its keeper.
    pub fn processes(&self) -> Vec<Process> {
        process::tagged(&self.tag).into_iter().filter(|process| !process.is_authdeck("keeper")).collect()
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        let _already_over = keeper_id(&self.spec).map(|id| process::signal(id, "KILL"));
        process::end(|| self.processes());
    }
}

/// The keeper's process id: the one whose arguments name the session's folder.
pub fn keeper_id(spec: &KeeperSpec) -> Option<u32> {
    let wanted = format!("keeper\0{}\0", spec.directory.display());
    std::fs::read_dir("/proc")
        .unwrap()
        .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse::<u32>().ok())
        .find(|id| {
            let arguments = std::fs::read(format!("/proc/{id}/cmdline")).unwrap_or_default();
            String::from_utf8_lossy(&arguments).ends_with(&wanted) && process::is_alive(*id)
        })
}

/// Takes events, with the bytes of those that are output, until `wanted` gives a value; panics after a generous time.
pub async fn until<T>(
    what: &str,
    events: &mut KeeperEvents,
    mut wanted: impl FnMut(&KeeperEvent, &[u8]) -> Option<T>,
) -> T {
    let search = async {
        loop {
            let event = events.next().await.unwrap_or_else(|| panic!("the keeper is gone before: {what}"));
            let bytes = match event {
                KeeperEvent::Output { from, to } => events.output(from, to),
                _ => &[],
            };
            if let Some(found) = wanted(&event, bytes) {
                return found;
            }
        }
    };
    tokio::time::timeout(GENEROUS, search).await.unwrap_or_else(|_| panic!("not within {GENEROUS:?}: {what}"))
}

/// Takes output until it holds `needle`; returns all that came.
pub async fn output_until(needle: &str, events: &mut KeeperEvents) -> Vec<u8> {
    let mut text = Vec::new();
    until(&format!("the output `{needle}`"), events, |_, bytes| {
        text.extend_from_slice(bytes);
        text.windows(needle.len()).any(|window| window == needle.as_bytes()).then_some(())
    })
    .await;
    text
}

/// Long enough that a kill with its grace is over.
pub const KILL_LIMIT: Duration = Duration::from_secs(6);
