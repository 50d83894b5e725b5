//! Moments as people read them.

const SECOND: u64 = 1_000_000_000;
const DAY: u64 = 86_400;

/// A time in Unix nanoseconds as RFC 3339, in UTC: `2023-11-14T22:13:20.000000000Z`.
pub(super) fn rfc3339(unix_ns: u64) -> String {
    let (seconds, ns) = (unix_ns / SECOND, unix_ns % SECOND);
    let (year, month, day) = date(seconds / DAY);
    let (hour, minute, second) = (seconds % DAY / 3600, seconds % 3600 / 60, seconds % 60);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{ns:09}Z")
}

/// The date that is so many days after the first of January 1970, in the Gregorian calendar.
///
/// Years are taken to begin in March, so that the day that is added every four of them is the last of one; after Howard
/// Hinnant's `civil_from_days`.
fn date(days: u64) -> (u64, u64, u64) {
    const ERA: u64 = 146_097;
    let days = days + 719_468;
    let (era, of_era) = (days / ERA, days % ERA);
    let year_of_era = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted = (5 * of_year + 2) / 153;
    let day = of_year - (153 * shifted + 2) / 5 + 1;
    let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
    (era * 400 + year_of_era + u64::from(month <= 2), month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_those_of_the_calendar() {
        let check = |seconds: u64, expected: &str| assert_eq!(rfc3339(seconds * SECOND + 7), expected);
        check(0, "1970-01-01T00:00:00.000000007Z");
        check(1_700_000_000, "2023-11-14T22:13:20.000000007Z");
        check(951_782_399, "2000-02-28T23:59:59.000000007Z");
        check(951_782_400, "2000-02-29T00:00:00.000000007Z");
        check(951_868_800, "2000-03-01T00:00:00.000000007Z");
        check(4_107_542_400, "2100-03-01T00:00:00.000000007Z");
        assert_eq!(&rfc3339(u64::MAX)[..4], "2554");
    }

    /// Each day comes after the one before it, for four hundred years.
    #[test]
    fn no_day_is_left_out() {
        let leap = |year: u64| year.is_multiple_of(4) && !year.is_multiple_of(100) || year.is_multiple_of(400);
        let mut expected = (1970, 1, 1);
        for days in 0..146_097 {
            assert_eq!(date(days), expected);
            let (year, month, day) = expected;
            let long = [31, 28 + u64::from(leap(year)), 31, 30, 31, 30, 31, 31, 30, 31, 30, 31][month as usize - 1];
            expected = match (month, day == long) {
                (_, false) => (year, month, day + 1),
                (12, true) => (year + 1, 1, 1),
                (_, true) => (year, month + 1, 1),
            };
        }
    }
}
