//! The fakecloud-bedrock crate behind a socket, as a process of its own. The bench builds this in
//! a folder of its own: nothing of fakecloud is part of spanproof or linked with it.

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use fakecloud_bedrock::{BedrockService, SharedBedrockState};
use fakecloud_core::dispatch::{DispatchConfig, dispatch_to_service};
use fakecloud_core::multi_account::MultiAccountState;
use fakecloud_core::registry::ServiceRegistry;

const ACCOUNT: &str = "123456789012";
const REGION: &str = "us-east-1";

#[tokio::main]
async fn main() -> std::io::Result<()> {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    let endpoint = format!("http://{}", listener.local_addr()?);
    let state = MultiAccountState::new(ACCOUNT, REGION, &endpoint);
    let state: SharedBedrockState = Arc::new(parking_lot::RwLock::new(state));
    let mut registry = ServiceRegistry::new();
    registry.register(Arc::new(BedrockService::new(state)));
    let (registry, config) = (Arc::new(registry), Arc::new(DispatchConfig::new(REGION, ACCOUNT)));
    let answer = move |request: Request<Body>| {
        dispatch_to_service("bedrock", Arc::clone(&registry), Arc::clone(&config), request)
    };
    println!("{endpoint}");
    axum::serve(listener, Router::new().fallback(answer)).await
}
