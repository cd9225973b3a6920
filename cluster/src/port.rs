//! Ports for programs that have to be told which one to take.

use std::{
    collections::hash_map::RandomState,
    hash::BuildHasher,
    net::{Ipv4Addr, TcpListener},
    sync::{
        LazyLock,
        atomic::{AtomicU16, Ordering},
    },
};

/// Below the ports that a system gives to whoever asks for any: Linux begins at 32,768. One of
/// those may be taken before the program that is told its number listens on it, also by a
/// connection that somebody else opens.
const FIRST: u16 = 12_000;
const COUNT: u16 = 20_000;

/// A port of 127.0.0.1 on which nobody listens. No other caller in this process gets it.
///
/// # Panics
/// If all are taken.
pub fn free_port() -> u16 {
    // Elsewhere in each process, because several may share the machine.
    static NEXT: LazyLock<AtomicU16> =
        LazyLock::new(|| AtomicU16::new(RandomState::new().hash_one(0) as u16));
    let mut ports = (0..COUNT).map(|_| FIRST + NEXT.fetch_add(1, Ordering::Relaxed) % COUNT);
    ports.find(|port| TcpListener::bind((Ipv4Addr::LOCALHOST, *port)).is_ok()).expect("a port is free")
}
