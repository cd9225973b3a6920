//! Counts requests by the pattern of their path, for whoever watches the site.
//!
//! Clients choose paths and methods, so none of them becomes a label as it was sent
//! (security row L12). A label is the pattern of a route or of a page, and a method that
//! some route takes; everything else shares one value. So the number of series has a
//! bound that no client can raise.

use std::{
    fmt,
    hash::{BuildHasher, RandomState},
    sync::OnceLock,
    time::Duration,
};

use axum::{
    extract::{MatchedPath, Request},
    http::StatusCode,
};
use prometheus::{Histogram, HistogramOpts, HistogramVec, IntCounter, IntCounterVec, Opts};

use crate::site::Site;

/// The label of every method that is not in [`METHODS`], and of every path without a route.
pub const OTHER: &str = "other";

/// The methods that some route takes.
const METHODS: [&str; 4] = ["GET", "HEAD", "POST", "OPTIONS"];

/// The statuses that answers have; any other shares the label [`OTHER`].
const STATUSES: [u16; 32] = [
    101, 200, 201, 202, 204, 206, 301, 302, 303, 304, 307, 308, 400, 401, 403, 404, 405, 406, 408, 409, 410,
    411, 413, 414, 415, 421, 422, 426, 429, 431, 500, 503,
];

/// The upper bounds of the buckets, in seconds. A page from memory takes some microseconds,
/// a hash of a password a tenth of a second, and no answer more than 15 seconds.
const BUCKETS: [f64; 13] = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 15.0];

/// Room for routes: twice as many as there are.
const ROUTES: usize = 256;

/// Requests since the start of the process. Counting takes no lock.
pub struct RequestCounts {
    pages: OnceLock<matchit::Router<String>>,
    hashes: RandomState,
    /// The routes that were asked for, each at the first free place from its hash on. A
    /// place is filled once and stays.
    routes: Box<[OnceLock<Route>]>,
    without_route: Route,
    answered: IntCounterVec,
    took: HistogramVec,
}

/// A route, and its counts by method.
struct Route {
    pattern: String,
    methods: [OnceLock<Box<Counts>>; METHODS.len() + 1],
}

/// The requests of one route and method.
pub struct Counts {
    route: String,
    method: &'static str,
    statuses: [OnceLock<IntCounter>; STATUSES.len() + 1],
    answered: IntCounterVec,
    took: Histogram,
}

impl Site {
    /// The requests to this site, counted.
    #[must_use]
    pub fn request_counts(&self) -> &RequestCounts {
        self.part()
    }
}

impl Default for RequestCounts {
    fn default() -> Self {
        let answered = Opts::new("byline_http_requests_total", "Requests that were answered.");
        let took = HistogramOpts::new(
            "byline_http_request_duration_seconds",
            "Time until the answer began: for a stream, until it was open.",
        );
        Self {
            pages: OnceLock::new(),
            hashes: RandomState::new(),
            routes: (0..ROUTES).map(|_| OnceLock::new()).collect(),
            without_route: Route::of(OTHER),
            answered: IntCounterVec::new(answered, &["method", "route", "status"]).expect("valid names"),
            took: HistogramVec::new(took.buckets(BUCKETS.to_vec()), &["method", "route"])
                .expect("valid names"),
        }
    }
}

impl RequestCounts {
    /// Tells the patterns of pages, which the router of the site does not know: the first
    /// that fits a path is its label. A second call changes nothing.
    pub fn know_pages(&self, patterns: impl IntoIterator<Item = String>) {
        let mut pages = matchit::Router::new();
        for pattern in patterns {
            // Twice the same is one label.
            let _ = pages.insert(pattern.clone(), pattern);
        }
        let _ = self.pages.set(pages);
    }

    /// Where this request is counted.
    #[must_use]
    pub fn of(&self, request: &Request) -> &Counts {
        let route = match request.extensions().get::<MatchedPath>() {
            Some(matched) => self.route(matched.as_str()),
            None => self.page(request.uri().path()),
        };
        let place = METHODS.iter().position(|method| *method == request.method().as_str());
        route.methods[place.unwrap_or(METHODS.len())].get_or_init(|| {
            let method = place.map_or(OTHER, |place| METHODS[place]);
            Box::new(Counts::new(&route.pattern, method, self))
        })
    }

    fn page(&self, path: &str) -> &Route {
        let pattern = self.pages.get().and_then(|pages| pages.at(path).ok());
        pattern.map_or(&self.without_route, |found| self.route(found.value))
    }

    fn route(&self, pattern: &str) -> &Route {
        let first = usize::try_from(self.hashes.hash_one(pattern) % ROUTES as u64).unwrap_or_default();
        let places = (first..ROUTES).chain(0..first).map(|place| &self.routes[place]);
        let mut routes = places.map(|place| place.get_or_init(|| Route::of(pattern)));
        routes.find(|route| route.pattern == pattern).unwrap_or(&self.without_route)
    }

    /// The counters and the times, to be shown.
    #[must_use]
    pub fn shown(&self) -> (IntCounterVec, HistogramVec) {
        (self.answered.clone(), self.took.clone())
    }
}

impl Route {
    fn of(pattern: &str) -> Self {
        Self { pattern: pattern.to_owned(), methods: Default::default() }
    }
}

impl Counts {
    fn new(route: &str, method: &'static str, all: &RequestCounts) -> Self {
        Self {
            route: route.to_owned(),
            method,
            statuses: [const { OnceLock::new() }; STATUSES.len() + 1],
            answered: all.answered.clone(),
            took: all.took.with_label_values(&[method, route]),
        }
    }

    /// The labels of method and route.
    #[must_use]
    pub fn labels(&self) -> (&'static str, &str) {
        (self.method, &self.route)
    }

    /// A request was answered with this status after this time.
    pub fn answered(&self, status: StatusCode, took: Duration) {
        let place = STATUSES.binary_search(&status.as_u16()).ok();
        let counter = self.statuses[place.unwrap_or(STATUSES.len())].get_or_init(|| {
            let status = place.map_or(OTHER.to_owned(), |place| STATUSES[place].to_string());
            self.answered.with_label_values(&[self.method, &self.route, &status])
        });
        counter.inc();
        self.took.observe(took.as_secs_f64());
    }
}

impl fmt::Debug for RequestCounts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RequestCounts").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use prometheus::core::Collector;

    use super::*;

    fn request(method: &str, path: &str) -> Request {
        Request::builder().method(method).uri(path).body(axum::body::Body::empty()).unwrap()
    }

    fn series(counts: &RequestCounts) -> usize {
        let (answered, took) = counts.shown();
        answered.collect().iter().chain(&took.collect()).map(|family| family.get_metric().len()).sum()
    }

    #[test]
    fn paths_and_methods_that_nobody_knows_are_one_series() {
        let counts = RequestCounts::default();
        counts.know_pages(["/".to_owned(), "/posts/{id}".to_owned()]);
        for number in 0..1000 {
            let method = format!("M{number}");
            for path in [format!("/posts/{number}"), format!("/{number}/x")] {
                counts.of(&request(&method, &path)).answered(StatusCode::NOT_FOUND, Duration::ZERO);
            }
        }
        // Of either, a counter and a histogram.
        assert_eq!(series(&counts), 4);
        let (answered, _) = counts.shown();
        assert_eq!(answered.with_label_values(&[OTHER, "/posts/{id}", "404"]).get(), 1000);
        assert_eq!(answered.with_label_values(&[OTHER, OTHER, "404"]).get(), 1000);
    }

    #[test]
    fn more_routes_than_there_is_room_for_share_one_label() {
        let counts = RequestCounts::default();
        for number in 0..2 * ROUTES {
            counts.route(&format!("/{number}"));
        }
        assert!(counts.routes.iter().all(|place| place.get().is_some()));
        assert_eq!(counts.route("/one-more").pattern, OTHER);
        let known = counts.routes[7].get().unwrap().pattern.clone();
        assert_eq!(counts.route(&known).pattern, known);
    }

    #[test]
    fn statuses_are_in_order() {
        assert!(STATUSES.is_sorted());
    }
}
