//! Connections for reading posts.

use crate::{
    credentials::Actor,
    database::Db,
    error::AppError,
    http::turns::{Client, Reach, Turn},
    posts::events::store::has_come_to,
    site::Site,
};

/// A connection for the time of a turn; it is given back first.
#[derive(Debug)]
pub struct InTurn {
    pub db: Db,
    _turn: Turn,
}

impl Site {
    /// A connection to read what `actor` may look at. Whoever is signed in
    /// reads from where they write, so that they see what they just did.
    /// Everyone else may be served by a replica that is as far as this
    /// process has heard: then no page shows what is older than another did.
    ///
    /// # Errors
    /// [`AppError::Busy`] when there is no connection.
    pub async fn reader_for(&self, actor: &Actor) -> Result<Db, AppError> {
        if !matches!(actor, Actor::User(_))
            && let Some(mut replica) = self.database.read_replica().await
            && matches!(has_come_to(&mut replica, self.bus().newest()).await, Ok(true))
        {
            return Ok(replica);
        }
        self.database.read().await
    }

    /// [`Self::reader_for`] `actor`, when it is `client`'s turn.
    ///
    /// # Errors
    /// [`AppError::Busy`] when there is no turn or no connection.
    pub async fn turn_for(&self, actor: &Actor, client: &Client, reach: Reach) -> Result<InTurn, AppError> {
        let turn = self.turns().next(client, reach).await?;
        Ok(InTurn { db: self.reader_for(actor).await?, _turn: turn })
    }
}
