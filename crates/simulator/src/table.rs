//! Rows by key that remember which of them changed, so that only those are written down.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

#[derive(Debug)]
pub(crate) struct Table<T> {
    rows: BTreeMap<String, T>,
    touched: BTreeSet<String>,
}

impl<T> Default for Table<T> {
    fn default() -> Self {
        Self { rows: BTreeMap::new(), touched: BTreeSet::new() }
    }
}

impl<T> Table<T> {
    pub(crate) fn get(&self, key: &str) -> Option<&T> {
        self.rows.get(key)
    }

    /// The row counts as changed, whatever the caller does with it.
    pub(crate) fn get_mut(&mut self, key: &str) -> Option<&mut T> {
        let row = self.rows.get_mut(key)?;
        self.touched.insert(key.to_owned());
        Some(row)
    }

    pub(crate) fn insert(&mut self, key: impl Into<String>, row: T) {
        let key = key.into();
        self.touched.insert(key.clone());
        self.rows.insert(key, row);
    }

    pub(crate) fn remove(&mut self, key: &str) -> Option<T> {
        let row = self.rows.remove(key)?;
        self.touched.insert(key.to_owned());
        Some(row)
    }

    pub(crate) fn clear(&mut self) {
        self.touched.extend(std::mem::take(&mut self.rows).into_keys());
    }

    pub(crate) fn iter(&self) -> impl DoubleEndedIterator<Item = (&String, &T)> {
        self.rows.iter()
    }

    pub(crate) fn values(&self) -> impl DoubleEndedIterator<Item = &T> {
        self.rows.values()
    }

    pub(crate) fn len(&self) -> usize {
        self.rows.len()
    }

    /// Shows every row to `change`; those for which it answers `true` were changed. Returns how many.
    pub(crate) fn update(&mut self, mut change: impl FnMut(&str, &mut T) -> bool) -> usize {
        let mut count = 0;
        for (key, row) in &mut self.rows {
            if change(key, row) {
                self.touched.insert(key.clone());
                count += 1;
            }
        }
        count
    }

    /// The next free number, for tables whose keys come from [`number`].
    pub(crate) fn next_number(&self) -> u64 {
        self.rows.keys().next_back().and_then(|key| key.parse::<u64>().ok()).map_or(1, |last| last + 1)
    }

    /// Forgets the oldest row once there are more than `most`.
    pub(crate) fn cap(&mut self, most: usize) {
        if self.rows.len() > most
            && let Some((key, _)) = self.rows.pop_first()
        {
            self.touched.insert(key);
        }
    }
}

/// A key that sorts like its number.
pub(crate) fn number(n: u64) -> String {
    format!("{n:012}")
}

impl<T: Serialize> Table<T> {
    /// Appends one line per row that changed since the last call; a row that is gone becomes `null`.
    pub(crate) fn drain(&mut self, realm: &str, name: &str, out: &mut Vec<u8>) {
        for key in std::mem::take(&mut self.touched) {
            line(realm, name, &key, self.rows.get(&key), out);
        }
    }

    /// Appends one line per row.
    pub(crate) fn all(&self, realm: &str, name: &str, out: &mut Vec<u8>) {
        for (key, row) in &self.rows {
            line(realm, name, key, Some(row), out);
        }
    }
}

fn line<T: Serialize>(realm: &str, name: &str, key: &str, row: Option<&T>, out: &mut Vec<u8>) {
    if let Ok(mut text) = serde_json::to_vec(&json!({ "realm": realm, "table": name, "key": key, "row": row })) {
        out.append(&mut text);
        out.push(b'\n');
    }
}

impl<T: DeserializeOwned> Table<T> {
    /// Takes back a line that [`Table::drain`] wrote. A row of another shape is left out.
    pub(crate) fn load(&mut self, key: String, row: Value) {
        if row.is_null() {
            self.rows.remove(&key);
        } else if let Ok(row) = serde_json::from_value(row) {
            self.rows.insert(key, row);
        }
    }
}
