//! Who started this process, as the kernel says it.

use crate::os::processes;
use crate::protocol::snapshot::Requester;

/// Parents that are named at most.
const LONGEST_CHAIN: usize = 8;

/// Programs that ask on behalf of a better-known one.
const KNOWN_AS: &[(&str, &str)] =
    &[("git-remote-http", "git"), ("git-remote-https", "git"), ("git-remote-ftp", "git")];

/// Shells and wrappers that a requester may have put in between.
const IN_BETWEEN: &[&str] = &["sh", "bash", "dash", "zsh", "fish", "env", "timeout", "nice"];

/// Returns the chain of this process's parents, nearest first. What cannot be seen is `unknown`, never guessed.
pub(super) fn of_this_process() -> Requester {
    let nearest = rustix::process::getppid().map(processes::number);
    let chain = nearest
        .into_iter()
        .flat_map(processes::with_parents)
        .map(|id| processes::name(id).unwrap_or_else(|| "unknown".to_owned()))
        .take(LONGEST_CHAIN)
        .collect();
    let directory = nearest.and_then(processes::working_directory);
    Requester {
        process_id: nearest,
        chain,
        directory: directory.map(|path| path.to_string_lossy().into_owned()),
    }
}

/// Returns the short name for the list: `ssh`, `git`, `sudo`.
pub(super) fn title(requester: &Requester) -> String {
    let asks = requester.chain.iter().find(|name| !IN_BETWEEN.contains(&name.as_str()));
    let name = asks.or(requester.chain.first()).map_or("unknown", String::as_str);
    KNOWN_AS.iter().find(|(known, _)| *known == name).map_or(name, |(_, title)| title).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn titled(chain: &[&str]) -> String {
        let chain = chain.iter().map(|name| (*name).to_owned()).collect();
        title(&Requester { process_id: None, chain, directory: None })
    }

    #[test]
    fn the_title_is_the_program_that_people_know() {
        assert_eq!(titled(&["ssh", "git", "bash"]), "ssh");
        assert_eq!(titled(&["git-remote-http", "git", "bash"]), "git");
        assert_eq!(titled(&["sh", "sudo"]), "sudo");
        assert_eq!(titled(&["bash"]), "bash");
        assert_eq!(titled(&[]), "unknown");
    }

    #[test]
    fn the_kernel_names_the_parents() {
        let requester = of_this_process();
        assert_eq!(requester.process_id, Some(std::os::unix::process::parent_id()));
        assert!(!requester.chain.is_empty() && requester.chain.iter().all(|name| name != "unknown"));
    }
}
