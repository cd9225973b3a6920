//! How much each client of the API may read at a time, so that connections remain
//! for everything else: pages, logins, the verification of credentials (security
//! row G4).
//!
//! A read takes a turn and then a connection. A client (a request, or a WebSocket
//! with all its operations) has at most half of the connections, and so have all
//! clients of one address together. A query that may read many posts takes its turn
//! in a separate lane: all searches together have half of the connections, and one
//! client or address half of those. Turns are taken in one order: the client's, the
//! address's, the lane's. Nothing waits for a turn while it holds a connection.

use std::{
    collections::HashMap,
    net::IpAddr,
    sync::{Arc, Mutex, PoisonError, Weak},
    time::Duration,
};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::{
    fair_pool::{has_share, network},
    listener_slots::{ListenerSlot, ListenerSlots},
};
use crate::{error::AppError, site::Site};

/// Searches that wait, for each that runs. More get an error.
const WAITING: usize = 8;
/// The longest wait for a turn.
const MAX_WAIT: Duration = Duration::from_secs(2);
/// The seconds after which a refused client may retry.
const RETRY_AFTER_SECONDS: u32 = 2;
/// Queries and mutations that run on WebSockets, or whose answers are not read
/// yet: an answer has up to a megabyte of text, and a client may leave it
/// unread.
const OPERATIONS: usize = 128;
/// The share of one address.
const OPERATIONS_SHARE: usize = 16;
/// Addresses in the map, before unused ones are removed.
const REMEMBERED: usize = 256;

#[derive(Debug)]
pub struct Turns {
    connections: usize,
    addresses: Mutex<HashMap<IpAddr, Weak<Budget>>>,
    searches: Arc<Semaphore>,
    places_in_lane: Arc<ListenerSlots>,
    operations: Arc<Semaphore>,
}

/// How much one client may have at a time.
#[derive(Debug)]
struct Budget {
    reads: Arc<Semaphore>,
    searches: Arc<Semaphore>,
    /// On WebSockets, of all connections; each connection's queue has its own limit.
    operations: Arc<Semaphore>,
}

/// A client: a request, or a connection. Clones are the same client.
#[derive(Clone, Debug)]
pub struct Client {
    address: Option<IpAddr>,
    own: Arc<Budget>,
    /// The budget of all clients of that address; absent if the address may be
    /// a proxy that Byline does not know.
    shared: Option<Arc<Budget>>,
}

/// How many posts a statement may have to look at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReadCost {
    /// Only those that it returns, from an index.
    Few,
    /// Perhaps all of them.
    Many,
}

/// A turn, until it is dropped.
#[derive(Debug)]
pub struct Turn {
    _permits: [Option<OwnedSemaphorePermit>; 3],
    /// Stays in the map as long as a client has a turn of it.
    _shared: Option<Arc<Budget>>,
    _place: Option<ListenerSlot>,
}

impl Budget {
    fn of(connections: usize) -> Self {
        let reads = half(connections);
        let places = |places| Arc::new(Semaphore::new(places));
        Self { reads: places(reads), searches: places(half(reads)), operations: places(OPERATIONS_SHARE) }
    }

    /// Waits for a permit. The semaphores are never closed, so there is always one.
    async fn acquire(&self, cost: ReadCost) -> Option<OwnedSemaphorePermit> {
        let gate = match cost {
            ReadCost::Few => &self.reads,
            ReadCost::Many => &self.searches,
        };
        Arc::clone(gate).acquire_owned().await.ok()
    }
}

/// Half of it, and one at least.
const fn half(whole: usize) -> usize {
    if whole < 4 { 1 } else { whole / 2 }
}

impl Site {
    #[must_use]
    pub fn turns(&self) -> &Turns {
        self.part()
    }
}

impl Turns {
    /// Turns for a database with this many connections for readers.
    #[must_use]
    pub fn new(connections: usize) -> Self {
        let searches = half(connections);
        Self {
            connections,
            addresses: Mutex::default(),
            searches: Arc::new(Semaphore::new(searches)),
            places_in_lane: Arc::new(ListenerSlots::new(searches * (1 + WAITING))),
            operations: Arc::new(Semaphore::new(OPERATIONS)),
        }
    }

    #[must_use]
    pub fn client(&self, address: Option<IpAddr>) -> Client {
        let shared = address.map(network).filter(has_share);
        Client {
            address,
            own: Arc::new(Budget::of(self.connections)),
            shared: shared.map(|address| self.of_address(address)),
        }
    }

    fn of_address(&self, address: IpAddr) -> Arc<Budget> {
        let mut addresses = self.addresses.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(budget) = addresses.get(&address).and_then(Weak::upgrade) {
            return budget;
        }
        if addresses.len() >= REMEMBERED {
            addresses.retain(|_, budget| budget.strong_count() > 0);
        }
        let budget = Arc::new(Budget::of(self.connections));
        addresses.insert(address, Arc::downgrade(&budget));
        budget
    }

    /// The next turn of that client.
    ///
    /// # Errors
    /// [`AppError::Busy`] if it does not come in time, or too many wait.
    pub async fn next(&self, client: &Client, cost: ReadCost) -> Result<Turn, AppError> {
        let turn = async {
            let own = client.own.acquire(cost).await;
            // Searches of one client wait in its own budget first, so each client
            // takes few places in the lane.
            let place = match cost {
                ReadCost::Few => None,
                ReadCost::Many => Some(ListenerSlots::take(&self.places_in_lane, client.address)?),
            };
            let shared = match &client.shared {
                Some(budget) => budget.acquire(cost).await,
                None => None,
            };
            let lane = match cost {
                ReadCost::Few => None,
                ReadCost::Many => Arc::clone(&self.searches).acquire_owned().await.ok(),
            };
            Some(Turn { _permits: [own, shared, lane], _shared: client.shared.clone(), _place: place })
        };
        let turn = tokio::time::timeout(MAX_WAIT, turn).await.ok().flatten();
        turn.ok_or(AppError::Busy { retry_after: RETRY_AFTER_SECONDS })
    }

    /// A turn for a query or a mutation on a WebSocket, until its answer is
    /// read.
    ///
    /// # Errors
    /// [`AppError::Busy`] if it does not come in time.
    pub async fn operation(&self, client: &Client) -> Result<Turn, AppError> {
        let turn = async {
            let shared = match &client.shared {
                Some(budget) => Arc::clone(&budget.operations).acquire_owned().await.ok(),
                None => None,
            };
            let all = Arc::clone(&self.operations).acquire_owned().await.ok();
            Turn { _permits: [shared, all, None], _shared: client.shared.clone(), _place: None }
        };
        let turn = tokio::time::timeout(MAX_WAIT, turn).await;
        turn.map_err(|_| AppError::Busy { retry_after: RETRY_AFTER_SECONDS })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(last: u8) -> Option<IpAddr> {
        Some([192, 0, 2, last].into())
    }

    async fn many(turns: &Turns, client: &Client, cost: ReadCost) -> Vec<Turn> {
        let mut taken = Vec::new();
        while let Ok(turn) = turns.next(client, cost).await {
            taken.push(turn);
        }
        taken
    }

    #[tokio::test(start_paused = true)]
    async fn neither_a_client_nor_an_address_has_every_connection() {
        let turns = Turns::new(8);
        let (one, other, afar) = (turns.client(at(1)), turns.client(at(1)), turns.client(at(2)));
        let taken = many(&turns, &one, ReadCost::Few).await;
        assert_eq!(taken.len(), 4);
        assert!(turns.next(&other, ReadCost::Few).await.is_err(), "another of that address");
        assert!(turns.next(&afar, ReadCost::Few).await.is_ok());
        drop(taken);
        assert!(turns.next(&other, ReadCost::Few).await.is_ok());
        let near = turns.client(Some(IpAddr::from([127, 0, 0, 1])));
        assert_eq!(many(&turns, &near, ReadCost::Few).await.len(), 4, "a client of a proxy on this machine");
    }

    #[tokio::test(start_paused = true)]
    async fn searches_have_half_of_the_connections_and_one_address_half_of_those() {
        let turns = Turns::new(8);
        let clients: Vec<_> = (1..=4).map(|last| turns.client(at(last))).collect();
        let mut taken = many(&turns, &clients[0], ReadCost::Many).await;
        assert_eq!(taken.len(), 2);
        taken.extend(many(&turns, &turns.client(at(1)), ReadCost::Many).await);
        assert_eq!(taken.len(), 2, "of the same address");
        for client in &clients[1..] {
            taken.extend(many(&turns, client, ReadCost::Many).await);
        }
        assert_eq!(taken.len(), 4);
        assert!(turns.next(&clients[3], ReadCost::Few).await.is_ok(), "other reads take no notice");
        taken.pop();
        assert!(turns.next(&clients[3], ReadCost::Many).await.is_ok());
    }

    #[tokio::test(start_paused = true)]
    async fn more_searches_than_can_wait_are_sent_away_at_once() {
        let turns = Arc::new(Turns::new(4));
        let waiting: Vec<_> = (1..=18)
            .map(|last| {
                let turns = Arc::clone(&turns);
                tokio::spawn(async move {
                    let turn = turns.next(&turns.client(at(last)), ReadCost::Many).await;
                    tokio::time::sleep(Duration::from_secs(1)).await;
                    turn.is_ok()
                })
            })
            .collect();
        tokio::task::yield_now().await;
        let asked = tokio::time::Instant::now();
        assert!(turns.next(&turns.client(at(99)), ReadCost::Many).await.is_err());
        assert_eq!(asked.elapsed(), Duration::ZERO);
        let mut served = 0;
        for one in waiting {
            served += usize::from(one.await.expect("it waits in peace"));
        }
        assert!((4..=6).contains(&served), "two at once, for as long as anybody waits: {served}");
        assert!(turns.next(&turns.client(at(99)), ReadCost::Many).await.is_ok(), "they are gone");
    }

    #[tokio::test(start_paused = true)]
    async fn an_address_that_takes_no_answers_leaves_room_for_others() {
        let turns = Turns::new(4);
        let mut kept = Vec::new();
        while let Ok(turn) = turns.operation(&turns.client(at(1))).await {
            kept.push(turn);
        }
        assert_eq!(kept.len(), OPERATIONS_SHARE);
        assert!(turns.operation(&turns.client(at(2))).await.is_ok());
        kept.pop();
        assert!(turns.operation(&turns.client(at(1))).await.is_ok());
    }

    #[tokio::test]
    async fn addresses_that_nobody_is_at_are_forgotten() {
        let turns = Turns::new(4);
        for number in 0..10_000_u32 {
            drop(turns.client(Some(IpAddr::from(number.wrapping_add(0x0A00_0000).to_be_bytes()))));
        }
        assert!(turns.addresses.lock().unwrap().len() <= REMEMBERED);
    }
}
