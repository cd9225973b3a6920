//! `byline post`

use clap::Subcommand;

use super::failure::{Failure, refused};
use crate::{
    accounts::domain::running::InCharge,
    error::AppError,
    posts::{
        PostId, PostOrDraft,
        domain::{
            approval, approving,
            hidden::{self, HiddenReason},
        },
    },
    site::Site,
};

#[derive(Debug, Subcommand)]
pub(super) enum Post {
    /// Publish a post that waits for approval; later posts of its author do not wait
    Approve {
        /// The post's id
        id: String,
    },
    /// Hide a post that is published or waits from everyone; its author finds it in their trash, with the reason
    Hide {
        /// The post's id
        id: String,
        /// Why, in words for its author
        #[arg(long)]
        reason: String,
    },
    /// Publish a hidden post again, at its address; one that has waited for approval waits again
    Restore {
        /// The post's id
        id: String,
    },
}

pub(super) async fn run(site: &Site, command: Post) -> Result<String, Failure> {
    let by = &InCharge::at_the_command_line();
    match command {
        Post::Approve { id } => {
            let id = known(&id)?;
            let waiting = approval::waiting(site, by, &id).await.map_err(not_there("waits for approval"))?;
            let post = approving::approve(site, by, &id, waiting.version)
                .await
                .map_err(not_there("waits for approval"))?;
            Ok(format!("The post is published: {}\n", site.link(&post.address())))
        }
        Post::Hide { id, reason } => {
            let reason = HiddenReason::parse(&reason).map_err(refused)?;
            hidden::hide(site, by, &known(&id)?, reason)
                .await
                .map_err(not_there("is published, or waits"))?;
            Ok("The post is hidden.\n".to_owned())
        }
        Post::Restore { id } => {
            let restored = hidden::restore(site, by, &known(&id)?).await.map_err(not_there("is hidden"))?;
            Ok(match restored {
                PostOrDraft::Published(post) => {
                    format!("The post is published again: {}\n", site.link(&post.address()))
                }
                PostOrDraft::Draft(_) => "The post waits for approval again.\n".to_owned(),
            })
        }
    }
}

fn known(id: &str) -> Result<PostId, Failure> {
    PostId::parse(id).ok_or_else(|| refused(format_args!("\"{id}\" is the id of no post")))
}

fn not_there(state: &str) -> impl FnOnce(AppError) -> Failure {
    move |error| match error {
        AppError::NotFound => refused(format_args!("no post with that id {state}")),
        error => error.into(),
    }
}
