//! `/account/api`: where the API is, which credentials it accepts, and the files
//! for a front end.

use leptos::prelude::*;

use super::{Backend, DefaultAuth, File};
use crate::{
    accounts::pages::AccountNav,
    http::context::{actor, site},
    ui::{PageTitle, load},
};

/// Everything that the author of a front end needs.
#[component]
pub fn ApiPage() -> impl IntoView {
    load(async move {
        let username = actor().user()?.username.to_string();
        let backend = Backend::of(&site(), DefaultAuth::default()).await?;
        let url = backend.graphql_url();
        Ok(view! {
            <PageTitle text="API".to_owned() />
            <AccountNav />
            <h1>"API"</h1>
            <p>"Other programs reach this site by GraphQL, at:"</p>
            <pre class="code"><code>{url.clone()}</code></pre>
            <p><a href="/graphiql">"Try it in GraphiQL"</a>", which explains every operation as well."</p>
            <section class="part" aria-labelledby="credentials">
                <h2 id="credentials">"Who is asking"</h2>
                <p>"A request shows one of three things. The commands work as they are in a terminal."</p>
                <Credentials backend=backend.clone() username />
            </section>
            <section class="part" aria-labelledby="files">
                <h2 id="files">"Files for a front end"</h2>
                <p>
                    "A front end of AWS Amplify changes nothing but these files. "
                    <code>"byline codegen --out src"</code>
                    " writes the same ones."
                </p>
                <ul class="files">
                    {File::ALL.into_iter().map(|file| view! {
                        <li>
                            <a href=address(file) download>{file.name()}</a>
                            <span class="hint">{file.purpose()}</span>
                        </li>
                    }).collect_view()}
                </ul>
                <p>
                    "With these, a call that names no mode shows the token of whoever has signed in. "
                    "For front ends whose calls show the public API key, as AWS's first tutorials have it ("
                    <code>"--default-auth api-key"</code>"):"
                </p>
                <ul class="files">
                    {File::ALL.into_iter().filter(|file| file.has_default_auth()).map(|file| view! {
                        <li>
                            <a href=format!("{}?default-auth=api-key", address(file)) download>
                                {file.name()}
                            </a>
                            <span class="hint">"calls show the API key"</span>
                        </li>
                    }).collect_view()}
                </ul>
            </section>
        })
    })
}

fn address(file: File) -> String {
    format!("/account/api/{}", file.name())
}

/// Each credential with a command that uses it.
#[component]
fn Credentials(backend: Backend, username: String) -> impl IntoView {
    let url = backend.graphql_url();
    let ask = |header: &str, query: &str| {
        format!(
            "curl {url} \\\n  -H 'content-type: application/json' \\\n  -H '{header}' \\\n  -d '{{\"query\": \"{query}\"}}'"
        )
    };
    let all_posts = "{ allPosts { nodes { title owner } } }";
    let public = match &backend.public_key {
        Some(key) => view! {
            <p>"Everyone may have it; it is in the files below. It reads all posts."</p>
            <pre class="code"><code>{ask(&format!("x-api-key: {key}"), all_posts)}</code></pre>
        }
        .into_any(),
        None => view! {
            <p>
                "Everyone may have it; it reads all posts. There is none yet. Whoever runs this site makes it with "
                <code>{Backend::MAKE_PUBLIC_KEY}</code>"."
            </p>
        }
        .into_any(),
    };
    let token = format!(
        "read -rs PASSWORD\ncurl {}/api/token \\\n  -d grant_type=password -d username={username} \\\n  --data-urlencode \"password=$PASSWORD\"",
        backend.public_url
    );
    view! {
        <h3>"The public API key"</h3>
        {public}
        <h3>"An API key of your own"</h3>
        <p>
            "It reads all posts, too, and can be revoked without any other program noticing. Make one under "
            <a href="/account/api-keys">"API keys"</a>"."
        </p>
        <pre class="code"><code>{ask("x-api-key: YOUR-KEY", all_posts)}</code></pre>
        <h3>"An access token"</h3>
        <p>
            "It reads and writes in your name for ten minutes. Get one with your password, which the first of these lines reads from the keyboard:"
        </p>
        <pre class="code"><code>{token}</code></pre>
        <pre class="code"><code>{ask("authorization: Bearer YOUR-TOKEN", "{ me { username } myPosts { nodes { title } } }")}</code></pre>
    }
}
