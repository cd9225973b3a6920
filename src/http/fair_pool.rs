//! Resources that clients share and no client may use up: connections, bytes of
//! arriving bodies, bytes of answers that are not read yet.
//!
//! If a full pool refused new requests, one client could close it to everybody by
//! taking all of it. So this pool evicts: when it is full, it takes from the client
//! that holds most what was idle longest. This also works behind a proxy that
//! Byline does not know, where all clients look like one, because what was idle
//! longest is not in use. In addition, each client has a maximum share.

use std::{
    collections::{BTreeMap, HashMap},
    net::{IpAddr, Ipv6Addr},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll},
};

use futures::task::AtomicWaker;

/// One client gets at most one of this many parts of a pool.
const SHARES: usize = 4;

/// An amount of something that clients share.
#[derive(Debug)]
pub struct FairPool {
    max: usize,
    held: Mutex<Holdings>,
}

#[derive(Debug, Default)]
struct Holdings {
    all: usize,
    next: u64,
    by_id: BTreeMap<u64, Holding>,
}

#[derive(Debug)]
struct Holding {
    client: Option<IpAddr>,
    amount: usize,
    /// The pool's count of uses when this was last of use.
    last_use: u64,
    eviction: Arc<Eviction>,
}

/// Whether a holder may be evicted, and whether it was.
#[derive(Debug, Default)]
pub struct Eviction {
    protected: AtomicBool,
    stalled: AtomicBool,
    evicted: AtomicBool,
    waker: AtomicWaker,
}

/// Part of a pool, given back when this is dropped.
#[derive(Debug)]
pub struct Reservation {
    pool: Arc<FairPool>,
    id: u64,
    eviction: Arc<Eviction>,
}

impl Eviction {
    /// An eviction that never happens, because the holder works until it ends.
    #[must_use]
    pub fn protected() -> Self {
        Self { protected: true.into(), ..Self::default() }
    }

    /// Says whether the holder is at work, which is never interrupted.
    pub fn protect(&self, protected: bool) {
        self.protected.store(protected, Ordering::Relaxed);
    }

    /// Sets whether the holder waits for its client.
    pub fn stall(&self, stalled: bool) {
        self.stalled.store(stalled, Ordering::Relaxed);
    }

    /// Ready once the holder is evicted. Only one task may poll it.
    pub fn poll_evicted(&self, context: &Context<'_>) -> Poll<()> {
        self.waker.register(context.waker());
        if self.evicted.load(Ordering::Acquire) { Poll::Ready(()) } else { Poll::Pending }
    }

    fn is_evictable(&self) -> bool {
        let at_work = self.protected.load(Ordering::Relaxed) && !self.stalled.load(Ordering::Relaxed);
        !at_work && !self.evicted.load(Ordering::Relaxed)
    }

    fn evict(&self) {
        self.evicted.store(true, Ordering::Release);
        self.waker.wake();
    }
}

impl FairPool {
    #[must_use]
    pub fn new(max: usize) -> Self {
        Self { max, held: Mutex::default() }
    }

    /// Takes `amount` for a client. If there is no room, others are evicted;
    /// `None` if none can be.
    #[must_use]
    pub fn take(
        this: &Arc<Self>,
        client: Option<IpAddr>,
        amount: usize,
        eviction: Arc<Eviction>,
    ) -> Option<Reservation> {
        let client = client.map(network);
        let mut held = this.held();
        this.make_room(&mut held, client, amount, None).then(|| {
            held.next += 1;
            held.all += amount;
            let id = held.next;
            held.by_id.insert(id, Holding { client, amount, last_use: id, eviction: Arc::clone(&eviction) });
            Reservation { pool: Arc::clone(this), id, eviction }
        })
    }

    /// Evicts so much, if there is so much to evict, without taking it.
    pub fn shed(&self, amount: usize) {
        let mut held = self.held();
        let target = held.all.saturating_sub(amount);
        while held.all > target && evict_one(&mut held, |_, _| true) {}
    }

    /// Evicts until a client can have `amount` more, but never `except`,
    /// because the client that asks may hold most.
    fn make_room(
        &self,
        held: &mut Holdings,
        client: Option<IpAddr>,
        amount: usize,
        except: Option<u64>,
    ) -> bool {
        if let Some(client) = client.filter(has_share) {
            let mut own: usize =
                held.by_id.values().filter(|held| held.client == Some(client)).map(|held| held.amount).sum();
            // An amount above a share is allowed if the client has nothing else.
            while own > 0 && own + amount > self.max.div_ceil(SHARES) {
                let before = held.all;
                if !evict_one(held, |id, holding| Some(id) != except && holding.client == Some(client)) {
                    return false;
                }
                own -= before - held.all;
            }
        }
        if held.all + amount > self.max {
            // A few at a time: looking for whom to evict costs as much as for one.
            let spare = (self.max / 64).min(self.max - amount.min(self.max));
            while held.all + amount + spare > self.max && evict_one(held, |id, _| Some(id) != except) {}
        }
        held.all + amount <= self.max
    }

    fn held(&self) -> MutexGuard<'_, Holdings> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Evicts, of the client that holds most, the holder that is idle longest,
/// among those that `may` go.
fn evict_one(held: &mut Holdings, may: impl Fn(u64, &Holding) -> bool) -> bool {
    let mut amounts: HashMap<Option<IpAddr>, usize> = HashMap::new();
    for holding in held.by_id.values() {
        *amounts.entry(holding.client).or_default() += holding.amount;
    }
    let victim = held
        .by_id
        .iter()
        .filter(|(id, holding)| holding.eviction.is_evictable() && may(**id, holding))
        .max_by_key(|(_, holding)| (amounts.get(&holding.client).copied(), u64::MAX - holding.last_use))
        .map(|(id, _)| *id);
    let Some(evicted) = victim.and_then(|id| held.by_id.remove(&id)) else { return false };
    // Counted as given back from now on: its holder does so as soon as it runs.
    held.all -= evicted.amount;
    evicted.eviction.evict();
    true
}

impl Reservation {
    /// Changes the amount, and evicts others if needed. Returns whether the
    /// amount is held; it is not after an eviction.
    pub fn resize(&self, amount: usize) -> bool {
        let mut held = self.pool.held();
        let Some(holding) = held.by_id.get(&self.id) else { return false };
        let (client, before) = (holding.client, holding.amount);
        if amount > before && !self.pool.make_room(&mut held, client, amount - before, Some(self.id)) {
            return false;
        }
        if let Some(holding) = held.by_id.get_mut(&self.id) {
            holding.amount = amount;
        }
        held.all = held.all + amount - before;
        true
    }

    /// Makes this the last one to be evicted of its client's.
    pub fn touch(&self) {
        let mut held = self.pool.held();
        held.next += 1;
        let now = held.next;
        if let Some(holding) = held.by_id.get_mut(&self.id) {
            holding.last_use = now;
        }
    }

    #[must_use]
    pub const fn eviction(&self) -> &Arc<Eviction> {
        &self.eviction
    }
}

impl Drop for Reservation {
    fn drop(&mut self) {
        let mut held = self.pool.held();
        if let Some(given_back) = held.by_id.remove(&self.id) {
            held.all -= given_back.amount;
        }
    }
}

/// Whether an address is one client. A loopback address may be a proxy that
/// Byline does not know, with everybody behind it.
#[must_use]
pub fn has_share(client: &IpAddr) -> bool {
    !client.is_loopback()
}

/// An IPv6 client has a whole /64 of addresses (RFC 6177).
#[must_use]
pub fn network(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V4(_) => address,
        IpAddr::V6(v6) => match v6.to_ipv4_mapped() {
            Some(v4) => v4.into(),
            None if v6.is_loopback() => address,
            None => Ipv6Addr::from_bits(v6.to_bits() >> 64 << 64).into(),
        },
    }
}

#[cfg(test)]
mod tests {
    use std::task::Waker;

    use super::*;

    fn take(pool: &Arc<FairPool>, client: &str, amount: usize) -> Option<Reservation> {
        FairPool::take(pool, Some(client.parse().unwrap()), amount, Arc::default())
    }

    fn is_evicted(reservation: &Reservation) -> bool {
        reservation.eviction().poll_evicted(&Context::from_waker(Waker::noop())).is_ready()
    }

    #[test]
    fn of_a_full_pool_whoever_holds_most_gives_back_what_is_idle_longest() {
        let pool = Arc::new(FairPool::new(8));
        let flood: Vec<_> = (0..6).map(|_| take(&pool, "127.0.0.1", 1).unwrap()).collect();
        let polite: Vec<_> = (0..2).map(|_| take(&pool, "192.0.2.1", 1).unwrap()).collect();
        flood[0].touch();
        flood[1].eviction().protect(true);
        let other = take(&pool, "192.0.2.2", 1).unwrap();
        let evicted: Vec<_> = flood.iter().map(is_evicted).collect();
        assert_eq!(evicted, [false, false, true, false, false, false]);
        assert!(!polite.iter().chain([&other]).any(is_evicted));
        assert!(!flood[2].resize(1), "what was evicted holds nothing");
        drop((flood, polite, other));
        let held = pool.held();
        assert!(held.all == 0 && held.by_id.is_empty());
    }

    #[test]
    fn what_is_at_work_is_not_evicted_unless_it_waits_for_its_client() {
        let pool = Arc::new(FairPool::new(2));
        let at_work = [take(&pool, "127.0.0.1", 1).unwrap(), take(&pool, "127.0.0.1", 1).unwrap()];
        at_work.iter().for_each(|held| held.eviction().protect(true));
        assert!(take(&pool, "192.0.2.2", 1).is_none());
        at_work[1].eviction().stall(true);
        assert!(take(&pool, "192.0.2.2", 1).is_some());
        assert!(is_evicted(&at_work[1]) && !is_evicted(&at_work[0]));
    }

    #[test]
    fn a_client_has_a_share_beyond_which_it_evicts_its_own() {
        let pool = Arc::new(FairPool::new(40));
        let first = take(&pool, "2001:db8:0:1::1", 6).unwrap();
        let second = take(&pool, "2001:db8:0:1::2", 3).unwrap();
        let other = take(&pool, "2001:db8:0:2::1", 9).unwrap();
        let third = take(&pool, "2001:db8:0:1::3", 5).unwrap();
        assert!(is_evicted(&first), "the same network");
        assert!(![&second, &other, &third].into_iter().any(is_evicted));
        let large = take(&pool, "192.0.2.1", 11);
        assert!(large.is_some(), "more than a share, but nothing besides");
        assert!(large.is_some_and(|large| take(&pool, "192.0.2.1", 1).is_some() && is_evicted(&large)));
        assert!(take(&pool, "127.0.0.1", 20).is_some(), "where a proxy may stand");
        assert!(take(&pool, "::1", 20).is_some(), "here as well");
    }

    #[test]
    fn what_grows_evicts_others_and_never_itself() {
        let pool = Arc::new(FairPool::new(8));
        let small = take(&pool, "127.0.0.1", 2).unwrap();
        let growing = take(&pool, "127.0.0.1", 4).unwrap();
        assert!(growing.resize(7));
        assert!(is_evicted(&small) && !is_evicted(&growing));
        assert!(!growing.resize(9), "more than there is");
        assert!(growing.resize(1));
        assert_eq!(pool.held().all, 1);
    }
}
