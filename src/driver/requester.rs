//! Who asks, as the kernel says it.

use crate::os::processes;
use crate::protocol::snapshot::Requester;

/// How many parents are named.
const MOST_PARENTS: usize = 8;

/// Says who asks: the parents of a process, nearest first, and its working folder. Nothing is guessed: the chain
/// ends where the kernel shows no more, and at the session's keeper.
pub(super) fn requester(process_id: u32) -> Requester {
    let chain = processes::with_parents(process_id)
        .skip(1)
        .map_while(processes::name)
        .take_while(|name| name != "authdeck-keeper")
        .take(MOST_PARENTS)
        .collect();
    let directory = processes::working_directory(process_id);
    Requester {
        process_id: Some(process_id),
        chain,
        directory: directory.map(|folder| folder.to_string_lossy().into_owned()),
    }
}

#[cfg(test)]
mod tests {
    use std::process::{Command, Stdio};

    use super::*;

    #[test]
    fn a_requester_has_its_parents_named_and_its_folder() {
        let mut child =
            Command::new("sh").args(["-c", "cat; :"]).current_dir("/").stdin(Stdio::piped()).spawn().unwrap();
        let asked = requester(child.id());
        assert_eq!(asked.directory.as_deref(), Some("/"));
        let own = processes::name(std::process::id()).unwrap();
        assert_eq!(asked.chain.first(), Some(&own));
        drop(child.stdin.take());
        child.wait().unwrap();
    }

    #[test]
    fn a_process_that_is_gone_has_no_chain() {
        assert_eq!(requester(u32::MAX).chain, Vec::<String>::new());
    }
}
