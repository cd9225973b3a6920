import { cp } from 'node:fs/promises';
import { join } from 'node:path';
import { build } from 'esbuild';

/**
 * Bundles the front end into `folder`, which has been given the files of
 * `byline codegen` in its `src`, where `amplify pull` would have put them.
 *
 * @param {string} folder
 */
export async function bundle(folder) {
  const here = import.meta.dirname;
  await cp(join(here, 'src'), join(folder, 'src'), { recursive: true });
  await cp(join(here, 'index.html'), join(folder, 'public/index.html'));
  await build({
    entryPoints: [join(folder, 'src/index.js')],
    outdir: join(folder, 'public'),
    bundle: true,
    splitting: true,
    format: 'esm',
    target: 'es2020',
    loader: { '.js': 'jsx' },
    nodePaths: [join(here, 'node_modules')],
    // What the bundlers of that time gave to every page.
    define: { global: 'globalThis', 'process.env.NODE_ENV': '"production"' },
    logLevel: 'error',
  });
}
