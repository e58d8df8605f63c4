//! The one key behind all signatures: from the configuration, from the data directory, or for this process.

use crate::secret::Secret;
use crate::server::Random;
use sha2::{Digest, Sha256};
use std::fmt;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

/// Name of the file in the data directory.
const FILE: &str = "cursor.key";
const LENGTH: usize = 32;

/// What the keys of cursors and download links are made from.
pub(super) struct SigningKey {
    bytes: Vec<u8>,
    forgotten: bool,
}

/// Why the key can be neither read nor kept.
#[derive(Debug)]
pub struct KeyError {
    path: PathBuf,
    what: &'static str,
    cause: Option<io::Error>,
}

impl fmt::Display for KeyError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{} {}", self.path.display(), self.what)?;
        match &self.cause {
            Some(cause) => write!(out, " ({cause}). Correct data_dir or the rights to it."),
            None => write!(out, ". Delete the file to have a new key made; cursors given out before then end."),
        }
    }
}

impl std::error::Error for KeyError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.cause.as_ref().map(|cause| cause as _)
    }
}

impl SigningKey {
    /// The configured key; else the one in the data directory, made there if there is none; else one for this process.
    pub(super) fn find(
        configured: Option<&Secret>,
        data_dir: Option<&Path>,
        random: &Random,
    ) -> Result<Self, KeyError> {
        match (configured, data_dir) {
            (Some(secret), _) => Ok(SigningKey { bytes: secret.expose().as_bytes().to_vec(), forgotten: false }),
            (None, Some(folder)) => kept(folder, random).map(|bytes| SigningKey { bytes, forgotten: false }),
            (None, None) => Ok(SigningKey { bytes: fresh(random).to_vec(), forgotten: true }),
        }
    }

    /// A key for one purpose; from it neither this key nor that of another purpose can be told.
    pub(super) fn derive(&self, purpose: &str) -> [u8; 32] {
        let hash = Sha256::new().chain_update("incident-gateway ").chain_update(purpose).chain_update([0]);
        hash.chain_update(&self.bytes).finalize().into()
    }

    /// Whether it ends with this process.
    pub(super) fn is_forgotten(&self) -> bool {
        self.forgotten
    }
}

fn fresh(random: &Random) -> [u8; LENGTH] {
    let mut bytes = [0; LENGTH];
    random(&mut bytes);
    bytes
}

fn kept(folder: &Path, random: &Random) -> Result<Vec<u8>, KeyError> {
    let path = folder.join(FILE);
    let error = |what| {
        let path = path.clone();
        move |cause| KeyError { path, what, cause: Some(cause) }
    };
    fs::create_dir_all(folder).map_err(error("cannot be made, as its folder cannot"))?;
    match create(&path) {
        Ok(mut file) => {
            let bytes = fresh(random);
            let written = file.write_all(&bytes).and_then(|()| file.sync_all());
            if written.is_err() {
                // Half a key would be refused at the next start; the first error is the one to tell.
                let _ = fs::remove_file(&path);
            }
            written.map_err(error("cannot be written"))?;
            Ok(bytes.to_vec())
        }
        Err(cause) if cause.kind() == io::ErrorKind::AlreadyExists => {
            let mut bytes = Vec::new();
            let read = File::open(&path).and_then(|file| file.take(LENGTH as u64 + 1).read_to_end(&mut bytes));
            read.map_err(error("cannot be read"))?;
            let damaged = || KeyError { path: path.clone(), what: "holds no key", cause: None };
            if bytes.len() == LENGTH { Ok(bytes) } else { Err(damaged()) }
        }
        Err(cause) => Err(error("cannot be made")(cause)),
    }
}

/// A new file that nobody else can read; never one that is there already.
fn create(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicU8, Ordering};

    /// Other bytes at each call.
    fn counting() -> Random {
        let next = AtomicU8::new(1);
        Arc::new(move |bytes| bytes.fill(next.fetch_add(1, Ordering::Relaxed)))
    }

    #[test]
    fn a_key_is_made_once_in_the_data_directory_and_readable_by_its_owner_only() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let (data_dir, random) = (folder.path().join("a/b"), counting());
        let first = SigningKey::find(None, Some(&data_dir), &random).unwrap();
        let second = SigningKey::find(None, Some(&data_dir), &random).unwrap();
        assert_eq!(first.derive("x"), second.derive("x"));
        assert!(!first.is_forgotten());
        let mode = fs::metadata(data_dir.join(FILE)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }

    #[test]
    fn a_damaged_key_is_refused_and_not_replaced() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join(FILE), "short").unwrap();
        let error = SigningKey::find(None, Some(folder.path()), &counting()).err().unwrap();
        assert!(error.to_string().contains("cursor.key holds no key. Delete the file"), "{error}");
        assert_eq!(fs::read(folder.path().join(FILE)).unwrap(), b"short");
    }

    #[test]
    fn a_data_directory_that_cannot_be_made_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("file");
        fs::write(&file, "").unwrap();
        let error = SigningKey::find(None, Some(&file.join("below")), &counting()).err().unwrap();
        assert!(error.to_string().contains("file/below/cursor.key cannot be made"), "{error}");
    }

    #[test]
    fn purposes_and_secrets_have_keys_of_their_own() {
        let of = |text: &str| SigningKey::find(Some(&Secret::from(text.to_owned())), None, &counting()).unwrap();
        assert_eq!(of("one").derive("x"), of("one").derive("x"));
        assert_ne!(of("one").derive("x"), of("one").derive("y"));
        assert_ne!(of("one").derive("x"), of("two").derive("x"));
    }

    #[test]
    fn without_a_place_the_key_is_another_at_every_start() {
        let random = counting();
        let (first, second) =
            (SigningKey::find(None, None, &random).unwrap(), SigningKey::find(None, None, &random).unwrap());
        assert!(first.is_forgotten());
        assert_ne!(first.derive("x"), second.derive("x"));
    }
}
