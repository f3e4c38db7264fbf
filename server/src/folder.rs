//! The data folder: made with mode 0700, and held by one process at a time.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use cuts::{Cut, cut};
use domain::chance::Chance;
use domain::id::NodeId;

/// The data folder of this process, locked for its life.
#[derive(Debug)]
pub(crate) struct Folder {
    path: PathBuf,
    node: NodeId,
    _lock: File,
}

impl Folder {
    /// Makes and locks the folder. The node's id lives in it, so that a restarted process reclaims its own leases only.
    ///
    /// # Errors
    /// When it cannot be made or written, or another process holds it.
    pub(crate) fn open(path: &Path, chance: &dyn Chance) -> anyhow::Result<Self> {
        make_private(path)?;
        let lock_file = path.join("lock");
        let lock = OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            .open(&lock_file)
            .with_context(|| format!("{} cannot be written: check who owns the data folder", lock_file.display()))?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => bail!("the data folder {} is in use by another Stayposted process", path.display()),
            Err(TryLockError::Error(error)) => return Err(error).context("the data folder cannot be locked"),
        }
        let node = node_id(&path.join("node"), chance)?;
        Ok(Self { path: path.to_owned(), node, _lock: lock })
    }

    /// A path inside.
    pub(crate) fn join(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }

    /// Who this process is among those that share a database.
    pub(crate) fn node(&self) -> NodeId {
        self.node
    }
}

fn make_private(path: &Path) -> anyhow::Result<()> {
    use std::os::unix::fs::DirBuilderExt;
    std::fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(path)
        .with_context(|| format!("the data folder {} cannot be made", path.display()))
}

fn node_id(file: &Path, chance: &dyn Chance) -> anyhow::Result<NodeId> {
    if let Ok(text) = std::fs::read_to_string(file) {
        return text.trim().parse().with_context(|| format!("{} does not hold a node id: remove the file", file.display()));
    }
    let mut bytes = [0; 16];
    chance.fill(&mut bytes);
    let node = NodeId(bytes);
    cut(Cut::BeforeFile, "node id");
    write_whole(file, &node.to_string()).with_context(|| format!("{} cannot be written", file.display()))?;
    cut(Cut::AfterFile, "node id");
    Ok(node)
}

/// The file is there with all of `text`, or it is not there: a process that ends in between leaves a draft at most.
fn write_whole(file: &Path, text: &str) -> std::io::Result<()> {
    let draft = file.with_extension("new");
    let mut out = File::create(&draft)?;
    out.write_all(text.as_bytes())?;
    cut(Cut::BeforeFile, "node id, renamed");
    out.sync_all()?;
    std::fs::rename(&draft, file)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_start_that_was_killed_leaves_a_draft_and_no_half_id() {
        let path = testkit::db::folder();
        let chance = testkit::FakeChance::seeded(2);
        std::fs::create_dir_all(&path).unwrap();
        std::fs::write(path.join("node.new"), "3f").unwrap();
        let node = Folder::open(&path, &chance).unwrap().node();
        assert_eq!(Folder::open(&path, &chance).unwrap().node(), node);
        assert!(!path.join("node.new").exists());
    }

    #[test]
    fn one_folder_serves_one_process() {
        let path = testkit::db::folder();
        let chance = testkit::FakeChance::seeded(1);
        let first = Folder::open(&path, &chance).unwrap();
        assert!(Folder::open(&path, &chance).unwrap_err().to_string().contains("in use"));
        let node = first.node();
        drop(first);
        assert_eq!(Folder::open(&path, &chance).unwrap().node(), node);
    }
}
