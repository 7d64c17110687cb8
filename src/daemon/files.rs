//! Reads `andon.toml` and profiles from disk. A profile beside `andon.toml` replaces a built-in profile of the same name.

use std::collections::BTreeMap;
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::ambient;
use crate::limits;
use crate::profile::{built_in, built_in_names, built_in_notes};
use crate::site::{ProfileFiles, Site, data_of, load};
use crate::source::{Diagnostics, SourceText};
use crate::words::ProfileName;

/// The profiles in `device-profiles/` beside `andon.toml`, and the built-in profiles.
#[derive(Debug, Clone)]
pub struct DiskProfiles {
    folder: PathBuf,
    notes: PathBuf,
}

impl DiskProfiles {
    /// Uses the folders beside this `andon.toml`.
    #[must_use]
    pub fn beside(config: &Path) -> Self {
        let beside = config.parent().unwrap_or(Path::new("."));
        Self { folder: beside.join("device-profiles"), notes: beside.join("firmware-notes") }
    }
}

impl ProfileFiles for DiskProfiles {
    fn text(&self, name: &ProfileName) -> Option<SourceText> {
        let path = self.folder.join(format!("{name}.toml"));
        match read_text(&path) {
            Ok(text) => Some(SourceText::new(&path.display().to_string(), &text)),
            Err(_) => built_in(name),
        }
    }

    fn names(&self) -> Vec<String> {
        let mut names: Vec<String> = built_in_names().iter().map(|n| n.as_str().to_owned()).collect();
        if let Ok(entries) = std::fs::read_dir(&self.folder) {
            let found = entries.flatten().filter_map(|e| {
                let name = e.file_name().into_string().ok()?;
                name.strip_suffix(".toml").map(str::to_owned)
            });
            names.extend(found);
        }
        names.sort();
        names.dedup();
        names
    }

    fn notes(&self) -> Vec<(String, SourceText)> {
        let stem = |name: &str| name.trim_start_matches("built-in ").trim_end_matches(".md").to_owned();
        let mut notes: BTreeMap<String, SourceText> =
            built_in_notes().into_iter().map(|text| (stem(&text.name), text)).collect();
        for entry in std::fs::read_dir(&self.notes).into_iter().flatten().flatten() {
            let Ok(name) = entry.file_name().into_string() else { continue };
            if name.ends_with(".md") {
                // A file that cannot be read becomes an empty note: loading then reports an error with its name.
                let text = read_text(&entry.path()).unwrap_or_default();
                notes.insert(stem(&name), SourceText::new(&entry.path().display().to_string(), &text));
            }
        }
        notes.into_iter().collect()
    }
}

fn read_text(path: &Path) -> io::Result<String> {
    if std::fs::metadata(path)?.len() > limits::FILE_BYTES_MAX {
        return Err(io::Error::other(format!("it has more than {} bytes", limits::FILE_BYTES_MAX)));
    }
    std::fs::read_to_string(path)
}

/// The result of loading a configuration.
#[derive(Debug)]
pub struct LoadedSite {
    /// The site; `None` if a file has an error.
    pub site: Option<Arc<Site>>,
    /// The errors and warnings of each file.
    pub diagnostics: Vec<Diagnostics>,
}

/// Reads `andon.toml` and the profiles that it names.
///
/// # Errors
/// If `andon.toml` cannot be read.
pub fn load_site(config: &Path) -> io::Result<LoadedSite> {
    let text = read_text(config)?;
    let source = SourceText::new(&config.display().to_string(), &text);
    let (site, diagnostics) = load(&source, &DiskProfiles::beside(config));
    let site = site.map(|site| Arc::new(site.or_zone(ambient::time_zone)));
    Ok(LoadedSite { site, diagnostics })
}

/// Returns the data directory: the given one, or the one in `andon.toml`, or `andon-data` beside `andon.toml`.
#[must_use]
pub fn data_folder(site: &Site, config: &Path, given: Option<&Path>) -> PathBuf {
    match given {
        Some(given) => given.to_owned(),
        None => {
            let beside = config.parent().unwrap_or(Path::new("."));
            beside.join(site.data.as_deref().unwrap_or("andon-data"))
        }
    }
}

/// Returns the data directory of a configuration that may have errors; `None` if `andon.toml` cannot be read.
#[must_use]
pub fn data_folder_of(config: &Path, given: Option<&Path>) -> Option<PathBuf> {
    if let Some(given) = given {
        return Some(given.to_owned());
    }
    let text = read_text(config).ok()?;
    let data = data_of(&SourceText::new(&config.display().to_string(), &text));
    Some(config.parent().unwrap_or(Path::new(".")).join(data.as_deref().unwrap_or("andon-data")))
}

/// The beginnings of the names of andon's own files and folders in a data directory.
const OURS: [&str; 8] =
    ["journal", "store", "recorder", "wire", "traces", "daemon.lock", "data.lock", "andon.sock"];

/// Removes the rights of other users to read the data directory, and of its group to change it. Returns a sentence for the
/// log; `None` if the rights were correct. A directory that contains other files (perhaps `/tmp`) is not changed: other
/// programs may need it.
#[must_use]
pub fn make_private(data: &Path) -> Option<String> {
    const FOR_OTHERS: u32 = 0o027;
    let mode = std::fs::metadata(data).ok()?.permissions().mode() & 0o7777;
    if mode & FOR_OTHERS == 0 {
        return None;
    }
    let found =
        format!("other users can read or change the data directory {} (mode {mode:04o})", data.display());
    let is_ours = |e: io::Result<std::fs::DirEntry>| {
        e.is_ok_and(|e| e.file_name().to_str().is_some_and(|n| OURS.iter().any(|o| n.starts_with(o))))
    };
    if !std::fs::read_dir(data).is_ok_and(|mut entries| entries.all(is_ours)) {
        return Some(format!(
            "{found}. It holds files that are not andon's: give andon a directory of its own"
        ));
    }
    let closed = mode & !FOR_OTHERS;
    Some(match std::fs::set_permissions(data, std::fs::Permissions::from_mode(closed)) {
        Ok(()) => format!("{found}. andon has set its mode to {closed:04o}"),
        Err(e) => {
            format!("{found}, and andon cannot set its mode: {e}. Run: chmod {closed:04o} {}", data.display())
        }
    })
}

/// Returns the path of the daemon's socket in a data directory.
#[must_use]
pub fn socket_path(data: &Path) -> PathBuf {
    data.join("andon.sock")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mode(path: &Path) -> u32 {
        std::fs::metadata(path).unwrap().permissions().mode() & 0o7777
    }

    fn with_mode(wanted: u32, entries: &[&str]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        for entry in entries {
            std::fs::create_dir(folder.path().join(entry)).unwrap();
        }
        std::fs::set_permissions(folder.path(), std::fs::Permissions::from_mode(wanted)).unwrap();
        folder
    }

    #[test]
    fn a_data_directory_that_others_can_read_is_closed() {
        for (before, after) in
            [(0o755, 0o750), (0o777, 0o750), (0o2775, 0o2750), (0o750, 0o750), (0o700, 0o700)]
        {
            let folder = with_mode(before, &["journal", "store", "store.damaged", "daemon.lock"]);
            assert_eq!(make_private(folder.path()).is_some(), before != after, "{before:o}");
            assert_eq!(mode(folder.path()), after, "{before:o}");
        }
    }

    #[test]
    fn a_directory_that_is_not_only_ours_is_left_as_it_is() {
        let folder = with_mode(0o777, &["journal", "somebody"]);
        assert!(make_private(folder.path()).unwrap().contains("a directory of its own"));
        assert_eq!(mode(folder.path()), 0o777);
        assert_eq!(make_private(&folder.path().join("absent")), None);
    }
}
