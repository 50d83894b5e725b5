//! Records what a test program does, from before its `main` to after its end, without a line of it being changed: into a file
//! in the folder that `TRACKSIDE_FOLDER` names. See `ci/drop-in.sh`.

use std::path::PathBuf;
use std::sync::Mutex;
use std::time::Duration;
use trackside::{Client, Overflow};

static CLIENT: Mutex<Option<Client>> = Mutex::new(None);

#[ctor::ctor(unsafe)]
fn begin() {
    let Some(folder) = std::env::var_os("TRACKSIDE_FOLDER") else { return };
    let file = PathBuf::from(folder).join(format!("{}.trackside", std::process::id()));
    let client = Client::builder_to_file(file)
        .service("drop-in")
        // Tests are not in a hurry, and an event that is lost could hide an edge.
        .overflow(Overflow::Block { timeout: Duration::from_secs(10) })
        .ring_memory(4 << 30)
        .build()
        .expect("a file can be made in the folder");
    *CLIENT.lock().expect("nobody panics with it") = Some(client);
}

#[dtor::dtor(unsafe)]
fn end() {
    if let Some(client) = CLIENT.lock().ok().and_then(|mut client| client.take()) {
        let stats = client.shutdown(Duration::from_secs(30));
        assert_eq!(stats.lost.total() - stats.lost.by_reason().filter(|(reason, _)| *reason == "after_shutdown").map(|(_, count)| count).sum::<u64>(), 0, "{stats}");
    }
}
