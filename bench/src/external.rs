//! The same requests by an independent program:
//! [wrk](https://github.com/wg/wrk), where it is installed.
//!
//! It counts answers with status 200 and does not read them; the measurement
//! before it has checked that they are right.

use std::{
    fmt::Write,
    fs,
    net::SocketAddr,
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

use anyhow::{Context, Result, ensure};

use crate::post;

#[derive(Clone)]
pub(crate) enum Script {
    /// One request again and again.
    Same(Vec<u8>),
    /// A request for post 0, and for any other of so many posts, at random.
    AnyPost(Vec<u8>, u64),
    /// These, one after the other.
    InTurn(Vec<Vec<u8>>),
}

/// A load generator.
pub(crate) struct External {
    program: PathBuf,
    /// For its scripts.
    folder: PathBuf,
}

impl External {
    /// The program that was asked for, else `wrk` if it can be started.
    pub(crate) fn find(asked_for: Option<&Path>, folder: &Path) -> Result<Option<Self>> {
        let program = asked_for.unwrap_or(Path::new("wrk")).to_owned();
        // It says its version and that something is missing.
        match (Command::new(&program).arg("--version").output(), asked_for) {
            (Ok(output), _) if output.stdout.starts_with(b"wrk ") => {
                Ok(Some(Self { program, folder: folder.to_owned() }))
            }
            (_, None) => Ok(None),
            (_, Some(program)) => anyhow::bail!("{} is not wrk", program.display()),
        }
    }

    /// How many requests a second it got answered.
    pub(crate) fn load(
        &self,
        server: SocketAddr,
        script: &Script,
        connections: usize,
        measured: Duration,
    ) -> Result<f64> {
        let file = self.folder.join("requests.lua");
        fs::write(&file, script.lua()?)?;
        let mut wrk = Command::new(&self.program);
        wrk.args(["--threads", "1", "--connections", &connections.to_string()]);
        wrk.args(["--duration", &format!("{}s", measured.as_secs()), "--timeout", "20s", "--script"]);
        let output = wrk.arg(&file).arg(format!("http://{server}")).output()?;
        fs::remove_file(file)?;
        let said = String::from_utf8_lossy(&output.stdout);
        ensure!(output.status.success(), "wrk failed: {said}{}", String::from_utf8_lossy(&output.stderr));
        per_second(&said)
    }
}

/// Reads wrk's report.
fn per_second(said: &str) -> Result<f64> {
    let value = |name| said.lines().find_map(|line| line.trim().strip_prefix(name));
    for trouble in ["Non-2xx or 3xx responses:", "Socket errors:"] {
        ensure!(value(trouble).is_none(), "wrk was not answered as it should be: {said}");
    }
    let rate = value("Requests/sec:").context("wrk did not say how much it did")?;
    Ok(rate.trim().parse()?)
}

impl Script {
    fn lua(&self) -> Result<String> {
        Ok(match self {
            Self::Same(request) => same(request)?,
            Self::AnyPost(request, count) => {
                let request = std::str::from_utf8(request)?;
                let (id, path) = (post::id(0), post::path(0));
                let id_format = post::id_format();
                // Of a page by its address, of the API by its id.
                let (name, format, arguments) = match request.contains(&path) {
                    true => (
                        path,
                        format!("/@author%d/{id_format}"),
                        format!("number % {}, number", post::AUTHORS),
                    ),
                    false => (id, id_format, "number".to_owned()),
                };
                let (before, behind) = request.split_once(&name).context("the request names no post")?;
                // Lua's numbers are exact up to 2^53.
                format!(
                    "math.randomseed(os.time())\nlocal before, behind = {}, {}\nfunction request()\n  \
                     local number = math.random(0, {count} - 1)\n  return before \
                     .. string.format(\"{format}\", {arguments}) .. behind\nend\n",
                    quoted(before),
                    quoted(behind)
                )
            }
            Self::InTurn(requests) => {
                let mut lua = "local requests, turn = {\n".to_owned();
                for request in requests {
                    writeln!(lua, "{},", quoted(std::str::from_utf8(request)?))?;
                }
                lua + "}, 0\nfunction request()\n  turn = turn % #requests + 1\n  return requests[turn]\nend\n"
            }
        })
    }
}

/// A request that wrk puts together once, which is faster than a function.
fn same(request: &[u8]) -> Result<String> {
    let (head, body) =
        std::str::from_utf8(request)?.split_once("\r\n\r\n").context("a request has a head")?;
    let mut lines = head.split("\r\n");
    let mut first = lines.next().unwrap_or_default().split(' ');
    let (method, path) = (first.next().unwrap_or_default(), first.next().context("a request has a path")?);
    let mut lua = format!("wrk.method = {}\nwrk.path = {}\n", quoted(method), quoted(path));
    for (name, value) in lines.filter_map(|line| line.split_once(": ")) {
        // That one wrk adds by itself.
        if !name.eq_ignore_ascii_case("content-length") {
            writeln!(lua, "wrk.headers[{}] = {}", quoted(name), quoted(value))?;
        }
    }
    if !body.is_empty() {
        writeln!(lua, "wrk.body = {}", quoted(body))?;
    }
    Ok(lua)
}

/// As a string of Lua's.
fn quoted(text: &str) -> String {
    let mut lua = "\"".to_owned();
    for character in text.chars() {
        match character {
            '"' | '\\' => lua.extend(['\\', character]),
            '\n' => lua.push_str("\\n"),
            '\r' => lua.push_str("\\r"),
            other => lua.push(other),
        }
    }
    lua.push('"');
    lua
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http;

    #[test]
    fn a_request_is_told_to_wrk_piece_by_piece() {
        let request = http::post("/api/x", "Cookie: a=\"b\"\r\n", "title=c");
        let lua = same(&request).unwrap();
        for line in [
            "wrk.method = \"POST\"\n",
            "wrk.path = \"/api/x\"\n",
            "wrk.headers[\"Cookie\"] = \"a=\\\"b\\\"\"\n",
            "wrk.headers[\"Host\"] = \"posts.example.org\"\n",
            "wrk.body = \"title=c\"\n",
        ] {
            assert!(lua.contains(line), "{lua}");
        }
        assert!(!lua.contains("Content-Length"), "{lua}");
    }

    #[test]
    fn any_post_is_asked_for_by_its_own_name() {
        let lua = Script::AnyPost(http::get(&post::path(0), ""), 100).lua().unwrap();
        assert!(lua.contains("before, behind = \"GET \", \" HTTP/1.1\\r\\n"), "{lua}");
        assert!(lua.contains("number = math.random(0, 100 - 1)"), "{lua}");
        assert!(lua.contains("\"/@author%d/00000000-0000-7000-8000-%012x\", number % 100, number)"), "{lua}");
        let lua = Script::AnyPost(http::post("/graphql", "", &post::id(0)), 100).lua().unwrap();
        assert!(lua.contains("\"00000000-0000-7000-8000-%012x\", number)"), "{lua}");
    }

    #[test]
    fn what_wrk_was_not_answered_is_no_result() {
        let report = "  3012 requests in 1.00s, 2MB read\nRequests/sec:   3011.50\nTransfer/sec: 2MB\n";
        assert!((per_second(report).unwrap() - 3011.5).abs() < 0.01);
        for trouble in ["  Non-2xx or 3xx responses: 3\n", "  Socket errors: connect 0, read 1\n"] {
            assert!(per_second(&format!("{trouble}{report}")).is_err(), "{trouble}");
        }
        assert!(per_second("").is_err());
    }
}
