//! SRP-6a (RFC 5054) as Amazon Cognito has it: who logs in shows that they know the
//! password, and does not send it. The arithmetic alone; nothing here reads or stores.
//!
//! All numbers are big-endian. Where Cognito hashes one, it is as short as a signed
//! number can be ([`shortest`]).

use std::sync::LazyLock;

use crypto_bigint::{
    BoxedUint, Odd,
    modular::{BoxedMontyForm, BoxedMontyParams},
};
use hmac::{Hmac, Mac};
use sha2::{Digest, Sha256};

/// The name of the user pool: what stands behind the `_` of
/// [`super::token::USER_POOL_ID`].
pub const POOL_NAME: &str = "byline";

/// Of a number of the group.
pub const BYTES: usize = 384;
const BITS: u32 = 3072;
/// Of an exponent.
const EXPONENT_BITS: u32 = 256;

/// A number of the group: a verifier, or what one side tells the other.
pub type Number = [u8; BYTES];

/// The prime of 3072 bits of RFC 5054, appendix A; its generator there is 5, but with
/// Cognito it is 2.
pub const N: &str = "FFFFFFFFFFFFFFFFC90FDAA22168C234C4C6628B80DC1CD129024E088A67CC74020BBEA63B139B22514A08798E3404DD\
EF9519B3CD3A431B302B0A6DF25F14374FE1356D6D51C245E485B576625E7EC6F44C42E9A637ED6B0BFF5CB6F406B7ED\
EE386BFB5A899FA5AE9F24117C4B1FE649286651ECE45B3DC2007CB8A163BF0598DA48361C55D39A69163FA8FD24CF5F\
83655D23DCA3AD961C62F356208552BB9ED529077096966D670C354E4ABC9804F1746C08CA18217C32905E462E36CE3B\
E39E772C180E86039B2783A2EC07A28FB5C55DF06F4C52C9DE2BCBF6955817183995497CEA956AE515D2261898FA0510\
15728E5A8AAAC42DAD33170D04507A33A85521ABDF1CBA64ECFB850458DBEF0A8AEA71575D060C7DB3970F85A6E1E4C7\
ABF5AE8CDB0933D71E8C94E04A25619DCEE3D2261AD2EE6BF12FFA06D98A0864D87602733EC86A64521F2B18177B200C\
BBE117577A615D6C770988C0BAD946E208E24FA074E5AB3143DB5BFCE0FD108E4B82D120A93AD2CAFFFFFFFFFFFFFFFF";

struct Group {
    params: BoxedMontyParams,
    modulus: Number,
    /// SHA-256 of the prime and the generator.
    multiplier: [u8; 32],
}

static GROUP: LazyLock<Group> = LazyLock::new(|| {
    let modulus = BoxedUint::from_be_hex(N, BITS).into_option();
    let odd = modulus.and_then(|modulus| Odd::new(modulus).into_option());
    let odd = odd.unwrap_or_else(|| unreachable!("it is a prime"));
    let modulus = number(&odd);
    let multiplier = Sha256::new().chain_update(shortest(&modulus)).chain_update([2]).finalize().into();
    Group { params: BoxedMontyParams::new_vartime(odd), modulus, multiplier }
});

fn number(integer: &BoxedUint) -> Number {
    let mut bytes = [0; BYTES];
    bytes.copy_from_slice(&integer.to_be_bytes());
    bytes
}

fn form(number: &Number) -> BoxedMontyForm {
    BoxedMontyForm::new(BoxedUint::from_be_slice_truncated(number, BITS), &GROUP.params)
}

fn small(bytes: &[u8; 32]) -> BoxedMontyForm {
    let mut wide = [0; BYTES];
    wide[BYTES - 32..].copy_from_slice(bytes);
    form(&wide)
}

fn exponent(bytes: &[u8; 32]) -> BoxedUint {
    BoxedUint::from_be_slice_truncated(bytes, EXPONENT_BITS)
}

fn generator() -> BoxedMontyForm {
    BoxedMontyForm::one(&GROUP.params).double()
}

/// The bytes of a positive number in two's complement, without superfluous ones.
fn shortest(number: &[u8]) -> Vec<u8> {
    let digits = &number[number.iter().take_while(|byte| **byte == 0).count()..];
    let sign = digits.first().is_none_or(|first| *first >= 0x80);
    [&[0][..usize::from(sign)], digits].concat()
}

/// A number that a client sent, in hexadecimal; `None` unless it is one of the group.
#[must_use]
pub fn parse(hex: &str) -> Option<Number> {
    let digits = hex.trim_start_matches('0');
    if digits.is_empty() || digits.len() > 2 * BYTES || !digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return None;
    }
    let digits = format!("{digits:0>width$}", width = 2 * BYTES);
    let mut number = [0; BYTES];
    for (byte, pair) in number.iter_mut().zip(digits.as_bytes().chunks_exact(2)) {
        *byte = u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()?;
    }
    (number < GROUP.modulus).then_some(number)
}

/// A salt of these random bytes that all clients hash in the same way: some drop
/// leading zeros, and some add one before a high bit.
#[must_use]
pub const fn salt(mut random: [u8; 16]) -> [u8; 16] {
    random[0] = random[0] & 0x7f | 0x10;
    random
}

/// What a server keeps of a password.
#[must_use]
pub fn verifier(user: &str, salt: &[u8], password: &[u8]) -> Number {
    let inner = Sha256::new().chain_update(POOL_NAME).chain_update(user).chain_update(":");
    let inner = inner.chain_update(password).finalize();
    let x = Sha256::new().chain_update(shortest(salt)).chain_update(inner).finalize().into();
    number(&generator().pow(&exponent(&x)).retrieve())
}

/// What the server tells the client, for a verifier and a random number of its own.
#[must_use]
pub fn public(verifier: &Number, own: &[u8; 32]) -> Number {
    let masked = small(&GROUP.multiplier).mul(&form(verifier));
    number(&masked.add(&generator().pow(&exponent(own))).retrieve())
}

/// One login: what both sides have told each other, and what the server knows alone.
#[derive(Debug)]
pub struct Exchange<'a> {
    pub client_public: &'a Number,
    pub public: &'a Number,
    pub own: &'a [u8; 32],
    pub verifier: &'a Number,
}

impl Exchange<'_> {
    /// The key that the client has as well, if it knows the password.
    fn key(&self) -> [u8; 16] {
        let u: [u8; 32] = Sha256::new()
            .chain_update(shortest(self.client_public))
            .chain_update(shortest(self.public))
            .finalize()
            .into();
        let base = form(self.client_public).mul(&form(self.verifier).pow(&exponent(&u)));
        let shared = number(&base.pow(&exponent(self.own)).retrieve());
        // HKDF (RFC 5869) of one block.
        let extracted = hmac(&shortest(&u)).chain_update(shortest(&shared)).finalize().into_bytes();
        let expanded = hmac(&extracted).chain_update(b"Caldera Derived Key\x01").finalize().into_bytes();
        let mut key = [0; 16];
        key.copy_from_slice(&expanded[..16]);
        key
    }

    /// Whether a client has shown that it knows the password; compared in a time that
    /// does not tell how much of the proof is right.
    #[must_use]
    pub fn is_proven(&self, user: &str, block: &[u8], timestamp: &str, proof: &[u8]) -> bool {
        let mac = hmac(&self.key()).chain_update(POOL_NAME).chain_update(user);
        mac.chain_update(block).chain_update(timestamp).verify_slice(proof).is_ok()
    }
}

fn hmac(key: &[u8]) -> Hmac<Sha256> {
    Hmac::new_from_slice(key).unwrap_or_else(|_| unreachable!("HMAC takes keys of every length"))
}

#[cfg(test)]
mod tests {
    use base64::{Engine as _, prelude::BASE64_STANDARD};

    use super::*;
    use crate::credentials::token::USER_POOL_ID;
    use crate::text::hex;

    // Made by pycognito 2024.5.1 with fixed numbers, and by Python's own integers for
    // the server's side.
    const SALT: &str = "4fa1b2c3d4e5f60718293a4b5c6d7e8f";
    const A: &str = "54b8e4da8991abf64544e5e11b2bd8c7a17bf13cdc3b757a276c8d475af798afd3666395ae0a291861ac9f3181e26318\
5ab8006e236972ff0ac89ff60a824bf8c4e19c07106f6f62b7a129f56e73477cd23ce582c6a23d19c5cb2fbf29f32978\
fcf0743650a1572c349444cdc3229d5b29c60fdb9f3dfc0ecbd532302115b7aab5016382590f811a5b7caa46ec650538\
e1377de9c35a4203edc9b004658d1147caa08516730d40c80409b0bab60fd885ae184434764cc759d8b7905a7c1deff6\
46e62540614d40378604b21e170159c1931f362f8003e66b5d81cd0b5996850c0735512ed5c8913864e819e7520b25d6\
df825b2372b56398ccb46a2f29e31760d68e468d841518a783046b56c28cfc12d789a725469640ef0db5b557cbe9117f\
97d808df3f32c9610e5ef7822593e5ee1289b7f1993ba4406d84926ca459cbcb00d77369492e9363a7ac6191652c8d18\
d1c94422fd0e579bcfff161b945072743a4934e650373ecc40acebb84ff209b7c8ba5d5b7cd4a786ba1174323284223";
    const V: &str = "91c35b7851a317c8759df652d28220cd8b92b41f944428dc48fbfed19d8369922aae42dad77acc9e5cb1365eb906923b\
f3f4aea958d74d3df9da85a9a51fbbcb9aa64aa863902c18ada84d43548b215e7713d73186e9d13143da4c03ab7d3daa\
4f1da07997ba102bbe7b3bd6c12074de5f8171beb8239d62a8b12d7eca8a173505279dba3c7883710a3924f54612bc91\
087d6225ddff9b016d2692e30d0e59809eedf812e01fcbec4ca6bd93e565461368d99650561b9afa21cfa9b0fcc6e323\
616662020157a1b52824c03c49c8bba7536c15f4ce365d8b321b019ccc308d1f202dbe0bbec3b9c894436bbfda268d2d\
ee183dd6ed51e84a2636e158285ebb165bc45944682c38023053990cd859f47239036190d7fcd8661047f27fd87322c8\
36bc7ff61ce62dea6dc5024a8c75295a0a1d517906f6735a2b72b932b210c8243075d5b4c972293f5034f51885e3cdbe\
19d70a0b76fe0454f5b9b6c194aaf5ef2c905d5b91897774e4e9fc0ff11b69b65e6bdd2afe0ad8cf46c6fac3a9042472";
    const B: &str = "42607c9e28fd78e67d055639f51d94c9700b2c7ce3c87b81d4165a1f62af3d3daf134756c749b61fb185b7fcb30f6e9d\
2e23f5961cc07b6061d5592ed9ef5000b8524abed11628128941f870c4e6aba19e7b532cbd2225ec2795921b0ff05058\
8335fcd7fc2b16a9c9d686fc7023e95766eee9fb8462f3b77d721e539f36b5c25bfbdd8d1b98c0e87cadc3a776eb4a59\
002180dd72b0430ccc1906e886f40a7c8db656bdfb3bacc8f92d32cfaa6087c9a661f24d5ea4db5a3674819a8b1135ed\
f25a6123d5427b0c4dcc8d75ba68633ec8eee314c50616ca250fb35b75f67bbfb2beb169194b96970f9659d97041a373\
1622a60d3e6600205a371c0fee55c8c051904033f33db416ca283f21adacb1e903c4d3c3c8b97214a95e5e602841386f\
ad0f4d2ecf4995f19fa29a56b68a479e79de80340ca378e0d2445a7a6bbe785d5efd05e578b4b5c9a2df87bdd4c384fc\
e38b84b448d36f029cb3408a04c0ea4fce8df3d38a4381cad665515fda91afb8150822e4d6d80a5e3373f46a618a0aef";
    const PROOF: &str = "YXRIGefbrOWtpQ4mFVWy5zwQORG2RN399HSImTAH/tk=";
    const TIME: &str = "Sat Nov 28 13:00:00 UTC 2026";

    fn salt_bytes() -> Vec<u8> {
        parse(SALT).unwrap()[BYTES - 16..].to_vec()
    }

    #[test]
    fn a_published_client_and_this_server_agree() {
        let v = verifier("ada", &salt_bytes(), b"correct horse battery");
        assert_eq!(hex(&v), V);
        let own = [0x7b; 32];
        let b = public(&v, &own);
        assert_eq!(hex(&b), B);
        let a = parse(A).unwrap();
        let exchange = Exchange { client_public: &a, public: &b, own: &own, verifier: &v };
        assert_eq!(hex(&exchange.key()), "e435ba8f85a4096a9417d59db6bbe7d3");
        let block = b"block".repeat(10);
        let proof = BASE64_STANDARD.decode(PROOF).unwrap();
        assert!(exchange.is_proven("ada", &block, TIME, &proof));
        assert!(!exchange.is_proven("eve", &block, TIME, &proof));
        assert!(!exchange.is_proven("ada", b"another", TIME, &proof));
        assert!(!exchange.is_proven("ada", &block, "now", &proof));
        assert!(!exchange.is_proven("ada", &block, TIME, &proof[..31]));
        let other = verifier("ada", &salt_bytes(), b"wrong");
        let exchange = Exchange { verifier: &other, ..exchange };
        assert!(!exchange.is_proven("ada", &block, TIME, &proof));
    }

    /// With such a number the key would be known without the password.
    #[test]
    fn a_number_that_gives_the_key_away_is_none() {
        let twice = format!("1{}4", "F".repeat(10));
        for wrong in ["", "0", "000000", N, &format!("{N}0"), "-1", "+1", "g", "1 ", &twice.repeat(80)] {
            assert_eq!(parse(wrong), None, "{wrong}");
        }
        assert_eq!(parse("00ff").map(|number| number[BYTES - 1]), Some(0xff));
    }

    #[test]
    fn a_number_is_hashed_as_short_as_a_signed_one_can_be() {
        for (number, shortened) in
            [(&[0, 0, 1][..], &[1][..]), (&[0x80], &[0, 0x80]), (&[0x7f, 0], &[0x7f, 0]), (&[0, 0], &[0])]
        {
            assert_eq!(shortest(number), shortened);
        }
    }

    #[test]
    fn the_pool_has_its_name() {
        assert_eq!(USER_POOL_ID.split_once('_').map(|(_, name)| name), Some(POOL_NAME));
    }
}
