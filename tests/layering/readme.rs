//! What the README's table of the Go manual names is there to be used.

use super::*;

/// The names in the table's column of ours that nothing in the sources declares.
fn names_are_declared(readme: &str, tree: &Tree) -> Vec<String> {
    const DECLARE: [&str; 7] = ["fn", "struct", "enum", "trait", "type", "mod", "as"];
    let sources = || tree.files.iter().filter(|file| is_product(file));
    let is_declared = |name: &str| {
        let mut pairs = sources().flat_map(|file| file.tokens.windows(2));
        pairs.any(|pair| pair[1].text == name && DECLARE.contains(&pair[0].text.as_str()) && !pair[1].test)
    };
    let mut missing = Vec::new();
    for (number, line) in (1..).zip(readme.lines()) {
        let Some([_, _, ours, ..]) = columns(line) else { continue };
        for code in ours.split('`').skip(1).step_by(2) {
            let named = names(code).filter(|name| !is_declared(name));
            missing.extend(named.map(|name| format!("README.md:{number}: there is no `{name}`: correct the table")));
        }
    }
    missing
}

/// The cells of a row of the table, the empty ones around it included.
fn columns(line: &str) -> Option<[&str; 5]> {
    line.split('|').collect::<Vec<_>>().try_into().ok()
}

/// The identifiers of a piece of code. Arguments, variables of the environment and what has placeholders are none.
fn names(code: &str) -> impl Iterator<Item = &str> {
    let code = if code.contains('<') { "" } else { code };
    let mut depth = 0_u32;
    let outside = code.split_inclusive(['(', ')']).filter(move |part| {
        let counts = depth == 0;
        depth = if part.ends_with('(') { depth + 1 } else { depth.saturating_sub(1) };
        counts
    });
    let words = outside.flat_map(|part| part.split(|c: char| !c.is_alphanumeric() && c != '_'));
    words.filter(|word| !word.is_empty() && !word.starts_with("RACEWAY_") && !["static", "shared"].contains(word))
}

#[test]
fn the_table_of_the_go_manual() {
    let readme = fs::read_to_string(workspace().join("README.md")).expect("a README");
    let rows = readme.lines().filter_map(columns).filter(|row| row[1].contains("Track")).count();
    assert!(rows > 5, "the table was not found");
    assert_clean(&names_are_declared(&readme, whole_tree()));
}

#[test]
fn a_name_that_is_not_there_is_found() {
    let tree = Tree::parse([
        ("src/a.rs", "impl A { pub fn there(&self) { not_there(gone) } } pub use b as renamed;"),
        ("src/b.rs", "#[cfg(test)] mod tests { fn not_there() {} }"),
        ("tests/c.rs", "fn gone() {}"),
    ]);
    let check = |ours: &str, expect: &[&str]| {
        let missing = names_are_declared(&format!("\n| `Go` | {ours} | |\n"), &tree);
        let expect: Vec<_> =
            expect.iter().map(|name| format!("README.md:2: there is no `{name}`: correct the table")).collect();
        assert_eq!(missing, expect, "{ours}");
    };
    check("`there`, `renamed::there(gone, f(gone))?`; gone, `RACEWAY_X`, `x-<gone>`", &[]);
    check("`not_there`, `there(x).gone()`", &["not_there", "gone"]);
}
