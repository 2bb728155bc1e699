//! The attributes of `bot-metrics`.
