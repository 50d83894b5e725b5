//! Does each operation of the hot path a thousand times, in a function of its own, for `ci/instructions.sh` to count the
//! instructions of under callgrind. Run by itself, it only shows that it runs.

#[path = "support/counter.rs"]
mod counter;
mod support;

use counter::{counter, counter_is_used};
use std::hint::black_box;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use support::{DYNAMIC_NAME, ROUND, client, client_with};
use trackside::{Access, Client, Name, Timestamps, TrackedMutex, TrackedRwLock, Variable};

static COUNTER: Variable = Variable::new("counter");

fn main() {
    let resolution = Duration::from_millis(1);
    let (coarse, mut coarse_flusher) =
        client_with(|builder| builder.timestamps(Timestamps::Coarse { resolution }).record_locks(false));
    let (client, mut flusher) = client();
    let (plain, tracked) = (Mutex::new(0), TrackedMutex::named("tracked", 0));
    let (outer, shared) = (TrackedMutex::named("outer", 0), TrackedRwLock::named("shared", 0));
    // A thread's first event sets up its ring, a lock's first gives it a number, and a first batch makes its tables.
    drop((tracked.lock(), outer.lock(), shared.read()));
    each(|i| client.track_custom(Name::dynamic(DYNAMIC_NAME), i));
    flusher.step();

    loop_alone();
    raw_read();
    state_change_static(&client);
    state_change_dynamic(&client, black_box(DYNAMIC_NAME));
    drain_and_encode(&mut || _ = flusher.step());
    read_static(&client);
    variable_static(&client);
    flusher.step();
    variable_dynamic(&client, &black_box(Variable::dynamic(DYNAMIC_NAME)));
    std_lock(&plain);
    tracked_lock(&tracked);
    tracked_read(&shared);
    flusher.step();
    tracked_nested(&outer, &tracked);
    flusher.step();
    coarse.track_read("counter", 0);
    state_change_coarse(&coarse);
    coarse_flusher.step();
    client.track_read("counter", 0);
    client.reconfigure(|settings| settings.enabled = false).expect("valid settings");
    state_change_disabled(&client);
    flusher.step();
    println!("operations in each function: {ROUND}; counter read in place by the SDK: {}", counter_is_used());
    println!("{}", client.stats());
}

/// What the operations below have around them: the loop, and two integers that the compiler cannot foresee.
#[inline(never)]
fn loop_alone() {
    each(|i| _ = (black_box(i), black_box(i + 1)));
}

#[inline(never)]
fn raw_read() {
    each(|i| _ = (black_box(counter()), black_box(i), black_box(i + 1)));
}

#[inline(never)]
fn state_change_static(client: &Client) {
    each(|i| client.track_state_change("counter", black_box(i), black_box(i + 1), Access::Write));
}

#[inline(never)]
fn state_change_coarse(client: &Client) {
    each(|i| client.track_state_change("counter", black_box(i), black_box(i + 1), Access::Write));
}

#[inline(never)]
fn state_change_dynamic(client: &Client, name: &str) {
    each(|i| client.track_state_change(Name::dynamic(name), black_box(i), black_box(i + 1), Access::Write));
}

#[inline(never)]
fn read_static(client: &Client) {
    each(|i| {
        black_box(i);
        client.track_read("counter", black_box(i + 1));
    });
}

#[inline(never)]
fn state_change_disabled(client: &Client) {
    each(|i| client.track_state_change("counter", black_box(i), black_box(i + 1), Access::Write));
}

#[inline(never)]
fn variable_static(client: &Client) {
    each(|i| COUNTER.write(client, black_box(i), black_box(i + 1)));
}

#[inline(never)]
fn variable_dynamic(client: &Client, variable: &Variable<Arc<str>>) {
    each(|i| variable.write(client, black_box(i), black_box(i + 1)));
}

#[inline(never)]
fn drain_and_encode(step: &mut dyn FnMut()) {
    step();
}

#[inline(never)]
fn std_lock(lock: &Mutex<u64>) {
    each(|i| *lock.lock().expect("nobody panics") = black_box(i) + black_box(i + 1));
}

#[inline(never)]
fn tracked_lock(lock: &TrackedMutex<u64>) {
    each(|i| *lock.lock().expect("nobody panics") = black_box(i) + black_box(i + 1));
}

#[inline(never)]
fn tracked_nested(outer: &TrackedMutex<u64>, inner: &TrackedMutex<u64>) {
    each(|i| {
        let mut sum = outer.lock().expect("nobody panics");
        *inner.lock().expect("nobody panics") = black_box(i);
        *sum = black_box(i + 1);
    });
}

#[inline(never)]
fn tracked_read(lock: &TrackedRwLock<u64>) {
    each(|i| _ = *lock.read().expect("nobody panics") + black_box(i) + black_box(i + 1));
}

#[inline(always)]
fn each(mut operation: impl FnMut(u64)) {
    for i in 0..ROUND {
        operation(i);
    }
}
