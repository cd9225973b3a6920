//! Connections for reading posts.

use crate::{
    credentials::Actor,
    database::Db,
    error::AppError,
    http::turns::{Client, ReadCost, Turn},
    posts::events::store::has_event,
    site::Site,
};

/// A connection and its turn. The connection is returned before the turn ends.
#[derive(Debug)]
pub struct TurnConnection {
    pub db: Db,
    _turn: Turn,
}

impl Site {
    /// A connection to read what `actor` may see. People who are signed in read
    /// from the primary, so that they see their own changes. All others may be
    /// served by a replica that has the newest event that this process knows, so
    /// that no page is older than one that was shown before.
    ///
    /// # Errors
    /// [`AppError::Busy`] if there is no connection.
    pub async fn reader_for(&self, actor: &Actor) -> Result<Db, AppError> {
        if !matches!(actor, Actor::User(_))
            && let Some(mut replica) = self.database.read_replica().await
            && matches!(has_event(&mut replica, self.bus().newest()).await, Ok(true))
        {
            return Ok(replica);
        }
        self.database.read().await
    }

    /// [`Self::reader_for`], after taking a turn of `client`.
    ///
    /// # Errors
    /// [`AppError::Busy`] if there is no turn or no connection.
    pub async fn turn_for(
        &self,
        actor: &Actor,
        client: &Client,
        cost: ReadCost,
    ) -> Result<TurnConnection, AppError> {
        let turn = self.turns().next(client, cost).await?;
        Ok(TurnConnection { db: self.reader_for(actor).await?, _turn: turn })
    }
}
