//! Runs the sessions in `tests/cmd/*.md` and compares their output character by character.

#[test]
fn screens() {
    trycmd::TestCases::new().env("NO_COLOR", "1").case("tests/cmd/*.md");
}
