//! Metrics of one number each, put together for an answer.

use prometheus::{Counter, CounterVec, Gauge, GaugeVec, Opts, Registry};

/// The metrics of one answer.
pub(super) struct Shown(pub(super) Registry);

/// A number that a metric can have. Prometheus knows 64-bit floating-point numbers alone.
pub(super) trait Number {
    fn float(self) -> f64;
}

impl Shown {
    pub(super) fn gauge(&self, name: &str, help: &str, value: impl Number) -> Result<(), prometheus::Error> {
        let gauge = Gauge::new(name, help)?;
        gauge.set(value.float());
        self.0.register(Box::new(gauge))
    }

    pub(super) fn counter(
        &self,
        name: &str,
        help: &str,
        value: impl Number,
    ) -> Result<(), prometheus::Error> {
        let counter = Counter::new(name, help)?;
        counter.inc_by(value.float());
        self.0.register(Box::new(counter))
    }

    /// A number, and beside it the largest that it can be.
    pub(super) fn limited(
        &self,
        name: &str,
        help: &str,
        (value, most): (usize, usize),
    ) -> Result<(), prometheus::Error> {
        self.gauge(name, help, value)?;
        self.gauge(&format!("{name}_limit"), &format!("The most there may be of {name}."), most)
    }

    pub(super) fn gauges<'a, N: Number>(
        &self,
        name: &str,
        help: &str,
        label: &str,
        values: impl IntoIterator<Item = (&'a str, N)>,
    ) -> Result<(), prometheus::Error> {
        let gauges = GaugeVec::new(Opts::new(name, help), &[label])?;
        values.into_iter().for_each(|(of, value)| gauges.with_label_values(&[of]).set(value.float()));
        self.0.register(Box::new(gauges))
    }

    pub(super) fn counters<'a, N: Number>(
        &self,
        name: &str,
        help: &str,
        label: &str,
        values: impl IntoIterator<Item = (&'a str, N)>,
    ) -> Result<(), prometheus::Error> {
        let counters = CounterVec::new(Opts::new(name, help), &[label])?;
        values.into_iter().for_each(|(of, value)| counters.with_label_values(&[of]).inc_by(value.float()));
        self.0.register(Box::new(counters))
    }
}

impl Number for f64 {
    fn float(self) -> f64 {
        self
    }
}

impl Number for u64 {
    fn float(self) -> f64 {
        self as f64
    }
}

impl Number for i64 {
    fn float(self) -> f64 {
        self as f64
    }
}

impl Number for usize {
    fn float(self) -> f64 {
        self as f64
    }
}
