//! Writes the output files of commands. An existing file is never overwritten, and a symbolic link is never followed.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::path::Path;

use super::error::CliError;
use crate::words::Outcome;

/// Writes a new file completely or not at all. If the path is a device or a pipe, writes to it.
///
/// # Errors
/// If a file with this name exists, or if the operating system reports an error.
pub(super) fn write_new(path: &Path, bytes: &[u8]) -> Result<(), CliError> {
    let failed = |e: &io::Error| match e.kind() {
        io::ErrorKind::AlreadyExists => CliError::Other(
            Outcome::Refused,
            format!("{} exists already, and andon does not overwrite it; name another file", path.display()),
        ),
        _ => CliError::Other(Outcome::OwnFailure, format!("{}: {e}", path.display())),
    };
    let (mut file, is_new) = open(path).map_err(|e| failed(&e))?;
    file.write_all(bytes).map_err(|e| {
        if is_new {
            // Remove the incomplete file. The error of the write is the one that is reported.
            let _gone = std::fs::remove_file(path);
        }
        failed(&e)
    })
}

/// Opens the file for writing; the second value is true if the file is new.
fn open(path: &Path) -> io::Result<(File, bool)> {
    match OpenOptions::new().write(true).create_new(true).open(path) {
        Err(e) if e.kind() == io::ErrorKind::AlreadyExists => {
            let found = std::fs::metadata(path).map_err(|_| io::Error::from(io::ErrorKind::AlreadyExists))?;
            if found.is_file() || found.is_dir() {
                return Err(e);
            }
            Ok((OpenOptions::new().write(true).open(path)?, false))
        }
        done => Ok((done?, true)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::symlink;

    #[test]
    fn what_is_there_is_not_overwritten_and_no_link_is_followed() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.pcap");
        write_new(&path, b"one").unwrap();
        let again = write_new(&path, b"two");
        assert!(matches!(again, Err(CliError::Other(Outcome::Refused, _))), "{again:?}");
        assert_eq!(std::fs::read(&path).unwrap(), b"one");
        for (name, target) in [("to-file", "a.pcap"), ("to-nothing", "planted")] {
            let link = folder.path().join(name);
            symlink(folder.path().join(target), &link).unwrap();
            assert!(write_new(&link, b"two").is_err(), "{name}");
        }
        assert_eq!(std::fs::read(&path).unwrap(), b"one");
        assert!(!folder.path().join("planted").exists());
        write_new(Path::new("/dev/null"), b"two").unwrap();
    }
}
