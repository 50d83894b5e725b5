//! The channels are tokio's, and the record tells which message was received where, and what else they order.

use super::kit::{migrate, on_both, poll, recorded, runtime};
use crate::mutex::{in_default_client, turn};
use crate::support::Seen;
use crate::support::order::{Order, number};
use std::collections::BTreeSet;
use std::pin::pin;
use std::task::Poll;
use std::time::Duration;
use trackside::tokio::sync::{broadcast, mpsc, oneshot, watch};
use trackside::tokio::task;
use trackside_wire::Kind;

fn timed() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap()
}

/// What a value says it is: the rest has addresses in it.
fn type_of(shown: &impl std::fmt::Debug) -> String {
    format!("{shown:?}").split('{').next().unwrap_or_default().to_owned()
}

#[test]
fn a_bounded_channel_answers_like_tokio_s() {
    let _ = in_default_client(|_| {
        on_both!({
            let mut said = Vec::new();
            timed().block_on(async {
                let (sender, mut receiver) = mpsc::channel(3);
                said.push(format!("{:?} {:?}", receiver.try_recv(), poll(pin!(receiver.recv()))));
                sender.send(1).await.unwrap();
                let permit = sender.reserve().await.unwrap();
                said.push(format!("{} {} {}", sender.capacity(), sender.max_capacity(), type_of(&permit)));
                permit.send(2);
                drop(sender.try_reserve().unwrap());
                let mut both = sender.try_reserve_many(1).unwrap();
                said.push(format!("{} {:?} {}", both.len(), both.size_hint(), type_of(&both)));
                both.next().unwrap().send(3);
                said.push(format!(
                    "{} {:?} {:?}",
                    both.next().is_none(),
                    sender.try_send(4),
                    sender.try_reserve().map(|_| ())
                ));
                drop(both);
                said.push(format!("{:?}", sender.try_reserve_many(4).map(|_| ())));
                said.push(format!("{:?}", sender.send_timeout(5, Duration::from_millis(1)).await));
                let mut waits = Box::pin(sender.send(6));
                assert!(poll(waits.as_mut()).is_pending());
                said.push(format!("{:?} {} {}", receiver.recv().await, receiver.len(), receiver.capacity()));
                waits.await.unwrap();
                let mut buffer = vec![0];
                said.push(format!("{} {buffer:?}", receiver.recv_many(&mut buffer, 0).await));
                said.push(format!("{}", receiver.recv_many(&mut buffer, 2).await));
                said.push(format!("{}", receiver.recv_many(&mut buffer, 9).await));
                said.push(format!("{buffer:?} {} {}", receiver.is_empty(), receiver.max_capacity()));
                let owned = sender.clone().reserve_owned().await.unwrap();
                let other = owned.send(7).try_reserve_owned().unwrap();
                said.push(format!("{} {}", other.same_channel_as_sender(&sender), type_of(&other)));
                let back = other.release();
                said.push(format!(
                    "{} {} {}",
                    back.same_channel(&sender),
                    sender.strong_count(),
                    receiver.sender_strong_count()
                ));
                drop(back);
                drop(sender.reserve_many(2).await.unwrap());
                let (weak, sent) = (sender.downgrade(), receiver.recv().await);
                said.push(format!(
                    "{sent:?} {} {} {}",
                    weak.strong_count(),
                    weak.clone().weak_count(),
                    sender.weak_count()
                ));
                drop(weak.upgrade().unwrap());
                said.push(format!("{:?}", sender.reserve_many(4).await.map(|_| ())));
                sender.send(8).await.unwrap();
                receiver.close();
                said.push(format!("{} {} {:?}", sender.is_closed(), receiver.is_closed(), sender.try_send(9)));
                said.push(format!("{:?} {:?}", sender.send(10).await, sender.reserve().await.map(|_| ())));
                said.push(format!("{:?}", sender.send_timeout(11, Duration::from_secs(9)).await));
                said.push(format!("{:?}", sender.clone().reserve_owned().await.map(|_| ())));
                said.push(format!("{:?}", sender.clone().try_reserve_owned().is_err()));
                sender.closed().await;
                said.push(format!("{:?} {:?} {:?}", receiver.recv().await, receiver.recv().await, receiver.try_recv()));
                drop(sender);
                said.push(format!("{} {}", weak.upgrade().is_none(), receiver.sender_weak_count()));
            });
            let (sender, mut receiver) = mpsc::channel(2);
            sender.blocking_send(1).unwrap();
            sender.blocking_send(2).unwrap();
            let thread = std::thread::spawn(move || sender.blocking_send(3));
            let mut buffer = vec![receiver.blocking_recv().unwrap()];
            while receiver.blocking_recv_many(&mut buffer, 2) > 0 {}
            said.push(format!("{buffer:?} {:?} {:?}", thread.join().unwrap(), receiver.blocking_recv()));
            let none = std::panic::catch_unwind(|| mpsc::channel::<u8>(0)).unwrap_err();
            said.push(format!("{:?}", none.downcast_ref::<&str>()));
            said
        });
    });
}

#[test]
fn an_unbounded_channel_answers_like_tokio_s() {
    let _ = in_default_client(|_| {
        on_both!({
            let mut said = Vec::new();
            runtime().block_on(async {
                let (sender, mut receiver) = mpsc::unbounded_channel();
                let other = sender.clone();
                (1..=5).for_each(|number| other.send(number).unwrap());
                said.push(format!("{} {} {}", receiver.len(), receiver.is_empty(), sender.same_channel(&other)));
                let mut buffer = Vec::new();
                said.push(format!("{:?} {:?}", receiver.recv().await, receiver.try_recv()));
                said.push(format!("{} {}", receiver.recv_many(&mut buffer, 2).await, sender.strong_count()));
                said.push(format!(
                    "{buffer:?} {:?}",
                    std::future::poll_fn(|context| receiver.poll_recv(context)).await
                ));
                let weak = sender.downgrade();
                said.push(format!(
                    "{} {} {}",
                    weak.strong_count(),
                    weak.clone().weak_count(),
                    receiver.sender_weak_count()
                ));
                drop((sender, other));
                said.push(format!(
                    "{:?} {:?} {}",
                    weak.upgrade().is_none(),
                    receiver.recv().await,
                    receiver.is_closed()
                ));
                let none = std::future::poll_fn(|context| receiver.poll_recv_many(context, &mut buffer, 3)).await;
                said.push(format!("{none} {:?} {:?}", receiver.try_recv(), weak.weak_count()));
                let (sender, mut receiver) = mpsc::unbounded_channel();
                assert!(poll(pin!(receiver.recv_many(&mut Vec::<u8>::new(), 1))).is_pending());
                receiver.close();
                sender.closed().await;
                said.push(format!("{:?} {} {:?}", sender.send(1), sender.is_closed(), receiver.recv().await));
            });
            let (sender, mut receiver) = mpsc::unbounded_channel();
            sender.send(1).unwrap();
            let mut buffer = Vec::new();
            said.push(format!("{} {buffer:?}", receiver.blocking_recv_many(&mut buffer, 3)));
            drop(sender);
            said.push(format!("{:?} {}", receiver.blocking_recv(), receiver.sender_strong_count()));
            said
        });
    });
}

#[test]
fn a_channel_for_one_message_answers_like_tokio_s() {
    let _ = in_default_client(|_| {
        on_both!({
            let mut said = Vec::new();
            runtime().block_on(async {
                let (sender, mut receiver) = oneshot::channel();
                said.push(format!("{:?} {} {}", receiver.try_recv(), receiver.is_empty(), receiver.is_terminated()));
                assert!(poll(pin!(&mut receiver)).is_pending());
                said.push(format!("{:?} {}", sender.send(1), receiver.is_empty()));
                said.push(format!("{:?} {}", (&mut receiver).await, receiver.is_terminated()));
                said.push(format!("{:?}", receiver.try_recv()));
                let (sender, receiver) = oneshot::channel::<u8>();
                drop(sender);
                let error = receiver.await.unwrap_err();
                said.push(format!("{error:?} {error}"));
                let (mut sender, mut receiver) = oneshot::channel();
                assert!(poll(pin!(sender.closed())).is_pending());
                said.push(format!("{}", sender.is_closed()));
                receiver.close();
                sender.closed().await;
                let closed = std::future::poll_fn(|context| sender.poll_closed(context));
                closed.await;
                said.push(format!("{} {:?} {:?}", sender.is_closed(), sender.send(2), receiver.try_recv()));
                let (sender, receiver) = oneshot::channel();
                drop(receiver);
                said.push(format!("{:?}", sender.send(3)));
                let (sender, mut receiver) = oneshot::channel();
                sender.send(4).unwrap();
                receiver.close();
                said.push(format!("{:?} {:?}", receiver.try_recv(), receiver.try_recv()));
            });
            let (sender, receiver) = oneshot::channel();
            sender.send(5).unwrap();
            said.push(format!("{:?}", receiver.blocking_recv()));
            said
        });
    });
}

#[test]
fn a_broadcast_channel_answers_like_tokio_s() {
    let _ = in_default_client(|_| {
        on_both!({
            let mut said = Vec::new();
            runtime().block_on(async {
                let (sender, mut one) = broadcast::channel(2);
                let mut two = sender.subscribe();
                said.push(format!("{:?} {} {:?}", sender.send(1), sender.receiver_count(), one.try_recv()));
                said.push(format!(
                    "{:?} {:?} {} {}",
                    two.recv().await,
                    one.try_recv(),
                    sender.len(),
                    sender.is_empty()
                ));
                (2..=5).for_each(|number| drop(sender.send(number)));
                said.push(format!("{} {} {:?} {:?}", one.len(), one.is_empty(), one.recv().await, one.recv().await));
                let mut three = one.resubscribe();
                said.push(format!(
                    "{:?} {} {}",
                    three.try_recv(),
                    three.same_channel(&one),
                    three.sender_strong_count()
                ));
                let (other, weak) = (sender.clone(), sender.downgrade());
                said.push(format!(
                    "{} {} {}",
                    sender.strong_count(),
                    weak.clone().weak_count(),
                    other.same_channel(&sender)
                ));
                drop(weak.upgrade().unwrap());
                said.push(format!("{} {} {}", one.is_closed(), weak.strong_count(), sender.weak_count()));
                drop((sender, other));
                said.push(format!("{:?} {:?} {:?}", one.recv().await, one.recv().await, three.recv().await));
                said.push(format!("{:?} {} {}", one.try_recv(), one.is_closed(), weak.upgrade().is_none()));
                let sender = broadcast::Sender::<u8>::new(1);
                said.push(format!("{:?} {}", sender.send(6), one.sender_weak_count()));
                sender.closed().await;
            });
            let (sender, mut receiver) = broadcast::channel(1);
            sender.send(7).unwrap();
            said.push(format!("{:?}", receiver.blocking_recv()));
            said
        });
    });
}

#[test]
fn a_watched_value_answers_like_tokio_s() {
    let _ = in_default_client(|_| {
        on_both!({
            let mut said = Vec::new();
            runtime().block_on(async {
                let (sender, mut receiver) = watch::channel(1);
                said.push(format!("{:?} {:?} {:?}", *receiver.borrow(), receiver.has_changed(), *sender.borrow()));
                said.push(format!("{:?} {:?}", sender.send(2), receiver.has_changed()));
                receiver.changed().await.unwrap();
                said.push(format!("{:?} {:?}", *receiver.borrow(), receiver.has_changed()));
                sender.send_modify(|value| *value += 1);
                said.push(format!("{}", receiver.borrow().has_changed()));
                said.push(format!("{}", *receiver.borrow_and_update()));
                said.push(format!("{} {:?}", sender.send_if_modified(|value| *value > 9), receiver.has_changed()));
                said.push(format!(
                    "{} {:?}",
                    sender.send_replace(4),
                    receiver.wait_for(|value| *value == 4).await.map(|value| *value)
                ));
                receiver.mark_changed();
                said.push(format!("{:?}", receiver.has_changed()));
                receiver.mark_unchanged();
                let other = receiver.clone();
                said.push(format!(
                    "{:?} {} {}",
                    receiver.has_changed(),
                    sender.receiver_count(),
                    other.same_channel(&receiver)
                ));
                let panicked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
                    sender.send_modify(|_| panic!("on purpose"))
                }));
                said.push(format!("{} {:?}", panicked.is_err(), receiver.has_changed()));
                drop((receiver, other));
                said.push(format!("{:?} {} {}", sender.send(5), sender.is_closed(), *sender.borrow()));
                sender.closed().await;
                let (mut late, copy) = (sender.subscribe(), sender.clone());
                said.push(format!("{:?} {} {}", late.has_changed(), copy.same_channel(&sender), sender.sender_count()));
                drop((sender, copy));
                said.push(format!("{:?} {:?} {}", late.has_changed(), late.changed().await, late.is_closed()));
                said.push(format!("{:?}", late.wait_for(|value| *value > 5).await.is_err()));
                said.push(format!("{}", *late.borrow()));
                said.push(format!(
                    "{:?} {:?}",
                    *watch::Sender::<u8>::default().borrow(),
                    *watch::Sender::new(6).borrow()
                ));
            });
            said
        });
    });
}

#[test]
fn they_go_where_tokio_s_go() {
    fn moves<T: Send + Sync>() {}
    fn goes<T: Send>(_: T) {}
    moves::<(mpsc::Sender<Vec<u8>>, mpsc::Receiver<Vec<u8>>, mpsc::WeakSender<u8>, mpsc::OwnedPermit<u8>)>();
    moves::<(mpsc::UnboundedSender<u8>, mpsc::UnboundedReceiver<u8>, mpsc::Permit<'_, u8>)>();
    moves::<(oneshot::Sender<u8>, oneshot::Receiver<u8>, broadcast::Sender<u8>, broadcast::Receiver<u8>)>();
    moves::<(watch::Sender<u8>, watch::Receiver<u8>, broadcast::WeakSender<u8>)>();
    let ((sender, mut receiver), (events, mut event), (value, mut watched)) =
        (mpsc::channel::<u8>(1), broadcast::channel::<u8>(1), watch::channel(0_u8));
    goes((sender.send(1), sender.reserve(), sender.closed(), receiver.recv()));
    goes((event.recv(), events.closed(), watched.changed(), value.closed()));
}

fn messages(seen: &[Seen], kind: Kind) -> Vec<u64> {
    let mut numbers: Vec<u64> = seen.iter().filter(|seen| seen.kind == kind).map(number).collect();
    numbers.sort_unstable();
    numbers
}

#[test]
fn each_message_has_a_number_that_it_is_received_under() {
    let seen = recorded(|_| async {
        let (sender, mut receiver) = mpsc::named_channel("jobs", 2);
        let others: Vec<_> = (0..3)
            .map(|_| {
                let sender = sender.clone();
                task::spawn(async move {
                    for number in 0..10 {
                        sender.send(number).await.unwrap();
                        migrate().await;
                    }
                })
            })
            .collect();
        drop(sender);
        let mut count = 0;
        while receiver.recv().await.is_some() {
            count += 1;
        }
        assert_eq!(count, 30);
        for other in others {
            other.await.unwrap();
        }
    });
    let all: Vec<u64> = (1..=30).collect();
    assert_eq!(messages(&seen, Kind::MessageSent), all);
    assert_eq!(messages(&seen, Kind::MessageReceived), all);
    let names: BTreeSet<_> = seen
        .iter()
        .filter(|seen| matches!(seen.kind, Kind::MessageSent | Kind::MessageReceived))
        .map(|seen| (seen.name.clone().unwrap(), seen.b.contains("\"mpsc\"")))
        .collect();
    assert_eq!(names, [("jobs".to_owned(), true)].into());
    Order::synchronised(seen);
}

#[test]
fn a_send_that_is_given_up_has_sent_nothing_and_room_that_goes_back_is_nobody_s_doing() {
    let order = Order::synchronised(recorded(|client| async move {
        let (sender, mut receiver) = mpsc::named_channel("room", 1);
        drop(sender.reserve().await.unwrap());
        drop(sender.try_reserve_many(1).unwrap());
        drop(sender.clone().reserve_owned().await.unwrap());
        sender.send(1).await.unwrap();
        {
            let mut given_up = pin!(sender.send(2));
            assert!(poll(given_up.as_mut()).is_pending());
        }
        let (recorder, other) = (client.clone(), sender.clone());
        let task = task::spawn(async move {
            other.send(3).await.unwrap();
            recorder.track_custom("had room", 0);
            drop(other);
        });
        client.track_custom("takes", 0);
        assert_eq!(receiver.recv().await, Some(1));
        client.track_custom("has taken", 0);
        task.await.unwrap();
        assert_eq!(receiver.recv().await, Some(3));
    }));
    assert_eq!(messages(order.events(), Kind::MessageSent), [1, 2]);
    order.assert_chain(&["takes", "had room"]);
    order.assert_apart("has taken", "had room");
}

#[test]
fn the_ends_of_channels_order_too() {
    let order = Order::synchronised(recorded(|client| async move {
        let (sender, mut receiver) = mpsc::channel::<u8>(1);
        let recorder = client.clone();
        task::spawn(async move {
            recorder.track_custom("drops the sender", 0);
            drop(sender);
        });
        assert_eq!(receiver.recv().await, None);
        client.track_custom("finds no sender", 0);

        let (sender, mut receiver) = mpsc::unbounded_channel::<u8>();
        let recorder = client.clone();
        let task = task::spawn(async move {
            recorder.track_custom("closes", 0);
            receiver.close();
            let more = receiver.recv().await;
            recorder.track_custom("has closed", 0);
            drop(receiver);
            assert!(more.is_none());
        });
        sender.closed().await;
        client.track_custom("finds it closed", 0);
        drop(sender);
        task.await.unwrap();

        // Who closes it himself does not come after senders that are still there.
        let (sender, mut receiver) = mpsc::unbounded_channel::<u8>();
        let (other, recorder) = (sender.clone(), client.clone());
        let (go, gone) = tokio::sync::oneshot::channel();
        let task = task::spawn(async move {
            gone.await.unwrap();
            recorder.track_custom("still there", 0);
            drop(other);
        });
        drop(sender);
        receiver.close();
        assert_eq!(receiver.recv().await, None);
        client.track_custom("closed it himself", 0);
        go.send(()).unwrap();
        task.await.unwrap();

        let (sender, receiver) = oneshot::channel::<u8>();
        let recorder = client.clone();
        task::spawn(async move {
            recorder.track_custom("breaks off", 0);
            drop(sender);
        });
        assert!(receiver.await.is_err());
        client.track_custom("is broken off", 0);

        let (mut sender, receiver) = oneshot::named_channel::<u8>("one");
        let recorder = client.clone();
        task::spawn(async move {
            recorder.track_custom("goes away", 0);
            drop(receiver);
        });
        sender.closed().await;
        client.track_custom("is alone", 0);

        let (sender, mut receiver) = broadcast::named_channel::<u8>("all", 2);
        let recorder = client.clone();
        task::spawn(async move {
            recorder.track_custom("ends the broadcast", 0);
            drop(sender);
        });
        assert_eq!(receiver.recv().await, Err(broadcast::error::RecvError::Closed));
        client.track_custom("after the broadcast", 0);

        let (sender, receiver) = watch::named_channel("value", 0);
        let recorder = client.clone();
        task::spawn(async move {
            recorder.track_custom("stops watching", 0);
            drop(receiver);
        });
        sender.closed().await;
        client.track_custom("unwatched", 0);
    }));
    let chains = [
        ["drops the sender", "finds no sender"],
        ["closes", "finds it closed"],
        ["breaks off", "is broken off"],
        ["goes away", "is alone"],
        ["ends the broadcast", "after the broadcast"],
        ["stops watching", "unwatched"],
    ];
    chains.iter().for_each(|chain| order.assert_chain(chain));
    order.assert_apart("closed it himself", "still there");
    assert!(!order.is_before("has closed", "finds it closed"));
}

#[test]
fn a_broadcast_is_received_by_all_and_what_was_skipped_by_nobody() {
    let order = Order::synchronised(recorded(|client| async move {
        let (sender, mut one) = broadcast::named_channel("news", 2);
        let mut two = sender.subscribe();
        let names = ["one", "two", "three"];
        for (number, name) in names.into_iter().enumerate() {
            client.track_custom(name, 0);
            sender.send(number).unwrap();
        }
        let lagged = broadcast::error::RecvError::Lagged(1);
        assert_eq!((one.recv().await, two.recv().await), (Err(lagged.clone()), Err(lagged)));
        let recorder = client.clone();
        let task = task::spawn(async move {
            assert_eq!(two.recv().await, Ok(1));
            recorder.track_custom("has two", 0);
        });
        task.await.unwrap();
        assert_eq!((one.recv().await, one.recv().await), (Ok(1), Ok(2)));
    }));
    assert_eq!(messages(order.events(), Kind::MessageSent), [1, 2, 3]);
    assert_eq!(messages(order.events(), Kind::MessageReceived), [2, 2, 3]);
    order.assert_chain(&["two", "has two"]);
}

#[test]
fn who_looks_at_a_watched_value_comes_after_who_changed_it() {
    let order = Order::synchronised(recorded(|client| async move {
        let (sender, mut receiver) = watch::channel(0);
        let recorder = client.clone();
        let (looked, has_looked) = tokio::sync::oneshot::channel();
        let task = task::spawn(async move {
            recorder.track_custom("beside", 0);
            let seen = receiver.wait_for(|value| {
                if *value == 1 {
                    recorder.track_custom("looks at one", 0);
                }
                *value == 1
            });
            drop(seen.await.unwrap());
            looked.send(()).unwrap();
            while *receiver.borrow_and_update() < 2 {
                receiver.changed().await.unwrap();
            }
            recorder.track_custom("sees two", 0);
        });
        client.track_custom("one", 0);
        sender.send(1).unwrap();
        has_looked.await.unwrap();
        client.track_custom("two", 0);
        sender.send_modify(|value| {
            client.track_custom("within", 0);
            *value += 1;
        });
        client.track_custom("afterwards", 0);
        task.await.unwrap();
    }));
    order.assert_chain(&["one", "looks at one", "sees two"]);
    order.assert_chain(&["two", "within", "sees two"]);
    order.assert_apart("looks at one", "two");
    order.assert_apart("beside", "one");
    order.assert_apart("afterwards", "sees two");
}

#[test]
fn a_channel_for_one_message_that_was_made_before_there_was_a_client_is_not_recorded() {
    let (sender, receiver) = {
        let _turn = turn();
        oneshot::channel()
    };
    let seen = in_default_client(|_| {
        sender.send(1).unwrap();
        assert_eq!(runtime().block_on(receiver), Ok(1));
    });
    assert_eq!(seen, []);
}

#[test]
fn polled_by_hand_it_is_as_if_awaited() {
    let seen = recorded(|_| async {
        let (sender, mut receiver) = mpsc::channel(2);
        sender.send(1).await.unwrap();
        sender.send(2).await.unwrap();
        let mut buffer = Vec::new();
        let many = std::future::poll_fn(|context| receiver.poll_recv_many(context, &mut buffer, 2)).await;
        assert_eq!((many, &buffer[..]), (2, &[1, 2][..]));
        assert!(matches!(poll(pin!(std::future::poll_fn(|context| receiver.poll_recv(context)))), Poll::Pending));
    });
    assert_eq!(messages(&seen, Kind::MessageReceived), [1, 2]);
}
