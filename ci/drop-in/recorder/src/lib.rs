//! Records what a test program does, from before its `main` to after its end, without a line of it being changed: into a
//! file in the folder that `DROP_IN_RECORDS` names. See `ci/drop-in.sh`.

use std::fs;
use std::path::PathBuf;
use std::sync::Mutex;
use std::time::Duration;
use trackside::{Client, Overflow};

/// What records, and the file beside its record into which its books go.
static RECORDING: Mutex<Option<(Client, PathBuf)>> = Mutex::new(None);

#[ctor::ctor(unsafe)]
fn begin() {
    let Some(folder) = std::env::var_os("DROP_IN_RECORDS") else { return };
    let program = std::env::current_exe().expect("a test knows where it is");
    let program = program.file_stem().unwrap_or_default().display();
    let file = PathBuf::from(folder).join(format!("{program}.{}.trackside", std::process::id()));
    let books = file.with_extension("books");
    let client = Client::builder_to_file(file)
        .service("drop-in")
        // Tests are in no hurry, and an event that is lost could hide what orders two others.
        .overflow(Overflow::Block { timeout: Duration::from_secs(10) })
        .ring_memory(4 << 30)
        .backlog_bytes(4 << 30)
        .build()
        .expect("the folder is there, and the figures are within bounds");
    // There from now on: a program that dies before its end leaves it empty, and is told from one that does not.
    fs::write(&books, "").expect("what is beside it can be written");
    *RECORDING.lock().expect("nobody panics with it") = Some((client, books));
}

/// Threads that the tests left behind go on, and what they record from now on is counted as lost, rightly.
#[dtor::dtor(unsafe)]
fn end() {
    let Some((client, books)) = RECORDING.lock().ok().and_then(|mut recording| recording.take()) else { return };
    let stats = client.shutdown(Duration::from_secs(60));
    fs::write(books, format!("{stats}\n")).expect("it could be written before");
}
