//! How a call ends that did not do what it was asked.
