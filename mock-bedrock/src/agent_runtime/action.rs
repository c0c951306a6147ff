//! Actions: what an agent can do but talk, and what a client is told when it is to do one.

use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::constraint::{self, required};
use crate::error::ServiceError;

/// The methods of an API that are operations of its paths.
const METHODS: [&str; 7] = ["get", "put", "post", "delete", "options", "head", "patch"];

/// `actionGroups` of an inline agent.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ActionGroup {
    #[serde(rename = "actionGroupName")]
    name: Option<String>,
    #[serde(rename = "actionGroupExecutor")]
    executor: Option<Executor>,
    function_schema: Option<FunctionSchema>,
    api_schema: Option<ApiSchema>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Executor {
    custom_control: Option<String>,
    lambda: Option<String>,
}

#[derive(Debug, Deserialize)]
struct FunctionSchema {
    functions: Option<Vec<Function>>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Function {
    name: Option<String>,
    description: Option<String>,
    parameters: Option<Map<String, Value>>,
    require_confirmation: Option<String>,
}

#[derive(Debug, Deserialize)]
struct ApiSchema {
    payload: Option<String>,
}

/// One thing that an agent can do.
#[derive(Clone, Debug)]
pub(super) struct Action {
    pub(super) group: String,
    kind: Kind,
    pub(super) description: String,
    /// The JSON Schema of its arguments.
    pub(super) schema: Value,
    /// Whether the client is to do it.
    pub(super) returns_control: bool,
    /// Whether the client is asked first.
    asks: bool,
}

#[derive(Clone, Debug)]
enum Kind {
    Function {
        name: String,
    },
    /// `body` names the arguments that go into the body of the request.
    Api {
        path: String,
        method: String,
        body: Vec<String>,
    },
}

impl Action {
    /// An action by a function with one text for a parameter.
    pub(super) fn function(
        group: &str,
        name: &str,
        parameter: &str,
        returns_control: bool,
    ) -> Self {
        Action {
            group: group.to_owned(),
            kind: Kind::Function { name: name.to_owned() },
            description: String::new(),
            schema: json!({
                "properties": { parameter: { "type": "string" } },
                "required": [parameter],
                "type": "object",
            }),
            returns_control,
            asks: false,
        }
    }

    /// The name by which a model calls it.
    pub(super) fn tool_name(&self) -> String {
        match &self.kind {
            Kind::Function { name } => format!("{}__{name}", self.group),
            Kind::Api { path, method, .. } => {
                format!("{method}__{}__{}", self.group, path.trim_matches('/').replace('/', "_"))
            }
        }
    }

    /// Whether the client gets control back, to do it or to confirm it.
    pub(super) fn goes_to_client(&self) -> bool {
        self.returns_control || self.asks
    }

    /// What a trace tells of its invocation with `arguments`.
    pub(super) fn traced(&self, arguments: &Map<String, Value>, invocation_id: &str) -> Value {
        let mut input = json!({
            "actionGroupName": self.group,
            "executionType": if self.returns_control { "RETURN_CONTROL" } else { "LAMBDA" },
        });
        if self.returns_control {
            input["invocationId"] = invocation_id.into();
        }
        match &self.kind {
            Kind::Function { name } => {
                input["function"] = name.as_str().into();
                input["parameters"] = self.listed(arguments, |_| true).into();
            }
            Kind::Api { path, method, body } => {
                let is_body = |name: &str| body.iter().any(|known| known == name);
                input["apiPath"] = path.as_str().into();
                input["verb"] = method.as_str().into();
                input["parameters"] = self.listed(arguments, |name| !is_body(name)).into();
                if !body.is_empty() {
                    let members = self.listed(arguments, is_body);
                    input["requestBody"] = json!({ "content": { "application/json": members } });
                }
            }
        }
        input
    }

    /// What a client is told when it is to do it with `arguments`.
    pub(super) fn returned(&self, arguments: &Map<String, Value>, agent_id: &str) -> Value {
        let kind = match (self.returns_control, self.asks) {
            (true, true) => "USER_CONFIRMATION_AND_RESULT",
            (false, true) => "USER_CONFIRMATION",
            _ => "RESULT",
        };
        let mut input = json!({
            "actionGroup": self.group,
            "actionInvocationType": kind,
            "agentId": agent_id,
        });
        match &self.kind {
            Kind::Function { name } => {
                input["function"] = name.as_str().into();
                input["parameters"] = self.listed(arguments, |_| true).into();
                json!({ "functionInvocationInput": input })
            }
            Kind::Api { path, method, body } => {
                let is_body = |name: &str| body.iter().any(|known| known == name);
                input["apiPath"] = path.as_str().into();
                input["httpMethod"] = method.as_str().into();
                input["parameters"] = self.listed(arguments, |name| !is_body(name)).into();
                if !body.is_empty() {
                    let members = self.listed(arguments, is_body);
                    let content = json!({ "application/json": { "properties": members } });
                    input["requestBody"] = json!({ "content": content });
                }
                json!({ "apiInvocationInput": input })
            }
        }
    }

    /// Arguments as the service lists them: values of every type as text.
    fn listed(&self, arguments: &Map<String, Value>, wanted: impl Fn(&str) -> bool) -> Vec<Value> {
        arguments
            .iter()
            .filter(|(name, _)| wanted(name))
            .map(|(name, value)| {
                let kind = self.schema["properties"][name]["type"].as_str().unwrap_or("string");
                let text = value.as_str().map_or_else(|| value.to_string(), ToOwned::to_owned);
                json!({ "name": name, "type": kind, "value": text })
            })
            .collect()
    }
}

impl ActionGroup {
    /// The actions of the group that stands at `at`. A schema in S3 or in YAML is not read, so its
    /// group has none.
    ///
    /// # Errors
    ///
    /// A `ValidationException` for names that are missing, and for types that there are not.
    pub(super) fn actions(&self, at: &str) -> Result<Vec<Action>, ServiceError> {
        let group = required(&format!("{at}.actionGroupName"), self.name.as_deref())?;
        check_name(&format!("{at}.actionGroupName"), group)?;
        let returns_control = match &self.executor {
            None => false,
            Some(executor) => executor.returns_control(&format!("{at}.actionGroupExecutor"))?,
        };
        let functions =
            self.function_schema.as_ref().and_then(|schema| schema.functions.as_deref());
        let mut actions = Vec::new();
        for (n, function) in functions.unwrap_or_default().iter().enumerate() {
            let at = format!("{at}.functionSchema.functions.{}.member", n + 1);
            actions.push(function.action(&at, group, returns_control)?);
        }
        let api = self.api_schema.as_ref().and_then(|schema| schema.payload.as_deref());
        let api = api.and_then(|payload| serde_json::from_str::<Value>(payload).ok());
        actions.extend(api.iter().flat_map(|api| operations(api, group, returns_control)));
        Ok(actions)
    }
}

impl Executor {
    fn returns_control(&self, at: &str) -> Result<bool, ServiceError> {
        let Some(word) = &self.custom_control else {
            return required(at, self.lambda.as_deref()).map(|_| false);
        };
        constraint::one_of(&format!("{at}.customControl"), word, &["RETURN_CONTROL"])?;
        Ok(true)
    }
}

impl Function {
    fn action(&self, at: &str, group: &str, returns_control: bool) -> Result<Action, ServiceError> {
        let name = required(&format!("{at}.name"), self.name.as_deref())?;
        check_name(&format!("{at}.name"), name)?;
        let mut properties = Map::new();
        let mut needed = Vec::new();
        for (name, detail) in self.parameters.iter().flatten() {
            let at = format!("{at}.parameters.{name}.type");
            let kind = required(&at, detail["type"].as_str())?;
            constraint::one_of(&at, kind, &["string", "number", "integer", "boolean", "array"])?;
            properties.insert(name.clone(), json!({ "type": kind }));
            if detail["required"] == true {
                needed.push(name.clone());
            }
        }
        Ok(Action {
            group: group.to_owned(),
            kind: Kind::Function { name: name.to_owned() },
            description: self.description.clone().unwrap_or_default(),
            schema: json!({ "properties": properties, "required": needed, "type": "object" }),
            returns_control,
            asks: self.require_confirmation.as_deref() == Some("ENABLED"),
        })
    }
}

/// The operations of an API that is described in OpenAPI.
fn operations(api: &Value, group: &str, returns_control: bool) -> Vec<Action> {
    let mut actions = Vec::new();
    for (path, operations) in api["paths"].as_object().into_iter().flatten() {
        for method in METHODS {
            let Some(operation) = operations.get(method) else { continue };
            let mut properties = Map::new();
            let mut needed = Vec::new();
            for parameter in operation["parameters"].as_array().into_iter().flatten() {
                let Some(name) = parameter["name"].as_str() else { continue };
                properties.insert(name.to_owned(), parameter["schema"].clone());
                if parameter["required"] == true {
                    needed.push(Value::from(name));
                }
            }
            let content = &operation["requestBody"]["content"]["application/json"]["schema"];
            let mut body = Vec::new();
            for (name, schema) in content["properties"].as_object().into_iter().flatten() {
                properties.insert(name.clone(), schema.clone());
                body.push(name.clone());
            }
            needed.extend(content["required"].as_array().into_iter().flatten().cloned());
            actions.push(Action {
                group: group.to_owned(),
                kind: Kind::Api { path: path.clone(), method: method.to_ascii_uppercase(), body },
                description: operation["description"].as_str().unwrap_or_default().to_owned(),
                schema: json!({ "properties": properties, "required": needed, "type": "object" }),
                returns_control,
                asks: operation["x-requireConfirmation"] == "ENABLED",
            });
        }
    }
    actions
}

fn check_name(at: &str, name: &str) -> Result<(), ServiceError> {
    let is_name = (1..=200).contains(&name.len())
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-'))
        && name.starts_with(|letter: char| letter.is_ascii_alphanumeric());
    constraint::pattern(at, name, "([0-9a-zA-Z][_-]?){1,100}", is_name)
}
