//! 256 random bits that are secret.

use std::sync::Arc;

use secrecy::{ExposeSecret, SecretBox, zeroize::Zeroize};

use crate::{database::internal, error::AppError};

/// 256 secret bits. Clones share one place in memory, which is zeroed when the
/// last of them is dropped. Copies that the drivers of the database make, of what
/// they store or have read, are theirs.
#[derive(Clone, Debug)]
pub struct SecretBits(Arc<SecretBox<[u8; 32]>>);

impl SecretBits {
    /// From the random numbers of the system.
    pub(super) fn random() -> Result<Self, AppError> {
        let mut filled = Ok(());
        let bits = Self::made(|bits| filled = getrandom::fill(bits));
        filled.map(|()| bits).map_err(internal)
    }

    /// Takes these, and zeroes the array that it was given.
    pub(super) fn of(mut bits: [u8; 32]) -> Self {
        let taken = Self::made(|place| place.copy_from_slice(&bits));
        bits.zeroize();
        taken
    }

    /// As they were stored, or written in a token; `None` if they are not 256.
    /// Zeroes the bytes that it was given.
    pub(super) fn from_bytes(mut bytes: Vec<u8>) -> Option<Self> {
        let taken = (bytes.len() == 32).then(|| Self::made(|place| place.copy_from_slice(&bytes)));
        bytes.zeroize();
        taken
    }

    /// In place, so that no copy is left on the stack.
    fn made(fill: impl FnOnce(&mut [u8; 32])) -> Self {
        Self(Arc::new(SecretBox::init_with_mut(fill)))
    }

    pub(super) fn expose(&self) -> &[u8; 32] {
        self.0.expose_secret()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bits_are_those_that_were_given_and_neither_more_nor_fewer() {
        assert_eq!(SecretBits::of([7; 32]).expose(), &[7; 32]);
        assert_eq!(SecretBits::from_bytes(vec![7; 32]).expect("256 bits").expose(), &[7; 32]);
        for wrong in [0, 31, 33] {
            assert!(SecretBits::from_bytes(vec![7; wrong]).is_none(), "{wrong}");
        }
    }

    #[test]
    fn random_bits_differ() {
        let (one, other) = (SecretBits::random().unwrap(), SecretBits::random().unwrap());
        assert_ne!(one.expose(), other.expose());
    }
}
