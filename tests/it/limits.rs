//! Names and values around their limits: what fits is whole, what does not is cut between two characters and marked.

use crate::support::{LONG, client, events};
use trackside::{Name, Value};

/// Records one event with this name; returns what became of it, and how many texts were cut.
fn named(name: Name<'_>) -> (String, u64) {
    let (client, memory) = client();
    client.track_read(name, 1);
    client.flush(LONG).unwrap();
    (events(&memory).remove(0).name.unwrap(), client.stats().truncated)
}

/// `len` bytes, no two neighbours alike, so that a byte lost or shifted shows.
fn text(len: usize) -> String {
    ('a'..='z').cycle().take(len).collect()
}

#[test]
fn dynamic_names_up_to_the_limit_are_whole() {
    for len in [0, 1, 3, 4, 7, 8, 9, 15, 16, 17, 31, 32, 33, 48, 64, 255, 256] {
        let name = text(len);
        assert_eq!(named(Name::dynamic(&name)), (name.clone(), 0), "{len} bytes");
    }
}

#[test]
fn dynamic_names_beyond_it_are_cut() {
    for len in [257, 258, 300, 10_000] {
        let name = text(len);
        assert_eq!(named(Name::dynamic(&name)), (format!("{}…", &name[..256]), 1), "{len} bytes");
    }
}

#[test]
fn names_are_cut_between_two_characters() {
    for (ascii, wide) in [(255, "é"), (254, "€"), (255, "€"), (253, "😀"), (254, "😀"), (255, "😀")] {
        let name = text(ascii) + wide;
        assert_eq!(named(Name::dynamic(&name)), (text(ascii) + "…", 1), "{ascii} bytes and {wide}");
        let whole = text(256 - wide.len()) + wide;
        assert_eq!(named(Name::dynamic(&whole)), (whole.clone(), 0), "ends with {wide}");
    }
}

#[test]
fn static_names_are_pointers_copies_or_cut() {
    for len in [0, 1, 255, 256] {
        let name: &'static str = text(len).leak();
        assert_eq!(named(name.into()), (name.to_owned(), 0), "{len} bytes");
    }
    for len in [257, 300, 10_000] {
        let name: &'static str = text(len).leak();
        assert_eq!(named(name.into()), (format!("{}…", &name[..256]), 1), "{len} bytes");
    }
}

#[test]
fn static_names_that_begin_at_one_address_stay_apart() {
    let (client, memory) = client();
    let long: &'static str = "accounts.alice";
    client.track_read(long, 1);
    client.track_read(&long[..8], 2);
    client.track_read(&long[..0], 3);
    client.flush(LONG).unwrap();
    let names: Vec<_> = events(&memory).into_iter().map(|seen| seen.name.unwrap()).collect();
    assert_eq!(names, ["accounts.alice", "accounts", ""]);
}

/// Records one event with this value; returns what became of it, and how many were cut or left out.
fn valued(value: Value<'_>) -> (String, u64) {
    let (client, memory) = client();
    client.track_custom("event", value);
    client.flush(LONG).unwrap();
    (events(&memory).remove(0).a, client.stats().truncated)
}

#[test]
fn texts_up_to_the_limit_are_whole_and_cut_beyond() {
    for len in [0, 1, 7, 8, 9, 1023, 1024] {
        let value = text(len);
        assert_eq!(valued((&value).into()), (format!("\"{value}\""), 0), "{len} bytes");
    }
    for len in [1025, 1026, 100_000] {
        let value = text(len);
        assert_eq!(valued((&value).into()), (format!("\"{}\"…", &value[..1024]), 1), "{len} bytes");
    }
    let wide = text(1022) + "€";
    assert_eq!(valued((&wide).into()), (format!("\"{}\"…", text(1022)), 1));
}

#[test]
fn objects_up_to_the_limit_are_whole_and_left_out_beyond() {
    // Three bytes of MessagePack stand before a text of this size.
    for len in [0, 1, 1020, 1021] {
        let value = text(len);
        assert_eq!(valued(Value::of(&value)), (format!("\"{value}\""), 0), "{len} bytes");
    }
    for len in [2000, 100_000] {
        let value = text(len);
        assert_eq!(valued(Value::of(&value)), ("\"\"…".to_owned(), 1), "{len} bytes");
    }
}

#[test]
fn a_part_too_large_leaves_the_others() {
    let (client, memory) = client();
    let big = text(5000);
    client.track_http_request("GET", "/", &big, "body");
    client.track_http_request("GET", "/", "headers", Value::of(&big));
    client.track_http_response(200, &big, &big, std::time::Duration::from_nanos(9));
    client.flush(LONG).unwrap();
    let parts: Vec<_> = events(&memory).into_iter().map(|seen| seen.b).collect();
    assert_eq!(parts, ["[\"\"…, \"body\"]", "[\"headers\", \"\"…]", "[\"\"…, \"\"…, 9]"]);
}

#[test]
fn the_longest_event_of_all_goes_through() {
    let (client, memory) = client();
    let (name, value) = (text(256), text(1024));
    for _ in 0..100 {
        client.track_write(&name, &value, &value);
    }
    client.flush(LONG).unwrap();
    let seen = events(&memory);
    assert_eq!((seen.len(), client.stats().lost.total()), (100, 0));
    let quoted = format!("\"{value}\"");
    assert!(seen.iter().all(|seen| seen.name.as_ref() == Some(&name) && seen.a == quoted && seen.b == quoted));
}
