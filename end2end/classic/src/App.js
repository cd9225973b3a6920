import React, { useState } from 'react';
import AllPosts from './AllPosts';
import MyPosts from './MyPosts';

export default function App() {
  const [view, setView] = useState('all');
  return (
    <>
      <nav>
        <button onClick={() => setView('all')}>All posts</button>
        <button onClick={() => setView('mine')}>My posts</button>
      </nav>
      {view === 'all' ? <AllPosts /> : <MyPosts />}
    </>
  );
}
