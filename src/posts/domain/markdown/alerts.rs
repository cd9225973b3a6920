//! Alerts: quotes that begin with `[!NOTE]` and the like, as on GitHub.

/// The kinds of alerts: the class, and the words above them.
pub(super) const ALERTS: [(&str, &str); 5] = [
    ("alert-note", "Note"),
    ("alert-tip", "Tip"),
    ("alert-important", "Important"),
    ("alert-warning", "Warning"),
    ("alert-caution", "Caution"),
];

/// The class of the words above an alert.
pub(super) const ALERT_TITLE: &str = "alert-title";

/// The words above an alert of that class.
pub(super) fn alert_title(class: &str) -> Option<&'static str> {
    let is_of = |alert: &str| class.split_ascii_whitespace().any(|class| class == alert);
    ALERTS.into_iter().find(|(alert, _)| is_of(alert)).map(|(_, title)| title)
}
