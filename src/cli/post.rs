//! `byline post`

use clap::Subcommand;

use super::failure::{Failure, refused};
use crate::{
    accounts::domain::running::InCharge,
    error::AppError,
    posts::{
        PostId,
        domain::hidden::{self, HiddenReason},
    },
    site::Site,
};

#[derive(Debug, Subcommand)]
pub(super) enum Post {
    /// Hide a published post from everyone; its author finds it in their trash, with the reason
    Hide {
        /// The post's id
        id: String,
        /// Why, in words for its author
        #[arg(long)]
        reason: String,
    },
    /// Publish a hidden post again, at its address
    Restore {
        /// The post's id
        id: String,
    },
}

pub(super) async fn run(site: &Site, command: Post) -> Result<String, Failure> {
    let by = &InCharge::at_the_command_line();
    match command {
        Post::Hide { id, reason } => {
            let reason = HiddenReason::parse(&reason).map_err(refused)?;
            hidden::hide(site, by, &known(&id)?, reason).await.map_err(not_there("published"))?;
            Ok("The post is hidden.\n".to_owned())
        }
        Post::Restore { id } => {
            let post = hidden::restore(site, by, &known(&id)?).await.map_err(not_there("hidden"))?;
            Ok(format!("The post is published again: {}\n", site.link(&post.address())))
        }
    }
}

fn known(id: &str) -> Result<PostId, Failure> {
    PostId::parse(id).ok_or_else(|| refused(format_args!("\"{id}\" is the id of no post")))
}

fn not_there(state: &str) -> impl FnOnce(AppError) -> Failure {
    move |error| match error {
        AppError::NotFound => refused(format_args!("no post with that id is {state}")),
        error => error.into(),
    }
}
