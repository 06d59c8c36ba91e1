//! The record of who is logged in where: SQLite in the state folder. No secret is ever in it.
//!
//! The file is opened when it is first needed, on a blocking thread, and made readable by its owner only.
//! The engine draws a bundle's id when the session starts, so storing a login again after a crash makes no second one.

use std::fs::{DirBuilder, OpenOptions, Permissions};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use rusqlite::{Connection, params};

use crate::core::effect::BundleRecord;
use crate::core::ids::BundleId;
use crate::core::time::Timestamp;
use crate::protocol::snapshot::BundleView;

/// The newest layout of the tables; `PRAGMA user_version` of the file says which one it has.
const SCHEMA_VERSION: i32 = 1;

/// How long to wait for another process that writes the same file.
const BUSY_LIMIT: Duration = Duration::from_secs(5);

const SCHEMA: &str = "
    CREATE TABLE bundle (
        bundle_id            TEXT PRIMARY KEY NOT NULL,
        provider             TEXT NOT NULL,
        identity             TEXT,
        configuration_folder TEXT,
        created_at           INTEGER NOT NULL,
        updated_at           INTEGER NOT NULL,
        session_id           TEXT NOT NULL
    ) STRICT;
";

/// Why the store could not do what it was asked for.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// A file or folder is not there, or not ours to use.
    #[error("cannot use {path}: {source}; check the folder's owner and free space")]
    File {
        /// Which one.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// SQLite refused.
    #[error("the store {path} could not be used: {source}")]
    Sqlite {
        /// The file.
        path: PathBuf,
        /// What SQLite said.
        source: rusqlite::Error,
    },
    /// A newer authdeck wrote the file.
    #[error(
        "the store {path} has layout {found}, newer than this authdeck's {SCHEMA_VERSION}; use the newer authdeck"
    )]
    Newer {
        /// The file.
        path: PathBuf,
        /// Its layout.
        found: i32,
    },
    /// The thread that works on the store was lost.
    #[error("the store's thread ended early; try again")]
    Interrupted,
}

/// The store, shared by everyone who needs it.
#[derive(Clone, Debug)]
pub struct Store {
    path: Arc<PathBuf>,
    connection: Arc<Mutex<Option<Connection>>>,
}

impl Store {
    /// Names the file; nothing is opened yet.
    pub fn new(state_directory: &Path) -> Self {
        Self {
            path: Arc::new(state_directory.join("authdeck.sqlite3")),
            connection: Arc::new(Mutex::new(None)),
        }
    }

    /// Returns all bundles, the oldest first.
    ///
    /// # Errors
    /// The file cannot be opened or read.
    pub async fn bundles(&self) -> Result<Vec<BundleView>, StoreError> {
        self.run(|connection| {
            let mut statement = connection.prepare(
                "SELECT bundle_id, provider, identity, configuration_folder, created_at, updated_at
                 FROM bundle ORDER BY created_at, bundle_id",
            )?;
            let rows = statement.query_map([], bundle_of_row)?;
            rows.collect()
        })
        .await
    }

    /// Records a login and returns the bundle as it now stands.
    ///
    /// # Errors
    /// The file cannot be opened or written.
    pub async fn record(&self, record: BundleRecord, at: Timestamp) -> Result<BundleView, StoreError> {
        self.run(move |connection| put(connection, &record, at)).await
    }

    async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Connection) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T, StoreError> {
        let path = Arc::clone(&self.path);
        let connection = Arc::clone(&self.connection);
        let task = tokio::task::spawn_blocking(move || {
            // A panic inside leaves the connection whole: SQLite rolls an unfinished transaction back.
            let mut slot = connection.lock().unwrap_or_else(PoisonError::into_inner);
            let opened = match slot.take() {
                Some(opened) => opened,
                None => open(&path)?,
            };
            let result = work(slot.insert(opened));
            result.map_err(|source| StoreError::Sqlite { path: path.to_path_buf(), source })
        });
        task.await.map_err(|_| StoreError::Interrupted)?
    }
}

fn bundle_of_row(row: &rusqlite::Row<'_>) -> rusqlite::Result<BundleView> {
    Ok(BundleView {
        bundle_id: BundleId::new(row.get::<_, String>(0)?),
        provider: row.get(1)?,
        identity: row.get(2)?,
        configuration_folder: row.get(3)?,
        created_at: Timestamp(row.get::<_, i64>(4)?.cast_unsigned()),
        updated_at: Timestamp(row.get::<_, i64>(5)?.cast_unsigned()),
    })
}

fn put(connection: &mut Connection, record: &BundleRecord, at: Timestamp) -> rusqlite::Result<BundleView> {
    let transaction = connection.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate)?;
    transaction.execute(
        "INSERT INTO bundle (bundle_id, provider, identity, configuration_folder, created_at, updated_at, session_id)
         VALUES (?1, ?2, ?3, ?4, ?5, ?5, ?6)
         ON CONFLICT (bundle_id) DO UPDATE SET
            provider = excluded.provider,
            identity = coalesce(excluded.identity, identity),
            configuration_folder = excluded.configuration_folder,
            updated_at = excluded.updated_at,
            session_id = excluded.session_id",
        params![
            record.bundle_id.as_str(),
            record.provider,
            record.identity,
            record.configuration_folder,
            at.0.cast_signed(),
            record.session_id.as_str(),
        ],
    )?;
    let stored = transaction.query_row(
        "SELECT bundle_id, provider, identity, configuration_folder, created_at, updated_at
         FROM bundle WHERE bundle_id = ?1",
        params![record.bundle_id.as_str()],
        bundle_of_row,
    )?;
    transaction.commit()?;
    Ok(stored)
}

fn open(path: &Path) -> Result<Connection, StoreError> {
    prepare_file(path).map_err(|source| StoreError::File { path: path.to_owned(), source })?;
    let sqlite = |source| StoreError::Sqlite { path: path.to_owned(), source };
    let mut connection = Connection::open(path).map_err(sqlite)?;
    connection.busy_timeout(BUSY_LIMIT).map_err(sqlite)?;
    connection.pragma_update(None, "journal_mode", "wal").map_err(sqlite)?;
    let found = migrate(&mut connection).map_err(sqlite)?;
    if found > SCHEMA_VERSION {
        return Err(StoreError::Newer { path: path.to_owned(), found });
    }
    Ok(connection)
}

/// Makes the folder and the file with their modes before SQLite could make them with wider ones. SQLite gives its
/// `-wal` and `-shm` files the mode of the main file.
fn prepare_file(path: &Path) -> std::io::Result<()> {
    if let Some(folder) = path.parent() {
        DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
        std::fs::set_permissions(folder, Permissions::from_mode(0o700))?;
    }
    let file = OpenOptions::new()
        .create(true)
        .append(true)
        .mode(0o600)
        .custom_flags(libc::O_NOFOLLOW | libc::O_CLOEXEC)
        .open(path)?;
    file.set_permissions(Permissions::from_mode(0o600))
}

/// Brings the tables to the newest layout; returns the layout that the file had if it is newer, else the newest.
fn migrate(connection: &mut Connection) -> rusqlite::Result<i32> {
    let transaction = connection.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate)?;
    let found: i32 = transaction.query_row("PRAGMA user_version", [], |row| row.get(0))?;
    if found > SCHEMA_VERSION {
        return Ok(found);
    }
    if found < 1 {
        transaction.execute_batch(SCHEMA)?;
        transaction.pragma_update(None, "user_version", SCHEMA_VERSION)?;
    }
    transaction.commit()?;
    Ok(SCHEMA_VERSION)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::ids::SessionId;

    fn record(bundle: &str, identity: Option<&str>) -> BundleRecord {
        BundleRecord {
            session_id: SessionId::new("auth-1"),
            bundle_id: BundleId::new(bundle),
            provider: "gh".into(),
            identity: identity.map(str::to_owned),
            configuration_folder: None,
        }
    }

    #[tokio::test]
    async fn a_login_into_a_bundle_updates_it_and_keeps_what_it_does_not_know() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::new(folder.path());
        store.record(record("bundle-1", Some("octocat")), Timestamp(10)).await.unwrap();
        let updated = store.record(record("bundle-1", None), Timestamp(20)).await.unwrap();
        assert_eq!(updated.identity.as_deref(), Some("octocat"));
        assert_eq!((updated.created_at, updated.updated_at), (Timestamp(10), Timestamp(20)));
        assert_eq!(store.bundles().await.unwrap(), vec![updated]);
    }

    #[tokio::test]
    async fn two_logins_are_two_bundles() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::new(folder.path());
        store.record(record("bundle-1", None), Timestamp(10)).await.unwrap();
        store.record(record("bundle-2", None), Timestamp(20)).await.unwrap();
        assert_eq!(store.bundles().await.unwrap().len(), 2);
    }

    #[tokio::test]
    async fn only_the_owner_can_read_it_and_it_is_there_after_reopening() {
        let folder = tempfile::tempdir().unwrap();
        let state = folder.path().join("state/authdeck");
        Store::new(&state).record(record("bundle-1", None), Timestamp(10)).await.unwrap();
        let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(&state), 0o700);
        for entry in std::fs::read_dir(&state).unwrap() {
            assert_eq!(mode(&entry.unwrap().path()), 0o600);
        }
        assert_eq!(Store::new(&state).bundles().await.unwrap().len(), 1);
    }

    #[tokio::test]
    async fn a_file_of_a_newer_authdeck_is_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::new(folder.path());
        store.bundles().await.unwrap();
        let raw = Connection::open(folder.path().join("authdeck.sqlite3")).unwrap();
        raw.pragma_update(None, "user_version", 99).unwrap();
        let refusal = Store::new(folder.path()).bundles().await.unwrap_err();
        assert!(matches!(refusal, StoreError::Newer { found: 99, .. }), "{refusal}");
    }

    #[tokio::test]
    async fn a_link_in_its_place_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let victim = folder.path().join("victim");
        std::fs::write(&victim, "").unwrap();
        std::os::unix::fs::symlink(&victim, folder.path().join("authdeck.sqlite3")).unwrap();
        let refusal = Store::new(folder.path()).bundles().await.unwrap_err();
        assert!(matches!(refusal, StoreError::File { .. }), "{refusal}");
    }
}
