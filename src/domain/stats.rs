//! Counts of incidents by dimension.

use super::{Detection, IncidentStatus, Severity, Text};

/// What a source's own metrics tell, exactly and in our meaning. A part that it does not tell is `None`.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Metrics {
    pub total: Option<u64>,
    pub by_severity: Option<Vec<(Severity, u64)>>,
    pub by_status: Option<Vec<(IncidentStatus, u64)>>,
    pub by_detection: Option<Vec<(Detection, u64)>>,
    /// By the raw name of the term, since that is what sources give.
    pub by_qualification: Option<Vec<(Text, u64)>>,
    /// All months that have incidents, by the moment of the report, oldest first: year, month (1 to 12), count.
    pub by_month_reported: Option<Vec<(i32, u32, u64)>>,
}

/// Which metrics are asked for.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct MetricParts {
    pub total: bool,
    pub by_severity: bool,
    pub by_status: bool,
    pub by_detection: bool,
    pub by_qualification: bool,
    pub by_month_reported: bool,
}

impl MetricParts {
    /// Every part of `self` is in `other` too.
    pub fn within(self, other: MetricParts) -> bool {
        (!self.total || other.total)
            && (!self.by_severity || other.by_severity)
            && (!self.by_status || other.by_status)
            && (!self.by_detection || other.by_detection)
            && (!self.by_qualification || other.by_qualification)
            && (!self.by_month_reported || other.by_month_reported)
    }

    pub fn is_empty(self) -> bool {
        self == MetricParts::default()
    }
}
