//! Whether two kinds of requests take the same time.

use std::time::{Duration, Instant};

/// Asserts that the times are of one distribution. Of equal ones, chance makes one
/// measurement in a hundred look different, so only two in a row count.
pub async fn same_time(pairs: usize, mut one: impl AsyncFnMut(usize), mut other: impl AsyncFnMut(usize)) {
    let (first, medians) = measured(pairs, 0, &mut one, &mut other).await;
    if first <= 0.01 {
        let (second, again) = measured(pairs, pairs, &mut one, &mut other).await;
        assert!(second > 0.01, "p = {first} and {second}, medians {medians:?} and {again:?}");
    }
}

/// Measures pairs, one of each kind after the other, in an order that alternates: the p
/// of Mann-Whitney, two-sided, and both medians. Pairs are numbered from `begin` on.
async fn measured(
    pairs: usize,
    begin: usize,
    one: &mut impl AsyncFnMut(usize),
    other: &mut impl AsyncFnMut(usize),
) -> (f64, [Duration; 2]) {
    let mut times: [Vec<Duration>; 2] = [Vec::new(), Vec::new()];
    for pair in begin..begin + pairs {
        for turn in 0..2 {
            let kind = (pair + turn) % 2;
            let begun = Instant::now();
            if kind == 0 {
                one(pair).await
            } else {
                other(pair).await
            }
            times[kind].push(begun.elapsed());
        }
    }
    let p = mann_whitney(&times[0], &times[1]);
    let median = |times: &[Duration]| {
        let mut sorted = times.to_vec();
        sorted.sort();
        sorted[sorted.len() / 2]
    };
    let medians = [median(&times[0]), median(&times[1])];
    println!("p = {p:.3}, medians {medians:?}");
    (p, medians)
}

/// The two-sided p of the U test, by the normal approximation, which is good from
/// twenty of each on.
fn mann_whitney(one: &[Duration], other: &[Duration]) -> f64 {
    let mut all: Vec<(Duration, bool)> = one.iter().map(|time| (*time, true)).collect();
    all.extend(other.iter().map(|time| (*time, false)));
    all.sort();
    let ranks: f64 =
        all.iter().zip(1_u32..).filter(|((_, is_one), _)| *is_one).map(|(_, rank)| f64::from(rank)).sum();
    let count = |times: &[Duration]| f64::from(u32::try_from(times.len()).expect("few"));
    let (n, m) = (count(one), count(other));
    let u = ranks - n * (n + 1.0) / 2.0;
    let deviation = (n * m * (n + m + 1.0) / 12.0).sqrt();
    let z = (u - n * m / 2.0).abs() / deviation;
    2.0 * (1.0 - normal(z))
}

/// The normal distribution (Abramowitz and Stegun 26.2.17; off by 7.5e-8 at most).
fn normal(z: f64) -> f64 {
    let t = 1.0 / (1.0 + 0.231_641_9 * z);
    let sum = [0.319_381_530, -0.356_563_782, 1.781_477_937, -1.821_255_978, 1.330_274_429]
        .iter()
        .rev()
        .fold(0.0, |sum, factor| (sum + factor) * t);
    1.0 - (-z * z / 2.0).exp() / (2.0 * std::f64::consts::PI).sqrt() * sum
}

#[test]
fn times_that_differ_are_told_apart_and_equal_ones_are_not() {
    let micros =
        |from: u64| (0..200).map(|n| Duration::from_micros(from + n * 7919 % 200)).collect::<Vec<_>>();
    assert!(mann_whitney(&micros(1000), &micros(1000)) > 0.5);
    assert!(mann_whitney(&micros(1000), &micros(1040)) < 0.01);
    assert!((normal(1.959_964) - 0.975).abs() < 1e-6);
}
