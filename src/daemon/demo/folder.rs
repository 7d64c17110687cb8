//! The directory of the demo. A temporary directory is new, closed to other users, and has a name that cannot be guessed.
//! A given directory must be new, empty, or from an earlier demo. A symbolic link in the directory is replaced, never
//! followed.

use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

use super::{DemoError, SITE};
use crate::ambient;

/// Creates or checks the directory. It is not removed when the demo ends.
pub(super) fn of_its_own(named: Option<&Path>) -> Result<PathBuf, DemoError> {
    let Some(path) = named else {
        let made = tempfile::Builder::new()
            .prefix("andon-demo-")
            .permissions(std::fs::Permissions::from_mode(0o700))
            .tempdir();
        return made.map(tempfile::TempDir::keep).map_err(DemoError::of);
    };
    let shown = path.display();
    let found = match std::fs::symlink_metadata(path) {
        Err(e) if e.kind() == io::ErrorKind::NotFound => {
            let parent = path.parent().filter(|p| !p.as_os_str().is_empty());
            parent.map_or(Ok(()), std::fs::create_dir_all).map_err(DemoError::of)?;
            let made = std::fs::DirBuilder::new().mode(0o700).create(path);
            return made.map(|()| path.to_owned()).map_err(|e| DemoError(format!("{shown}: {e}")));
        }
        found => found.map_err(|e| DemoError(format!("{shown}: {e}")))?,
    };
    let refused = |why: &str| {
        Err(DemoError(format!(
            "{shown} {why}. Name a directory that does not exist yet: andon demo --dir DIR"
        )))
    };
    if !found.is_dir() {
        return refused("is not a directory (a link is not followed)");
    }
    if !ambient::is_this_user(found.uid()) || found.mode() & 0o022 != 0 {
        return refused("can be changed by other users");
    }
    let is_empty = std::fs::read_dir(path).map_err(DemoError::of)?.next().is_none();
    if !is_empty && !is_a_demo(path) {
        return refused("has files that are not a demo's");
    }
    Ok(path.to_owned())
}

/// True if the directory has the `andon.toml` of an earlier demo.
fn is_a_demo(folder: &Path) -> bool {
    let path = folder.join("andon.toml");
    let is_plain = std::fs::symlink_metadata(&path).is_ok_and(|m| m.is_file() && m.len() < 64 * 1024);
    let head = SITE.lines().next().unwrap_or_default();
    is_plain && std::fs::read_to_string(path).is_ok_and(|text| text.starts_with(head))
}

/// Writes a whole file. A file or symbolic link with the same name is replaced.
pub(super) fn write(path: &Path, text: &str) -> io::Result<()> {
    let folder = path.parent().unwrap_or(Path::new("."));
    let mut file = tempfile::NamedTempFile::new_in(folder)?;
    file.write_all(text.as_bytes())?;
    file.persist(path)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::symlink;

    fn refused(path: &Path) -> String {
        of_its_own(Some(path)).expect_err("it is refused").0
    }

    #[test]
    fn each_demo_has_a_new_directory_that_is_closed_to_others() {
        let (one, two) = (of_its_own(None).unwrap(), of_its_own(None).unwrap());
        assert_ne!(one, two);
        for path in [one, two] {
            assert_eq!(std::fs::metadata(&path).unwrap().mode() & 0o777, 0o700);
            std::fs::remove_dir(path).unwrap();
        }
    }

    #[test]
    fn a_directory_that_is_named_is_new_or_empty_or_a_demos() {
        let home = tempfile::tempdir().unwrap();
        let new = home.path().join("a/demo");
        assert_eq!(of_its_own(Some(&new)).unwrap(), new);
        assert_eq!(std::fs::metadata(&new).unwrap().mode() & 0o777, 0o700);
        assert!(of_its_own(Some(&new)).is_ok(), "it is empty");
        write(&new.join("andon.toml"), SITE).unwrap();
        assert!(of_its_own(Some(&new)).is_ok(), "a demo ran here");
        let link = home.path().join("link");
        symlink(&new, &link).unwrap();
        assert!(refused(&link).contains("a link is not followed"));
        write(&new.join("andon.toml"), "[gateway]\nname = \"mine\"\n").unwrap();
        assert!(refused(&new).contains("not a demo's"));
        let open = home.path().join("open");
        std::fs::create_dir(&open).unwrap();
        std::fs::set_permissions(&open, std::fs::Permissions::from_mode(0o777)).unwrap();
        assert!(refused(&open).contains("other users"));
    }

    #[test]
    fn a_planted_link_is_replaced_and_its_target_stays() {
        let home = tempfile::tempdir().unwrap();
        let (target, link) = (home.path().join("target"), home.path().join("mosquitto.conf"));
        std::fs::write(&target, "precious").unwrap();
        symlink(&target, &link).unwrap();
        write(&link, "listener 1883\n").unwrap();
        assert_eq!(std::fs::read_to_string(&target).unwrap(), "precious");
        assert_eq!(std::fs::read_to_string(&link).unwrap(), "listener 1883\n");
    }
}
