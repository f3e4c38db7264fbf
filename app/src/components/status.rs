//! Icon, word and colour of a status.
