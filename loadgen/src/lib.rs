//! Drives instrumented Bedrock clients at a planned rate
