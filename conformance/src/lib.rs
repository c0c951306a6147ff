//! OTLP receiver, capture files and report formats around conformance-core
