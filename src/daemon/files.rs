//! `andon.toml` and profiles from disk: a profile beside `andon.toml` wins over a built-in one of the same name.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::limits;
use crate::profile::{built_in, built_in_names, built_in_notes};
use crate::site::{ProfileFiles, Site, data_of, load};
use crate::source::{Diagnostics, SourceText};
use crate::words::ProfileName;

/// Profiles in `device-profiles/` beside a file, then the built-in ones.
#[derive(Debug, Clone)]
pub struct DiskProfiles {
    folder: PathBuf,
    notes: PathBuf,
}

impl DiskProfiles {
    /// Beside this `andon.toml`.
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
                // What cannot be read is a note without its beginning: that is told with its name.
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

/// A site as its files say, or what is wrong with them.
#[derive(Debug)]
pub struct LoadedSite {
    /// The site; absent when any file has an error.
    pub site: Option<Arc<Site>>,
    /// Errors and warnings, file by file.
    pub diagnostics: Vec<Diagnostics>,
}

/// Reads `andon.toml` and the profiles it names.
///
/// # Errors
/// When `andon.toml` itself cannot be read.
pub fn load_site(config: &Path) -> io::Result<LoadedSite> {
    let text = read_text(config)?;
    let source = SourceText::new(&config.display().to_string(), &text);
    let (site, diagnostics) = load(&source, &DiskProfiles::beside(config));
    Ok(LoadedSite { site: site.map(Arc::new), diagnostics })
}

/// The data directory: as given, else as `andon.toml` says, else `andon-data` beside it.
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

/// The data directory of a configuration that may not load.
#[must_use]
pub fn data_folder_of(config: &Path, given: Option<&Path>) -> Option<PathBuf> {
    if let Some(given) = given {
        return Some(given.to_owned());
    }
    let text = read_text(config).ok()?;
    let data = data_of(&SourceText::new(&config.display().to_string(), &text));
    Some(config.parent().unwrap_or(Path::new(".")).join(data.as_deref().unwrap_or("andon-data")))
}

/// The daemon's socket in a data directory.
#[must_use]
pub fn socket_path(data: &Path) -> PathBuf {
    data.join("andon.sock")
}
