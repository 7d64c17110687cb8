//! Selection of a value in a JSON payload, if a plain JSON pointer is not enough: a pointer that selects an element
//! of a list, or the name of a SenML record (RFC 8428). A selection can have conditions that the payload must meet.
//!
//! `/values[id=P.Press]/v` selects `v` in that element of the list `values` whose `id` is `P.Press`. If the list has
//! no such element, the payload does not mention the point: this is not a reading, because some devices send only the
//! values that changed.

use std::borrow::Cow;

use serde_json::Value as Json;

use crate::words::{BadReason, Excerpt, Value};

/// A selection in a JSON payload, with its conditions.
#[derive(Debug, Clone, PartialEq)]
pub struct Selection {
    path: Path,
    conditions: Vec<Condition>,
}

/// The place of the value: the steps of a pointer, or the name of a SenML record.
#[derive(Debug, Clone, PartialEq)]
enum Path {
    Steps(Vec<PointerStep>),
    Record(String),
}

/// One step of a pointer: the text between two `/`.
#[derive(Debug, Clone, PartialEq)]
struct PointerStep {
    /// The whole step as a key or index. It has priority over the meaning of the brackets.
    whole: String,
    /// The key before the brackets, and the pairs of name and text inside them; `None` for a step without brackets.
    pick: Option<(String, Vec<(String, String)>)>,
}

/// A condition: the value at `steps` must be equal to `equals`.
#[derive(Debug, Clone, PartialEq)]
struct Condition {
    text: String,
    steps: Vec<PointerStep>,
    equals: Value,
}

/// The result of a search in a payload.
#[derive(Debug)]
enum Search<'j> {
    /// The value, and the selected element of the list (or the payload, if there is no list).
    Value(Cow<'j, Json>, &'j Json),
    /// The list has no element that matches.
    NotMentioned,
    /// The payload has no value at this place.
    Nothing,
}

impl Selection {
    /// Makes a selection of a pointer with brackets, or with conditions. Returns `None` for a plain pointer without
    /// conditions.
    #[must_use]
    pub fn of_pointer(pointer: &str, conditions: Vec<(String, Value)>) -> Option<Self> {
        let steps = steps(pointer);
        (!conditions.is_empty() || steps.iter().any(|s| s.pick.is_some()))
            .then(|| Self { path: Path::Steps(steps), conditions: made(conditions) })
    }

    /// Makes a selection of the record with this name in a SenML pack.
    #[must_use]
    pub fn of_record(name: String, conditions: Vec<(String, Value)>) -> Self {
        Self { path: Path::Record(name), conditions: made(conditions) }
    }

    /// Finds the value of the point in a payload; `None` if the payload does not mention the point. `shown` is the
    /// text of the place in messages.
    pub(super) fn find<'j>(&self, json: &'j Json, shown: &str) -> Option<Result<Cow<'j, Json>, BadReason>> {
        let search = match &self.path {
            Path::Steps(steps) => follow(json, json, steps),
            Path::Record(name) => record(json, name),
        };
        let (value, element) = match search {
            Search::NotMentioned => return None,
            Search::Nothing => return Some(Err(BadReason::NothingThere(Excerpt::of(shown)))),
            Search::Value(value, element) => (value, element),
        };
        let unmet = self.conditions.iter().find(|c| !c.holds(element));
        Some(match unmet {
            Some(c) => Err(BadReason::MarkedUnusable(Excerpt::of(&c.text))),
            None => Ok(value),
        })
    }
}

impl Condition {
    fn holds(&self, element: &Json) -> bool {
        let Search::Value(found, _) = follow(element, element, &self.steps) else { return false };
        match (&*found, &self.equals) {
            (Json::Number(n), equals) => n.as_f64() == equals.number(),
            (found, equals) => text_of(found).is_some_and(|text| text == equals.to_string()),
        }
    }
}

fn made(conditions: Vec<(String, Value)>) -> Vec<Condition> {
    conditions
        .into_iter()
        .map(|(pointer, equals)| Condition {
            text: format!("{pointer} is not {equals}"),
            steps: steps(&pointer),
            equals,
        })
        .collect()
}

/// Returns a single value as text; `None` for lists, objects and null.
fn text_of(json: &Json) -> Option<Cow<'_, str>> {
    match json {
        Json::String(text) => Some(Cow::Borrowed(text)),
        Json::Number(_) | Json::Bool(_) => Some(Cow::Owned(json.to_string())),
        Json::Null | Json::Array(_) | Json::Object(_) => None,
    }
}

/// Splits a pointer into its steps. A `/` inside brackets does not end a step.
fn steps(pointer: &str) -> Vec<PointerStep> {
    let mut tokens: Vec<String> = Vec::new();
    let mut is_inside = false;
    for c in pointer.chars() {
        match (c, tokens.last_mut()) {
            ('/', _) if !is_inside => tokens.push(String::new()),
            (c, Some(token)) => {
                is_inside = match c {
                    '[' => true,
                    ']' => false,
                    _ => is_inside,
                };
                token.push(c);
            }
            (_, None) => {}
        }
    }
    tokens.iter().map(|token| PointerStep { whole: unescaped(token), pick: pick(token) }).collect()
}

/// Replaces the escapes of RFC 6901: `~1` is `/`, `~0` is `~`.
fn unescaped(token: &str) -> String {
    token.replace("~1", "/").replace("~0", "~")
}

/// Reads `values[id=P.Press]`: the key of the list, and the pairs of name and text that an element must have.
fn pick(token: &str) -> Option<(String, Vec<(String, String)>)> {
    let (key, asked) = token.split_once('[')?;
    let asked = asked.strip_suffix(']')?;
    let pairs: Option<Vec<(String, String)>> = asked
        .split("][")
        .map(|pair| {
            let (name, text) = pair.split_once('=')?;
            let text = text.trim();
            let quote = |q: char| text.strip_prefix(q).and_then(|t| t.strip_suffix(q));
            let text = quote('"').or_else(|| quote('\'')).unwrap_or(text);
            (!name.trim().is_empty()).then(|| (unescaped(name.trim()), unescaped(text)))
        })
        .collect();
    Some((unescaped(key), pairs?))
}

/// Follows the steps from `json`. `element` is the last selected element of a list.
fn follow<'j>(json: &'j Json, element: &'j Json, steps: &[PointerStep]) -> Search<'j> {
    let Some((step, rest)) = steps.split_first() else { return Search::Value(Cow::Borrowed(json), element) };
    let plain = match json {
        Json::Object(map) => map.get(&step.whole),
        Json::Array(list) => index(&step.whole).and_then(|i| list.get(i)),
        _ => None,
    };
    if let Some(inner) = plain {
        return follow(inner, element, rest);
    }
    let Some((key, asked)) = &step.pick else { return Search::Nothing };
    let list = if key.is_empty() { Some(json) } else { json.get(key) };
    let Some(list) = list.and_then(Json::as_array) else { return Search::Nothing };
    let fits = |e: &&Json| {
        asked.iter().all(|(name, text)| e.get(name).and_then(text_of).is_some_and(|found| found == *text))
    };
    // If several elements match, the last one counts: the elements of one message are in the order of time.
    match list.iter().rev().find(fits) {
        Some(chosen) => follow(chosen, chosen, rest),
        None => Search::NotMentioned,
    }
}

/// Reads an index as in RFC 6901: it must not begin with a zero.
fn index(text: &str) -> Option<usize> {
    (text == "0" || !text.starts_with(['0', '+'])).then(|| text.parse().ok()).flatten()
}

/// Finds the last record with this name in a SenML pack. The name matches with or without the base name of the pack.
/// The base value is added.
fn record<'j>(json: &'j Json, name: &str) -> Search<'j> {
    let Some(records) = json.as_array() else { return Search::Nothing };
    let (mut base_name, mut base_value) = ("", 0.0);
    let mut search = Search::NotMentioned;
    for r in records {
        base_name = r.get("bn").and_then(Json::as_str).unwrap_or(base_name);
        base_value = r.get("bv").and_then(Json::as_f64).unwrap_or(base_value);
        let own = r.get("n").and_then(Json::as_str).unwrap_or("");
        let is_whole = name.strip_prefix(base_name).is_some_and(|rest| rest == own);
        if !is_whole && (own.is_empty() || own != name) {
            continue;
        }
        let value = match (r.get("v"), ["vb", "vs"].iter().find_map(|key| r.get(*key))) {
            (Some(v), _) if base_value == 0.0 => Some(Cow::Borrowed(v)),
            (Some(v), _) => v.as_f64().map(|v| Cow::Owned(Json::from(v + base_value))),
            (None, Some(other)) => Some(Cow::Borrowed(other)),
            (None, None) => None,
        };
        search = value.map_or(Search::Nothing, |value| Search::Value(value, r));
    }
    search
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(selection: &Selection, payload: &str, expected: Option<Result<&str, &str>>) {
        let json: Json = serde_json::from_str(payload).unwrap();
        let found = selection.find(&json, "there").map(|f| match f {
            Ok(json) => Ok(json.to_string()),
            Err(why) => Err(why.to_string()),
        });
        match (found, expected) {
            (None, None) => {}
            (Some(Ok(found)), Some(Ok(expected))) => assert_eq!(found, expected),
            (Some(Err(found)), Some(Err(part))) => assert!(found.contains(part), "{found}"),
            (found, expected) => panic!("{found:?} instead of {expected:?} in {payload}"),
        }
    }

    fn pointer(text: &str) -> Selection {
        Selection::of_pointer(text, Vec::new()).unwrap()
    }

    #[test]
    fn an_element_of_a_list_is_chosen_by_what_it_says() {
        // The shape of Telegraf's issue 4943 and of Kepware's IoT gateway.
        let both = r#"{"values":[{"id":"P.Press","v":6.1,"q":true},{"id":"P.Temp","v":2.5,"q":true}]}"#;
        check(&pointer("/values[id=P.Press]/v"), both, Some(Ok("6.1")));
        check(&pointer("/values[id=P.Temp]/v"), both, Some(Ok("2.5")));
        check(&pointer("/values[id=P.Flow]/v"), both, None);
        check(&pointer("/values[id=P.Press]/w"), both, Some(Err("nothing at there")));
        check(&pointer("/tags[id=P.Press]/v"), both, Some(Err("nothing at there")));
        check(&pointer("/values[id=\"P.Press\"][q=true]/v"), both, Some(Ok("6.1")));
        check(&pointer("/values[id=P.Press][q=false]/v"), both, None);
        // A list at the top, numbers as keys, a `/` in the name, a name that itself has a bracket.
        check(&pointer("/[ch=2]/v"), r#"[{"ch":1,"v":1},{"ch":2,"v":20}]"#, Some(Ok("20")));
        check(&pointer("/d[n=a/b]/v"), r#"{"d":[{"n":"a/b","v":7}]}"#, Some(Ok("7")));
        check(&pointer("/a[b=c]"), r#"{"a[b=c]":5}"#, Some(Ok("5")));
        // Lists in lists, and several matching elements.
        let deep = r#"{"m":[{"u":3,"r":[{"k":"x","v":1}]},{"u":4,"r":[{"k":"x","v":2},{"k":"x","v":3}]}]}"#;
        check(&pointer("/m[u=4]/r[k=x]/v"), deep, Some(Ok("3")));
        assert!(Selection::of_pointer("/a/0/b", Vec::new()).is_none(), "a plain pointer needs no selection");
    }

    #[test]
    fn a_value_counts_while_the_payload_says_so() {
        let by = |pointer: &str, at: &str, equals: Value| {
            Selection::of_pointer(pointer, vec![(at.to_owned(), equals)]).unwrap()
        };
        let marked = by("/values[id=P]/v", "/q", Value::Bool(true));
        check(&marked, r#"{"values":[{"id":"P","v":1,"q":true}]}"#, Some(Ok("1")));
        check(&marked, r#"{"values":[{"id":"P","v":0,"q":false}]}"#, Some(Err("/q is not true")));
        check(&marked, r#"{"values":[{"id":"P","v":0}]}"#, Some(Err("/q is not true")));
        check(&marked, r#"{"values":[{"id":"T","v":0,"q":false}]}"#, None);
        let plain = by("/v", "/state", Value::Text("ok".into()));
        check(&plain, r#"{"v":1,"state":"ok"}"#, Some(Ok("1")));
        check(&plain, r#"{"v":1,"state":"fault"}"#, Some(Err("/state is not ok")));
        let number = by("/v", "/StatusCode/Code", Value::Integer(0));
        check(&number, r#"{"v":1,"StatusCode":{"Code":0.0}}"#, Some(Ok("1")));
        check(&number, r#"{"v":1,"StatusCode":{"Code":2150891520}}"#, Some(Err("is not 0")));
    }

    /// The examples of RFC 8428, sections 5.1.2 and 5.1.3, shortened.
    #[test]
    fn records_of_senml() {
        let pack = r#"[{"bn":"urn:dev:ow:10e2073a01080063:","bt":1.276020076001e+09,"bu":"A","bver":5,
            "n":"voltage","u":"V","v":120.1},{"n":"current","t":-5,"v":1.2},{"n":"current","t":-4,"v":1.3},
            {"n":"on","vb":true},{"n":"label","vs":"pump"},{"n":"odd"}]"#;
        let of = |name: &str| Selection::of_record(name.to_owned(), Vec::new());
        check(&of("urn:dev:ow:10e2073a01080063:voltage"), pack, Some(Ok("120.1")));
        check(&of("current"), pack, Some(Ok("1.3")));
        check(&of("on"), pack, Some(Ok("true")));
        check(&of("label"), pack, Some(Ok("\"pump\"")));
        check(&of("odd"), pack, Some(Err("nothing")));
        check(&of("power"), pack, None);
        check(&of("urn:dev:ow:1:t"), r#"[{"bn":"urn:dev:ow:1:t","bv":20,"v":3.5}]"#, Some(Ok("23.5")));
        check(&of("t"), r#"{"t":1}"#, Some(Err("nothing")));
    }
}
