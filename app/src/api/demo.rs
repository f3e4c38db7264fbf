//! What a rehearsal adds.
