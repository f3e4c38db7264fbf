//! Linking and Refresh Credentials.
