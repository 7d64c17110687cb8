//! The profiles and firmware notes inside the binary. They come from `device-profiles/` and `firmware-notes/`.

use include_dir::{Dir, include_dir};

use crate::source::SourceText;
use crate::words::ProfileName;

static NOTES: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/firmware-notes");
static PROFILES: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/device-profiles");

/// Returns the text of a built-in profile; `None` if no profile has this name.
#[must_use]
pub fn built_in(name: &ProfileName) -> Option<SourceText> {
    let file = PROFILES.get_file(format!("{name}.toml"))?;
    Some(SourceText::new(&format!("built-in {name}.toml"), file.contents_utf8()?))
}

/// The names of all built-in profiles, in alphabetical order.
#[must_use]
pub fn built_in_names() -> Vec<ProfileName> {
    let mut names: Vec<ProfileName> =
        PROFILES.files().filter_map(|f| ProfileName::parse(f.path().file_stem()?.to_str()?).ok()).collect();
    names.sort();
    names
}

/// The built-in firmware notes, in alphabetical order of their names.
#[must_use]
pub fn built_in_notes() -> Vec<SourceText> {
    let mut notes: Vec<SourceText> = NOTES
        .files()
        .filter_map(|f| {
            let name = f.path().file_name()?.to_str()?;
            Some(SourceText::new(&format!("built-in {name}"), f.contents_utf8()?))
        })
        .collect();
    notes.sort_by(|a, b| a.name.cmp(&b.name));
    notes
}
