//! What a finding says was lost.

use crate::engine::Engine;
use crate::evidence::Claim;
use crate::explain::{Example, names};
use crate::report::AccessInfo;
use crate::tally::Surplus;
use crate::value::Val;

impl Engine<'_> {
    /// What was lost, as far as the values say.
    pub(crate) fn lost(&self, example: &Example<'_>) -> Option<String> {
        let claim = example.claim.as_ref()?;
        if let Some(surplus) = example.by_count {
            return Some(self.lost_by_count(claim, surplus));
        }
        let sure = example.is_confirmed();
        let (write, foreign, base) = (self.arrow(claim.write), self.arrow(claim.foreign), self.text(claim.base()));
        if !claim.shows_start() {
            // All that happened to the value since it was read is undone, not only its last change.
            let held = self.text(claim.foreign.1);
            let undone = changes((claim.base(), claim.foreign.1), claim.write).map_or_else(
                || "what was written in between".to_owned(),
                |(change, _)| format!("the change of {change} in between"),
            );
            return sure.then(|| format!("{write} was computed from {base}, and overwrote {held}; {undone} is lost"));
        }
        let from = format!("both were computed from {base}: ");
        let (fact, lost) = match (claim.foreign_came_first(), changes(claim.foreign, claim.write)) {
            (true, Some((change, _))) => (false, format!("the change of {change}")),
            (true, None) => (false, "what it wrote".to_owned()),
            (false, Some((one, other))) if one == other => (true, format!("one of the two changes of {one}")),
            (false, Some((one, other))) => (true, format!("the change of {one} or that of {other}")),
            (false, None) => (true, "what it wrote".to_owned()),
        };
        Some(match (fact, sure) {
            (false, true) => format!("{from}{foreign} was overwritten by {write}; {lost} is lost"),
            (false, false) => format!("{from}{foreign} may have been overwritten by {write}, and {lost} lost"),
            (true, true) => {
                format!("{from}of {foreign} and {write}, whichever came first was overwritten; {lost} is lost")
            }
            (true, false) => {
                format!(
                    "{from}of {foreign} and {write}, whichever came first may have been overwritten, and {lost} lost"
                )
            }
        })
    }

    fn lost_by_count(&self, claim: &Claim, surplus: Surplus) -> String {
        let (write, foreign, base) = (self.arrow(claim.write), self.arrow(claim.foreign), self.text(claim.base()));
        let Surplus { used, came } = surplus;
        let times = if came == 1 { "once".to_owned() } else { format!("{came} times") };
        let lost = match surplus.lost() {
            1 => "at least one of these changes is lost".to_owned(),
            lost => format!("at least {lost} of these changes are lost"),
        };
        let example = format!("{foreign} and {write} are two of them");
        let changes = changes(claim.foreign, claim.write).map_or_else(String::new, |(one, other)| {
            if one == other { format!(", changes of {one} each") } else { format!(", changes of {one} and of {other}") }
        });
        format!("{used} writes were computed from {base}, which was there {times} at most: {lost}; {example}{changes}")
    }

    fn text(&self, value: Val) -> String {
        value.text(&self.names.values).unwrap_or_else(|| "?".to_owned())
    }

    fn arrow(&self, (old, new): (Val, Val)) -> String {
        match old {
            Val::Unknown => self.text(new),
            old => format!("{} -> {}", self.text(old), self.text(new)),
        }
    }
}

/// By how much two writes changed the value, if all of it are integers.
fn changes(one: (Val, Val), other: (Val, Val)) -> Option<(String, String)> {
    let change = |(old, new): (Val, Val)| new.minus(old).map(|difference| format!("{difference:+}"));
    Some((change(one)?, change(other)?))
}

/// What happened, and what was lost by it.
pub(crate) fn lost_update_text(
    example: &Example<'_>,
    lost: Option<&str>,
    first: &AccessInfo,
    second: &AccessInfo,
    read: Option<&AccessInfo>,
) -> String {
    let (other, owner) = names(first, second);
    let between = example.claim.is_some_and(|claim| claim.between);
    let story = match read {
        Some(_) if between && example.is_confirmed() => format!(
            "{owner} read the variable, then {other} wrote it, then {owner} wrote a value computed from what it had \
             read before."
        ),
        Some(_) if between => format!(
            "{owner} read the variable and wrote it later; {other} had written it by then, and nothing makes the read \
             come after that."
        ),
        Some(_) => format!(
            "{owner} read the variable and then wrote it; {other} wrote it too, and nothing keeps that from falling in \
             between."
        ),
        None => format!("{owner} and {other} wrote the variable, and neither waited for the other."),
    };
    let locks = match read {
        Some(read) if !read.locks.is_empty() && !second.locks.is_empty() => {
            " Locks were held, but not the same one all the way from the read to the write."
        }
        _ => "",
    };
    let lost = lost.map_or_else(String::new, |lost| {
        let (head, tail) = lost.split_at(lost.chars().next().map_or(0, char::len_utf8));
        format!(" {}{tail}.", head.to_uppercase())
    });
    format!("{story}{locks}{lost}")
}
