//! `sync::mpsc` is std's in all that std promises; and the record tells which message was received where, and what else a
//! channel orders.

use crate::mutex::{Is, Otherwise, SendOnly, in_default_client, same, turn, with_default_client};
use crate::support::order::{Order, number};
use crate::support::{LONG, Seen, events, scaled};
use crate::sync_once::on_both;
use proptest::prelude::*;
use std::collections::BTreeMap;
use std::panic::{RefUnwindSafe, UnwindSafe};
use std::time::Duration;
use trackside::sync::mpsc;
use trackside::{Client, Kinds, MemoryTransport, thread};
use trackside_wire::Kind;

fn numbers(seen: &[Seen], kind: Kind) -> Vec<u64> {
    seen.iter().filter(|seen| seen.kind == kind).map(number).collect()
}

#[test]
fn an_unbounded_channel_answers_like_stds() {
    on_both!({
        use sync::mpsc::channel;
        let (sender, receiver) = channel();
        let mut said = vec![format!("{sender:?} {receiver:?} {:?}", receiver.try_recv())];
        said.push(format!("{:?} {:?}", sender.send(1), sender.clone().send(2)));
        said.push(format!("{:?} {:?}", receiver.recv(), receiver.recv_timeout(Duration::from_secs(60))));
        said.push(format!("{:?}", receiver.recv_timeout(Duration::from_millis(1))));
        (3..9).for_each(|number| sender.send(number).unwrap());
        said.push(format!("{:?} {:?}", receiver.iter().next(), receiver.try_iter().take(2).collect::<Vec<_>>()));
        said.push(format!("{:?} {:?}", receiver.iter(), receiver.try_iter()));
        drop(sender);
        let mut left = Vec::new();
        for message in &receiver {
            left.push(message);
        }
        said.push(format!("{left:?}"));
        said.push(format!("{:?}", receiver.into_iter().collect::<Vec<_>>()));
        let (sender, receiver) = channel::<u8>();
        drop(sender);
        let timeout = receiver.recv_timeout(Duration::from_secs(60));
        said.push(format!(
            "{:?} {:?} {timeout:?} {:?}",
            receiver.recv(),
            receiver.try_recv(),
            receiver.try_iter().next()
        ));
        said.push(format!("{:?}", receiver.into_iter()));
        let (sender, receiver) = channel();
        drop(receiver);
        let refused = sender.send("back").unwrap_err();
        said.push(format!("{refused:?} {refused} {}", refused.0));
        said
    });
}

#[test]
fn a_bounded_channel_answers_like_stds() {
    on_both!({
        use sync::mpsc::{TrySendError, sync_channel};
        let (sender, receiver) = sync_channel(2);
        let mut said = vec![format!("{sender:?} {receiver:?} {:?} {:?}", sender.send(1), sender.clone().try_send(2))];
        let full = sender.try_send(3).unwrap_err();
        said.push(format!("{full:?} {full} {full:?}"));
        said.push(format!("{:?} {:?} {:?}", receiver.recv(), sender.try_send(4), receiver.try_recv()));
        drop(receiver);
        let gone = sender.try_send(5).unwrap_err();
        said.push(format!("{gone:?} {gone} {}", matches!(gone, TrySendError::Disconnected(5))));
        said.push(format!("{:?}", sender.send(6)));
        let (sender, receiver) = sync_channel(0);
        said.push(format!("{:?}", sender.try_send(1)));
        std::thread::scope(|scope| {
            scope.spawn(|| (1..4).try_for_each(|number| sender.send(number)));
            said.push(format!("{:?}", receiver.iter().take(3).collect::<Vec<_>>()));
        });
        said
    });
}

#[test]
fn the_parts_are_as_send_and_sync_as_stds() {
    type Cell = std::cell::Cell<u8>;
    type Rc = std::rc::Rc<u8>;
    macro_rules! all {
        ($($value:ty),*) => {$(
            same!(std::sync::mpsc::Sender<$value>, mpsc::Sender<$value>);
            same!(std::sync::mpsc::SyncSender<$value>, mpsc::SyncSender<$value>);
            same!(std::sync::mpsc::Receiver<$value>, mpsc::Receiver<$value>);
            same!(std::sync::mpsc::Iter<'_, $value>, mpsc::Iter<'_, $value>);
            same!(std::sync::mpsc::IntoIter<$value>, mpsc::IntoIter<$value>);
        )*};
    }
    all!(u8, Cell, Rc);
    fn assert_unwind_safe<T: UnwindSafe + RefUnwindSafe>() {}
    assert_unwind_safe::<mpsc::Sender<u8>>();
    assert_unwind_safe::<mpsc::SyncSender<u8>>();
    assert_unwind_safe::<mpsc::Receiver<u8>>();
    assert_unwind_safe::<std::sync::mpsc::Receiver<u8>>();
}

#[test]
fn a_message_is_recorded_at_both_ends() {
    let mut lines = Vec::new();
    let seen = in_default_client(|_| {
        let (sender, receiver) = mpsc::named_channel("jobs");
        let (unnamed, others) = mpsc::sync_channel(1);
        let made = line!() - 1;
        sender.send('a').unwrap();
        unnamed.send('b').unwrap();
        lines = vec![line!() - 2, line!() - 1, made];
        assert_eq!(receiver.recv(), Ok('a'));
        for message in others.try_iter() {
            assert_eq!(message, 'b');
        }
        lines.extend([line!() - 4, line!() - 3]);
        std::mem::forget((sender, receiver, unnamed, others));
    });
    let place = format!("{}:{}", file!(), lines[2]);
    let is_message = |seen: &&Seen| matches!(seen.kind, Kind::MessageSent | Kind::MessageReceived);
    let messages: Vec<_> = seen.iter().filter(is_message).collect();
    let told: Vec<_> = messages.iter().map(|seen| (seen.kind, seen.name.as_deref().unwrap(), seen.line)).collect();
    assert_eq!(
        told,
        [
            (Kind::MessageSent, "jobs", lines[0]),
            (Kind::MessageSent, &place, lines[1]),
            (Kind::MessageReceived, "jobs", lines[3]),
            (Kind::MessageReceived, &place, lines[4]),
        ]
    );
    assert!(messages.iter().all(|seen| seen.b == "[1, \"mpsc\"]" && seen.file == file!()));
    assert!(messages[0].a == messages[2].a && messages[1].a == messages[3].a && messages[0].a != messages[1].a);
}

#[test]
fn what_was_done_before_a_send_comes_before_what_is_done_after_its_receipt() {
    let (sender, receiver) = mpsc::channel();
    let order = Order::synchronised(in_default_client(|client| {
        thread::scope(|scope| {
            scope.spawn(move || {
                client.track_custom("before send", 0);
                sender.send(()).unwrap();
                client.track_custom("after send", 0);
                std::mem::forget(sender);
            });
            scope.spawn(move || {
                client.track_custom("before recv", 0);
                receiver.recv().unwrap();
                client.track_custom("after recv", 0);
            });
        });
    }));
    order.assert_chain(&["before send", "after recv"]);
    order.assert_apart("after send", "after recv");
    // A channel without a bound tells the sender nothing.
    order.assert_apart("before recv", "after send");
}

#[test]
fn who_finds_all_senders_gone_comes_after_each() {
    for how in 0..4 {
        let (sender, receiver) = mpsc::channel::<()>();
        let order = Order::synchronised(in_default_client(|client| {
            thread::scope(|scope| {
                for name in ["one", "two", "three"] {
                    let sender = sender.clone();
                    scope.spawn(move || {
                        client.track_custom(name, 0);
                        drop(sender);
                    });
                }
                drop(sender);
                scope.spawn(move || {
                    match how {
                        0 => assert!(receiver.recv().is_err()),
                        1 => assert!(receiver.recv_timeout(LONG).is_err()),
                        2 => while receiver.try_recv() == Err(mpsc::TryRecvError::Empty) {},
                        _ => receiver.into_iter().for_each(drop),
                    }
                    client.track_custom("gone", 0);
                });
            });
        }));
        ["one", "two", "three"].iter().for_each(|name| order.assert_chain(&[name, "gone"]));
    }
}

#[test]
fn who_finds_the_receiver_gone_comes_after_it() {
    let (go, gone) = std::sync::mpsc::channel();
    let order = Order::synchronised(in_default_client(|client| {
        let (unbounded, bounded, full) = (mpsc::channel(), mpsc::sync_channel(1), mpsc::sync_channel(0));
        thread::scope(|scope| {
            let receivers = (unbounded.1, bounded.1, full.1);
            scope.spawn(move || {
                client.track_custom("last", 0);
                drop(receivers);
                go.send(()).unwrap();
            });
            gone.recv().unwrap();
            let found: [(&str, &(dyn Fn() -> bool + Sync)); 3] = [
                ("send", &|| unbounded.0.send(0).is_err()),
                ("sync send", &|| bounded.0.send(0).is_err()),
                ("try_send", &|| full.0.try_send(0).is_err()),
            ];
            thread::scope(|scope| {
                for (name, fails) in found {
                    scope.spawn(move || {
                        assert!(fails());
                        client.track_custom(name, 0);
                    });
                }
            });
        });
    }));
    ["send", "sync send", "try_send"].iter().for_each(|name| order.assert_chain(&["last", name]));
}

#[test]
fn a_rendezvous_orders_both_ways() {
    let (sender, receiver) = mpsc::sync_channel(0);
    let order = Order::synchronised(in_default_client(|client| {
        thread::scope(|scope| {
            scope.spawn(move || {
                client.track_custom("before send", 0);
                sender.send(1).unwrap();
                client.track_custom("after send", 0);
                sender.send(2).unwrap();
                client.track_custom("after second send", 0);
            });
            scope.spawn(move || {
                client.track_custom("before recv", 0);
                receiver.recv().unwrap();
                client.track_custom("after recv", 0);
                receiver.recv().unwrap();
            });
        });
    }));
    order.assert_chain(&["before send", "after recv", "after second send"]);
    order.assert_chain(&["before recv", "after send"]);
    order.assert_apart("after recv", "after send");
}

#[test]
fn room_comes_after_what_made_it() {
    let (sender, receiver) = mpsc::sync_channel(2);
    let (step, wait) = (std::sync::mpsc::channel(), std::sync::mpsc::channel());
    let order = Order::synchronised(in_default_client(|client| {
        thread::scope(|scope| {
            let sending = scope.spawn(move || {
                ["sent 1", "sent 2"].iter().for_each(|name| {
                    sender.send(0).unwrap();
                    client.track_custom(*name, 0);
                });
                step.0.send(()).unwrap();
                wait.1.recv().unwrap();
                for name in ["sent 3", "sent 4"] {
                    assert!(sender.try_send(0).is_ok());
                    client.track_custom(name, 0);
                }
            });
            let receiving = scope.spawn(move || {
                step.1.recv().unwrap();
                for name in ["recv 1", "recv 2"] {
                    client.track_custom(name, 0);
                    receiver.recv().unwrap();
                }
                client.track_custom("received", 0);
                wait.0.send(()).unwrap();
                receiver
            });
            sending.join().unwrap();
            drop(receiving.join());
        });
    }));
    order.assert_chain(&["recv 1", "sent 3"]);
    order.assert_chain(&["recv 2", "sent 4"]);
    order.assert_apart("recv 2", "sent 3");
    order.assert_apart("recv 1", "sent 2");
    order.assert_apart("received", "sent 4");
}

#[test]
fn what_fails_to_be_sent_is_received_by_nobody() {
    let seen = in_default_client(|_| {
        let (sender, receiver) = mpsc::sync_channel(1);
        assert!(sender.try_send(1).is_ok() && sender.try_send(2).is_err());
        assert_eq!(receiver.recv(), Ok(1));
        sender.send(3).unwrap();
        drop(receiver);
        assert!(sender.send(4).is_err());
    });
    assert_eq!(numbers(&seen, Kind::MessageSent), [1, 2, 3, 4]);
    assert_eq!(numbers(&seen, Kind::MessageReceived), [1]);
}

#[test]
fn a_message_of_another_client_or_of_none_is_not_received_by_this_one() {
    let (sender, receiver) = mpsc::channel();
    {
        let _turn = turn();
        sender.send(0).unwrap();
    }
    in_default_client(|_| sender.send(1).unwrap());
    let seen = in_default_client(move |_| {
        sender.send(2).unwrap();
        assert_eq!(receiver.try_iter().collect::<Vec<_>>(), [0, 1, 2]);
    });
    let (sent, received) = (numbers(&seen, Kind::MessageSent), numbers(&seen, Kind::MessageReceived));
    assert_eq!((&sent[..], &received[..]), (&[2][..], &[2][..]));
}

#[test]
fn nor_if_the_other_client_is_still_there() {
    let (sender, receiver) = mpsc::channel();
    let (memory, turn) = (MemoryTransport::new(), turn());
    let older = Client::builder_to(memory.clone()).service("mpsc").build().unwrap();
    sender.send(1).unwrap();
    let newer = Client::builder_to(MemoryTransport::new()).service("mpsc").build().unwrap();
    // This thread has recorded for the older one alone.
    assert_eq!(receiver.recv(), Ok(1));
    let stats = (older.shutdown(LONG), newer.shutdown(LONG));
    drop((sender, receiver, turn));
    assert_eq!((stats.0.lost.total(), stats.1.recorded), (0, 0));
    assert_eq!(events(&memory).iter().map(|seen| seen.kind).collect::<Vec<_>>(), [Kind::MessageSent]);
}

#[test]
fn what_is_sent_in_a_context_that_is_not_sampled_is_not_received() {
    let seen = in_default_client(|client| {
        let (sender, receiver) = mpsc::channel();
        let headers = [("traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00")];
        client.extract(&headers).run(|| sender.send(1).unwrap());
        sender.send(2).unwrap();
        assert_eq!((receiver.recv(), receiver.recv()), (Ok(1), Ok(2)));
        std::mem::forget((sender, receiver));
    });
    let (sent, received) = (numbers(&seen, Kind::MessageSent), numbers(&seen, Kind::MessageReceived));
    assert_eq!((sent, received), (vec![2], vec![2]));
}

#[test]
fn messages_and_signals_can_be_switched_off_while_it_runs() {
    let all = |client: &Client, kinds: Kinds| {
        client.reconfigure(|settings| settings.kinds = kinds).unwrap();
        let (sender, receiver) = mpsc::sync_channel(0);
        thread::scope(|scope| {
            scope.spawn(|| sender.send(()).unwrap());
            receiver.recv().unwrap();
        });
    };
    for (off, on) in [
        (Kind::MessageSent, Kind::SyncRelease),
        (Kind::MessageReceived, Kind::SyncAcquire),
        (Kind::SyncRelease, Kind::MessageSent),
        (Kind::SyncAcquire, Kind::MessageReceived),
    ] {
        let memory = MemoryTransport::new();
        let stats = with_default_client(&memory, |client| {
            all(client, Kinds::ALL.without(off));
            all(client, Kinds::NONE);
        });
        assert_eq!(stats.lost.total(), 0, "what is not wanted is not missed: {stats}");
        let seen = events(&memory);
        let is = |seen: &&Seen, kinds: [Kind; 2]| kinds.contains(&seen.kind);
        let messages = seen.iter().filter(|seen| is(seen, [Kind::MessageSent, Kind::MessageReceived])).count();
        let signals = seen.iter().filter(|seen| is(seen, [Kind::SyncRelease, Kind::SyncAcquire])).count();
        // Of the signals, one is each end's last.
        let expected = if matches!(on, Kind::SyncRelease | Kind::SyncAcquire) { (0, 4) } else { (2, 0) };
        assert_eq!((messages, signals), expected, "without {off:?}");
    }
    // Locks have a switch of their own.
    let seen = in_default_client(|client| all(client, Kinds::ALL.without(Kind::LockAcquire)));
    assert_eq!(numbers(&seen, Kind::MessageSent), numbers(&seen, Kind::MessageReceived));
    assert_eq!(numbers(&seen, Kind::MessageSent), [1]);
}

/// What some threads send over one channel, and how it is received.
#[derive(Debug, Clone)]
struct Plan {
    bound: Option<usize>,
    /// For each sender, how many messages, and whether by `try_send` first.
    senders: Vec<(u64, bool)>,
    receive: u8,
}

fn plan() -> impl Strategy<Value = Plan> {
    let bound = prop_oneof![Just(None), (0..4_usize).prop_map(Some)];
    let senders = proptest::collection::vec((0..20_u64, any::<bool>()), 1..5);
    (bound, senders, 0..4_u8).prop_map(|(bound, senders, receive)| Plan { bound, senders, receive })
}

/// Sends `value`, and tells it right before.
fn send(client: &Client, value: u64, send: impl FnOnce(u64) -> bool) {
    client.track_custom("send", value);
    assert!(send(value));
}

fn receive<T>(receiver: mpsc::Receiver<T>, how: u8, mut got: impl FnMut(T)) {
    match how {
        0 => receiver.into_iter().for_each(got),
        1 => std::iter::from_fn(|| receiver.recv_timeout(LONG).ok()).for_each(got),
        2 => loop {
            match receiver.try_recv() {
                Ok(value) => got(value),
                Err(mpsc::TryRecvError::Empty) => std::thread::yield_now(),
                Err(mpsc::TryRecvError::Disconnected) => break,
            }
        },
        _ => while receiver.recv().map(&mut got).is_ok() {},
    }
}

fn run(plan: &Plan, client: &Client) {
    let (unbounded, bounded, receiver) = match plan.bound {
        None => {
            let (sender, receiver) = mpsc::channel();
            (Some(sender), None, receiver)
        }
        Some(bound) => {
            let (sender, receiver) = mpsc::sync_channel(bound);
            (None, Some(sender), receiver)
        }
    };
    thread::scope(|scope| {
        for (at, (count, tries)) in (0..).zip(&plan.senders) {
            let (unbounded, bounded) = (unbounded.clone(), bounded.clone());
            scope.spawn(move || {
                for value in (0..*count).map(|number| at * 1000 + number) {
                    send(client, value, |value| match (&unbounded, &bounded) {
                        (Some(sender), _) => sender.send(value).is_ok(),
                        (_, Some(sender)) if *tries && sender.try_send(value).is_ok() => true,
                        (_, sender) => sender.as_ref().is_some_and(|sender| sender.send(value).is_ok()),
                    });
                }
            });
        }
        drop((unbounded, bounded));
        receive(receiver, plan.receive, |value| client.track_custom("got", value));
        client.track_custom("end", 0);
    });
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(scaled(200, 40) as u32))]

    #[test]
    fn each_message_is_paired_with_itself_once(plan in plan()) {
        let mut seen = in_default_client(|client| run(&plan, client));
        seen.sort_by_key(|seen| (seen.strand, seen.step));
        let (mut sent, mut received) = (BTreeMap::new(), BTreeMap::new());
        let mut told = "";
        for pair in seen.windows(2) {
            let [one, next] = pair else { continue };
            if one.name.as_deref() == Some("send") {
                told = &one.a;
            }
            if one.kind == Kind::MessageSent {
                prop_assert!(sent.insert(number(one), told).is_none(), "two messages of one number");
            }
            if one.kind == Kind::MessageReceived {
                // Between the two there may be news of room.
                let after = seen.iter().find(|seen| seen.strand == one.strand && seen.step > one.step && seen.kind == Kind::Custom);
                let after = after.unwrap_or(next);
                prop_assert!(received.insert(number(one), after.a.as_str()).is_none(), "received twice");
            }
        }
        let all: u64 = plan.senders.iter().map(|(count, _)| count).sum();
        prop_assert_eq!(received.len() as u64, all);
        for (number, value) in &received {
            prop_assert_eq!(sent.get(number), Some(value), "message {}", number);
        }
        // Each number that an acquisition has was released: by every sender, for their end.
        let order = Order::synchronised(seen);
        prop_assert!(order.is_before_all("send", "end"));
    }
}
