//! What the environment says. Read through a function that looks a variable up, so that tests need not change the one
//! environment that all threads of a process share.

use super::check::{self, Flaw};
use super::{Builder, Destination};
use crate::error::EnvError;
use crate::transport::{ApiKey, check_key, check_url};
use std::env;
use std::ffi::OsString;

const URL: &str = "RACEWAY_URL";
const SERVICE_NAME: &str = "RACEWAY_SERVICE_NAME";
const INSTANCE_ID: &str = "RACEWAY_INSTANCE_ID";
const ENVIRONMENT: &str = "RACEWAY_ENVIRONMENT";
const API_KEY: &str = "RACEWAY_API_KEY";
const ENABLED: &str = "RACEWAY_ENABLED";
const DEBUG: &str = "RACEWAY_DEBUG";
const SAMPLE_RATE: &str = "RACEWAY_SAMPLE_RATE";

impl Builder {
    /// Takes over what the environment says.
    ///
    /// The last word counts: what a variable says replaces what was set before this call, and what is set after it
    /// replaces what a variable said. A variable that is not set, or is empty, changes nothing.
    ///
    /// | variable | sets |
    /// |---|---|
    /// | `RACEWAY_URL` | the collector's URL; not for a client that reports to a file or by a transport of your own |
    /// | `RACEWAY_SERVICE_NAME` | [`Builder::service`] |
    /// | `RACEWAY_INSTANCE_ID` | [`Builder::instance`] |
    /// | `RACEWAY_ENVIRONMENT` | [`Builder::environment`] |
    /// | `RACEWAY_API_KEY` | [`Builder::api_key`] |
    /// | `RACEWAY_ENABLED` | [`Builder::enabled`]: `true`, `1` or `on`; `false`, `0` or `off`; in any case |
    /// | `RACEWAY_DEBUG` | [`Builder::debug`], in the same words |
    /// | `RACEWAY_SAMPLE_RATE` | [`Builder::sample_rate`]: a number from `0.0` to `1.0` |
    ///
    /// # Errors
    /// [`EnvError::Invalid`] if a variable says what makes no sense. No error shows the key.
    pub fn env(self) -> Result<Self, EnvError> {
        self.fill(|variable| env::var_os(variable))
    }

    /// A builder for the URL that the environment names, with all else that it says.
    pub(crate) fn from_env() -> Result<Self, EnvError> {
        Self::from_lookup(|variable| env::var_os(variable))
    }

    fn from_lookup(lookup: impl Fn(&str) -> Option<OsString>) -> Result<Self, EnvError> {
        let unset = EnvError::Unset { variable: URL, remedy: "give the collector's, such as http://localhost:8080" };
        let url = text(&lookup, URL)?.ok_or(unset)?;
        Self::to_url(url).fill(lookup)
    }

    fn fill(mut self, lookup: impl Fn(&str) -> Option<OsString>) -> Result<Self, EnvError> {
        if let Destination::Url(url) = &mut self.destination
            && let Some(value) = text(&lookup, URL)?
        {
            check_url(&value).map_err(|error| Flaw::from(error).of(URL))?;
            *url = value;
        }
        if let Some(name) = name(&lookup, SERVICE_NAME)? {
            self.service = name;
        }
        if let Some(name) = name(&lookup, INSTANCE_ID)? {
            self.instance = Some(name);
        }
        if let Some(name) = name(&lookup, ENVIRONMENT)? {
            self.environment = name;
        }
        if let Some(key) = text(&lookup, API_KEY)? {
            let key = ApiKey::new(key);
            check_key(&key).map_err(|error| Flaw::from(error).of(API_KEY))?;
            self.settings.api_key = Some(key);
        }
        if let Some(enabled) = switch(&lookup, ENABLED)? {
            self.settings.enabled = enabled;
        }
        if let Some(debug) = switch(&lookup, DEBUG)? {
            self.settings.debug = debug;
        }
        if let Some(rate) = rate(&lookup, SAMPLE_RATE)? {
            self.settings.sample_rate = rate;
        }
        Ok(self)
    }
}

/// What the variable says, unless that is nothing.
fn text(lookup: impl Fn(&str) -> Option<OsString>, variable: &'static str) -> Result<Option<String>, EnvError> {
    let Some(value) = lookup(variable).filter(|value| !value.is_empty()) else { return Ok(None) };
    // The text itself is not told, here and below: somebody may have mistaken one variable for another.
    let text = value.into_string().map_err(|_| invalid(variable, "it is not UTF-8", "give text"))?;
    Ok(Some(text))
}

fn name(lookup: impl Fn(&str) -> Option<OsString>, variable: &'static str) -> Result<Option<String>, EnvError> {
    let Some(name) = text(lookup, variable)? else { return Ok(None) };
    check::text(variable, &name).map_err(|flaw| flaw.of(variable))?;
    Ok(Some(name))
}

fn switch(lookup: impl Fn(&str) -> Option<OsString>, variable: &'static str) -> Result<Option<bool>, EnvError> {
    let Some(text) = text(lookup, variable)? else { return Ok(None) };
    match text.trim().to_ascii_lowercase().as_str() {
        "true" | "1" | "on" => Ok(Some(true)),
        "false" | "0" | "off" => Ok(Some(false)),
        _ => Err(invalid(variable, "it is neither true nor false", "give true, 1 or on, or false, 0 or off")),
    }
}

fn rate(lookup: impl Fn(&str) -> Option<OsString>, variable: &'static str) -> Result<Option<f64>, EnvError> {
    let Some(text) = text(lookup, variable)? else { return Ok(None) };
    let number = text.trim().parse().map_err(|_| invalid(variable, "it is not a number", "give 0.0 to 1.0"))?;
    check::sample_rate(number).map_err(|flaw| flaw.of(variable))?;
    Ok(Some(number))
}

fn invalid(variable: &'static str, problem: &'static str, remedy: &'static str) -> EnvError {
    EnvError::Invalid { variable, problem: problem.into(), remedy }
}

#[cfg(test)]
mod tests;
