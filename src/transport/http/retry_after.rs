//! The `Retry-After` header (RFC 9110, section 10.2.3): seconds, or a date.

use std::time::Duration;

/// The longest a receiver can make us wait.
const MAX: Duration = Duration::from_secs(5 * 60);

/// How long to wait, at most five minutes. `date` is the answer's own `Date`, so that only the receiver's clock counts;
/// without one a `Retry-After` date says nothing. What is neither seconds nor a date is ignored.
pub(super) fn parse(value: &str, date: Option<&str>) -> Option<Duration> {
    let value = value.trim();
    if !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit()) {
        // Digits that do not fit are a number all the same, and a large one.
        return Some(value.parse().map_or(MAX, |seconds| MAX.min(Duration::from_secs(seconds))));
    }
    let (then, now) = (http_date(value)?, http_date(date?.trim())?);
    Some(MAX.min(Duration::from_secs(then.saturating_sub(now))))
}

/// Seconds since the year 0 for a date such as `Sun, 06 Nov 1994 08:49:37 GMT`, the one form that is still sent.
fn http_date(text: &str) -> Option<u64> {
    let (_, text) = text.split_once(", ")?;
    let mut parts = text.split(' ');
    let mut next = || parts.next();
    let (day, month, year, time, zone) = (next()?, next()?, next()?, next()?, next()?);
    if zone != "GMT" || next().is_some() {
        return None;
    }
    const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let month = MONTHS.iter().position(|name| *name == month)? as u64;
    let (day, year) = (number(day, 31)?, number(year, 9999)?);
    let mut clock = time.split(':');
    let mut unit = |max| clock.next().and_then(|text| number(text, max));
    let (hour, minute, second) = (unit(23)?, unit(59)?, unit(60)?);
    Some(((days(year, month, day) * 24 + hour) * 60 + minute) * 60 + second)
}

fn number(text: &str, max: u64) -> Option<u64> {
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse().ok().filter(|value| digits && *value <= max)
}

/// Days since 1 March of the year 0, `month` from 0 for January: counted in years that begin in March, so that the leap
/// day comes last.
fn days(year: u64, month: u64, day: u64) -> u64 {
    let (year, month) = if month < 2 { (year.saturating_sub(1), month + 10) } else { (year, month - 2) };
    year * 365 + year / 4 - year / 100 + year / 400 + (month * 153 + 2) / 5 + day
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(value: &str, expect: Option<u64>) {
        let date = Some("Sun, 06 Nov 1994 08:49:37 GMT");
        assert_eq!(parse(value, date), expect.map(Duration::from_secs), "{value}");
    }

    #[test]
    fn seconds() {
        check("0", Some(0));
        check(" 7 ", Some(7));
        check("300", Some(300));
        check("301", Some(300));
        check("99999999999999999999999999", Some(300));
        for garbage in ["", " ", "-1", "+1", "NaN", "inf", "1e300", "1.5", "0x10", "7 s", "soon", "\u{664}"] {
            check(garbage, None);
        }
    }

    #[test]
    fn dates() {
        check("Sun, 06 Nov 1994 08:50:00 GMT", Some(23));
        check("Sun, 06 Nov 1994 08:49:36 GMT", Some(0));
        check("Sat, 05 Nov 1994 08:50:00 GMT", Some(0));
        check("Fri, 31 Dec 9999 23:59:59 GMT", Some(300));
        for garbage in [
            "Sun, 06 Nov 1994 08:50:00 CET",
            "Sun, 06 Nov 1994 08:50 GMT",
            "Sun, 06 Foo 1994 08:50:00 GMT",
            "Sun, 06 Nov -994 08:50:00 GMT",
            "Sun, 99 Nov 1994 08:50:00 GMT",
            "Sunday, 06-Nov-94 08:49:37 GMT",
            "Sun Nov  6 08:49:37 1994",
            ", , ,",
        ] {
            check(garbage, None);
        }
        assert_eq!(parse("Sun, 06 Nov 1994 08:50:00 GMT", None), None);
        assert_eq!(parse("Sun, 06 Nov 1994 08:50:00 GMT", Some("noon")), None);
    }

    #[test]
    fn days_follow_one_another() {
        let mut last = days(1999, 11, 31);
        for year in 2000..2105 {
            let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
            for (month, len) in [31, 28 + u64::from(leap), 31, 30, 31, 30, 31, 31, 30, 31, 30, 31].iter().enumerate() {
                for day in 1..=*len {
                    let this = days(year, month as u64, day);
                    assert_eq!(this, last + 1, "{year}-{month}-{day}");
                    last = this;
                }
            }
        }
    }
}
