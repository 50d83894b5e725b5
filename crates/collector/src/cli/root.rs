//! Paths as they are from the root of the sources.

use std::path::{Component, Path, PathBuf};
use trackside_analysis::{AccessInfo, Finding, Report};

/// Lets each path of a report that is below `root` begin there, with slashes in between. Others stay as they are: rustc
/// records the files of a workspace as they are from its root, and those of other crates as they are on the machine.
pub(super) fn rebase(report: &mut Report, root: &Path) {
    let root = std::path::absolute(root).unwrap_or_else(|_| root.to_owned());
    let rebase = |file: &mut Option<String>| {
        if let Some(file) = file {
            *file = relative(file, &root);
        }
    };
    for finding in &mut report.findings {
        accesses(finding).for_each(|access| rebase(&mut access.file));
        let without = finding.discipline.iter_mut().flat_map(|discipline| &mut discipline.without);
        without.for_each(|(place, _)| rebase(&mut place.file));
    }
    for lock in &mut report.locks {
        lock.sites.iter_mut().for_each(|site| rebase(&mut site.place.file));
        for waiter in &mut lock.waiters {
            rebase(&mut waiter.place.file);
            waiter.held_at.iter_mut().for_each(|place| rebase(&mut place.file));
        }
    }
}

fn accesses(finding: &mut Finding) -> impl Iterator<Item = &mut AccessInfo> {
    let orders = finding.orders.iter_mut().flat_map(|order| order.held.iter_mut().chain([&mut order.asked]));
    [&mut finding.first, &mut finding.second].into_iter().chain(&mut finding.read).chain(orders)
}

fn relative(file: &str, root: &Path) -> String {
    let path = Path::new(file);
    let path = path.strip_prefix(root).unwrap_or(path);
    // `.` says nothing; `..` stays, for what is behind it may be a link.
    let path: PathBuf = path.components().filter(|part| *part != Component::CurDir).collect();
    path.to_str().map_or_else(|| file.to_owned(), |path| path.replace(std::path::MAIN_SEPARATOR, "/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_below_the_root_begins_there() {
        let check = |file: &str, expected: &str| assert_eq!(relative(file, Path::new("/work/shop")), expected);
        check("/work/shop/src/main.rs", "src/main.rs");
        check("/work/shop/./src/main.rs", "src/main.rs");
        check("/work/shopping/src/main.rs", "/work/shopping/src/main.rs");
        check("src/main.rs", "src/main.rs");
        check("./src/main.rs", "src/main.rs");
        check("../other/src/lib.rs", "../other/src/lib.rs");
        check("", "");
    }
}
