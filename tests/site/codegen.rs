//! The generated files for front ends of AWS Amplify.

use async_graphql::parser::{parse_query, parse_schema};
use axum::{body::Body, http::Method};
use byline::{codegen::File, config::ConflictDetection};
use serde_json::Value;

use crate::support::{Byline, Client, Credential, Running};

/// The fields that every statement of Amplify selects of a post.
const FIELDS: &str = "id title content owner createdAt updatedAt __typename";

async fn file(client: &mut Client, file: File) -> String {
    let answer = client.get(&format!("/account/api/{}", file.name())).await;
    assert_eq!(answer.status, 200, "{}: {}", file.name(), answer.text());
    assert_eq!(answer.header("content-type"), file.content_type(), "{}", file.name());
    assert_eq!(answer.header("cache-control"), "no-store", "{}", file.name());
    let base = file.name().rsplit('/').next().expect("a name");
    assert_eq!(answer.header("content-disposition"), format!("attachment; filename=\"{base}\""));
    answer.text().to_owned()
}

/// Downloads the file of that name.
async fn named(client: &mut Client, name: &str) -> String {
    file(client, File::parse(name).unwrap_or_else(|| panic!("{name} is a file"))).await
}

/// The statements of a file of JavaScript or TypeScript.
fn statements(text: &str) -> Vec<&str> {
    text.split('`').skip(1).step_by(2).collect()
}

/// As written by somebody who breaks lines elsewhere.
fn words(statement: &str) -> String {
    let spaced: String = statement.split_whitespace().collect::<Vec<_>>().join(" ");
    spaced.replace("( ", "(").replace(" )", ")").replace(", ", " ")
}

#[tokio::test]
async fn the_statements_are_those_that_front_ends_of_amplify_carry() {
    let site = Running::start().await;
    let mut ada = site.author("ada").await;
    let mutation = |name: &str| {
        let field = name.to_lowercase().replace("post", "Post");
        format!(
            "mutation {name}($input: {name}Input! $condition: ModelPostConditionInput) \
             {{ {field}(input: $input condition: $condition) {{ {FIELDS} }} }}"
        )
    };
    let subscription = |name: &str| {
        format!(
            "subscription On{name}($filter: ModelSubscriptionPostFilterInput $owner: String) \
             {{ on{name}(filter: $filter owner: $owner) {{ {FIELDS} }} }}"
        )
    };
    let queries = [
        format!("query GetPost($id: ID!) {{ getPost(id: $id) {{ {FIELDS} }} }}"),
        format!(
            "query ListPosts($filter: ModelPostFilterInput $limit: Int $nextToken: String) \
             {{ listPosts(filter: $filter limit: $limit nextToken: $nextToken) \
             {{ items {{ {FIELDS} }} nextToken __typename }} }}"
        ),
    ];
    for extension in ["js", "ts"] {
        for (name, expected) in [
            ("queries", queries.to_vec()),
            ("mutations", ["CreatePost", "UpdatePost", "DeletePost"].map(mutation).to_vec()),
            ("subscriptions", ["CreatePost", "UpdatePost", "DeletePost"].map(subscription).to_vec()),
        ] {
            let text = named(&mut ada, &format!("graphql/{name}.{extension}")).await;
            let written: Vec<_> = statements(&text).into_iter().map(words).collect();
            assert_eq!(written[..expected.len()], expected, "{name}.{extension}");
            for statement in statements(&text) {
                parse_query(statement).unwrap_or_else(|error| panic!("{error}: {statement}"));
            }
        }
    }
}

#[tokio::test]
async fn every_operation_of_the_schema_has_a_statement_and_its_types() {
    let site = Running::start().await;
    let mut ada = site.author("ada").await;
    let types = named(&mut ada, "API.ts").await;
    let queries = named(&mut ada, "graphql/queries.ts").await;
    for name in ["getPost", "listPosts", "allPosts", "myPosts", "me"] {
        assert!(queries.contains(&format!("export const {name} = ")), "{name}: {queries}");
    }
    for name in ["GetPostQuery", "MeQuery", "CreatePostMutation", "OnDeletePostSubscription"] {
        assert!(types.contains(&format!("export type {name} = {{")), "{name}: {types}");
        assert!(types.contains(&format!("export type {name}Variables = {{")), "{name}: {types}");
    }
    let input = "export type CreatePostInput = {\n  id?: string | null,\n  title: string,\n  \
                 content?: string | null,\n  owner?: string | null,\n};\n";
    assert!(types.contains(input), "{types}");
    assert!(types.contains("export enum ModelAttributeTypes {\n  binary = \"binary\","), "{types}");
    let page = "export type ModelPostConnection = {\n  __typename: \"ModelPostConnection\",\n  \
                items: Array<Post | null>,\n  nextToken?: string | null,\n};\n";
    assert!(types.contains(page), "{types}");
    let schema = named(&mut ada, "schema.graphql").await;
    assert!(!schema.contains("scalar "), "Amplify's generators define those of AWS themselves");
    assert!(schema.contains("  createdAt: AWSDateTime!"), "{schema}");
    parse_schema(schema).expect("a schema");
}

#[tokio::test]
async fn clients_are_pointed_at_this_site_with_its_public_key() {
    let site = Running::start().await;
    let mut ada = site.author("ada").await;
    let url = format!("http://{}", site.address);

    let without = named(&mut ada, "aws-exports.js").await;
    assert!(without.contains("byline api-key create --public"), "{without}");
    assert!(!without.contains("aws_appsync_apiKey"), "{without}");
    let key = site.public_key().await.key;
    let exports = named(&mut ada, "aws-exports.js").await;
    for part in [
        format!("\"aws_appsync_graphqlEndpoint\": \"{url}/graphql\""),
        "\"aws_appsync_region\": \"local-1\"".to_owned(),
        "\"aws_appsync_authenticationType\": \"AMAZON_COGNITO_USER_POOLS\"".to_owned(),
        format!("\"aws_appsync_apiKey\": \"{key}\""),
        format!("\"apiKey\": \"{key}\""),
        "\"aws_appsync_dangerously_connect_to_http_endpoint_for_testing\": true".to_owned(),
        "\"aws_project_region\": \"local-1\"".to_owned(),
        "\"aws_cognito_region\": \"local-1\"".to_owned(),
        "\"aws_user_pools_id\": \"local-1_byline\"".to_owned(),
        "\"aws_user_pools_web_client_id\": \"byline-web\"".to_owned(),
        format!("\"userPoolEndpoint\": \"{url}/cognito\""),
        format!("\"endpoint\": \"{url}/cognito\""),
        "\"authenticationFlowType\": \"USER_PASSWORD_AUTH\"".to_owned(),
        "export default awsExports;".to_owned(),
    ] {
        assert!(exports.contains(&part), "{part} is missing in {exports}");
    }
    assert!(!exports.contains("byline api-key create"), "{exports}");

    let address = format!("to === 'https://cognito-idp.local-1.amazonaws.com/' ? '{url}/cognito' : to");
    assert!(exports.contains(&address), "{exports}");

    let outputs = named(&mut ada, "amplify_outputs.json").await;
    let outputs: Value = serde_json::from_str(&outputs).expect("JSON");
    assert_eq!(
        outputs["version"], "0",
        "with 1, aws-amplify 6 forgets the endpoint; without any, phones refuse it"
    );
    assert_eq!(outputs["Auth"]["Cognito"]["userPoolEndpoint"], format!("{url}/cognito"));
    assert_eq!(outputs["API"]["GraphQL"]["endpoint"], format!("{url}/graphql"));
    assert_eq!(outputs["data"]["api_key"], key);
    let configuration: Value =
        serde_json::from_str(&named(&mut ada, "amplifyconfiguration.json").await).expect("JSON");
    let own_keys = configuration.as_object().expect("an object").keys();
    assert!(
        own_keys.clone().all(|key| !key.starts_with("aws_") && key != "version"),
        "aws-amplify 6 takes it as it is"
    );
    assert_eq!(configuration["Auth"]["Cognito"]["userPoolEndpoint"], format!("{url}/cognito"));
    let pool = &configuration["auth"]["plugins"]["awsCognitoAuthPlugin"]["CognitoUserPool"]["Default"];
    assert_eq!(format!("http://{}", pool["Endpoint"].as_str().expect("a host")), url);
    assert_eq!(configuration["api"]["plugins"]["awsAPIPlugin"]["byline"]["apiKey"], key);

    let fields = outputs["data"]["model_introspection"]["models"]["Post"]["fields"].as_object();
    let fields: Vec<_> = fields.expect("fields").keys().map(String::as_str).collect();
    assert_eq!(fields, ["content", "createdAt", "id", "owner", "title", "updatedAt"]);
}

#[tokio::test]
async fn a_front_end_uses_the_key_or_the_token_as_it_is_configured() {
    let site = Running::start().await;
    let mut ada = site.author("ada").await;
    site.public_key().await;
    for (wish, [flat, own, other]) in [
        ("", ["AMAZON_COGNITO_USER_POOLS", "userPool", "API_KEY"]),
        ("?default-auth=user-pools", ["AMAZON_COGNITO_USER_POOLS", "userPool", "API_KEY"]),
        ("?default-auth=api-key", ["API_KEY", "apiKey", "AMAZON_COGNITO_USER_POOLS"]),
    ] {
        let exports = ada.get(&format!("/account/api/aws-exports.js{wish}")).await;
        let exports = exports.text();
        for part in [
            format!("\"aws_appsync_authenticationType\": \"{flat}\""),
            format!("\"defaultAuthMode\": \"{own}\""),
        ] {
            assert!(exports.contains(&part), "{wish}: {part} is missing in {exports}");
        }
        let outputs = ada.get(&format!("/account/api/amplify_outputs.json{wish}")).await.json();
        assert_eq!(outputs["data"]["default_authorization_type"], flat, "{wish}");
        assert_eq!(outputs["data"]["authorization_types"], serde_json::json!([other]), "{wish}");
        assert_eq!(outputs["API"]["GraphQL"]["defaultAuthMode"], own, "{wish}");
    }
    let answer = ada.as_script().get("/account/api/aws-exports.js?default-auth=iam").await;
    assert_eq!(answer.status, 400, "{}", answer.text());
}

#[tokio::test]
async fn behind_https_nothing_connects_without_tls() {
    let site = Running::start_behind_https().await;
    let exports = named(&mut site.author("ada").await, "aws-exports.js").await;
    assert!(exports.contains("\"https://byline.example/graphql\""), "{exports}");
    assert!(!exports.contains("http://") && !exports.contains("dangerously"), "{exports}");
}

#[tokio::test]
async fn with_conflict_detection_every_file_has_versions() {
    let site = Running::start_with(|config| config.conflict_detection = ConflictDetection::On).await;
    let mut ada = site.author("ada").await;
    let queries = named(&mut ada, "graphql/queries.js").await;
    let fields = FIELDS.replace("__typename", "_version _deleted _lastChangedAt __typename");
    let written: Vec<_> = statements(&queries).into_iter().map(words).collect();
    let expected = [
        format!("query GetPost($id: ID!) {{ getPost(id: $id) {{ {fields} }} }}"),
        format!(
            "query SyncPosts($filter: ModelPostFilterInput $limit: Int $nextToken: String $lastSync: AWSTimestamp) \
             {{ syncPosts(filter: $filter limit: $limit nextToken: $nextToken lastSync: $lastSync) \
             {{ items {{ {fields} }} nextToken startedAt __typename }} }}"
        ),
    ];
    for statement in expected {
        assert!(written.contains(&statement), "{statement}: {written:#?}");
    }
    let types = named(&mut ada, "API.ts").await;
    assert!(types.contains("_version: number,\n  _deleted?: boolean | null,\n  _lastChangedAt: number,"));
    assert!(named(&mut ada, "schema.graphql").await.contains("extend type Post"));
    let outputs = named(&mut ada, "amplify_outputs.json").await;
    assert!(!outputs.contains("_version"), "a field of the server alone: {outputs}");
}

#[tokio::test]
async fn only_people_who_are_signed_in_see_the_page_and_its_files() {
    let site = Running::start().await;
    let mut nobody = site.browser();
    for path in ["/account/api", "/account/api/aws-exports.js"] {
        let answer = nobody.get(path).await;
        assert_eq!(answer.status, 303, "{path}: {}", answer.text());
        assert_eq!(answer.header("location"), format!("/login?next={path}"));
    }
    assert_eq!(site.script().get("/account/api/aws-exports.js").await.status, 401);

    let mut ada = site.author("ada").await;
    let page = ada.page("/account/api").await;
    page.assert_harmless("the page about the API");
    assert_eq!(page.title(), "API");
    let text = page.text("main");
    assert!(text.contains(&format!("http://{}/graphql", site.address)), "{text}");
    assert!(text.contains("byline api-key create --public"), "{text}");
    assert!(text.contains("username=ada"), "{text}");
    let offered = page.attributes("main a[download]", "href");
    let mut files: Vec<_> = File::ALL.iter().map(|file| format!("/account/api/{}", file.name())).collect();
    files.extend(
        ["aws-exports.js", "amplifyconfiguration.json", "amplify_outputs.json"]
            .map(|name| format!("/account/api/{name}?default-auth=api-key")),
    );
    assert_eq!(offered, files);

    let key = site.public_key().await.key;
    assert!(ada.page("/account/api").await.text("main").contains(&format!("x-api-key: {key}")));
    for missing in ["/account/api/API.js", "/account/api/graphql"] {
        assert_eq!(ada.get(missing).await.status, 404, "{missing}");
    }
    assert_eq!(ada.get("/account/api/../aws-exports.js").await.status, 400, "no target of this site");
    assert_eq!(ada.submit("/account/api/API.ts", &[]).await.status, 405);
}

#[tokio::test]
async fn the_command_writes_what_the_page_offers() {
    let byline = Byline::in_an_empty_folder();
    let served = byline.serve(&[]).await;
    let mut ada = Client::browser(served.address, false);
    assert_eq!(ada.sign_up("ada").await.status, 303);
    let out = byline.folder().join("front-end/src");
    let url = format!("http://{}", served.address);
    let arguments = ["codegen", "--out", "front-end/src", "--public-url", &url];
    let said = byline.run(&arguments, "").await.succeeded();
    assert!(said.contains("byline api-key create --public"), "{said}");
    for offered in File::ALL {
        assert!(said.contains(offered.name()), "{said}");
        let written = std::fs::read_to_string(out.join(offered.name())).expect("the file");
        assert_eq!(written, file(&mut ada, offered).await, "{}", offered.name());
    }

    let by_key = [&arguments[..], &["--default-auth", "api-key"]].concat();
    byline.run(&by_key, "").await.succeeded();
    for name in ["aws-exports.js", "amplifyconfiguration.json", "amplify_outputs.json"] {
        let written = std::fs::read_to_string(out.join(name)).expect("the file");
        let wanted = format!("/account/api/{name}?default-auth=api-key");
        assert_eq!(written, ada.get(&wanted).await.text(), "{name}");
    }
    served.terminate().await;

    std::fs::write(byline.folder().join("taken"), "").expect("a file");
    byline.run(&["codegen", "--out", "taken"], "").await.failed_with(&["taken", "cannot be written"]);
}

#[tokio::test]
async fn files_with_an_address_that_no_client_reaches_are_not_written() {
    let byline = Byline::in_an_empty_folder();
    for listen in ["0.0.0.0:3000", "[::]:3000", "127.0.0.1:0"] {
        let arguments = ["codegen", "--out", "src", "--listen", listen];
        byline.run(&arguments, "").await.failed_with(&[listen, "--public-url"]);
        assert!(!byline.folder().join("src").exists(), "{listen}");
        let named = [&arguments[..], &["--public-url", "https://byline.example"]].concat();
        byline.run(&named, "").await.succeeded();
        std::fs::remove_dir_all(byline.folder().join("src")).expect("a folder");
    }
    let unreachable = ["codegen", "--out", "src", "--public-url", "http://0.0.0.0"];
    byline.run(&unreachable, "").await.failed_with(&["http://0.0.0.0", "public-url"]);
}

#[tokio::test]
async fn a_site_that_listens_everywhere_says_so_and_offers_no_file_with_a_wrong_address() {
    let byline = Byline::in_an_empty_folder();
    let served = byline.serve(&["--listen", "0.0.0.0:0"]).await;
    assert_eq!(served.address.ip().to_string(), "127.0.0.1", "where a browser on this machine finds it");
    let mut ada = Client::browser(served.address, false);
    assert_eq!(ada.sign_up("ada").await.status, 303);
    for path in ["/account/api", "/account/api/aws-exports.js", "/account/api/schema.graphql"] {
        let answer = ada.get(path).await;
        assert_eq!(answer.status, 503, "{path}");
        let said = answer.text();
        assert!(said.contains("--public-url") && said.contains("http://0.0.0.0:"), "{path}: {said}");
    }
    served.terminate().await;

    // Where it is, it knows, though the system chose the port.
    let served = byline.serve(&[]).await;
    let mut ada = Client::browser(served.address, false);
    assert_eq!(ada.log_in("ada").await.status, 303);
    let url = format!("\"http://{}/graphql\"", served.address);
    let exports = ada.get("/account/api/aws-exports.js").await;
    assert!(exports.text().contains(&url), "{url} is missing in {}", exports.text());
    served.terminate().await;
}

#[tokio::test]
async fn the_files_are_for_people_however_they_prove_who_they_are() {
    let site = Running::start().await;
    let ada = site.author("ada").await;
    let (key, _) = site.api_key_of(&ada).await;
    let session = Credential::session(&ada);
    for (by, status) in [
        (Credential::none(), 401),
        (session.clone(), 200),
        (site.token_of("ada").await, 200),
        (key.clone(), 403),
        (key.beside(&session), 403),
        (Credential::token("a.b.c").beside(&session), 401),
        (Credential::api_key("byl_wrong").beside(&session), 401),
    ] {
        let request = by.request(&site, Method::GET, "/account/api/schema.graphql");
        let answer = site.exchange(request.body(Body::empty()).expect("a request")).await;
        assert_eq!(answer.status, status, "{}: {}", by.name, answer.text());
    }
}
