import React, { useEffect, useState } from 'react';
import { API, graphqlOperation } from 'aws-amplify';
import { AmplifySignOut, withAuthenticator } from '@aws-amplify/ui-react';
import { listPosts } from './graphql/queries';
import { createPost, deletePost, updatePost } from './graphql/mutations';

const EMPTY = { title: '', content: '' };

function MyPosts() {
  const [form, setForm] = useState(EMPTY);
  const [posts, setPosts] = useState([]);

  useEffect(() => {
    fetchPosts();
  }, []);

  async function fetchPosts() {
    const { data } = await API.graphql(graphqlOperation(listPosts));
    setPosts(data.listPosts.items);
  }

  const setInput = (event) => setForm({ ...form, [event.target.name]: event.target.value });

  async function save(event) {
    event.preventDefault();
    const { id, title, content } = form;
    if (id) await API.graphql(graphqlOperation(updatePost, { input: { id, title, content } }));
    else await API.graphql(graphqlOperation(createPost, { input: { title, content } }));
    setForm(EMPTY);
    await fetchPosts();
  }

  async function remove({ id }) {
    await API.graphql(graphqlOperation(deletePost, { input: { id } }));
    await fetchPosts();
  }

  return (
    <main>
      <h1>My posts</h1>
      <form onSubmit={save}>
        <input name="title" aria-label="Title" value={form.title} onChange={setInput} />
        <textarea name="content" aria-label="Content" value={form.content} onChange={setInput} />
        <button>Save</button>
      </form>
      <ul>
        {posts.map((post) => (
          <li key={post.id}>
            <h2>{post.title}</h2>
            <p>{post.content}</p>
            <button onClick={() => setForm(post)}>Edit</button>
            <button onClick={() => remove(post)}>Delete</button>
          </li>
        ))}
      </ul>
      <AmplifySignOut />
    </main>
  );
}

export default withAuthenticator(MyPosts);
