use proptest::test_runner::{Config, RngSeed, TestRunner};

/// Makes up the same cases in every run, unless `PROPTEST_RNG_SEED` says
/// otherwise; so many, unless `PROPTEST_CASES` does.
pub fn runner(cases: u32) -> TestRunner {
    let config = Config::default();
    let rng_seed = match config.rng_seed {
        RngSeed::Random => RngSeed::Fixed(20_261_123),
        fixed => fixed,
    };
    let cases = if std::env::var_os("PROPTEST_CASES").is_some() { config.cases } else { cases };
    TestRunner::new(Config { cases, rng_seed, failure_persistence: None, ..config })
}
