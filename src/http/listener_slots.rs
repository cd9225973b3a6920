//! How many listeners there may be, and how many from one address.

use std::{
    collections::HashMap,
    net::IpAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use crate::http::fair_pool::{has_share, network};

/// Listeners from one address, as a part of all of them: one client cannot
/// silence the list for everybody else, and an office behind one address still
/// has room.
const SHARE: usize = 10;

#[derive(Debug)]
pub struct ListenerSlots {
    max: usize,
    taken: Mutex<Taken>,
}

#[derive(Debug, Default)]
struct Taken {
    all: usize,
    by_client: HashMap<IpAddr, usize>,
}

/// A place that is taken until this is dropped.
#[derive(Debug)]
pub struct ListenerSlot {
    places: Arc<ListenerSlots>,
    client: Option<IpAddr>,
}

impl ListenerSlots {
    /// Slots for `max` listeners.
    #[must_use]
    pub fn new(max: usize) -> Self {
        Self { max, taken: Mutex::default() }
    }

    /// How many are taken, and how many there are.
    #[must_use]
    pub fn count(&self) -> (usize, usize) {
        (self.taken().all, self.max)
    }

    /// Takes a place, if there is one for that client.
    #[must_use]
    pub fn take(this: &Arc<Self>, client: Option<IpAddr>) -> Option<ListenerSlot> {
        let client = client.map(network);
        let mut taken = this.taken();
        let of_client = client.and_then(|client| taken.by_client.get(&client)).copied().unwrap_or(0);
        let is_far = client.as_ref().is_some_and(has_share);
        if taken.all >= this.max || (is_far && of_client >= this.max.div_ceil(SHARE)) {
            return None;
        }
        taken.all += 1;
        if let Some(client) = client {
            *taken.by_client.entry(client).or_default() += 1;
        }
        Some(ListenerSlot { places: Arc::clone(this), client })
    }

    fn taken(&self) -> MutexGuard<'_, Taken> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for ListenerSlot {
    fn drop(&mut self) {
        let mut taken = self.places.taken();
        taken.all -= 1;
        if let Some(client) = self.client
            && let Some(count) = taken.by_client.get_mut(&client)
        {
            *count -= 1;
            if *count == 0 {
                taken.by_client.remove(&client);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn from(address: &str) -> Option<IpAddr> {
        Some(address.parse().unwrap())
    }

    #[test]
    fn one_address_gets_a_share_and_all_of_them_the_whole() {
        let places = Arc::new(ListenerSlots::new(20));
        let first = ListenerSlots::take(&places, from("2001:db8:0:1::1"));
        let second = ListenerSlots::take(&places, from("2001:db8:0:1::2"));
        assert!(first.is_some() && second.is_some());
        assert!(ListenerSlots::take(&places, from("2001:db8:0:1::3")).is_none(), "the same network");
        drop(first);
        let third = ListenerSlots::take(&places, from("2001:db8:0:1::3"));
        assert!(third.is_some(), "a place that was given back");

        let others: Vec<_> = (1..=18)
            .map(|last| ListenerSlots::take(&places, from(&format!("192.0.2.{last}"))).unwrap())
            .collect();
        assert!(ListenerSlots::take(&places, from("198.51.100.1")).is_none(), "all are taken");
        drop((others, second, third));
        let taken = places.taken();
        assert!(taken.all == 0 && taken.by_client.is_empty());
    }

    #[test]
    fn a_proxy_on_this_machine_is_not_one_client() {
        let places = Arc::new(ListenerSlots::new(20));
        let taken: Vec<_> = (0..30).map_while(|_| ListenerSlots::take(&places, from("127.0.0.1"))).collect();
        assert_eq!(taken.len(), 20);
    }
}
