//! Every file of every corpus, without the fuzzer.
#![allow(missing_docs, clippy::unwrap_used, reason = "tests")]

use std::path::Path;

use foreign::CHECKS;

fn replay(name: &str) {
    let (_, check) = CHECKS.iter().find(|(known, _)| *known == name).unwrap();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus").join(name);
    let mut count = 0;
    for file in std::fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display())) {
        let path = file.unwrap().path();
        let bytes = std::fs::read(&path).unwrap();
        // Which file it was is told when the check fails.
        let outcome = std::panic::catch_unwind(|| check(&bytes));
        assert!(outcome.is_ok(), "{}", path.display());
        count += 1;
    }
    assert!(count >= 5, "{name} has a corpus of {count}");
}

#[test]
fn facebooks_answers() {
    replay("answers_facebook");
}

#[test]
fn pinterests_answers() {
    replay("answers_pinterest");
}

#[test]
fn callbacks() {
    replay("callback");
}

#[test]
fn images() {
    replay("image");
}

#[test]
fn sealed_bytes() {
    replay("sealed");
}

#[test]
fn conversations_with_facebook() {
    replay("talks_facebook");
}

#[test]
fn conversations_with_pinterest() {
    replay("talks_pinterest");
}

#[test]
fn words_that_people_type() {
    replay("words");
}

#[test]
fn every_check_has_a_fuzz_target_and_a_corpus_and_nothing_else_has() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let names = |folder: &str| {
        let mut names: Vec<String> = std::fs::read_dir(root.join(folder))
            .unwrap()
            .map(|file| file.unwrap().path().file_stem().unwrap().to_string_lossy().into_owned())
            .collect();
        names.sort();
        names
    };
    let checks: Vec<String> = CHECKS.iter().map(|(name, _)| (*name).to_owned()).collect();
    assert_eq!(names("fuzz/fuzz_targets"), checks);
    assert_eq!(names("corpus"), checks);
}
