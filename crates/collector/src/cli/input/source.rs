use super::collector::{Collector, key_from};
use super::frames::{Frames, ReadError, clamped};
use crate::cli::failure::Failure;
use crate::cli::output::warn;
use crate::cli::progress::Progress;
use clap::Args;
use std::fs::File;
use std::io::{self, BufReader, Read};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use trackside_analysis::{Analyzer, Report};
use trackside_collector::StoreReader;
use trackside_wire::{Batch, FileError};

/// What a command reads.
#[derive(Debug, Args)]
pub(crate) struct Inputs {
    /// What to look at: files that the SDK's file transport has written, directories of `trackside serve --store`, and URLs
    /// of collectors that run, such as http://127.0.0.1:8080. Several are looked at together, in any order.
    #[arg(required = true, value_name = "FILE|DIR|URL")]
    from: Vec<PathBuf>,
    /// The environment variable that holds the API key for collectors that ask for one.
    #[arg(long, value_name = "VAR")]
    api_key_env: Option<String>,
}

/// One of them, told apart.
#[derive(Debug, Clone, Copy)]
enum Source<'a> {
    File(&'a Path),
    Store(&'a Path),
    Url(&'a str),
}

impl<'a> Source<'a> {
    fn new(from: &'a Path) -> Self {
        match from.to_str() {
            Some(url) if url.starts_with("http://") || url.starts_with("https://") => Self::Url(url),
            _ if from.is_dir() => Self::Store(from),
            _ => Self::File(from),
        }
    }

    /// How many bytes there are to read, if that can be told.
    fn bytes(self) -> Option<u64> {
        match self {
            Source::File(path) => Some(path.metadata().ok()?.len()),
            Source::Store(path) => Some(StoreReader::open(path).ok()?.bytes()),
            Source::Url(_) => None,
        }
    }
}

impl Inputs {
    /// Analyses all there is.
    pub(crate) fn analyse(&self) -> Result<Report, Failure> {
        let mut analyzer = Analyzer::new();
        self.each(|batch| {
            analyzer.ingest(batch);
            Ok(())
        })?;
        Ok(analyzer.finish())
    }

    /// The collector, if that is what there is to look at, and nothing else.
    pub(crate) fn only_collector(&self) -> Option<&str> {
        match &self.from[..] {
            [one] => match Source::new(one) {
                Source::Url(url) => Some(url),
                _ => None,
            },
            _ => None,
        }
    }

    pub(crate) fn key(&self) -> Result<Option<String>, Failure> {
        key_from(self.api_key_env.as_deref())
    }

    /// Takes in all batches. What is torn, and what is damaged in a directory, is warned of; what is damaged elsewhere ends it.
    pub(crate) fn each(&self, mut take: impl FnMut(&Batch<'_>) -> Result<(), Failure>) -> Result<(), Failure> {
        let key = self.key()?;
        let sources: Vec<Source<'_>> = self.from.iter().map(|from| Source::new(from)).collect();
        let mut progress = Progress::new(sources.iter().map(|source| source.bytes()).sum());
        for source in sources {
            match source {
                Source::File(path) => file(path, &mut progress, &mut take)?,
                Source::Store(path) => store(path, &mut progress, &mut take)?,
                Source::Url(url) => {
                    let body = Collector::new(url, key.as_deref())?.get("/api/batches")?;
                    stream(url, BufReader::new(body), &mut progress, &mut take)?;
                }
            }
        }
        Ok(())
    }
}

/// Takes in what comes to a collector from now on, until `take` says that it is enough, or the collector ends. `ready` is told
/// when nothing that comes can be missed any more.
pub(crate) fn follow(
    url: &str,
    key: Option<&str>,
    ready: impl FnOnce(),
    mut take: impl FnMut(&Batch<'_>) -> Result<ControlFlow<()>, Failure>,
) -> Result<(), Failure> {
    let collector = Collector::new(url, key)?;
    let mut ready = Some(ready);
    loop {
        let body = collector.get("/api/batches?follow")?;
        if let Some(ready) = ready.take() {
            ready();
        }
        let mut frames = Frames::new(BufReader::new(body)).map_err(|error| unusable(url, error))?;
        // However it ends: a collector ends each connection after a while.
        while let Ok(Some((_, bytes))) = frames.next() {
            if let Ok(batch) = Batch::decode(bytes)
                && take(&batch)?.is_break()
            {
                return Ok(());
            }
        }
        warn("the collector has ended the connection, so events may be missing here; asking it again");
    }
}

type Take<'a> = dyn FnMut(&Batch<'_>) -> Result<(), Failure> + 'a;

fn file(path: &Path, progress: &mut Progress, take: &mut Take<'_>) -> Result<(), Failure> {
    let file = File::open(path).map_err(|error| Failure {
        what: format!("cannot read {}", path.display()),
        source: Some(error.into()),
        advice: "give the path of a file that the SDK's file transport has written",
    })?;
    stream(&path.display().to_string(), BufReader::with_capacity(256 << 10, file), progress, take)
}

fn store(path: &Path, progress: &mut Progress, take: &mut Take<'_>) -> Result<(), Failure> {
    let mut stored = StoreReader::open(path).map_err(|error| Failure {
        what: format!("cannot read the directory {}", path.display()),
        source: Some(error.into()),
        advice: "give one that `trackside serve --store` has written",
    })?;
    let mut undecodable = 0_u64;
    for bytes in stored.by_ref() {
        match Batch::decode(&bytes) {
            Ok(batch) => take(&batch)?,
            Err(_) => undecodable += 1,
        }
        progress.advance(bytes.len() as u64);
    }
    let damage = stored.damage();
    let found = [
        ("stretches that are damaged, or being written; what is in them is left out", damage.damaged + undecodable),
        ("segments that cannot be read, or are of another version", damage.unreadable_segments),
    ];
    for (what, count) in found.iter().filter(|(_, count)| *count > 0) {
        progress.aside(|| warn(&format!("{}: {what}: {count}", path.display())));
    }
    Ok(())
}

fn stream(name: &str, reader: impl Read, progress: &mut Progress, take: &mut Take<'_>) -> Result<(), Failure> {
    let unusable = |error: ReadError| unusable(name, error);
    let mut frames = Frames::new(reader).map_err(unusable)?;
    loop {
        let before = frames.position();
        let (offset, bytes) = match frames.next() {
            Ok(None) => return Ok(()),
            Ok(Some(frame)) => frame,
            Err(ReadError::File(torn @ FileError::TornTail { .. })) => {
                let text = format!("{name}: {torn}; its writer was stopped, what came before is used");
                progress.aside(|| warn(&text));
                return Ok(());
            }
            Err(error) => return Err(unusable(error)),
        };
        let damaged = |source| unusable(ReadError::File(FileError::Batch { offset: clamped(offset), source }));
        take(&Batch::decode(bytes).map_err(damaged)?)?;
        progress.advance(frames.position() - before);
    }
}

/// What it says of a file or an answer that is none of ours.
fn unusable(name: &str, error: ReadError) -> Failure {
    let (what, advice) = match &error {
        ReadError::Io(error) if error.kind() == io::ErrorKind::IsADirectory => ("read", "give a file"),
        ReadError::Io(_) => ("read", "try again"),
        ReadError::File(FileError::NotAFile) => ("use", "give a file that the SDK's file transport has written"),
        ReadError::File(_) => ("use", "do without it, or record it again"),
    };
    Failure { what: format!("cannot {what} {name}"), source: Some(error.into()), advice }
}
