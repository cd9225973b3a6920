// A front end of today: the forms of @aws-amplify/ui-react before its pages. Where the
// address ends in `?email`, people are asked for their address instead of a name.

import React from 'react';
import { createRoot } from 'react-dom/client';
import { Authenticator } from '@aws-amplify/ui-react';
import { Amplify } from 'aws-amplify';
import { generateClient } from 'aws-amplify/api';
import awsExports from './generated/aws-exports.js';
import { createPost } from './generated/graphql/mutations.js';

Amplify.configure(awsExports);
const client = generateClient();

/** Makes a post as whoever is signed in. */
window.write = async (title) => {
  const { data } = await client.graphql({ query: createPost, variables: { input: { title } } });
  return data.createPost;
};

const byAddress = window.location.search === '?email' ? { loginMechanisms: ['email'] } : {};

createRoot(document.getElementById('root')).render(
  <Authenticator {...byAddress}>
    {({ signOut, user }) => (
      <main>
        <h1>Welcome, {user.username}</h1>
        <button onClick={signOut}>Sign out</button>
      </main>
    )}
  </Authenticator>,
);
