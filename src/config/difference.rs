//! Which settings need a restart to change.

use std::fmt::Debug;

use super::Config;

impl Config {
    /// The names of the settings that have another value in `read`, without those that a
    /// running process takes: those of `[site]`, and the content of the certificate's files. A
    /// changed password alone is not seen, because no password is ever shown.
    #[must_use]
    pub fn other_than_in(&self, read: &Self) -> Vec<&'static str> {
        // No field is forgotten: a new one does not compile here.
        let Self {
            listen,
            metrics_listen,
            otlp_endpoint,
            database,
            max_listeners,
            page_memory,
            tls,
            public_url,
            argon2,
            trusted_proxies,
            conflict_detection,
            cors_origins,
            author_limits,
            secret_key,
            mail,
            unverified,
            srp,
            site: _,
            site_files: _,
            media_quota,
            media_url,
            aws,
            backup,
        } = self;
        [
            ("listen", differ(listen, &read.listen)),
            ("metrics-listen", differ(metrics_listen, &read.metrics_listen)),
            ("otlp-endpoint", differ(otlp_endpoint, &read.otlp_endpoint)),
            ("database", differ(database, &read.database)),
            ("max-listeners", differ(max_listeners, &read.max_listeners)),
            ("page-memory", differ(page_memory, &read.page_memory)),
            ("tls", differ(tls, &read.tls)),
            ("public-url", differ(public_url, &read.public_url)),
            ("argon2", differ(argon2, &read.argon2)),
            ("trusted-proxies", differ(trusted_proxies, &read.trusted_proxies)),
            ("graphql.conflict-detection", differ(conflict_detection, &read.conflict_detection)),
            ("graphql.cors-origins", differ(cors_origins, &read.cors_origins)),
            ("limits", differ(author_limits, &read.author_limits)),
            ("secret-key-file", differ(secret_key, &read.secret_key)),
            ("mail", differ(mail, &read.mail)),
            ("accounts.unverified", differ(unverified, &read.unverified)),
            ("cognito.srp", differ(srp, &read.srp)),
            ("media.quota", differ(media_quota, &read.media_quota)),
            ("media-url", differ(media_url, &read.media_url)),
            ("AWS_*", differ(aws, &read.aws)),
            ("backup", differ(backup, &read.backup)),
        ]
        .into_iter()
        .filter_map(|(name, differ)| differ.then_some(name))
        .collect()
    }
}

/// Few of the values can be compared, and all can be shown.
fn differ<T: Debug>(one: &T, other: &T) -> bool {
    format!("{one:?}") != format!("{other:?}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Flags;

    #[test]
    fn what_needs_a_restart_is_named_and_what_does_not_is_not() {
        let load = |flags| Config::load(flags).expect("they fit");
        let begun = load(Flags::default());
        assert_eq!(begun.other_than_in(&begun), [""; 0]);
        let mut flags = Flags {
            listen: Some("127.0.0.1:4000".to_owned()),
            max_listeners: Some(7),
            database_url: Some("sqlite://other.db".to_owned()),
            ..Flags::default()
        };
        flags.site.site_name = Some("Another".to_owned());
        let named = begun.other_than_in(&load(flags));
        assert_eq!(named, ["listen", "database", "max-listeners", "public-url", "secret-key-file"]);
    }
}
