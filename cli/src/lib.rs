//! Proves GenAI telemetry on AWS Bedrock
