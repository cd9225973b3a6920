use super::*;

#[test]
fn every_reason_to_refuse_a_file_comes_through_the_exit_code() {
    for refused in REASONS {
        let code = code(&refused);
        assert!(code >= FIRST_CODE, "no code of the system or of a panic");
        let status = Command::new("sh").args(["-c", &format!("exit {code}")]).status().unwrap();
        assert_eq!(reason(Some(status)), refused);
    }
    let ended = Command::new("sh").args(["-c", "kill -s SEGV $$"]).status().unwrap();
    assert_eq!(reason(Some(ended)), Refused::Damaged);
    assert_eq!(reason(None), Refused::Damaged);
}

#[test]
fn an_avif_is_known_by_the_kinds_that_it_conforms_to() {
    for (file, expected) in [
        (&b"\0\0\0\x14ftypavif\0\0\0\0mif1"[..], true),
        (b"\0\0\0\x18ftypmif1\0\0\0\0mif1avif", true),
        (b"\0\0\0\x14ftypavis\0\0\0\0msf1", true),
        (b"\0\0\0\x14ftypheic\0\0\0\0mif1avif", false),
        (b"\0\0\0\x18ftypheic\0\0\0\0mif1heic", false),
        (b"\0\0\0\x14fty_avif\0\0\0\0mif1", false),
        (b"\0\0", false),
    ] {
        assert_eq!(is_avif(file), expected, "{}", file.escape_ascii());
    }
}
