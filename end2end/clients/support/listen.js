import { Inbox, soon } from './site.js';

/**
 * Subscribes by a client of Amplify, for as long as the test takes, and waits
 * until the server has said that it listens, which all versions announce on
 * their hub.
 *
 * @param {import('node:test').TestContext} test
 * @param {{ listen: Function, remove?: Function }} hub
 * @param {() => { subscribe: Function }} start
 * @param {(message: any) => any} unwrap the post in what the client hands on
 * @returns the next post that is told, or, for an id, what is told next of the
 *   post with that id: other tests make posts on the same site at the same time
 */
export async function listen(test, hub, start, unwrap) {
  const inbox = new Inbox();
  let forget = () => {};
  const acknowledged = new Promise((resolve, reject) => {
    const heard = ({ payload }) => {
      if (payload.event === 'Subscription ack') resolve();
    };
    // From version 5 on the hub hands back the way to stop; before, it is asked to.
    const stop = hub.listen('api', heard);
    forget = typeof stop === 'function' ? stop : () => hub.remove('api', heard);
    const subscription = start().subscribe({
      next: (message) => inbox.put(unwrap(message)),
      error: reject,
    });
    test.after(() => subscription.unsubscribe());
  });
  try {
    await soon(acknowledged, 'acknowledgement of the subscription');
  } finally {
    forget();
  }
  return async (id) => {
    for (;;) {
      const post = await inbox.take('event');
      if (id === undefined || post.id === id) return post;
    }
  };
}
