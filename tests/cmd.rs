//! Screens, as a user sees them: each `tests/cmd/*.md` is a session whose output is compared to the letter.

#[test]
fn screens() {
    trycmd::TestCases::new().env("NO_COLOR", "1").case("tests/cmd/*.md");
}
