//! The operations of `trackside::sync` beside those of `std::sync`, and events of a client beside nothing, for
//! `ci/instructions.sh` to count the instructions of under callgrind. It compiles this without the feature `tracked`, and
//! the two of each pair then have to be the same. Run by itself, it only shows that it runs.

#![expect(clippy::disallowed_types, reason = "std's atomics are what ours are beside")]

mod support;

use std::hint::black_box;
use support::{DYNAMIC_NAME, ROUND, client};
use trackside::{Access, Client, Name, Value, Variable};

static COUNTER: Variable = Variable::new("counter");

mod ours {
    use trackside::sync;

    type Value = trackside::Tracked<u64>;

    const MARK: u64 = 1;

    fn value(value: u64) -> Value {
        Value::named("value", value)
    }

    #[inline(always)]
    fn change(value: &mut Value, by: u64) {
        value.update(|value| *value += by);
    }

    include!("twins/operations.rs");
}

mod stds {
    use std::sync;

    type Value = u64;

    const MARK: u64 = 2;

    fn value(value: u64) -> Value {
        value
    }

    #[inline(always)]
    fn change(value: &mut Value, by: u64) {
        *value += by;
    }

    include!("twins/operations.rs");
}

fn main() {
    let (client, mut flusher) = client();
    stds::Objects::new().run();
    ours::Objects::new().run();
    flusher.step();
    nothing();
    state_change(&client);
    dynamic_name(&client, black_box(DYNAMIC_NAME));
    variable(&client);
    object(&client, black_box(&[1, 2]));
    lock(&client);
    function(&client);
    flusher.step();
    println!("operations in each function: {ROUND}");
    println!("{}", client.stats());
}

/// What the events below have around them.
#[inline(never)]
fn nothing() {
    each::<1>(|i| _ = black_box(i));
}

#[inline(never)]
fn state_change(client: &Client) {
    each::<2>(|i| client.track_state_change("counter", black_box(i), 1, Access::Write));
}

#[inline(never)]
fn dynamic_name(client: &Client, name: &str) {
    each::<3>(|i| client.track_write(Name::dynamic(name), black_box(i), 1));
}

#[inline(never)]
fn variable(client: &Client) {
    each::<4>(|i| COUNTER.write(client, black_box(i), 1));
}

#[inline(never)]
fn object(client: &Client, object: &[u8; 2]) {
    each::<5>(|i| client.track_custom("custom", Value::map(&[("i", black_box(i).into()), ("o", Value::of(object))])));
}

#[inline(never)]
fn lock(client: &Client) {
    each::<6>(|i| drop(client.track_guard(black_box(i), "lock", "Mutex")));
}

#[inline(never)]
fn function(client: &Client) {
    each::<7>(|i| client.track_function("function", black_box(i), || ()));
}

#[inline(always)]
fn each<const MARK: u64>(mut operation: impl FnMut(u64)) {
    for i in 0..ROUND {
        black_box(MARK);
        operation(i);
    }
}
