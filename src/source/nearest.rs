//! Search for the known name that a person probably meant, and the sentence that proposes it.

/// A proposal for a name that is not known: the most similar known name, if there is one, and the known names.
///
/// ```
/// let known = ["register", "type"];
/// assert_eq!(andon::source::suggest("registr", known).or_known(), "did you mean register?");
/// assert_eq!(andon::source::suggest("zebra", known).or_known(), "known: register, type");
/// assert_eq!(andon::source::suggest("zebra", known).or("leave it out"), "leave it out");
/// ```
#[derive(Debug, Clone)]
#[must_use]
pub struct Suggestion<'a> {
    /// The known name that was probably meant.
    pub name: Option<&'a str>,
    known: Vec<&'a str>,
}

impl Suggestion<'_> {
    /// The question whether the nearest name was meant, else another proposal.
    #[must_use]
    pub fn or(&self, otherwise: &str) -> String {
        self.name.map_or_else(|| otherwise.to_owned(), |name| format!("did you mean {name}?"))
    }

    /// The question whether the nearest name was meant, else every known name.
    #[must_use]
    pub fn or_known(&self) -> String {
        match self.known.as_slice() {
            [] => self.or(""),
            known => self.or(&format!("known: {}", known.join(", "))),
        }
    }
}

/// Finds the known name that is near enough to `given` to be a slip of the fingers: at most a third of its letters
/// inserted, left out, changed or swapped.
pub fn suggest<'a>(given: &str, known: impl IntoIterator<Item = &'a str>) -> Suggestion<'a> {
    let known: Vec<&str> = known.into_iter().collect();
    let length = given.chars().count();
    let allowed = length.max(3) / 3 + usize::from(given.len() > 5);
    // A name that is so much longer or shorter is farther than that.
    let near = known.iter().filter(|name| name.chars().count().abs_diff(length) <= allowed);
    let name = near
        .map(|name| (strsim::osa_distance(given, name), *name))
        .filter(|(distance, _)| *distance <= allowed)
        .min()
        .map(|(_, name)| name);
    Suggestion { name, known }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_name_is_meant_if_it_is_near_enough() {
        assert_eq!(suggest("l1_votlage", ["l2_voltage", "l1_voltage"]).name, Some("l1_voltage"));
        assert_eq!(suggest("units", ["unit", "type"]).name, Some("unit"));
        assert_eq!(suggest("übrdruck", ["überdruck"]).name, Some("überdruck"));
        assert_eq!(suggest("zebra", ["register", "type"]).name, None);
        assert_eq!(suggest("zebra", []).or_known(), "");
    }
}
