//! How many connections there may be, so that nobody who has no business here keeps others out, and nobody who has takes
//! every place.
//!
//! Whoever has proved nothing yet gets one of a few places from which the oldest has to go when another one comes. Of the
//! others some are kept for single calls, and one process gets a part of them only.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use hyper::StatusCode;
use tokio::sync::Notify;

use super::http::Refusal;

/// Connections that have proved nothing yet at most.
const MOST_UNPROVEN: usize = 64;

/// How many places there are.
#[derive(Clone, Copy, Debug)]
pub(super) struct Capacity {
    /// Connections that stay.
    pub connections: usize,
    /// Those of one process.
    pub of_one_process: usize,
    /// Calls, beside them.
    pub calls: usize,
}

/// What a place is used for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Use {
    /// Nothing is proved yet.
    Unproven,
    /// One call.
    Call,
    /// A connection that stays.
    Connection,
}

/// All places behind one socket.
#[derive(Clone, Debug)]
pub(super) struct Places(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    capacity: Capacity,
    taken: Mutex<Taken>,
    left: Notify,
}

#[derive(Debug, Default)]
struct Taken {
    last: u64,
    places: BTreeMap<u64, Entry>,
}

#[derive(Debug)]
struct Entry {
    process_id: Option<u32>,
    used_for: Use,
    evicted: Arc<Notify>,
}

/// One connection's place, for as long as it is held.
#[derive(Debug)]
pub(super) struct Place {
    places: Places,
    number: u64,
    evicted: Arc<Notify>,
}

impl Places {
    pub(super) fn new(capacity: Capacity) -> Self {
        Self(Arc::new(Shared { capacity, taken: Mutex::default(), left: Notify::new() }))
    }

    /// Gives a place to somebody who has proved nothing yet; the oldest one that has not either may have to go for it.
    pub(super) fn enter(&self, process_id: Option<u32>) -> Place {
        let mut taken = self.lock();
        let mut unproven = taken.places.values().filter(|entry| entry.used_for == Use::Unproven);
        let oldest = unproven.next().map(|entry| Arc::clone(&entry.evicted));
        if unproven.count() + 1 >= MOST_UNPROVEN
            && let Some(oldest) = oldest
        {
            oldest.notify_one();
        }
        self.add(&mut taken, process_id, Use::Unproven)
    }

    /// Gives a place to a connection that was served by another process before, even if there are too many.
    pub(super) fn go_on(&self, process_id: Option<u32>) -> Place {
        self.add(&mut self.lock(), process_id, Use::Connection)
    }

    fn add(&self, taken: &mut Taken, process_id: Option<u32>, used_for: Use) -> Place {
        taken.last += 1;
        let evicted = Arc::new(Notify::new());
        let entry = Entry { process_id, used_for, evicted: Arc::clone(&evicted) };
        taken.places.insert(taken.last, entry);
        Place { places: self.clone(), number: taken.last, evicted }
    }

    /// Waits until nobody has a place any more.
    pub(super) async fn wait_empty(&self) {
        loop {
            let left = self.0.left.notified();
            if self.lock().places.is_empty() {
                return;
            }
            left.await;
        }
    }

    fn lock(&self) -> MutexGuard<'_, Taken> {
        // Every section is one or two whole operations of the map.
        self.0.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Place {
    /// Resolves when somebody else needs the place; never once something is proved.
    pub(super) async fn evicted(&self) {
        loop {
            self.evicted.notified().await;
            let taken = self.places.lock();
            if taken.places.get(&self.number).is_none_or(|entry| entry.used_for == Use::Unproven) {
                return;
            }
        }
    }

    /// Makes sure that there is room for what the place is to be used for.
    ///
    /// # Errors
    /// There is none.
    pub(super) fn check(&self, wanted: Use) -> Result<(), Refusal> {
        self.room_for(&self.places.lock(), wanted)
    }

    /// Whoever has this place has proved that it may use it for this.
    ///
    /// # Errors
    /// There is no room for it.
    pub(super) fn prove(&self, wanted: Use) -> Result<(), Refusal> {
        let mut taken = self.places.lock();
        self.room_for(&taken, wanted)?;
        if let Some(entry) = taken.places.get_mut(&self.number) {
            entry.used_for = wanted;
        }
        Ok(())
    }

    fn room_for(&self, taken: &Taken, wanted: Use) -> Result<(), Refusal> {
        let capacity = &self.places.0.capacity;
        let used = || taken.places.values().filter(|entry| entry.used_for == wanted);
        let full = |text: String| Err(Refusal::new(StatusCode::SERVICE_UNAVAILABLE, text));
        let most = match wanted {
            Use::Unproven => return Ok(()),
            Use::Call => capacity.calls,
            Use::Connection => capacity.connections,
        };
        if used().count() >= most {
            return full(format!("{most} clients are connected already. Close one, then try again."));
        }
        let process_id = taken.places.get(&self.number).and_then(|entry| entry.process_id);
        let of_this_process = used().filter(|entry| entry.process_id == process_id).count();
        if wanted == Use::Connection && process_id.is_some() && of_this_process >= capacity.of_one_process {
            let most = capacity.of_one_process;
            return full(format!("One process may open {most} connections. Close one, then try again."));
        }
        Ok(())
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.places.lock().places.remove(&self.number);
        self.places.0.left.notify_waiters();
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt as _;

    use super::*;

    const CAPACITY: Capacity = Capacity { connections: 6, of_one_process: 4, calls: 2 };

    fn is_evicted(place: &Place) -> bool {
        place.evicted().now_or_never().is_some()
    }

    #[test]
    fn whoever_proves_nothing_goes_when_others_come_the_oldest_first() {
        let places = Places::new(CAPACITY);
        let proven = places.enter(Some(1));
        proven.prove(Use::Connection).unwrap();
        let waiting: Vec<Place> = (0..MOST_UNPROVEN).map(|_| places.enter(Some(1))).collect();
        assert!(!waiting.iter().any(is_evicted));
        let next = places.enter(Some(2));
        assert!(is_evicted(&waiting[0]) && !waiting[1..].iter().any(is_evicted));
        assert!(!is_evicted(&proven) && !is_evicted(&next));
    }

    #[test]
    fn whoever_proves_itself_as_it_is_to_go_stays() {
        let places = Places::new(CAPACITY);
        let first = places.enter(Some(1));
        let _others: Vec<Place> = (0..MOST_UNPROVEN).map(|_| places.enter(Some(1))).collect();
        first.prove(Use::Call).unwrap();
        assert!(!is_evicted(&first));
    }

    #[test]
    fn one_process_does_not_take_every_place_and_some_are_kept_for_calls() {
        let places = Places::new(CAPACITY);
        let enter = |process_id, used_for| {
            let place = places.enter(Some(process_id));
            place.prove(used_for).map(|()| place)
        };
        let of_one: Vec<Place> = (0..4).map(|_| enter(1, Use::Connection).unwrap()).collect();
        assert!(enter(1, Use::Connection).is_err(), "one process has its part");
        let of_others: Vec<Place> = (2..4).map(|process| enter(process, Use::Connection).unwrap()).collect();
        assert!(enter(9, Use::Connection).is_err(), "all are taken");
        drop((enter(1, Use::Call).unwrap(), enter(9, Use::Call).unwrap()));
        drop(of_one);
        assert!(enter(9, Use::Connection).is_ok());
        drop(of_others);
    }

    #[tokio::test]
    async fn the_end_of_the_last_one_is_noticed() {
        let places = Places::new(CAPACITY);
        places.wait_empty().await;
        let place = places.enter(None);
        tokio::join!(places.wait_empty(), async { drop(place) });
    }
}
