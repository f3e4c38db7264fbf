//! The strip and drawer of a rehearsal.
