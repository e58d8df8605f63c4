//! Times that name no zone. The server prints `2025-03-31 16:12:10` by its own clock; which zone that is, only the
//! configuration tells.

use crate::domain::Time;
use chrono::offset::LocalResult;
use chrono::{DateTime, Datelike, NaiveDateTime, Offset, TimeDelta, TimeZone};
use chrono_tz::Tz;

/// How certain it is which moment a printed time means.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Certainty {
    Certain,
    /// The hour occurs twice, when clocks are set back; the first of both was taken.
    Twice,
    /// The hour does not occur, since clocks are set forward over it; it was read as if they had not been yet.
    Never,
}

/// The longest time that clocks were ever set forward by: a zone that crossed the date line left out a day.
const LONGEST_GAP_HOURS: i64 = 24;

/// The moment that a printed time means. None if it is no time of the years 1 to 9999.
///
/// Written are date and time to the second (published document); a zone or a fraction beside them is honoured, should a release
/// print one.
pub(super) fn read(text: &str, zone: Tz) -> Option<(Time, Certainty)> {
    let text = text.trim();
    let (time, certainty) = match local(text) {
        Some(local) => in_zone(local, zone)?,
        None => (DateTime::parse_from_rfc3339(text).ok()?.to_utc(), Certainty::Certain),
    };
    (1..=9_999).contains(&time.year()).then_some((time, certainty))
}

fn local(text: &str) -> Option<NaiveDateTime> {
    let forms = ["%Y-%m-%d %H:%M:%S%.f", "%Y-%m-%dT%H:%M:%S%.f"];
    forms.iter().find_map(|form| NaiveDateTime::parse_from_str(text, form).ok())
}

fn in_zone(local: NaiveDateTime, zone: Tz) -> Option<(Time, Certainty)> {
    match zone.from_local_datetime(&local) {
        LocalResult::Single(time) => Some((time.to_utc(), Certainty::Certain)),
        LocalResult::Ambiguous(first, _) => Some((first.to_utc(), Certainty::Twice)),
        LocalResult::None => {
            let before = (1..=LONGEST_GAP_HOURS * 2).find_map(|half_hours| {
                let earlier = local.checked_sub_signed(TimeDelta::minutes(30 * half_hours))?;
                zone.offset_from_local_datetime(&earlier).latest()
            })?;
            Some((local.checked_sub_offset(before.fix())?.and_utc(), Certainty::Never))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str, zone: Tz) -> Option<(String, Certainty)> {
        read(text, zone).map(|(time, certainty)| (time.to_rfc3339(), certainty))
    }

    fn certain(text: &str) -> Option<(String, Certainty)> {
        Some((text.to_owned(), Certainty::Certain))
    }

    #[test]
    fn the_same_text_means_another_moment_in_another_zone_and_season() {
        let berlin = chrono_tz::Europe::Berlin;
        assert_eq!(shown("2025-03-31 16:12:10", berlin), certain("2025-03-31T14:12:10+00:00"));
        assert_eq!(shown("2025-01-31 16:12:10", berlin), certain("2025-01-31T15:12:10+00:00"));
        assert_eq!(shown("2025-03-31 16:12:10", chrono_tz::Asia::Kolkata), certain("2025-03-31T10:42:10+00:00"));
        assert_eq!(shown(" 2025-03-31 16:12:10\n", chrono_tz::UTC), certain("2025-03-31T16:12:10+00:00"));
    }

    #[test]
    fn an_hour_that_occurs_twice_is_the_first_of_both() {
        let twice = |text: &str| Some((text.to_owned(), Certainty::Twice));
        let berlin = chrono_tz::Europe::Berlin;
        assert_eq!(shown("2025-10-26 01:59:59", berlin), certain("2025-10-25T23:59:59+00:00"));
        assert_eq!(shown("2025-10-26 02:00:00", berlin), twice("2025-10-26T00:00:00+00:00"));
        assert_eq!(shown("2025-10-26 02:59:59", berlin), twice("2025-10-26T00:59:59+00:00"));
        assert_eq!(shown("2025-10-26 03:00:00", berlin), certain("2025-10-26T02:00:00+00:00"));
        assert_eq!(shown("2025-11-02 01:30:00", chrono_tz::America::New_York), twice("2025-11-02T05:30:00+00:00"));
    }

    #[test]
    fn an_hour_that_does_not_occur_is_read_by_the_clock_before_it() {
        let never = |text: &str| Some((text.to_owned(), Certainty::Never));
        let berlin = chrono_tz::Europe::Berlin;
        assert_eq!(shown("2025-03-30 01:59:59", berlin), certain("2025-03-30T00:59:59+00:00"));
        assert_eq!(shown("2025-03-30 02:30:00", berlin), never("2025-03-30T01:30:00+00:00"));
        assert_eq!(shown("2025-03-30 03:00:00", berlin), certain("2025-03-30T01:00:00+00:00"));
        // Half an hour, and a whole day.
        assert_eq!(shown("2025-10-05 02:15:00", chrono_tz::Australia::Lord_Howe), never("2025-10-04T15:45:00+00:00"));
        assert_eq!(shown("2011-12-30 12:00:00", chrono_tz::Pacific::Apia), never("2011-12-30T22:00:00+00:00"));
    }

    #[test]
    fn a_zone_beside_the_time_goes_before_the_configured_one() {
        let berlin = chrono_tz::Europe::Berlin;
        assert_eq!(shown("2025-03-31T16:12:10Z", berlin), certain("2025-03-31T16:12:10+00:00"));
        assert_eq!(shown("2025-03-31T16:12:10.5+05:30", berlin), certain("2025-03-31T10:42:10.500+00:00"));
        assert_eq!(shown("2025-03-31T16:12:10", berlin), certain("2025-03-31T14:12:10+00:00"));
    }

    #[test]
    fn what_is_no_time_is_none() {
        let zone = chrono_tz::Europe::Berlin;
        for text in
            ["", "-", "2025-03-31", "16:12:10", "2025-02-30 10:00:00", "0001-01-01 00:00:00", "+99999-01-01 00:00:00"]
        {
            assert_eq!(read(text, zone), None, "{text}");
        }
        assert_eq!(read("9999-12-31 23:59:59", chrono_tz::Etc::GMTPlus12), None);
    }
}
