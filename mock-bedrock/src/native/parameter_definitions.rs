//! Parameters of tools as Cohere defines them.

use serde_json::{Map, Value, json};

/// The JSON Schema of parameters that are defined one by one, with Python's names for their types.
pub(crate) fn schema(definitions: &Value) -> Value {
    let definitions = definitions.as_object().cloned().unwrap_or_default();
    let required: Vec<&String> = definitions
        .iter()
        .filter(|(_, definition)| definition["required"] == true)
        .map(|(name, _)| name)
        .collect();
    let properties: Map<String, Value> = definitions
        .iter()
        .map(|(name, definition)| {
            // `List[str]` is a list.
            let kind = definition["type"].as_str().unwrap_or_default();
            let kind = match kind.split('[').next().unwrap_or_default() {
                "int" | "integer" => "integer",
                "float" | "number" => "number",
                "bool" | "boolean" => "boolean",
                "list" | "List" | "array" => "array",
                "dict" | "Dict" | "object" => "object",
                _ => "string",
            };
            (name.clone(), json!({ "type": kind }))
        })
        .collect();
    json!({ "type": "object", "properties": properties, "required": required })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn python_s_names_become_those_of_json_schema() {
        let definitions = json!({
            "city": { "description": "Where", "type": "str", "required": true },
            "days": { "type": "int" },
            "tags": { "type": "List[str]" },
        });
        assert_eq!(
            schema(&definitions),
            json!({
                "type": "object",
                "properties": {
                    "city": { "type": "string" },
                    "days": { "type": "integer" },
                    "tags": { "type": "array" },
                },
                "required": ["city"],
            })
        );
        assert_eq!(schema(&Value::Null)["properties"], json!({}));
    }
}
