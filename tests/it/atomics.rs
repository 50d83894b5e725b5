//! Tracked atomics are std's, in all that std promises; and the numbers in their record are exact.

mod numbers;
mod parity;
