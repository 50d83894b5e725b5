mod crashes;
mod faults;
mod in_memory;
mod model;
mod on_disk;

/// Real batches: what is found on a disk is decoded.
#[expect(dead_code, reason = "the tests of the server use the rest of it")]
#[path = "../../../tests/it/batch.rs"]
mod batch;

use super::disk::Disk;
use super::{Capacity, Fsync, LogOptions, Store, StoreError, recover};
use crate::received::Received;
use bytes::Bytes;
use std::sync::Arc;
use trackside_wire::Ack;

const ON_DISK: Capacity =
    Capacity { max_bytes: 1 << 30, max_index_bytes: Some(1 << 30), max_age: None, evict_oldest: false };

/// The `number`-th batch of run 1: five events of its own.
fn nth(number: u64) -> Bytes {
    batch::batch(1, number, &[batch::reads(0, number * 5, 5)]).into()
}

fn ingest_at(store: &Store, bytes: &Bytes, now_ms: u64) -> Result<Ack, StoreError> {
    store.ingest(Received::decode(bytes).unwrap(), bytes, now_ms)
}

fn ingest(store: &Store, bytes: &Bytes) -> Result<Ack, StoreError> {
    ingest_at(store, bytes, 1000)
}

#[track_caller]
fn open(disk: &Arc<model::Model>, capacity: Capacity, options: LogOptions) -> Store {
    let store = recover(Arc::<model::Model>::clone(disk), capacity, options, 1000).unwrap();
    store.assert_sums();
    store
}

fn listed(store: &Store) -> Vec<Bytes> {
    store.batches().collect()
}
