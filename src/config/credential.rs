//! Credentials of systemd (systemd.exec(5)): secrets that a unit loads from files that the
//! site itself may not read (`LoadCredential=`).

use std::{
    env,
    path::{Path, PathBuf},
};

/// The file of the credential for a setting, where the unit has loaded one: `byline-NAME`,
/// or `byline_NAME`, as systemd calls the file `NAME` of a folder that is loaded as `byline`.
pub(super) fn file(name: &str) -> Option<PathBuf> {
    find(&PathBuf::from(env::var_os("CREDENTIALS_DIRECTORY")?), name)
}

fn find(folder: &Path, name: &str) -> Option<PathBuf> {
    let names = [format!("byline-{name}"), format!("byline_{name}")];
    names.into_iter().map(|name| folder.join(name)).find(|path| path.exists())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_credential_is_found_by_itself_and_as_a_file_of_a_folder() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(find(folder.path(), "database-url"), None);
        for name in ["byline_database-url", "byline-database-url"] {
            let path = folder.path().join(name);
            std::fs::write(&path, "postgres://db.example/byline").unwrap();
            assert_eq!(find(folder.path(), "database-url"), Some(path));
        }
        assert_eq!(find(folder.path(), "mail-transport"), None);
    }
}
