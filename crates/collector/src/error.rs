use std::net::SocketAddr;
use std::path::PathBuf;
use std::{fmt, io};

/// Why a collector did not start.
#[derive(Debug)]
#[non_exhaustive]
pub enum StartError {
    /// It could not listen on the address.
    Listen {
        /// The address.
        address: SocketAddr,
        /// What the system said.
        source: io::Error,
    },
    /// Others than this machine could reach the address, and nothing would hold them back.
    Unprotected {
        /// The address.
        address: SocketAddr,
    },
    /// The API key is empty, or holds characters that no HTTP header can carry.
    ApiKey,
    /// It could not use the directory to store batches in: it cannot be made or looked into, or another collector uses it
    /// ([`io::ErrorKind::ResourceBusy`]).
    Store {
        /// The directory.
        directory: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// Its thread, or the event loop in it, could not be made.
    Thread(io::Error),
}

impl fmt::Display for StartError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            StartError::Listen { address, .. } => write!(f, "cannot listen on {address}"),
            StartError::Unprotected { address } => {
                write!(f, "{address} can be reached from other machines: set an API key, or allow that explicitly")
            }
            StartError::ApiKey => f.write_str("the API key must be visible ASCII characters, at least one"),
            StartError::Store { directory, .. } => write!(f, "cannot store batches in {}", directory.display()),
            StartError::Thread(_) => f.write_str("cannot start the collector's thread"),
        }
    }
}

impl std::error::Error for StartError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            StartError::Listen { source, .. } | StartError::Store { source, .. } | StartError::Thread(source) => {
                Some(source)
            }
            _ => None,
        }
    }
}
