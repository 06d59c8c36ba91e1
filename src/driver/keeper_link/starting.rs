//! Starting a keeper.

use std::path::Path;
use std::process::Stdio;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::process::Command;
use tokio::time::timeout;
use zeroize::Zeroizing;

use super::{KeeperError, KeeperSpec, START_LIMIT};
use crate::keeper::COOKIE;
use crate::keeper::spec::StartReport;
use crate::os::own_process;

/// Variables of an outer session that must not mark this session's keeper.
const NOT_FOR_KEEPERS: [&str; 3] = [COOKIE, "AUTHDECK_CREDENTIAL", "AUTHDECK_URL"];

/// Starts a keeper as `executable keeper DIRECTORY`. Returns when it listens and its child runs.
///
/// The cookie is added to the child's environment if the specification has none.
///
/// # Errors
/// The child cannot be executed ([`KeeperError::Start`], with what to do), or the keeper itself did not start.
pub async fn spawn(executable: &Path, spec: &KeeperSpec) -> Result<(), KeeperError> {
    spawn_as(executable, executable, spec).await
}

/// The same from a `file` that has another name in the list of processes.
///
/// # Errors
/// See [`spawn`].
pub async fn spawn_as(file: &Path, name: &Path, spec: &KeeperSpec) -> Result<(), KeeperError> {
    let limit = START_LIMIT;
    match timeout(limit, start(file, name, spec)).await {
        Ok(started) => started,
        Err(_) => Err(KeeperError::TimedOut { what: "start", limit }),
    }
}

async fn start(file: &Path, name: &Path, spec: &KeeperSpec) -> Result<(), KeeperError> {
    let unusable = |source| KeeperError::Executable { executable: name.to_owned(), source };
    let mut command = Command::new(file);
    command.arg0(name).arg("keeper").arg(&spec.directory);
    for variable in NOT_FOR_KEEPERS {
        command.env_remove(variable);
    }
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).kill_on_drop(true);
    own_process::give_back_limits(command.as_std_mut());
    let mut process = command.spawn().map_err(unusable)?;
    let text = Zeroizing::new(marked(spec).map_err(std::io::Error::from)?);
    if let Some(mut stdin) = process.stdin.take() {
        // A keeper that refuses early closes its end; its report says why.
        let _ = stdin.write_all(&text).await;
    }
    let mut answer = Vec::new();
    if let Some(stdout) = process.stdout.take() {
        stdout.take(64 * 1024).read_to_end(&mut answer).await?;
    }
    // The process that was started makes way for the daemon at once; this only reaps it.
    process.wait().await?;
    match serde_json::from_slice(&answer) {
        Ok(StartReport::Listening { child_process_id: _ }) => Ok(()),
        Ok(StartReport::Failed(failure)) => Err(KeeperError::Start(failure)),
        Err(error) => {
            Err(unusable(std::io::Error::other(format!("it did not answer as a keeper does ({error})"))))
        }
    }
}

fn marked(spec: &KeeperSpec) -> serde_json::Result<Vec<u8>> {
    if spec.environment.0.iter().any(|(name, _)| name == COOKIE) {
        return serde_json::to_vec(spec);
    }
    let mut spec = spec.clone();
    spec.environment.0.push((COOKIE.to_owned(), spec.session_id.as_str().to_owned()));
    serde_json::to_vec(&spec)
}
