//! What Amplify's clients call things. Byline is neither a region nor a user
//! pool, but the clients take no configuration that does not name them.

/// The region. Clients put it into addresses of AWS, none of which is used.
pub const REGION: &str = "local-1";

/// The user pool: clients take the part before `_` for its region.
pub const USER_POOL_ID: &str = "local-1_byline";

/// The client of the pool.
pub use crate::credentials::token::CLIENT_ID;

/// Where operations of the user pool are posted to, below the public URL.
pub const COGNITO_PATH: &str = "/cognito";

/// Where GraphQL is, below the public URL.
pub const GRAPHQL_PATH: &str = "/graphql";
