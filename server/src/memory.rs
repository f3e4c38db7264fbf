//! What lies in memory stays there (reliability K6).

/// Lets no crash write our memory, with tokens in it, to a file, and no other process of the same user read it. A system
/// that refuses is told in the log: it is no reason not to work.
pub(crate) fn keep_private() {
    #[cfg(target_os = "linux")]
    {
        use rustix::process::{DumpableBehavior, Resource, Rlimit, set_dumpable_behavior, setrlimit};
        // The limit alone does not hold where the kernel hands core files to a program; that asks for the second.
        let none = Rlimit { current: Some(0), maximum: Some(0) };
        let refused = setrlimit(Resource::Core, none).and(set_dumpable_behavior(DumpableBehavior::NotDumpable));
        if let Err(error) = refused {
            tracing::warn!(%error, "core files cannot be switched off: a crash may write tokens to disk");
        }
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use rustix::process::{DumpableBehavior, Resource, dumpable_behavior, getrlimit};

    #[test]
    fn k6_a_crash_leaves_no_core_file() {
        super::keep_private();
        let limit = getrlimit(Resource::Core);
        assert_eq!((limit.current, limit.maximum), (Some(0), Some(0)));
        assert_eq!(dumpable_behavior().unwrap(), DumpableBehavior::NotDumpable);
    }
}
