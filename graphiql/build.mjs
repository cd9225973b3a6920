// Bundles the page into the folder that is given: graphiql.js and graphiql.css.

import { readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const here = dirname(fileURLToPath(import.meta.url));

// GraphiQL's style sheet brings its fonts along as data, which the site's policy
// (`font-src 'self'`) refuses. The page uses the system's.
const withoutFonts = {
  name: 'without-fonts',
  setup({ onLoad }) {
    onLoad({ filter: /graphiql[\\/]dist[\\/]style\.css$/ }, async ({ path }) => {
      const css = await readFile(path, 'utf8');
      return { contents: css.replace(/@font-face\s*\{[^}]*\}/g, ''), loader: 'css' };
    });
  },
};

await build({
  entryPoints: { graphiql: join(here, 'src/main.jsx') },
  outdir: process.argv[2],
  bundle: true,
  minify: true,
  format: 'esm',
  target: 'es2022',
  jsx: 'automatic',
  legalComments: 'eof',
  define: { 'process.env.NODE_ENV': '"production"' },
  alias: {
    // It would write <style> elements, which the policy refuses.
    'react-style-singleton': join(here, 'src/no-styles.js'),
    // Large, for little: dragging tabs, and descriptions in Markdown.
    'framer-motion': join(here, 'src/no-motion.jsx'),
    'markdown-it': join(here, 'src/no-markdown.js'),
  },
  plugins: [withoutFonts],
  logLevel: 'warning',
});
