//! The costs of stored passwords, so that an unknown name can cost the same
//! (security row P5).
//!
//! A login verifies the stored hash at the cost at which it was made, which may
//! differ from the present setting. If every unknown name had the present cost,
//! the time of an answer would show who has an account, once the setting has
//! changed. So the cost for an unknown name is drawn from the costs of the
//! accounts, by their frequency, with a secret hash of the name: the same name
//! always gets the same cost.

use std::time::{Duration, Instant};

use tokio::sync::Mutex;

use super::{Login, hashing::HASH_CHARS};
use crate::{
    config::Cost,
    credentials::Secret,
    database::{Database, Db, on_engine},
    error::AppError,
    site::Site,
};

/// The argon2 costs of stored passwords, counted now and then.
#[derive(Debug, Default)]
pub struct CostsInUse(Mutex<Option<Counted>>);

#[derive(Debug)]
struct Counted {
    costs: Vec<(Cost, u64)>,
    until: Instant,
}

impl Site {
    #[must_use]
    pub fn costs(&self) -> &CostsInUse {
        self.part()
    }
}

impl CostsInUse {
    /// How long a count is used at least.
    const AGE: Duration = Duration::from_secs(1);
    /// And how many times as long as it took: counting reads every account.
    const SHARE: u32 = 100;

    /// The cost of verifying a password for `login`, if nobody has that name;
    /// `None` while there are no accounts.
    ///
    /// # Errors
    ///
    /// Only the first count can fail. Later, the last count is used until the
    /// next succeeds.
    pub async fn of_nobody(
        &self,
        database: &Database,
        secret: Option<&Secret>,
        login: &Login,
    ) -> Result<Option<Cost>, AppError> {
        let mut counted = self.0.lock().await;
        if counted.as_ref().is_none_or(|counted| Instant::now() > counted.until) {
            let began = Instant::now();
            let count = async { count(&mut database.read().await?).await };
            match (count.await, &mut *counted) {
                (Ok(costs), counted) => {
                    let until = Instant::now() + Self::AGE.max(began.elapsed() * Self::SHARE);
                    *counted = Some(Counted { costs, until });
                }
                (Err(error), Some(_)) => tracing::debug!(%error, "the costs in use were not counted again"),
                (Err(error), None) => return Err(error),
            }
        }
        let costs = counted.as_ref().map_or(&[][..], |counted| &counted.costs);
        Ok(match secret {
            Some(secret) => draw(costs, secret.seal("cost of nobody", &[login.name().as_bytes()])),
            // Only before the first sign-up with a secret.
            None => costs.iter().max_by_key(|(_, accounts)| accounts).map(|(cost, _)| *cost),
        })
    }
}

/// How many accounts have a hash of each cost, always in the same order.
async fn count(db: &mut Db) -> Result<Vec<(Cost, u64)>, AppError> {
    // A hash begins with its cost; salt and output behind it have one length.
    let rows: Vec<(String, i64)> = on_engine!(db => sqlx::query_as(
            "SELECT substr(password_hash, 1, length(password_hash) - $1), COUNT(*)
             FROM users WHERE length(password_hash) > $1 GROUP BY 1 ORDER BY 1",
        )
        .bind(HASH_CHARS)
        .fetch_all(db)
        .await?);
    let known = |(cost, accounts): (String, i64)| Some((Cost::parse(&cost)?, u64::try_from(accounts).ok()?));
    Ok(rows.into_iter().filter_map(known).collect())
}

/// One of the costs. By scaling rather than by a remainder, so that one account
/// more or less moves next to no name to another cost.
fn draw(costs: &[(Cost, u64)], seal: [u8; 32]) -> Option<Cost> {
    let all: u64 = costs.iter().map(|(_, accounts)| accounts).sum();
    let number = u64::from_be_bytes(*seal.first_chunk()?);
    let place = (u128::from(number) * u128::from(all)) >> u64::BITS;
    let mut before = 0;
    costs.iter().find_map(|(cost, accounts)| {
        before += u128::from(*accounts);
        (place < before).then_some(*cost)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cost_is_drawn_as_often_as_it_is_in_use_and_stays_with_the_name() {
        let dear = Cost { iterations: 3, ..Cost::FLOOR };
        let drawn = |costs: &[(Cost, u64)]| -> Vec<_> {
            let seal = |number: u32| Secret::for_test(1).seal("test", &[&number.to_be_bytes()]);
            (0..10_000).map(|number| draw(costs, seal(number)).unwrap()).collect()
        };
        let share = |drawn: &[Cost]| drawn.iter().filter(|cost| **cost == dear).count();
        let (some, one_more) =
            (drawn(&[(Cost::FLOOR, 75), (dear, 25)]), drawn(&[(Cost::FLOOR, 74), (dear, 26)]));
        assert!((2300..2700).contains(&share(&some)), "{}", share(&some));
        let moved = some.iter().zip(&one_more).filter(|(before, after)| before != after).count();
        assert_eq!(moved, share(&one_more) - share(&some), "names move to the one that has grown alone");
        assert_eq!(share(&drawn(&[(Cost::FLOOR, 75)])), 0);
        assert_eq!(share(&drawn(&[(dear, 1)])), 10_000);
        assert_eq!(draw(&[], [0; 32]), None);
    }
}
