//! README and guide: links lead to files, and commands, queries and configurations are legal. The template is built as a
//! package of its own. The examples in Rust are compiled by the documentation tests of this package.

mod commands;
mod configurations;
mod features;
mod links;
mod messages;
mod pages;
mod queries;
mod template;
