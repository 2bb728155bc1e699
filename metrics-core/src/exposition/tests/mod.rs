mod foreign;
#[cfg(feature = "server")]
mod formats;
