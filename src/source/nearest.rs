//! Search for the known name that a person probably meant.

/// Returns the known name that is most similar to `given`, if the difference is small enough for a typing error: at
/// most a third of the letters inserted, left out, changed or swapped (Damerau-Levenshtein distance, optimal string
/// alignment).
///
/// ```
/// assert_eq!(andon::source::nearest("registr", ["register", "type"]), Some("register"));
/// assert_eq!(andon::source::nearest("zebra", ["register", "type"]), None);
/// ```
pub fn nearest<'a>(given: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let length = given.chars().count();
    let allowed = length.max(3) / 3 + usize::from(given.len() > 5);
    known
        .into_iter()
        // The difference in length is a lower limit of the distance, so other names need no computation.
        .filter(|name| name.chars().count().abs_diff(length) <= allowed)
        .map(|name| (distance(given, name), name))
        .filter(|(d, _)| *d <= allowed)
        .min()
        .map(|(_, name)| name)
}

fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut before: Vec<usize> = Vec::new();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    let mut last = None;
    for (i, ca) in a.chars().enumerate() {
        let mut next = vec![i + 1];
        for (j, cb) in b.iter().enumerate() {
            let at = |v: &[usize], k: usize| v.get(k).copied().unwrap_or(usize::MAX / 2);
            let change = at(&row, j) + usize::from(ca != *cb);
            let mut best = change.min(at(&row, j + 1) + 1).min(at(&next, j) + 1);
            let swapped = j > 0 && last == Some(*cb) && b.get(j - 1) == Some(&ca);
            if swapped {
                best = best.min(at(&before, j - 1) + 1);
            }
            next.push(best);
        }
        before = std::mem::replace(&mut row, next);
        last = Some(ca);
    }
    row.last().copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distances() {
        assert_eq!(distance("register", "register"), 0);
        assert_eq!(distance("regsiter", "register"), 1);
        assert_eq!(distance("", "abc"), 3);
        assert_eq!(nearest("l1_votlage", ["l2_voltage", "l1_voltage"]), Some("l1_voltage"));
        assert_eq!(nearest("units", ["unit", "type"]), Some("unit"));
    }
}
