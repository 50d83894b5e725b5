use super::*;

/// What comes of these variables, told by the lookup in place of the environment.
fn from(variables: &[(&str, &str)]) -> Result<Builder, EnvError> {
    Builder::from_lookup(told(variables))
}

fn told(variables: &[(&str, &str)]) -> impl Fn(&str) -> Option<OsString> {
    |wanted| variables.iter().find(|(variable, _)| *variable == wanted).map(|(_, value)| value.into())
}

const BASE: (&str, &str) = (URL, "http://localhost:8080");

#[track_caller]
fn refused(variable: &'static str, value: &str, words: &str) {
    let variables = if variable == URL { vec![(variable, value)] } else { vec![BASE, (variable, value)] };
    let error = from(&variables).expect_err("a refusal");
    let EnvError::Invalid { variable: named, problem, remedy } = &error else { panic!("{error:?}") };
    assert_eq!(*named, variable);
    let text = error.to_string();
    assert_eq!(text, format!("{variable}: {problem}; {remedy}"));
    assert!(text.contains(words) && !remedy.is_empty(), "{text:?} without {words:?}");
}

#[test]
fn every_variable_sets_its_field() {
    let builder = from(&[
        (URL, "http://collector:9000/base"),
        (SERVICE_NAME, "api"),
        (INSTANCE_ID, "api-7"),
        (ENVIRONMENT, "production"),
        (API_KEY, "canary-key"),
        (ENABLED, "off"),
        (DEBUG, "on"),
        (SAMPLE_RATE, "0.25"),
    ])
    .unwrap();
    assert!(matches!(&builder.destination, Destination::Url(url) if url == "http://collector:9000/base"));
    assert_eq!((builder.service.as_str(), builder.instance.as_deref()), ("api", Some("api-7")));
    assert_eq!(builder.environment, "production");
    let settings = &builder.settings;
    assert_eq!(settings.api_key, Some(ApiKey::new("canary-key")));
    assert_eq!((settings.enabled, settings.debug, settings.sample_rate), (false, true, 0.25));
}

#[test]
fn without_a_url_there_is_no_client() {
    for variables in [&[][..], &[(URL, "")], &[(SERVICE_NAME, "api")]] {
        let error = from(variables).expect_err("nowhere to report to");
        assert!(matches!(error, EnvError::Unset { variable: URL, .. }), "{error:?}");
        let text = error.to_string();
        assert!(text.starts_with("RACEWAY_URL: it is not set; ") && text.contains("http://"), "{text}");
    }
}

#[test]
fn what_is_unset_or_empty_changes_nothing() {
    let empty = [SERVICE_NAME, INSTANCE_ID, ENVIRONMENT, API_KEY, ENABLED, DEBUG, SAMPLE_RATE].map(|name| (name, ""));
    for variables in [&[BASE][..], &[&[BASE], &empty[..]].concat()] {
        let (builder, plain) = (from(variables).unwrap(), Builder::to_url(BASE.1.into()));
        assert_eq!((&builder.service, &builder.instance), (&plain.service, &plain.instance));
        assert_eq!((&builder.environment, &builder.settings), (&plain.environment, &plain.settings));
    }
}

#[test]
fn switches() {
    for (text, expect) in [
        ("true", true),
        ("TRUE", true),
        ("True", true),
        ("1", true),
        ("on", true),
        ("ON", true),
        (" true\n", true),
        ("false", false),
        ("False", false),
        ("0", false),
        ("off", false),
        ("oFF", false),
    ] {
        let builder = from(&[BASE, (ENABLED, text), (DEBUG, text)]).unwrap();
        assert_eq!((builder.settings.enabled, builder.settings.debug), (expect, expect), "{text:?}");
    }
    for text in ["yes", "no", "2", "-1", "truee", "t", "enabled", " ", "1.0", "on off"] {
        refused(ENABLED, text, "neither true nor false");
        refused(DEBUG, text, "neither true nor false");
    }
}

#[test]
fn rates() {
    for (text, expect) in
        [("0", 0.0), ("0.0", 0.0), ("1", 1.0), ("1.0", 1.0), (" 0.5 ", 0.5), ("1e-3", 0.001), (".5", 0.5)]
    {
        assert_eq!(from(&[BASE, (SAMPLE_RATE, text)]).unwrap().settings.sample_rate, expect, "{text:?}");
    }
    for text in ["NaN", "nan", "-NaN", "inf", "-inf", "-0.1", "1.0001", "2", "100", "1e300", "-1e-300"] {
        refused(SAMPLE_RATE, text, "is out of range; give 0.0 (no trace) to 1.0");
    }
    for text in ["half", "0,5", "50%", "0x1", "1.0.0", " "] {
        refused(SAMPLE_RATE, text, "not a number");
    }
}

#[test]
fn texts() {
    let long = "x".repeat(257);
    for variable in [SERVICE_NAME, INSTANCE_ID, ENVIRONMENT] {
        refused(variable, &long, "257 bytes; give it a name of 1 to 256 bytes");
    }
    for url in ["localhost:8080", "ftp://h", "http://", "/path"] {
        refused(URL, url, "give one such as http://");
    }
    refused(URL, "http://user:canary@h", "pass the key by api_key");
    refused(URL, "http://h?key=canary", "only scheme, host, port and path");
    for key in ["canary key", "canary\n", "cänary", &"canary".repeat(1000)] {
        refused(API_KEY, key, "visible ASCII");
    }
}

#[cfg(unix)]
#[test]
fn what_is_no_text() {
    use std::os::unix::ffi::OsStringExt;
    for variable in [URL, SERVICE_NAME, INSTANCE_ID, ENVIRONMENT, API_KEY, ENABLED, DEBUG, SAMPLE_RATE] {
        let lookup = |wanted: &str| match wanted {
            wanted if wanted == variable => Some(OsString::from_vec(b"canary\xff".to_vec())),
            URL => Some(BASE.1.into()),
            _ => None,
        };
        let error = Builder::from_lookup(lookup).expect_err("a refusal");
        assert_eq!(error.to_string(), format!("{variable}: it is not UTF-8; give text"));
    }
}

#[test]
fn no_error_tells_what_a_variable_says() {
    for variable in [URL, SERVICE_NAME, INSTANCE_ID, ENVIRONMENT, API_KEY, ENABLED, DEBUG, SAMPLE_RATE] {
        let value = format!("canary \n{}", "canary".repeat(1000));
        let error = from(&[BASE, (variable, &value)].iter().rev().copied().collect::<Vec<_>>()).expect_err(variable);
        assert!(!format!("{error} {error:?} {error:#?}").contains("canary"), "{error:?}");
    }
}

#[test]
fn the_last_word_counts() {
    let variables = [(URL, "http://env"), (SERVICE_NAME, "env"), (ENABLED, "false"), (SAMPLE_RATE, "0.5")];
    let before = Builder::to_url("http://code".into()).service("code").environment("code").enabled(true);
    let builder = before.fill(told(&variables)).unwrap();
    assert!(matches!(&builder.destination, Destination::Url(url) if url == "http://env"));
    assert_eq!((builder.service.as_str(), builder.environment.as_str()), ("env", "code"));
    assert!(!builder.settings.enabled);
    let after = builder.service("after").sample_rate(1.0);
    assert_eq!((after.service.as_str(), after.settings.sample_rate), ("after", 1.0));
    assert!(!after.settings.enabled);
}

#[test]
fn a_destination_of_another_sort_stays() {
    let builder =
        Builder::to_file("events.trk".into()).fill(told(&[(URL, "nonsense"), (SERVICE_NAME, "env")])).unwrap();
    assert!(matches!(builder.destination, Destination::File(_)));
    assert_eq!(builder.service, "env");
}
