#[cfg(feature = "protobuf")]
mod messages;
