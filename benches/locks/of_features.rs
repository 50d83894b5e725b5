//! What there is in parking_lot and tokio.

use crate::run::{Case, alone, case, together};
use crate::support::ROUND;
use std::hint::black_box;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

/// All cases of these features.
pub(crate) fn all() -> Vec<Case> {
    parking_lot_s().into_iter().chain(tokio_s()).collect()
}

fn parking_lot_s() -> [Case; 4] {
    [
        case!(ROUND, "parking_lot Mutex", parking_lot, trackside::parking_lot, |library| {
            let lock = library::Mutex::new(0);
            alone(move |i| *lock.lock() = black_box(i))
        }),
        case!(ROUND, "parking_lot Mutex, 2 threads", parking_lot, trackside::parking_lot, |library| {
            let lock = library::Mutex::new(0);
            together(2, move |_, i| *lock.lock() = black_box(i))
        }),
        case!(ROUND, "parking_lot RwLock, read", parking_lot, trackside::parking_lot, |library| {
            let lock = library::RwLock::new(0);
            alone(move |_| _ = black_box(*lock.read()))
        }),
        case!(ROUND, "parking_lot RwLock, write", parking_lot, trackside::parking_lot, |library| {
            let lock = library::RwLock::new(0);
            alone(move |i| *lock.write() = black_box(i))
        }),
    ]
}

/// They are waited for without a runtime: nobody holds them.
fn tokio_s() -> [Case; 3] {
    [
        case!(ROUND, "tokio Mutex", tokio::sync, trackside::tokio::sync, |sync| {
            let lock = sync::Mutex::new(0);
            alone(move |i| *ready(lock.lock()) = black_box(i))
        }),
        case!(ROUND, "tokio RwLock, read", tokio::sync, trackside::tokio::sync, |sync| {
            let lock = sync::RwLock::new(0);
            alone(move |_| _ = black_box(*ready(lock.read())))
        }),
        case!(ROUND, "tokio RwLock, write", tokio::sync, trackside::tokio::sync, |sync| {
            let lock = sync::RwLock::new(0);
            alone(move |i| *ready(lock.write()) = black_box(i))
        }),
    ]
}

/// The result of a future that has one at once.
#[inline(always)]
fn ready<T>(future: impl Future<Output = T>) -> T {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(result) => result,
        Poll::Pending => unreachable!("nobody else is there"),
    }
}
