#![allow(unsafe_code, reason = "fork, umask and close_range are only in the C library")]
//! From `authdeck keeper DIR` to a daemon that listens and has its child running.

use std::fs::{self, DirBuilder};
use std::io::{self, Read as _, Write as _};
use std::os::fd::AsFd as _;
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, PermissionsExt as _};
use std::os::unix::net::UnixListener;
use std::path::Path;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use rustix::process::{Resource, Rlimit};
use zeroize::Zeroizing;

use super::ladder::Ladder;
use super::reader::Reader;
use super::ring::Ring;
use super::serve::Keeper;
use super::signals::Signals;
use super::spec::{LONGEST_SPEC, Spec, StartFailure, StartReason, StartReport, Variables};
use super::terminal::{self, Terminal};
use super::token::Token;
use crate::os::own_process;
use crate::os::processes::ProcessIdentity;

/// The socket's name in the session's folder.
pub const SOCKET: &str = "sock";

/// The name of the file that says which process the keeper is, so that its end can be proved.
pub const PROCESS: &str = "process";

/// The process's name, as `ps` shows it; the kernel keeps 15 bytes.
const NAME: &std::ffi::CStr = c"authdeck-keeper";

/// Becomes a keeper: returns in the daemon, once it listens and its child runs. The spawner's process has exited by
/// then.
///
/// # Errors
/// What went wrong, already told to the spawner; nothing is left behind.
pub fn start(directory: &Path) -> Result<Keeper, StartFailure> {
    let umask = harden();
    let started = read_spec(directory).and_then(|spec| {
        detach()?;
        open(spec, umask)
    });
    report(&started);
    if started.is_ok() {
        let _ = rustix::process::setrlimit(Resource::Core, Rlimit { current: Some(0), maximum: Some(0) });
    } else {
        withdraw(directory);
    }
    leave_streams();
    started
}

/// First of all: no reading by others, no foreign descriptors, files for us alone. Returns the umask as it was.
fn harden() -> libc::mode_t {
    own_process::deny_reading();
    own_process::set_name(NAME);
    // SAFETY: nothing here has opened a descriptor yet, so none above the standard streams is in use; umask only
    // sets a number.
    unsafe {
        libc::syscall(libc::SYS_close_range, 3u32, u32::MAX, 0u32);
        libc::umask(0o077)
    }
}

fn read_spec(directory: &Path) -> Result<Spec, StartFailure> {
    check_directory(directory)?;
    let mut text = Zeroizing::new(Vec::new());
    let read = io::stdin().lock().take(LONGEST_SPEC).read_to_end(&mut text);
    let parsed = read.map_err(|error| error.to_string()).and_then(|_| {
        serde_json::from_slice::<Spec>(&text)
            .map_err(|error| format!("line {}, {:?}", error.line(), error.classify()))
    });
    let mut spec = parsed.map_err(|error| StartFailure {
        reason: StartReason::Specification,
        message: format!(
            "`authdeck keeper` is started by authdeck itself, with its orders on standard input ({error})"
        ),
    })?;
    spec.directory = directory.to_owned();
    Ok(spec)
}

/// The folder must be ours alone: not a link that somebody else set, not open to others.
fn check_directory(directory: &Path) -> Result<(), StartFailure> {
    let failure = |why: String| StartFailure {
        reason: StartReason::SessionDirectory,
        message: format!("the session's folder {} {why}", directory.display()),
    };
    if !directory.is_absolute() {
        return Err(failure("must be given from the root on".to_owned()));
    }
    let found = match fs::symlink_metadata(directory) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let made = DirBuilder::new().mode(0o700).create(directory);
            made.and_then(|()| fs::symlink_metadata(directory))
        }
        other => other,
    };
    let found =
        found.map_err(|error| failure(format!("cannot be used: {error}; check the folder above it")))?;
    let ours = found.uid() == rustix::process::geteuid().as_raw();
    if found.is_dir() && ours && found.permissions().mode() & 0o077 == 0 {
        return Ok(());
    }
    Err(failure("is not a folder of this user with mode 0700; remove it and try again".to_owned()))
}

/// Leaves the spawner's session, process group and parentage behind.
fn detach() -> Result<(), StartFailure> {
    let refused = |error: rustix::io::Errno| terminal::system_failure(&error.into());
    // The first process may be a group leader, which must not call setsid; the second never is.
    // SAFETY: this process is single-threaded, so the copy is whole.
    match unsafe { libc::fork() } {
        -1 => return Err(terminal::system_failure(&io::Error::last_os_error())),
        0 => {}
        // SAFETY: ends without running destructors, whose work is the copy's to do.
        _ => unsafe { libc::_exit(0) },
    }
    rustix::process::setsid().map_err(refused)?;
    rustix::process::set_child_subreaper(Some(rustix::process::getpid())).map_err(refused)?;
    rustix::process::chdir("/").map_err(refused)?;
    Ok(())
}

fn open(mut spec: Spec, umask: libc::mode_t) -> Result<Keeper, StartFailure> {
    let system = |error: io::Error| terminal::system_failure(&error);
    let signals = Signals::take().map_err(system)?;
    let listener = listen(&spec.directory)?;
    let token = Token::create(&spec.directory).map_err(|error| unwritable(&spec.directory, &error))?;
    let (terminal, slave) = Terminal::open(spec.columns.max(1), spec.rows.max(1)).map_err(system)?;
    let (ring, ring_file) = Ring::create(spec.ring_bytes).map_err(system)?;
    let clock = Instant::now();
    let child = terminal::start(&spec, &slave, umask)?;
    // From here on only the child and what it starts hold the other end, so its closing can be seen.
    drop(slave);
    if !spec.environment.can_be_kept() {
        spec.environment = Variables::default();
    }
    spec.argv = Vec::new();
    Ok(Keeper {
        clock,
        started_at: since_epoch(),
        signals,
        listener,
        token,
        guests: Vec::new(),
        reader: Reader::Keeper,
        attaching: None,
        attachments: 0,
        terminal: Some(terminal),
        ring,
        ring_file,
        ladder: Ladder::new(spec.grace, spec.kill_limit),
        child,
        exit: None,
        limit_reached: false,
        kill_begun: Duration::ZERO,
        last_kill: None,
        drain_until: Duration::ZERO,
        reopen: None,
        alone_since: Duration::ZERO,
        ending: false,
        over: false,
        spec,
    })
}

/// Makes the folder if it is missing, and binds the socket again.
pub(super) fn listen_anew(directory: &Path) -> Result<UnixListener, StartFailure> {
    check_directory(directory)?;
    listen(directory)
}

/// Binds the socket. The folder is entered for it, because a socket's path may have 107 bytes only.
fn listen(directory: &Path) -> Result<UnixListener, StartFailure> {
    let bound = (|| {
        rustix::process::chdir(directory)?;
        let _ = fs::remove_file(SOCKET);
        let identity = serde_json::to_vec(&ProcessIdentity::own())?;
        fs::write(PROCESS, identity)?;
        let listener = UnixListener::bind(SOCKET)?;
        fs::set_permissions(SOCKET, fs::Permissions::from_mode(0o600))?;
        rustix::process::chdir("/")?;
        listener.set_nonblocking(true)?;
        Ok(listener)
    })();
    bound.map_err(|error: io::Error| unwritable(directory, &error))
}

fn unwritable(directory: &Path, error: &io::Error) -> StartFailure {
    StartFailure {
        reason: StartReason::SessionDirectory,
        message: format!(
            "cannot write into {}: {error}; check its permissions and free space",
            directory.display()
        ),
    }
}

fn since_epoch() -> u64 {
    let elapsed = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX)
}

/// Tells the spawner how it went. A spawner that is gone by now changes nothing.
fn report(started: &Result<Keeper, StartFailure>) {
    let report = match started {
        Ok(keeper) => {
            StartReport::Listening { child_process_id: keeper.child.as_raw_nonzero().get().cast_unsigned() }
        }
        Err(failure) => StartReport::Failed(failure.clone()),
    };
    if let Ok(text) = serde_json::to_vec(&report) {
        let mut out = io::stdout().lock();
        let _ = out.write_all(&text).and_then(|()| out.flush());
    }
}

/// Takes back what a failed start wrote; the folder itself goes only if nothing of others is in it.
fn withdraw(directory: &Path) {
    let _ = fs::remove_file(directory.join(SOCKET));
    let _ = fs::remove_file(directory.join(PROCESS));
    let _ = fs::remove_file(directory.join(super::token::FILE));
    let _ = fs::remove_dir(directory);
}

/// Turns the standard streams over to `/dev/null`, which also tells the spawner that the report is complete.
fn leave_streams() {
    if let Ok(null) = fs::OpenOptions::new().read(true).write(true).open("/dev/null") {
        let _ = rustix::stdio::dup2_stdin(null.as_fd());
        let _ = rustix::stdio::dup2_stdout(null.as_fd());
        let _ = rustix::stdio::dup2_stderr(null.as_fd());
    }
}

/// Removes the session's folder with all that is in it. It was checked to be ours alone.
pub fn remove(directory: &Path) {
    let _ = fs::remove_dir_all(directory);
}
