//! Slots: at most so many requests at once to one host.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Hosts remembered before idle ones are forgotten.
const HOSTS: usize = 1024;

/// The slots of all hosts.
#[derive(Debug)]
pub struct Slots {
    per_host: usize,
    hosts: Mutex<BTreeMap<String, Arc<Semaphore>>>,
}

impl Slots {
    /// With so many requests at once to one host, at least one.
    #[must_use]
    pub fn new(per_host: u32) -> Self {
        Self { per_host: per_host.max(1) as usize, hosts: Mutex::new(BTreeMap::new()) }
    }

    /// Waits for a slot of this host. It is free again when the permit is dropped.
    pub async fn take(&self, host: &str) -> Option<OwnedSemaphorePermit> {
        let slot = {
            let mut hosts = self.hosts.lock().unwrap_or_else(PoisonError::into_inner);
            if hosts.len() > HOSTS {
                // Only this map holds it: nobody has a permit or waits for one.
                hosts.retain(|_, slot| Arc::strong_count(slot) > 1);
            }
            Arc::clone(hosts.entry(host.to_owned()).or_insert_with(|| Arc::new(Semaphore::new(self.per_host))))
        };
        // The semaphore is never closed, so this is always a permit.
        slot.acquire_owned().await.ok()
    }
}
