//! The user that the server runs as.

use std::{
    fs,
    os::unix::{
        fs::{MetadataExt, chown},
        process::CommandExt,
    },
    path::Path,
    process::Command,
};

use crate::error::{Error, io};

/// The user that the server and everything that touches its data runs as:
/// PostgreSQL refuses root.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum User {
    /// The user of this process.
    Ourselves,
    /// Another user, because this process is root.
    Other {
        /// As in /etc/passwd.
        uid: u32,
        /// As in /etc/passwd.
        gid: u32,
    },
}

impl User {
    pub(crate) fn choose() -> Result<Self, Error> {
        // A process owns its own entry in /proc.
        if fs::metadata("/proc/self").is_ok_and(|entry| entry.uid() == 0) {
            let users = fs::read_to_string("/etc/passwd").map_err(io("read /etc/passwd"))?;
            return find(&users, "postgres").or_else(|| find(&users, "nobody")).ok_or(Error::NobodyToRunAs);
        }
        Ok(Self::Ourselves)
    }

    /// Gives a file or folder to this user.
    pub(crate) fn own(self, path: &Path) -> Result<(), Error> {
        match self {
            Self::Ourselves => Ok(()),
            Self::Other { uid, gid } => {
                chown(path, Some(uid), Some(gid)).map_err(io(format!("hand over {}", path.display())))
            }
        }
    }

    /// Whether this user gets as far as a folder: every step there lets others through.
    pub(crate) fn can_reach(self, folder: &Path) -> bool {
        let lets_through = |step: &Path| fs::metadata(step).is_ok_and(|entry| entry.mode() & 0o001 != 0);
        self == Self::Ourselves || folder.ancestors().all(lets_through)
    }

    /// Makes a command run as this user.
    pub(crate) fn run(self, command: &mut Command) -> &mut Command {
        match self {
            Self::Ourselves => command,
            Self::Other { uid, gid } => command.uid(uid).gid(gid),
        }
    }
}

/// Looks a user up in the text of /etc/passwd.
fn find(users: &str, name: &str) -> Option<User> {
    users.lines().find_map(|line| {
        let mut fields = line.split(':');
        if fields.next()? != name {
            return None;
        }
        let uid = fields.nth(1)?.parse().ok()?;
        let gid = fields.next()?.parse().ok()?;
        Some(User::Other { uid, gid })
    })
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn a_private_folder_is_out_of_another_users_reach() {
        let private = tempfile::tempdir_in("/tmp").unwrap();
        fs::set_permissions(private.path(), fs::Permissions::from_mode(0o700)).unwrap();
        let nobody = User::Other { uid: 65534, gid: 65534 };
        assert!(!nobody.can_reach(private.path()));
        assert!(nobody.can_reach(Path::new("/tmp")) && User::Ourselves.can_reach(private.path()));
    }

    #[test]
    fn users_are_found_by_their_whole_name() {
        let users =
            "root:x:0:0:root:/root:/bin/sh\nnobody2:x:7:8::/:/bin/sh\nnobody:x:65534:65533::/:/bin/sh\n";
        assert_eq!(find(users, "nobody"), Some(User::Other { uid: 65534, gid: 65533 }));
        assert_eq!(find(users, "postgres"), None);
    }
}
