//! Metrics, read by the rules of Prometheus' text format 0.0.4
//! (<https://prometheus.io/docs/instrumenting/exposition_formats/>). What breaks a rule
//! fails the test.

use std::collections::{BTreeMap, BTreeSet};

/// The labels of a sample, by name.
type Labels = BTreeMap<String, String>;

/// All metrics of an answer.
#[derive(Debug, Default)]
pub struct Metrics {
    families: BTreeMap<String, Family>,
}

#[derive(Debug)]
struct Family {
    kind: String,
    samples: Vec<Sample>,
}

#[derive(Debug)]
struct Sample {
    name: String,
    labels: Labels,
    value: f64,
}

impl Metrics {
    /// Reads an answer.
    pub fn parse(text: &str) -> Self {
        assert!(text.ends_with('\n'), "the last line has an end");
        let mut metrics = Self::default();
        let mut helped = BTreeSet::new();
        let mut current = String::new();
        for line in text.lines() {
            if let Some(help) = line.strip_prefix("# HELP ") {
                let (name, words) = help.split_once(' ').expect("a name and what it means");
                assert!(is_name(name) && !words.is_empty(), "{line}");
                assert!(helped.insert(name.to_owned()), "one explanation: {line}");
            } else if let Some(kind) = line.strip_prefix("# TYPE ") {
                let (name, kind) = kind.split_once(' ').expect("a name and a type");
                assert!(["counter", "gauge", "histogram"].contains(&kind), "{line}");
                assert!(helped.contains(name), "explained before: {line}");
                name.clone_into(&mut current);
                let family = Family { kind: kind.to_owned(), samples: Vec::new() };
                assert!(metrics.families.insert(name.to_owned(), family).is_none(), "in one place: {line}");
            } else {
                assert!(!line.starts_with('#') && !line.is_empty(), "{line}");
                let sample = Sample::parse(line);
                let family = metrics.families.get_mut(&current).expect("a type before its samples");
                let suffixes: &[&str] = match family.kind.as_str() {
                    "histogram" => &["_bucket", "_sum", "_count"],
                    _ => &[""],
                };
                let fits = |suffix: &&str| sample.name.strip_suffix(*suffix) == Some(&current);
                assert!(suffixes.iter().any(fits), "among samples of {current}: {line}");
                family.samples.push(sample);
            }
        }
        assert_eq!(helped.len(), metrics.families.len(), "each explanation has a type");
        metrics.families.iter().for_each(|(name, family)| family.check(name));
        metrics
    }

    /// The names of all samples, those that belong to histograms among them.
    pub fn names(&self) -> BTreeSet<&str> {
        self.samples().map(|sample| sample.name.as_str()).collect()
    }

    /// How many time series there are.
    pub fn series(&self) -> usize {
        self.samples().count()
    }

    /// The values of a label, over all samples of that name.
    pub fn values_of(&self, name: &str, label: &str) -> BTreeSet<&str> {
        let samples = self.samples().filter(|sample| sample.name == name);
        samples.filter_map(|sample| sample.labels.get(label)).map(String::as_str).collect()
    }

    /// The value of the one sample with these labels; `None` if there is none.
    pub fn get(&self, name: &str, labels: &[(&str, &str)]) -> Option<f64> {
        let labels = labels.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        self.samples()
            .find(|sample| sample.name == name && sample.labels == labels)
            .map(|sample| sample.value)
    }

    /// [`Self::get`] of a sample that has to be there.
    pub fn value(&self, name: &str, labels: &[(&str, &str)]) -> f64 {
        self.get(name, labels).unwrap_or_else(|| panic!("there is no {name} with {labels:?}: {self:#?}"))
    }

    fn samples(&self) -> impl Iterator<Item = &Sample> {
        self.families.values().flat_map(|family| &family.samples)
    }
}

impl Family {
    fn check(&self, name: &str) {
        let mut known = BTreeSet::new();
        for sample in &self.samples {
            assert!(known.insert((&sample.name, &sample.labels)), "twice: {sample:?}");
        }
        match self.kind.as_str() {
            "counter" => {
                assert!(name.ends_with("_total"), "{name}");
                assert!(self.samples.iter().all(|sample| sample.value >= 0.0), "{name}");
            }
            "histogram" => self.check_buckets(name),
            _ => {}
        }
    }

    /// Buckets never fall, and the last, without a bound, has everything.
    fn check_buckets(&self, name: &str) {
        let mut buckets: BTreeMap<Labels, Vec<(f64, f64)>> = BTreeMap::new();
        for sample in self.samples.iter().filter(|sample| sample.name.ends_with("_bucket")) {
            let mut labels = sample.labels.clone();
            let bound = labels.remove("le").expect("a bucket has a bound");
            buckets.entry(labels).or_default().push((number(&bound), sample.value));
        }
        for (labels, buckets) in buckets {
            let part = |suffix: &str| {
                let is_it =
                    |sample: &&Sample| sample.name == format!("{name}{suffix}") && sample.labels == labels;
                self.samples.iter().find(is_it).unwrap_or_else(|| panic!("{name}{suffix} is missing")).value
            };
            assert!(buckets.is_sorted_by(|a, b| a.0 < b.0 && a.1 <= b.1), "{name} {labels:?}: {buckets:?}");
            assert_eq!(buckets.last().copied(), Some((f64::INFINITY, part("_count"))), "{name} {labels:?}");
            assert!(part("_sum") >= 0.0, "{name} {labels:?}");
        }
    }
}

impl Sample {
    /// `name{label="value",…} number`
    fn parse(line: &str) -> Self {
        let end = line.find(['{', ' ']).expect("something after the name");
        let (name, mut rest) = line.split_at(end);
        assert!(is_name(name), "{line}");
        let mut labels = Labels::new();
        if let Some(inside) = rest.strip_prefix('{') {
            rest = inside;
            loop {
                let (label, value) = rest.split_once("=\"").expect("a label");
                assert!(is_name(label) && !label.contains(':'), "{line}");
                let (value, after) = unescaped(value);
                assert!(labels.insert(label.to_owned(), value).is_none(), "twice: {line}");
                match after.strip_prefix(',') {
                    Some(next) => rest = next,
                    None => {
                        rest = after.strip_prefix('}').expect("the end of the labels");
                        break;
                    }
                }
            }
        }
        let value = number(rest.strip_prefix(' ').expect("a space"));
        Self { name: name.to_owned(), labels, value }
    }
}

/// The value of a label up to its closing quotation mark, and what is behind that.
fn unescaped(text: &str) -> (String, &str) {
    let (mut value, mut characters) = (String::new(), text.char_indices());
    while let Some((at, character)) = characters.next() {
        match character {
            '"' => return (value, &text[at + 1..]),
            '\\' => match characters.next().map(|(_, escaped)| escaped) {
                Some('n') => value.push('\n'),
                Some(escaped @ ('\\' | '"')) => value.push(escaped),
                other => panic!("\\{other:?} is no escape: {text}"),
            },
            other => value.push(other),
        }
    }
    panic!("the value of a label has no end: {text}")
}

fn number(text: &str) -> f64 {
    match text {
        "+Inf" => f64::INFINITY,
        text => text.parse().ok().filter(|number: &f64| number.is_finite()).expect("a number"),
    }
}

fn is_name(text: &str) -> bool {
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b':';
    !text.is_empty() && text.bytes().all(fits) && !text.as_bytes()[0].is_ascii_digit()
}
