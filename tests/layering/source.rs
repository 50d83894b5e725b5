//! Just enough of Rust's grammar to tell which paths and words a source file uses: comments and literals are skipped,
//! `use` trees are unfolded, `self` and `super` are resolved, test code is told from product code.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

/// The source files that the rules look at.
#[derive(Debug, Default)]
pub(crate) struct Tree {
    pub(crate) files: Vec<File>,
}

/// One source file.
#[derive(Debug)]
pub(crate) struct File {
    /// Relative to the workspace, with slashes.
    pub(crate) path: String,
    pub(crate) lines: usize,
    pub(crate) tokens: Vec<Token>,
    /// The directory that holds its crate's `lib.rs`.
    root: String,
    /// The module it is: `src/ring/spsc.rs` is `[ring, spsc]`.
    module: Vec<String>,
    /// Modules declared here, inline or not, under `#[cfg(test)]`.
    test_modules: Vec<Vec<String>>,
}

/// An identifier, a `::` or a single other character. A literal is the token `"`.
#[derive(Debug, Clone)]
pub(crate) struct Token {
    pub(crate) text: String,
    pub(crate) line: usize,
    /// Whether it belongs to code that exists under `cfg(test)` only.
    pub(crate) test: bool,
    /// The module in which it stands.
    module: Vec<String>,
}

/// A path that a file uses, resolved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct PathUse {
    pub(crate) line: usize,
    pub(crate) test: bool,
    /// Whether it begins at the file's own crate; else its first segment is another crate or a local name.
    pub(crate) local: bool,
    pub(crate) segments: Vec<String>,
}

impl Tree {
    /// Reads every Rust file below `folders` of the workspace. A folder that is not there holds none.
    pub(crate) fn read(workspace: &Path, folders: &[&str]) -> Tree {
        let mut texts = Vec::new();
        folders.iter().for_each(|folder| collect(workspace, folder, &mut texts));
        texts.sort();
        Tree::parse(texts.iter().map(|(path, text)| (path.as_str(), text.as_str())))
    }

    /// A tree of given texts: `(path, text)`.
    pub(crate) fn parse<'a>(texts: impl IntoIterator<Item = (&'a str, &'a str)>) -> Tree {
        let mut files: Vec<File> = texts.into_iter().map(|(path, text)| File::parse(path, text)).collect();
        // A file is test code if a file above it declares it so.
        let test_modules: BTreeSet<(String, Vec<String>)> = files
            .iter()
            .flat_map(|file| file.test_modules.iter().map(|module| (file.root.clone(), module.clone())))
            .collect();
        for file in &mut files {
            let declared = |len: usize| {
                test_modules.contains(&(file.root.clone(), file.module.get(..len).unwrap_or(&[]).to_vec()))
            };
            if (1..=file.module.len()).any(declared) {
                file.tokens.iter_mut().for_each(|token| token.test = true);
            }
        }
        Tree { files }
    }

    /// The files below `folder`.
    pub(crate) fn below<'a>(&'a self, folder: &'a str) -> impl Iterator<Item = &'a File> {
        self.files.iter().filter(move |file| file.path.strip_prefix(folder).is_some_and(|rest| rest.starts_with('/')))
    }
}

fn collect(workspace: &Path, folder: &str, into: &mut Vec<(String, String)>) {
    let Ok(entries) = fs::read_dir(workspace.join(folder)) else { return };
    for entry in entries.flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        let path = format!("{folder}/{name}");
        if entry.path().is_dir() {
            if name != "target" {
                collect(workspace, &path, into);
            }
        } else if name.ends_with(".rs") {
            // Whoever edits while the tests run may move a file away between the two calls.
            into.extend(fs::read_to_string(entry.path()).ok().map(|text| (path, text)));
        }
    }
}

impl File {
    fn parse(path: &str, text: &str) -> File {
        let (root, module) = place(path);
        let mut file = File {
            path: path.to_owned(),
            lines: text.lines().count(),
            tokens: tokens(text),
            root,
            module,
            test_modules: Vec::new(),
        };
        file.mark_scopes();
        file
    }

    /// The module's name in its crate: `ring` for `src/ring/spsc.rs`, nothing for `src/lib.rs`.
    pub(crate) fn area(&self) -> Option<&str> {
        self.module.first().map(String::as_str)
    }

    /// Says of every token in which module it stands and whether that is test code.
    fn mark_scopes(&mut self) {
        struct Scope {
            named: bool,
            test: bool,
        }
        let (mut scopes, mut module) = (Vec::<Scope>::new(), self.module.clone());
        // Set by `#[cfg(test)]` until the item it belongs to begins or ends.
        let mut pending = false;
        for at in 0..self.tokens.len() {
            let test = pending || scopes.last().is_some_and(|scope| scope.test);
            self.tokens[at].test = test;
            self.tokens[at].module.clone_from(&module);
            let text = |at: usize| self.tokens.get(at).map_or("", |token| token.text.as_str());
            match text(at) {
                "#" if text(at + 1) == "[" => pending |= is_test_attribute(&self.tokens[at + 2..]),
                "mod" if text(at + 2) == ";" && pending => {
                    self.test_modules.push([&module[..], &[text(at + 1).to_owned()]].concat());
                }
                "{" => {
                    let named = at >= 2 && text(at - 2) == "mod";
                    if named {
                        module.push(text(at - 1).to_owned());
                    }
                    scopes.push(Scope { named, test });
                    pending = false;
                }
                "}" => {
                    if scopes.pop().is_some_and(|scope| scope.named) {
                        module.pop();
                    }
                    pending = false;
                }
                ";" => pending = false,
                _ => {}
            }
        }
    }

    /// Every path of two or more segments that the file names, and every import.
    pub(crate) fn paths(&self) -> Vec<PathUse> {
        let mut found = Vec::new();
        let text = |at: usize| self.tokens.get(at).map_or("", |token| token.text.as_str());
        let mut at = 0;
        while at < self.tokens.len() {
            let before = if at == 0 { "" } else { text(at - 1) };
            // `use<'a>` is a bound, not an import.
            if text(at) == "use" && text(at + 1) != "<" {
                at = self.use_tree(at + 1, &[], &mut found);
            } else if is_word(text(at)) && text(at + 1) == "::" && before != "::" {
                let (start, mut segments) = (at, vec![text(at).to_owned()]);
                while text(at + 1) == "::" && is_word(text(at + 2)) {
                    at += 2;
                    segments.push(text(at).to_owned());
                }
                found.push(self.resolve(start, segments));
                at += 1;
            } else {
                at += 1;
            }
        }
        found
    }

    /// Unfolds the tree of a `use` that goes on at `at` behind `prefix`. Returns where it ends.
    fn use_tree(&self, mut at: usize, prefix: &[String], found: &mut Vec<PathUse>) -> usize {
        let start = at;
        let mut segments = prefix.to_vec();
        while let Some(token) = self.tokens.get(at) {
            match token.text.as_str() {
                "{" => {
                    at += 1;
                    while self.tokens.get(at).is_some_and(|token| token.text != "}") {
                        at = self.use_tree(at, &segments, found);
                        if self.tokens.get(at).is_some_and(|token| token.text == ",") {
                            at += 1;
                        }
                    }
                    return at + 1;
                }
                "as" => at += 2,
                "," | "}" | ";" => break,
                "::" => at += 1,
                word => {
                    segments.push(word.to_owned());
                    at += 1;
                }
            }
        }
        // `use a::b::{self, c}` names `a::b`.
        if segments.len() > 1 && segments.last().is_some_and(|last| last == "self") {
            segments.pop();
        }
        if !segments.is_empty() {
            found.push(self.resolve(start, segments));
        }
        at
    }

    fn resolve(&self, at: usize, mut segments: Vec<String>) -> PathUse {
        let Token { line, test, ref module, .. } = self.tokens[at];
        let mut base = match segments.first().map(String::as_str) {
            Some("crate") => Vec::new(),
            Some("self" | "super") => module.clone(),
            _ => return PathUse { line, test, local: false, segments },
        };
        while let Some("crate" | "self" | "super") = segments.first().map(String::as_str) {
            if segments.remove(0) == "super" {
                base.pop();
            }
        }
        base.append(&mut segments);
        PathUse { line, test, local: true, segments: base }
    }
}

/// The root directory of the crate that a file belongs to, and the file's module in it.
fn place(path: &str) -> (String, Vec<String>) {
    let (root, inside) = match path.rsplit_once("src/") {
        Some((before, inside)) => (format!("{before}src"), inside),
        None => path.rsplit_once('/').map_or((String::new(), path), |(root, inside)| (root.to_owned(), inside)),
    };
    let inside = inside.trim_end_matches(".rs");
    let mut module: Vec<String> = inside.split('/').map(str::to_owned).collect();
    if let Some("mod" | "lib" | "main") = module.last().map(String::as_str) {
        module.pop();
    }
    (root, module)
}

/// Whether the attribute that goes on here, behind its `[`, is a `cfg` that only tests fulfil.
fn is_test_attribute(tokens: &[Token]) -> bool {
    let words: Vec<&str> = tokens.iter().map(|token| token.text.as_str()).take_while(|text| *text != "]").collect();
    words.first() == Some(&"cfg") && words.contains(&"test") && !words.contains(&"not") && !words.contains(&"any")
}

/// Whether a token is an identifier or a keyword.
pub(crate) fn is_word(text: &str) -> bool {
    text.starts_with(|c: char| c.is_alphabetic() || c == '_')
}

fn tokens(text: &str) -> Vec<Token> {
    let chars: Vec<char> = text.chars().collect();
    let (mut tokens, mut at, mut line) = (Vec::new(), 0, 1);
    while at < chars.len() {
        let (text, end) = token(&chars, at);
        if let Some(text) = text {
            tokens.push(Token { text, line, test: false, module: Vec::new() });
        }
        line += chars[at..end].iter().filter(|c| **c == '\n').count();
        at = end;
    }
    tokens
}

/// The token that begins at `at`, or `None` for a blank or a comment, and where it ends.
fn token(chars: &[char], at: usize) -> (Option<String>, usize) {
    let peek = |offset: usize| chars.get(at + offset).copied().unwrap_or('\0');
    let word_end = |mut end: usize| {
        while chars.get(end).is_some_and(|c| c.is_alphanumeric() || *c == '_') {
            end += 1;
        }
        end
    };
    let literal = |end: usize| (Some('"'.to_string()), end);
    match peek(0) {
        '/' if peek(1) == '/' => (None, (at..chars.len()).find(|end| chars[*end] == '\n').unwrap_or(chars.len())),
        '/' if peek(1) == '*' => (None, comment_end(chars, at)),
        '"' => literal(string_end(chars, at + 1)),
        // 'a' and '\n' are characters; 'a followed by anything else is a lifetime, whose name means nothing here.
        '\'' if peek(1) == '\\' || peek(2) == '\'' => literal(quote_end(chars, at + 1)),
        '\'' => (None, word_end(at + 1)),
        ':' if peek(1) == ':' => (Some("::".to_owned()), at + 2),
        c if c.is_ascii_digit() => literal(word_end(at)),
        c if c.is_alphabetic() || c == '_' => {
            let end = word_end(at);
            let word: String = chars[at..end].iter().collect();
            let hashes = chars[end..].iter().take_while(|c| **c == '#').count();
            match (word.as_str(), chars.get(end + hashes)) {
                ("r" | "br" | "cr", Some('"')) => literal(raw_end(chars, end + hashes + 1, hashes)),
                ("b" | "c", Some('"')) if hashes == 0 => literal(string_end(chars, end + 1)),
                ("b", Some('\'')) if hashes == 0 => literal(quote_end(chars, end + 1)),
                ("r", Some(_)) if hashes == 1 => {
                    let name_end = word_end(end + 1);
                    (Some(chars[end + 1..name_end].iter().collect()), name_end)
                }
                _ => (Some(word), end),
            }
        }
        c if c.is_whitespace() => (None, at + 1),
        c => (Some(c.to_string()), at + 1),
    }
}

fn comment_end(chars: &[char], start: usize) -> usize {
    let (mut depth, mut at) = (0_usize, start);
    while at + 1 < chars.len() {
        match (chars[at], chars[at + 1]) {
            ('/', '*') => (depth, at) = (depth + 1, at + 2),
            ('*', '/') => (depth, at) = (depth - 1, at + 2),
            _ => at += 1,
        }
        if depth == 0 {
            return at;
        }
    }
    chars.len()
}

fn string_end(chars: &[char], start: usize) -> usize {
    escaped_end(chars, start, '"')
}

fn quote_end(chars: &[char], start: usize) -> usize {
    escaped_end(chars, start, '\'')
}

fn escaped_end(chars: &[char], start: usize, closing: char) -> usize {
    let mut at = start;
    while at < chars.len() && chars[at] != closing {
        at += if chars[at] == '\\' { 2 } else { 1 };
    }
    (at + 1).min(chars.len())
}

fn raw_end(chars: &[char], start: usize, hashes: usize) -> usize {
    let closes = |at: &usize| chars[*at] == '"' && chars[at + 1..].iter().take_while(|c| **c == '#').count() >= hashes;
    (start..chars.len()).find(closes).map_or(chars.len(), |at| (at + 1 + hashes).min(chars.len()))
}
