//! Managers of services are spoken to on Linux alone.

use std::net::TcpListener;

use crate::config::StartError;

/// None.
#[expect(clippy::unnecessary_wraps, reason = "on Linux it can fail")]
pub(super) fn inherited_listener() -> Result<Option<TcpListener>, StartError> {
    Ok(None)
}

/// A manager that wants to hear from this process: there is none.
#[derive(Debug)]
pub(super) struct Manager(std::convert::Infallible);

impl Manager {
    pub(super) fn of_environment() -> Option<Self> {
        None
    }

    pub(super) fn tell(&self, _fact: &str) {
        match self.0 {}
    }

    pub(super) async fn watch<F: Future<Output = bool>>(&self, _answers: impl Fn() -> F) {
        match self.0 {}
    }
}
