//! Notices when somebody empties the supervisor's place: a cleaner of `/tmp`, or a hand that meant well.
//!
//! The kernel tells (inotify(7)), so nothing is looked at while nothing happens.

use std::io;
use std::mem::MaybeUninit;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rustix::fs::inotify::{self, CreateFlags, ReadFlags, WatchFlags};
use tokio::io::unix::AsyncFd;

use crate::driver::platform::watched::watch_input;

/// Whoever removes one thing may be about to remove the rest.
const PAUSE: Duration = Duration::from_millis(100);

/// How soon to try again where the place could not be made.
const RETRY: Duration = Duration::from_secs(5);

/// Watches a place and what is in it.
#[derive(Debug)]
pub struct PlaceWatch {
    place: PathBuf,
    events: AsyncFd<OwnedFd>,
}

impl PlaceWatch {
    /// Begins to watch the place, and the file of this program. Must be called within a tokio runtime.
    ///
    /// # Errors
    /// The system has no descriptor left for it.
    pub fn new(place: &Path, program: &Path) -> io::Result<Self> {
        let events = inotify::init(CreateFlags::CLOEXEC | CreateFlags::NONBLOCK)?;
        let watch = Self { place: place.to_owned(), events: watch_input(events)? };
        watch.watch_all();
        // A file that is deleted or replaced while it is open has one name less, which is told as an attribute.
        let moved = WatchFlags::ATTRIB | WatchFlags::MOVE_SELF;
        let _ = inotify::add_watch(watch.events.get_ref(), program, moved);
        Ok(watch)
    }

    /// Waits until something was removed, or the program's file is another one. Cancelling loses nothing.
    pub async fn emptied(&mut self) {
        self.watch_all();
        if !self.place.join("sessions").is_dir() {
            tokio::time::sleep(RETRY).await;
            self.drain();
            return;
        }
        loop {
            match self.events.readable().await {
                Ok(mut ready) => ready.clear_ready(),
                Err(_) => return std::future::pending().await,
            }
            tokio::time::sleep(PAUSE).await;
            let removed = self.drain();
            // Folders that are new, or were made anew, are not watched yet.
            self.watch_all();
            if removed {
                return;
            }
        }
    }

    /// Takes all events; tells whether something was removed.
    fn drain(&self) -> bool {
        let mut space = [MaybeUninit::uninit(); 4096];
        let mut reader = inotify::Reader::new(self.events.get_ref(), &mut space);
        let mut removed = false;
        while let Ok(event) = reader.next() {
            let gone = ReadFlags::ATTRIB
                | ReadFlags::DELETE
                | ReadFlags::DELETE_SELF
                | ReadFlags::MOVE_SELF
                | ReadFlags::QUEUE_OVERFLOW;
            removed |= event.events().intersects(gone);
        }
        removed
    }

    /// An error means that a folder is gone, which its parent tells, or that the system watches too many already: then
    /// an emptied folder is noticed late, when it is used.
    fn watch_all(&self) {
        let sessions = self.place.join("sessions");
        let each = std::fs::read_dir(&sessions).into_iter().flatten().flatten().map(|entry| entry.path());
        let inside = ["saved", "bin", "browser"].map(|name| self.place.join(name));
        let gone = WatchFlags::DELETE | WatchFlags::DELETE_SELF | WatchFlags::MOVE_SELF | WatchFlags::ONLYDIR;
        for folder in each.chain(inside).chain([self.place.clone()]) {
            let _ = inotify::add_watch(self.events.get_ref(), folder, gone);
        }
        let _ = inotify::add_watch(self.events.get_ref(), sessions, gone | WatchFlags::CREATE);
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn what_is_removed_at_any_depth_is_noticed_and_what_is_made_is_not() {
        let folder = tempfile::tempdir().unwrap();
        let place = folder.path().join("authdeck");
        let session = place.join("sessions/auth-1");
        let make = || {
            for name in ["sessions/auth-1", "saved", "bin", "browser"] {
                fs::create_dir_all(place.join(name)).unwrap();
            }
        };
        make();
        let mut watch = PlaceWatch::new(&place, Path::new("/bin/sh")).unwrap();
        fs::create_dir(place.join("sessions/auth-2")).unwrap();
        let long = Duration::from_secs(3600);
        assert!(tokio::time::timeout(long, watch.emptied()).await.is_err(), "nothing was removed");
        fs::remove_dir(place.join("sessions/auth-2")).unwrap();
        watch.emptied().await;
        fs::write(session.join("sock"), "").unwrap();
        fs::remove_file(session.join("sock")).unwrap();
        watch.emptied().await;
        fs::remove_dir_all(&place).unwrap();
        watch.emptied().await;
        watch.emptied().await;
        make();
        assert!(tokio::time::timeout(long, watch.emptied()).await.is_err(), "it was made again");
        fs::remove_dir(&session).unwrap();
        watch.emptied().await;
    }
}
