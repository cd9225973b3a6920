//! `byline doctor`

use super::{failure::Failure, output};
use crate::{
    config::{Config, StartError},
    ops::doctor::{self, Finding, Verdict},
};

/// One line for each thing. It fails where there is a problem.
pub(super) async fn run(configured: Result<Config, StartError>) -> Result<String, Failure> {
    let findings = match configured {
        Ok(config) => doctor::examine(&config).await,
        Err(error) => vec![Finding::problem("settings", format!("{error}."))],
    };
    let said: String = findings.iter().map(|finding| format!("{finding}\n")).collect();
    match findings.iter().filter(|finding| finding.verdict == Verdict::Problem).count() {
        0 => Ok(said),
        problems => {
            output::unless_closed(output::write(&said)).map_err(Failure::Output)?;
            let said = if problems == 1 {
                "There is one problem.".to_owned()
            } else {
                format!("There are {problems} problems.")
            };
            Err(Failure::Refused(said))
        }
    }
}
