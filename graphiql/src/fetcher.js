// Takes an operation to the API: queries and mutations by HTTP, subscriptions by a
// WebSocket of their own.

import { getOperationAST } from 'graphql';
import { createClient } from 'graphql-ws';
import { headers } from './credential.js';

/** What GraphiQL calls for every operation. `signedIn` tells whether a session would answer. */
export function fetcher(endpoint, signedIn) {
  return (operation, options = {}) => {
    const given = { ...headers(), ...options.headers };
    if (!signedIn && Object.keys(given).length === 0) {
      return { errors: [{ message: 'Log in, or paste an API key or an access token into the field above, and run this again.' }] };
    }
    const { documentAST } = options;
    const kind = documentAST && getOperationAST(documentAST, operation.operationName)?.operation;
    return kind === 'subscription' ? subscribe(endpoint, operation, given) : post(endpoint, operation, given);
  };
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
      const failed = (cause) => observer.error(cause instanceof CloseEvent ? { message: closed(cause) } : cause);
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

const closed = ({ code, reason }) => `The connection was closed: ${reason || 'no reason given'} (${code}).`;
