//! Texts that are random as ids are.

use rand::Rng;

/// So many characters of the alphabet that Claude's ids are made of.
pub(crate) fn base58(length: usize, random: &mut impl Rng) -> String {
    const ALPHABET: &[u8; 58] = b"123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";
    (0..length).map(|_| char::from(ALPHABET[random.next_u32() as usize % 58])).collect()
}

/// A random UUID.
pub(crate) fn uuid(random: &mut impl Rng) -> String {
    let mut bytes = [0; 16];
    random.fill_bytes(&mut bytes);
    let number = u128::from_be_bytes(bytes) & !(0xf << 76 | 0b11 << 62) | 4 << 76 | 0b10 << 62;
    format!(
        "{:08x}-{:04x}-{:04x}-{:04x}-{:012x}",
        number >> 96,
        number >> 80 & 0xffff,
        number >> 64 & 0xffff,
        number >> 48 & 0xffff,
        number & 0xffff_ffff_ffff
    )
}
