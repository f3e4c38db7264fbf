//! The `fields` parameter: `id,name,picture{url},posts.limit(5){id}`.

use serde_json::{Map, Value};

use super::error::GraphError;

/// Nesting deeper than this is refused.
const DEPTH: usize = 6;

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Field {
    pub(crate) name: String,
    pub(crate) inner: Vec<Self>,
}

/// Reads a field list.
pub(crate) fn parse(text: &str) -> Result<Vec<Field>, GraphError> {
    let mut rest = text;
    let fields = list(&mut rest, 0)?;
    if rest.is_empty() { Ok(fields) } else { Err(syntax()) }
}

fn syntax() -> GraphError {
    GraphError::new(400, 2500, "Syntax error \"Field specified more than once or unexpected character\" in the fields parameter")
}

fn list(rest: &mut &str, depth: usize) -> Result<Vec<Field>, GraphError> {
    if depth > DEPTH {
        return Err(syntax());
    }
    let mut fields = Vec::new();
    loop {
        *rest = rest.trim_start();
        let end = rest.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_')).unwrap_or(rest.len());
        let name = rest[..end].to_owned();
        *rest = &rest[end..];
        if name.is_empty() {
            return Err(syntax());
        }
        // Modifiers such as `.limit(5)` are read and not needed.
        while let Some(after) = rest.strip_prefix('.') {
            let close = after.find(')').ok_or_else(syntax)?;
            *rest = &after[close + 1..];
        }
        let mut inner = Vec::new();
        if let Some(after) = rest.strip_prefix('{') {
            *rest = after;
            inner = list(rest, depth + 1)?;
            *rest = rest.strip_prefix('}').ok_or_else(syntax)?;
        }
        if fields.len() >= 100 {
            return Err(syntax());
        }
        fields.push(Field { name, inner });
        *rest = rest.trim_start();
        match rest.strip_prefix(',') {
            Some(after) => *rest = after,
            None => return Ok(fields),
        }
    }
}

/// Of everything a node knows, what was asked for; `default` when nothing was.
/// A field that is null is left out, as the Graph API does; `id` is always there.
pub(crate) fn pick(whole: &Value, asked: Option<&str>, default: &[&str], node: &str) -> Result<Value, GraphError> {
    let fields = match asked {
        Some(text) if !text.trim().is_empty() => parse(text)?,
        _ => default.iter().map(|name| Field { name: (*name).to_owned(), inner: Vec::new() }).collect(),
    };
    let mut out = Map::new();
    for field in fields {
        let Some(value) = whole.get(&field.name) else {
            let message = format!("Tried accessing nonexisting field ({}) on node type ({node})", field.name);
            return Err(GraphError::parameter(message));
        };
        if !value.is_null() {
            out.insert(field.name.clone(), narrowed(value, &field.inner));
        }
    }
    if let Some(id) = whole.get("id") {
        out.entry("id").or_insert_with(|| id.clone());
    }
    Ok(Value::Object(out))
}

fn narrowed(value: &Value, inner: &[Field]) -> Value {
    if inner.is_empty() {
        return value.clone();
    }
    match value {
        Value::Array(items) => items.iter().map(|item| narrowed(item, inner)).collect(),
        Value::Object(object) => match object.get("data") {
            Some(data) => {
                let mut out = object.clone();
                out.insert("data".to_owned(), narrowed(data, inner));
                Value::Object(out)
            }
            None => {
                let chosen = inner.iter().filter_map(|field| Some((field.name.clone(), narrowed(object.get(&field.name)?, &field.inner))));
                Value::Object(chosen.collect())
            }
        },
        other => other.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn nested_fields_narrow_what_is_shown() {
        let whole = json!({ "id": "1", "name": "A", "picture": { "data": { "url": "u", "width": 50 } } });
        let picked = pick(&whole, Some("name,picture{url}"), &[], "Page").expect("fields");
        assert_eq!(picked, json!({ "id": "1", "name": "A", "picture": { "data": { "url": "u" } } }));
    }

    #[test]
    fn modifiers_are_read_over() {
        let fields = parse("posts.limit(5).order(x){id,message},name").expect("fields");
        assert_eq!(fields.iter().map(|field| field.name.as_str()).collect::<Vec<_>>(), ["posts", "name"]);
    }

    #[test]
    fn nonsense_is_refused_and_never_panics() {
        let deep = "a{".repeat(5_000);
        for text in [",", "a,,b", "a{", "a}", "a.limit(", "ä", "a{}", "a b", deep.as_str()] {
            assert!(parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_field_that_does_not_exist_is_named() {
        assert_eq!(pick(&json!({ "id": "1" }), Some("nope"), &[], "Page").expect_err("refused").code_number(), 100);
    }
}
