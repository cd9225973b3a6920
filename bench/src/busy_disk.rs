//! A process that keeps the disk of the logs busy.

use std::{
    fs::{self, File},
    io::{Seek, Write},
    path::{Path, PathBuf},
    process::{Child, Command},
    time::{Duration, Instant},
};

use anyhow::{Context, Result};

/// How much of the disk it takes.
const FILE_BYTES: usize = 256 * 1024 * 1024;
/// How much it writes at a time.
const BLOCK_BYTES: usize = 1024 * 1024;
/// How many blocks it has written before it waits until they are on the disk.
const BLOCKS_PER_SYNC: usize = 32;
/// It ends after this time, even if nothing ends it before.
const LONGEST: Duration = Duration::from_secs(600);

/// The process. It ends, and its file is removed, when this is dropped.
pub(crate) struct BusyDisk {
    process: Child,
    file: PathBuf,
}

impl BusyDisk {
    /// Starts to write to a file in the folder. It runs where the load does,
    /// and waits for the disk most of the time.
    pub(crate) fn start(folder: &Path) -> Result<Self> {
        let file = folder.join("busy-disk");
        let process = Command::new(std::env::current_exe()?).arg("keep-disk-busy").arg(&file).spawn()?;
        Ok(Self { process, file })
    }
}

impl Drop for BusyDisk {
    fn drop(&mut self) {
        // All of them fail only if there is nothing left to do.
        let _ = self.process.kill();
        let _ = self.process.wait();
        let _ = fs::remove_file(&self.file);
    }
}

/// Writes and waits for the disk, in turns, a new file whenever one is full.
pub(crate) fn keep_busy(file: &Path) -> Result<()> {
    let started = Instant::now();
    // Not zeros, which a disk may find a way to spare itself.
    let block: Vec<u8> =
        (0..BLOCK_BYTES).map(|place| (place.wrapping_mul(2_654_435_761) >> 13) as u8).collect();
    let mut output = File::create(file).with_context(|| file.display().to_string())?;
    while started.elapsed() < LONGEST {
        output.rewind()?;
        // Given back to the file system, so that it has to find room again.
        output.set_len(0)?;
        for _ in 0..FILE_BYTES / BLOCK_BYTES / BLOCKS_PER_SYNC {
            for _ in 0..BLOCKS_PER_SYNC {
                output.write_all(&block)?;
            }
            output.sync_all()?;
        }
    }
    Ok(())
}
