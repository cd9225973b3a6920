// The tabs of a first visit: every kind of operation once.

export const examples = [
  {
    query: `# Everyone's posts, newest first, a page at a time.
query AllPosts($first: Int = 5, $after: String) {
  allPosts(first: $first, after: $after) {
    edges {
      cursor
      node {
        id
        title
        owner
        createdAt
      }
    }
    pageInfo {
      hasNextPage
      endCursor
    }
  }
}
`,
  },
  {
    query: `# Your own posts; with an API key, everyone's.
query ListPosts {
  listPosts(limit: 5) {
    items {
      id
      title
      owner
    }
    nextToken
  }
}
`,
  },
  {
    query: `query GetPost($id: ID!) {
  getPost(id: $id) {
    id
    title
    content
    owner
    createdAt
    updatedAt
  }
}
`,
    variables: '{ "id": "" }',
  },
  {
    query: `mutation CreatePost($input: CreatePostInput!) {
  createPost(input: $input) {
    id
    title
    content
    owner
    createdAt
    updatedAt
  }
}
`,
    variables: '{ "input": { "title": "From GraphiQL", "content": "Hello." } }',
  },
  {
    query: `mutation UpdatePost($input: UpdatePostInput!) {
  updatePost(input: $input) {
    id
    title
    updatedAt
  }
}
`,
    variables: '{ "input": { "id": "", "title": "A better title" } }',
  },
  {
    query: `mutation DeletePost($input: DeletePostInput!) {
  deletePost(input: $input) {
    id
    title
  }
}
`,
    variables: '{ "input": { "id": "" } }',
  },
  {
    query: `# Runs until it is stopped. Publish something in another tab.
subscription OnCreatePost {
  onCreatePost {
    id
    title
    owner
  }
}
`,
  },
];
