//! Annotated functions behave as without the attribute, apart from the measurement: to the compiler, to clippy and at
//! run time.
//!
//! The compiler's part builds packages in the target directory from the sources beside this file: each once as it is,
//! and once with its attributes blanked out.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod body_errors;
mod hygiene;
mod linked;
mod malformed;
mod package;
mod refused;
mod releases;
mod scale;
mod shapes;
mod switched_off;
mod twin;
mod vocabulary;
