//! Codes of an app, counted by RFC 4226 and 6238 anew, so that the site's own are
//! compared with something else.

use std::time::{SystemTime, UNIX_EPOCH};

use hmac::{Hmac, Mac};
use sha1::Sha1;

/// An app with the secret of one account.
pub struct App(Vec<u8>);

impl App {
    /// As a person types the secret (RFC 4648, 6).
    pub fn with(secret: &str) -> Self {
        let mut bytes = Vec::new();
        let (mut bits, mut count) = (0_u32, 0);
        for letter in secret.bytes() {
            let value = match letter {
                b'A'..=b'Z' => letter - b'A',
                b'2'..=b'7' => letter - b'2' + 26,
                _ => panic!("{secret} is no base 32"),
            };
            (bits, count) = (bits << 5 | u32::from(value), count + 5);
            if count >= 8 {
                count -= 8;
                bytes.push((bits >> count) as u8);
                bits &= (1 << count) - 1;
            }
        }
        Self(bytes)
    }

    /// The secret as it is counted with.
    pub fn secret(&self) -> &[u8] {
        &self.0
    }

    /// The code of now, or so many steps later.
    pub fn code(&self, steps: i64) -> String {
        let seconds = SystemTime::now().duration_since(UNIX_EPOCH).expect("a time after 1970").as_secs();
        let counter = (seconds / 30).checked_add_signed(steps).expect("a step");
        let mut mac = Hmac::<Sha1>::new_from_slice(&self.0).expect("a key of any length");
        mac.update(&counter.to_be_bytes());
        let hash = mac.finalize().into_bytes();
        let at = usize::from(hash[19] & 15);
        let bits = u32::from_be_bytes(hash[at..at + 4].try_into().expect("four bytes")) & 0x7fff_ffff;
        format!("{:06}", bits % 1_000_000)
    }

    /// What no app shows now.
    pub fn wrong_code(&self) -> String {
        let right = [-1, 0, 1].map(|steps| self.code(steps));
        let wrong = (0..).map(|number| format!("{number:06}")).find(|code| !right.contains(code));
        wrong.expect("a number")
    }
}
