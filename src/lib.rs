//! The SDK.
mod ring;
