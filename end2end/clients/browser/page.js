// A page of another origin, with the clients that such pages use. What the
// test calls is on `window.clients`; every answer is plain data.

import { ApolloClient, HttpLink, InMemoryCache, gql } from '@apollo/client';
import {
  CognitoIdentityProviderClient,
  GetUserCommand,
  InitiateAuthCommand,
  SignUpCommand,
} from '@aws-sdk/client-cognito-identity-provider';
import { Client, cacheExchange, fetchExchange } from '@urql/core';
import { Amplify } from 'aws-amplify';
import { generateClient } from 'aws-amplify/api';
import * as auth from 'aws-amplify/auth';
import { Hub } from 'aws-amplify/utils';
import awsExports from './generated/aws-exports.js';
import { createPost } from './generated/graphql/mutations.js';
import { listPosts } from './generated/graphql/queries.js';
import { onCreatePost } from './generated/graphql/subscriptions.js';

const url = awsExports.aws_appsync_graphqlEndpoint;
const ClientId = awsExports.aws_user_pools_web_client_id;

/** What a call brings, or the name and the words of the error that it throws. */
const outcome = async (call) => {
  try {
    return { value: (await call()) ?? null };
  } catch (error) {
    const [first] = error.errors ?? [];
    return { error: { name: error.name, message: first?.message ?? error.message } };
  }
};

Amplify.configure(awsExports);
const amplify = generateClient();

/** aws-amplify 6. */
const amplify6 = {
  signUp: ({ username, password, email }) =>
    outcome(() => auth.signUp({ username, password, options: { userAttributes: { email } } })),
  /** By its default, SRP. */
  signIn: ({ username, password }) => outcome(() => auth.signIn({ username, password })),
  whoAmI: () => outcome(async () => (await auth.getCurrentUser()).username),
  tokens: async () => {
    const { tokens } = await auth.fetchAuthSession({ forceRefresh: true });
    return { access: tokens.accessToken.toString(), id: tokens.idToken.toString() };
  },
  list: (authMode) =>
    outcome(async () => (await amplify.graphql({ query: listPosts, authMode })).data.listPosts.items),
  create: (input, authMode) =>
    outcome(async () => {
      const { data } = await amplify.graphql({ query: createPost, variables: { input }, authMode });
      return data.createPost;
    }),
  /** Makes a post once the subscription is acknowledged; the post as it was told. */
  hear: (input) =>
    outcome(
      () =>
        new Promise((resolve, reject) => {
          const forget = Hub.listen('api', ({ payload }) => {
            if (payload.event !== 'Subscription ack') return;
            forget();
            amplify6.create(input).then(({ error }) => error && reject(error));
          });
          const subscription = amplify.graphql({ query: onCreatePost }).subscribe({
            next({ data }) {
              subscription.unsubscribe();
              resolve(data.onCreatePost);
            },
            error: reject,
          });
        }),
    ),
  signOut: () => outcome(() => auth.signOut({ global: true })),
};

const cognito = new CognitoIdentityProviderClient({
  region: awsExports.aws_cognito_region,
  endpoint: awsExports.Auth.endpoint,
});

/** The AWS SDK for JavaScript, version 3. */
const sdk = {
  signUp: ({ username, password, email }) =>
    outcome(async () => {
      const UserAttributes = [{ Name: 'email', Value: email }];
      const command = new SignUpCommand({ ClientId, Username: username, Password: password, UserAttributes });
      return (await cognito.send(command)).UserConfirmed;
    }),
  signIn: ({ username, password }) =>
    outcome(async () => {
      const AuthParameters = { USERNAME: username, PASSWORD: password };
      const command = new InitiateAuthCommand({ ClientId, AuthFlow: 'USER_PASSWORD_AUTH', AuthParameters });
      const { AuthenticationResult } = await cognito.send(command);
      const user = await cognito.send(new GetUserCommand({ AccessToken: AuthenticationResult.AccessToken }));
      return user.Username;
    }),
};

/** urql with its defaults: queries go by GET. */
const urql = {
  run(kind, document, variables, headers) {
    const client = new Client({ url, exchanges: [cacheExchange, fetchExchange], fetchOptions: { headers } });
    return outcome(async () => {
      const { data, error } = await client[kind](document, variables).toPromise();
      if (error) throw Object.assign(new Error(error.message), { name: 'CombinedError' });
      return data;
    });
  },
};

/** Apollo Client with queries by GET. */
const apollo = {
  query(document, variables, headers) {
    const link = new HttpLink({ uri: url, headers, useGETForQueries: true });
    const client = new ApolloClient({ link, cache: new InMemoryCache() });
    return outcome(async () => (await client.query({ query: gql(document), variables })).data);
  },
};

window.clients = { amplify6, sdk, urql, apollo };
