//! A mock of the Amazon Bedrock runtime that keeps a ledger of what it served
