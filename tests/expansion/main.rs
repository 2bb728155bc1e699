//! Annotated functions are the plain ones, only measured: what the compiler, clippy and the running program say.
//!
//! The compiler's part builds packages of its own, written to the target directory from the sources beside this
//! file: each once as it stands, and once with its attributes blanked out.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod body_errors;
mod hygiene;
mod linked;
mod malformed;
mod package;
mod refused;
mod scale;
mod shapes;
mod switched_off;
mod twin;
mod vocabulary;
