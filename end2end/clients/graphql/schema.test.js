import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import generator from '@aws-amplify/graphql-generator';
import {
  buildClientSchema,
  buildSchema,
  getIntrospectionQuery,
  lexicographicSortSchema,
  parse,
  printSchema,
  validate,
} from 'graphql';
import { send, site, wholeSchema } from '../support/site.js';

const byline = await site('plain');
const written = await readFile(join(byline.folder, 'schema.graphql'), 'utf8');
const served = await wholeSchema(byline);
const withoutDescription = (schema) => schema.replace(/"""[^"]*"""\n(scalar AWSDateTime)/, '$1');
const text = (schema) => printSchema(lexicographicSortSchema(schema));

test('the schema that is served is the one that introspection tells of', async () => {
  const options = { specifiedByUrl: false, inputValueDeprecation: true };
  const query = getIntrospectionQuery(options);
  const { body } = await send(byline, { query }, { 'x-api-key': byline.apiKey });
  assert.equal(body.errors, undefined);
  assert.equal(withoutDescription(text(buildClientSchema(body.data))), text(buildSchema(served)));
});

test('the generator of Amplify takes the schema that is served', async () => {
  const queries = Object.values(byline.statements).join('\n');
  for (const target of ['typescript', 'swift', 'flow', 'angular']) {
    const files = await generator.generateTypes({ schema: written, queries, target });
    assert.match(Object.values(files).join(), /createdAt/, target);
  }
  const statements = generator.generateStatements({ schema: written, target: 'typescript', maxDepth: 2 });
  assert.match(statements['queries.ts'], /getPost\(id: \$id\)/);
});

test('the statements that are served fit the schema', () => {
  const schema = buildSchema(served);
  const entries = Object.entries(byline.statements);
  assert(entries.length >= 8, Object.keys(byline.statements).join());
  for (const [name, statement] of entries) {
    assert.deepEqual(validate(schema, parse(statement)), [], name);
  }
});

test('the types that are served compile', async () => {
  const use = join(byline.folder, 'use.ts');
  await writeFile(
    use,
    `import type { CreatePostInput, ListPostsQuery } from './API';
export const input: CreatePostInput = { title: 'One' };
// @ts-expect-error a post needs a title
export const untitled: CreatePostInput = {};
export const first = (posts: ListPostsQuery): string | undefined => posts.listPosts?.items[0]?.title;
`,
  );
  const tsc = join(import.meta.dirname, '../../node_modules/typescript/bin/tsc');
  const flags = ['--noEmit', '--strict', '--skipLibCheck', '--target', 'es2022', '--module', 'esnext', '--moduleResolution', 'bundler'];
  await promisify(execFile)(process.execPath, [tsc, ...flags, use]);
});
