//! The macros of SQLx that need no database: the derives such as `FromRow`, and
//! `migrate!`. The code is SQLx's own (`sqlx-macros-core`); this crate exports it
//! without the drivers (see `Cargo.toml`).
//!
//! `query!` and `sqlx::test` connect while they compile, so here they fail with a
//! message. To use them, remove the patch from the root `Cargo.toml`. The patch
//! changes the time of a build and nothing else.

use proc_macro::TokenStream;
use sqlx_macros_core::{derives, migrate as migrations};
use syn::{DeriveInput, LitStr, parse_macro_input};

/// Reads a struct from a row.
#[proc_macro_derive(FromRow, attributes(sqlx))]
pub fn derive_from_row(input: TokenStream) -> TokenStream {
    tokens(derives::expand_derive_from_row(&parse_macro_input!(input as DeriveInput)))
}

/// Makes a type one that a database knows.
#[proc_macro_derive(Type, attributes(sqlx))]
pub fn derive_type(input: TokenStream) -> TokenStream {
    tokens(derives::expand_derive_type_encode_decode(&parse_macro_input!(input as DeriveInput)))
}

/// Writes a value to a database.
#[proc_macro_derive(Encode, attributes(sqlx))]
pub fn derive_encode(input: TokenStream) -> TokenStream {
    tokens(derives::expand_derive_encode(&parse_macro_input!(input as DeriveInput)))
}

/// Reads a value from a database.
#[proc_macro_derive(Decode, attributes(sqlx))]
pub fn derive_decode(input: TokenStream) -> TokenStream {
    tokens(derives::expand_derive_decode(&parse_macro_input!(input as DeriveInput)))
}

/// Embeds the migrations of a folder.
#[proc_macro]
pub fn migrate(input: TokenStream) -> TokenStream {
    let folder = parse_macro_input!(input as Option<LitStr>);
    tokens(migrations::expand(folder).map_err(|error| error.to_string()).map_err(failure))
}

/// Not here: it would connect to a database.
#[proc_macro]
pub fn expand_query(_: TokenStream) -> TokenStream {
    failure("`query!` is not part of this build: see patches/sqlx-macros").to_compile_error().into()
}

/// Not here: it would connect to a database.
#[proc_macro_attribute]
pub fn test(_: TokenStream, _: TokenStream) -> TokenStream {
    failure("`sqlx::test` is not part of this build: see patches/sqlx-macros").to_compile_error().into()
}

/// An error at the place where the macro is called.
fn failure(message: impl std::fmt::Display) -> syn::Error {
    syn::parse::Error::new(proc_macro::Span::call_site().into(), message)
}

fn tokens<T: Into<TokenStream>>(result: syn::Result<T>) -> TokenStream {
    result.map_or_else(|error| error.to_compile_error().into(), Into::into)
}
