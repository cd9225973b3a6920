//! Pictures in AVIF, which are read by a process of their own.
//!
//! The files in `files/avif` show red, green and blue in three of their corners. avifenc 0.11.1
//! made them of one picture of 64 × 48 pixels, with the options that their names say, and Pillow
//! 13.0 made `pillow` and `moving`. `bomb` has 9,000 × 6,000 pixels, and `unknown-colors` is
//! a gray one with three bytes changed.

use std::{fs, path::Path};

use image::{ImageFormat, Rgba, RgbaImage};
use tokio::process::Command;

use crate::support::{Answer, Byline, Client, Served, picture, until};

const UPLOAD: &str = "/api/upload_media";

const RED: [u8; 3] = [255, 0, 0];
const GREEN: [u8; 3] = [0, 255, 0];
const BLUE: [u8; 3] = [0, 0, 255];
/// What is between the corners is gray in a gray picture.
const DARK: [u8; 3] = [76, 76, 76];
const BRIGHT: [u8; 3] = [150, 150, 150];
const DARKEST: [u8; 3] = [29, 29, 29];

fn file(name: &str) -> Vec<u8> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/site/files/avif/{name}.avif"));
    fs::read(path).expect("a file")
}

/// A site, and an author of it.
async fn author(byline: &Byline) -> (Served, Client) {
    let served = byline.serve(&[]).await;
    let mut ada = Client::browser(served.address, false);
    assert_eq!(ada.sign_up("ada").await.status, 303);
    (served, ada)
}

async fn upload(author: &Client, file: &[u8]) -> Answer {
    author.as_script().upload(UPLOAD, file, "").await
}

/// What a reader gets for that upload.
async fn read(served: &Served, uploaded: &Answer) -> RgbaImage {
    assert_eq!(uploaded.status, 200, "{}", uploaded.text());
    let url = uploaded.json()["url"].as_str().expect("a URL").to_owned();
    assert!(url.ends_with(".webp"), "{url}");
    let answer = Client::browser(served.address, false).get(&url).await;
    assert_eq!((answer.status, answer.header("content-type")), (200, "image/webp"));
    image::load_from_memory_with_format(&answer.body, ImageFormat::WebP).expect("a WebP").into_rgba8()
}

/// Whether a pixel nearly has that color.
fn has(picture: &RgbaImage, (x, y): (u32, u32), color: [u8; 3]) -> bool {
    let Rgba([r, g, b, _]) = *picture.get_pixel(x, y);
    [r, g, b].iter().zip(color).all(|(found, wanted)| found.abs_diff(wanted) < 30)
}

#[tokio::test]
async fn an_author_uploads_an_avif_and_readers_get_its_picture_as_webp() {
    let byline = Byline::in_an_empty_folder();
    let (served, ada) = author(&byline).await;
    for name in ["half-limited", "twelve-bits", "odd", "identity", "ycgco", "pillow", "p3"] {
        let picture = read(&served, &upload(&ada, &file(name)).await).await;
        let size = if name == "odd" { (63, 47) } else { (64, 48) };
        assert_eq!(picture.dimensions(), size, "{name}");
        for (at, color) in [((6, 5), RED), ((57, 5), GREEN), ((6, 41), BLUE)] {
            assert!(has(&picture, at, color), "{name} at {at:?}: {:?}", picture.get_pixel(at.0, at.1));
        }
        assert_eq!(picture.get_pixel(0, 0).0[3], 255, "{name}");
        // A wide color, which the web sees with less red.
        let is_wide = picture.get_pixel(25, 40).0[0] < 80;
        assert_eq!(is_wide, name == "p3", "{name}: {:?}", picture.get_pixel(25, 40));
    }
    let gray = read(&served, &upload(&ada, &file("gray")).await).await;
    for (at, color) in [((6, 5), DARK), ((57, 5), BRIGHT), ((6, 41), DARKEST)] {
        assert!(has(&gray, at, color), "gray at {at:?}: {:?}", gray.get_pixel(at.0, at.1));
    }
    served.terminate().await;
}

#[tokio::test]
async fn an_avif_is_shown_turned_mirrored_and_transparent_as_it_says() {
    let byline = Byline::in_an_empty_folder();
    let (served, ada) = author(&byline).await;
    for (name, size, corners) in [
        ("turned", (48, 64), [((42, 6), RED), ((42, 57), GREEN), ((6, 6), BLUE)]),
        ("mirrored", (64, 48), [((57, 5), RED), ((6, 5), GREEN), ((57, 41), BLUE)]),
        ("turned-and-mirrored", (48, 64), [((5, 6), RED), ((5, 57), GREEN), ((42, 6), BLUE)]),
    ] {
        let picture = read(&served, &upload(&ada, &file(name)).await).await;
        assert_eq!(picture.dimensions(), size, "{name}");
        for (at, color) in corners {
            assert!(has(&picture, at, color), "{name} at {at:?}: {:?}", picture.get_pixel(at.0, at.1));
        }
    }
    // Half as strong on the right, and of the same color.
    let picture = read(&served, &upload(&ada, &file("transparent")).await).await;
    let strength = |x, y| picture.get_pixel(x, y).0[3];
    assert_eq!((strength(6, 5), strength(57, 5)), (255, 128));
    assert!(has(&picture, (57, 5), GREEN), "{:?}", picture.get_pixel(57, 5));
    served.terminate().await;
}

#[tokio::test]
async fn an_avif_that_is_not_taken_is_refused_in_words_and_nothing_is_stored() {
    let byline = Byline::in_an_empty_folder();
    let (served, ada) = author(&byline).await;
    let whole = file("half-limited");
    let mut wrong = whole.clone();
    wrong.splice(400..440, [0xAA; 40]);
    for (name, file, words) in [
        ("one that moves", file("moving"), "The picture moves"),
        ("one of parts", file("grid"), "Pictures in AVIF of this kind cannot be read here"),
        ("a bomb", file("bomb"), "50 million pixels"),
        ("half a file", whole[..whole.len() / 2].to_vec(), "damaged"),
        ("its first bytes", whole[..24].to_vec(), "damaged"),
        ("another's data", wrong, "damaged"),
        // The decoder panics over it.
        ("a number for colors that has no meaning", file("unknown-colors"), "damaged"),
    ] {
        let answer = upload(&ada, &file).await;
        assert_eq!(answer.status, 422, "{name}: {}", answer.text());
        assert!(answer.text().contains(words), "{name}: {}", answer.text());
    }
    let listed = ada.as_script().get("/account/media").await;
    assert!(listed.text().contains("There is none here yet."), "nothing is stored");
    served.terminate().await;
}

/// The process of a site that reads an AVIF, by the parent that `/proc` names (proc_pid_stat(5)).
#[cfg(target_os = "linux")]
fn reader_of(site: u32) -> Option<u32> {
    let processes = fs::read_dir("/proc").expect("processes").flatten();
    let numbers = processes.filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
    let mut readers = numbers.filter(|pid| {
        let arguments = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
        let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
        let parent = stat.rsplit(')').next().and_then(|rest| rest.split_whitespace().nth(1)?.parse().ok());
        arguments.ends_with(b"read-avif\0") && parent == Some(site)
    });
    readers.next()
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_file_that_ends_its_reader_ends_nothing_else() {
    let byline = Byline::in_an_empty_folder();
    let (served, ada) = author(&byline).await;
    let uploading = tokio::spawn(async move { (upload(&ada, &file("large")).await, ada) });
    until("the process that reads", async || match reader_of(served.pid()) {
        Some(reader) => {
            let reader = reader.to_string();
            Command::new("kill").args(["-s", "SEGV", &reader]).status().await.expect("kill runs").success()
        }
        None => false,
    })
    .await;
    let (answer, ada) = uploading.await.expect("an answer");
    assert_eq!(answer.status, 422, "{}", answer.text());
    assert!(answer.text().contains("damaged"), "{}", answer.text());
    assert_eq!(Client::browser(served.address, false).get("/readyz").await.status, 200);
    assert_eq!(upload(&ada, &file("half-limited")).await.status, 200, "the next file is read");
    assert_eq!(upload(&ada, &picture::png(3, 3)).await.status, 200);
    let log = served.terminate().await;
    assert!(log.contains("the process that reads AVIF ended over a file"), "{log}");
}
