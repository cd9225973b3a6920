import React, { useEffect, useState } from 'react';
import { API } from 'aws-amplify';
import { listPosts } from './graphql/queries';
import { onCreatePost } from './graphql/subscriptions';

export default function AllPosts() {
  const [posts, setPosts] = useState([]);

  useEffect(() => {
    fetchPosts();
    const subscription = API.graphql({ query: onCreatePost, authMode: 'API_KEY' }).subscribe({
      next: ({ value }) => setPosts((posts) => [value.data.onCreatePost, ...posts]),
      error: (error) => console.error('subscription', error),
    });
    return () => subscription.unsubscribe();
  }, []);

  async function fetchPosts() {
    const { data } = await API.graphql({ query: listPosts, authMode: 'API_KEY' });
    setPosts(data.listPosts.items);
  }

  return (
    <main>
      <h1>All posts</h1>
      <ul>
        {posts.map((post) => (
          <li key={post.id}>
            <h2>{post.title}</h2>
            <p>{post.content}</p>
            <small>{post.owner}</small>
          </li>
        ))}
      </ul>
    </main>
  );
}
