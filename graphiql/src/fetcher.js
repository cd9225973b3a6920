// Takes an operation to the API: queries and mutations by HTTP, subscriptions by a
// WebSocket of their own.

import { Kind, parse } from 'graphql';
import { createClient } from 'graphql-ws';
import { headers } from './credential.js';

/** What GraphiQL calls for every operation. `signedIn` tells whether a session would answer. */
export function fetcher(endpoint, signedIn) {
  return (asked, options = {}) => {
    const given = { ...headers(), ...options.headers };
    if (!signedIn && Object.keys(given).length === 0) {
      const message =
        'Log in, or paste an API key or an access token into the field above, and run this again.';
      return { errors: [{ message }] };
    }
    const chosen = chosenOperation(asked);
    const operation = chosen ? { ...asked, operationName: chosen.name?.value } : asked;
    return chosen?.operation === 'subscription'
      ? subscribe(endpoint, operation, given)
      : post(endpoint, operation, given);
  };
}

// What GraphiQL says of the operation is a moment old: just after another tab was
// chosen, it still names that one's.
function chosenOperation({ query, operationName }) {
  try {
    const operations = parse(query).definitions.filter(({ kind }) => kind === Kind.OPERATION_DEFINITION);
    return operations.length === 1 ? operations[0] : operations.find(({ name }) => name?.value === operationName);
  } catch {
    // The server says what is wrong with it.
    return undefined;
  }
}

async function post(endpoint, operation, given) {
  const response = await fetch(endpoint, {
    method: 'POST',
    headers: { 'content-type': 'application/json', accept: 'application/json', ...given },
    // Who pasted something wants that to count, not their session.
    credentials: Object.keys(given).length > 0 ? 'omit' : 'same-origin',
    body: JSON.stringify(operation),
  });
  const text = await response.text();
  try {
    return JSON.parse(text);
  } catch {
    return { errors: [{ message: `The answer is not JSON (status ${response.status}).` }] };
  }
}

function subscribe(endpoint, operation, given) {
  const url = new URL(endpoint, location.href);
  url.protocol = url.protocol === 'https:' ? 'wss:' : 'ws:';
  return {
    subscribe(observer) {
      const client = createClient({
        url: url.href,
        connectionParams: given,
        retryAttempts: 0,
        lazyCloseTimeout: 0,
      });
      const failed = (cause) => observer.error(cause instanceof Event ? { message: closed(cause) } : cause);
      const stop = client.subscribe(operation, { ...observer, error: failed });
      return {
        unsubscribe() {
          stop();
          client.dispose();
        },
      };
    },
  };
}

function closed({ code, reason }) {
  if (code === undefined) return 'The connection could not be made.';
  return `The connection was closed: ${reason || 'no reason was given'} (${code}).`;
}
