//! `GET /openapi.json`: what the collector can be asked for, by hand, beside the routes. A test sees to it that it has each
//! route and no other.

use axum::http::header;
use axum::response::IntoResponse;

/// The document.
pub(crate) const DOCUMENT: &str = include_str!("openapi.json");

pub(crate) async fn openapi() -> impl IntoResponse {
    ([(header::CONTENT_TYPE, "application/json"), (header::X_CONTENT_TYPE_OPTIONS, "nosniff")], DOCUMENT)
}

#[cfg(test)]
mod tests {
    use super::DOCUMENT;
    use serde_json::Value;
    use std::collections::BTreeSet;

    fn document() -> Value {
        serde_json::from_str(DOCUMENT).unwrap()
    }

    #[test]
    fn it_has_each_route_and_no_other() {
        let document = document();
        let paths = document["paths"].as_object().unwrap();
        let told: BTreeSet<(&str, &str)> = paths
            .iter()
            .flat_map(|(path, methods)| {
                methods.as_object().unwrap().keys().map(|method| (path.as_str(), method.as_str()))
            })
            .collect();
        let routes: BTreeSet<(&str, &str)> =
            crate::api::routes().into_iter().map(|route| (route.path, route.method)).collect();
        assert_eq!(told, routes);
    }

    #[test]
    fn what_it_points_to_is_there_and_every_answer_is_described() {
        let document = document();
        let mut references = 0;
        let mut look = vec![&document];
        while let Some(value) = look.pop() {
            match value {
                Value::Object(members) => {
                    if let Some(target) = members.get("$ref").and_then(Value::as_str) {
                        assert!(document.pointer(target.strip_prefix('#').unwrap()).is_some(), "{target}");
                        references += 1;
                    }
                    look.extend(members.values());
                }
                Value::Array(elements) => look.extend(elements),
                _ => {}
            }
        }
        assert!(references > 10);
        for (path, methods) in document["paths"].as_object().unwrap() {
            for (method, operation) in methods.as_object().unwrap() {
                assert!(operation["summary"].is_string(), "{method} {path}");
                assert!(operation["responses"]["200"]["description"].is_string(), "{method} {path}");
            }
        }
        assert_eq!(document["info"]["version"], env!("CARGO_PKG_VERSION"));
    }
}
