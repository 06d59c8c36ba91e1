//! Starting a session: what the child gets, and what is said when it cannot be started.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;

use authdeck::driver::keeper_link::{KeeperError, KeeperEvent, StartReason};
use authdeck::keeper::COOKIE;

use super::common::keeper::{Session, keeper_id, output_until, until};

/// Starts what cannot be started; returns the reason and the message.
async fn failure(
    argv: &[&str],
    change: impl FnOnce(&mut authdeck::driver::keeper_link::KeeperSpec),
) -> (StartReason, String) {
    match Session::try_start(argv, change).await {
        Err(KeeperError::Start(failure)) => (failure.reason, failure.message),
        Err(other) => panic!("another error: {other}"),
        Ok(_) => panic!("it started"),
    }
}

#[tokio::test]
async fn a_command_that_is_not_there_is_named_with_where_it_was_looked_for() {
    let (reason, message) = failure(&["authdeck-no-such-cli"], |spec| {
        spec.environment = vec![("PATH".into(), "/opt/none:/usr/bin".into())].into();
    })
    .await;
    assert_eq!(reason, StartReason::CommandNotFound);
    assert!(
        message
            .starts_with("authdeck-no-such-cli: command not found; looked in /opt/none:/usr/bin; install it")
    );
}

#[tokio::test]
async fn a_failed_start_leaves_nothing_behind() {
    let folder = tempfile::tempdir().unwrap();
    let directory = folder.path().join("session");
    let (reason, _) = failure(&["./nothing-here"], |spec| spec.directory.clone_from(&directory)).await;
    assert_eq!(reason, StartReason::CommandNotFound);
    assert!(!directory.exists());
}

#[tokio::test]
async fn a_file_that_may_not_be_executed_and_one_that_cannot_be_are_told_apart() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, mode: u32, text: &str| {
        let path = folder.path().join(name);
        fs::write(&path, text).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let (reason, message) = failure(&[&write("plain", 0o644, "echo")], |_| {}).await;
    assert_eq!(reason, StartReason::NotExecutable);
    assert!(message.contains("chmod +x"), "{message}");
    let (reason, message) = failure(&[&write("script", 0o755, "#!/no/such/interpreter\n")], |_| {}).await;
    assert_eq!(reason, StartReason::NotExecutable);
    assert!(message.contains("interpreter"), "{message}");
}

#[tokio::test]
async fn a_missing_working_folder_is_not_replaced_by_another() {
    let (reason, message) =
        failure(&["true"], |spec| spec.working_directory = PathBuf::from("/no/such/folder")).await;
    assert_eq!(reason, StartReason::WorkingDirectory);
    assert!(message.contains("/no/such/folder"));
}

#[tokio::test]
async fn a_session_folder_that_others_may_enter_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let directory = folder.path().join("session");
    fs::create_dir(&directory).unwrap();
    fs::set_permissions(&directory, fs::Permissions::from_mode(0o755)).unwrap();
    let (reason, message) = failure(&["true"], |spec| spec.directory.clone_from(&directory)).await;
    assert_eq!(reason, StartReason::SessionDirectory);
    assert!(message.contains("0700"), "{message}");
}

#[tokio::test]
async fn the_child_gets_exactly_its_environment_and_the_cookie() {
    let session = Session::start(&["/usr/bin/env"], |spec| {
        spec.environment = vec![("ONE".into(), "1".into()), ("TWO".into(), "two words".into())].into();
    })
    .await;
    let (_handle, mut events, _) = session.attach(None).await;
    let mut text = Vec::new();
    until("its end", &mut events, |event, bytes| match event {
        KeeperEvent::Output { .. } => {
            text.extend_from_slice(bytes);
            None
        }
        KeeperEvent::OutputEnded { .. } => Some(()),
        _ => None,
    })
    .await;
    let mut lines: Vec<String> = String::from_utf8(text).unwrap().lines().map(str::to_owned).collect();
    lines.sort();
    assert_eq!(
        lines,
        [format!("{COOKIE}={}", session.spec().session_id), "ONE=1".into(), "TWO=two words".into()]
    );
}

#[tokio::test]
async fn the_child_leads_its_session_with_default_signals_and_no_foreign_descriptor() {
    let script = "ps -o pid=,pgid=,sid=,tpgid= -p $$ | tr -s ' '; ls /proc/$$/fd | tr '\\n' ' '; echo END; \
                  exec grep -E 'SigIgn|SigBlk' /proc/self/status";
    let session = Session::start(&["sh", "-c", script], |_| {}).await;
    let (_handle, mut events, hello) = session.attach(None).await;
    let text = String::from_utf8(output_until("SigIgn:\t000000", &mut events).await).unwrap();
    let id = hello.child_process_id;
    assert!(text.contains(&format!("{id} {id} {id}")), "{text}");
    assert!(text.contains("SigBlk:\t0000000000000000"), "{text}");
    // The first 31 signals: the C library keeps 32 and 33 for itself and lets nobody reset them.
    assert!(text.contains("SigIgn:\t00000"), "{text}");
    let ignored = text.split("SigIgn:\t").nth(1).unwrap().get(8..16).unwrap();
    assert_eq!(u32::from_str_radix(ignored, 16).unwrap() & 0x7fff_ffff, 0, "{text}");
    assert!(text.contains("0 1 2 END"), "{text}");
}

#[tokio::test]
async fn nothing_secret_stands_in_the_keepers_arguments_and_files() {
    let session = Session::start(&["sleep", "120"], |_| {}).await;
    let keeper = keeper_id(session.spec()).unwrap();
    let arguments = fs::read_to_string(format!("/proc/{keeper}/cmdline")).unwrap();
    assert_eq!(arguments.split('\0').nth(1), Some("keeper"));
    assert!(!arguments.contains("credential"));
    for entry in fs::read_dir(&session.spec().directory).unwrap() {
        let entry = entry.unwrap();
        assert_eq!(entry.metadata().unwrap().permissions().mode() & 0o777, 0o600, "{entry:?}");
        if entry.file_name() != "sock" {
            assert!(!fs::read_to_string(entry.path()).unwrap().contains("credential"));
        }
    }
    let name = fs::read_to_string(format!("/proc/{keeper}/comm")).unwrap();
    assert_eq!(name, "authdeck-keeper\n");
}
