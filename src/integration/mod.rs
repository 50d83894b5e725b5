//! Other people's types, each behind a feature of its own. Only what is public of the SDK is used here.

#[cfg(feature = "http")]
mod http;
