//! How annotated functions are seen to end, in the process-wide instance.
