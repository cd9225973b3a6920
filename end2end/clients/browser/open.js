import { once } from 'node:events';
import { cp, mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { chromium } from '@playwright/test';
import { build } from 'esbuild';
import { LAUNCH } from '../../support/chromium.js';

const PAGE = `<!doctype html>
<html lang="en">
  <link rel="icon" href="data:," />
  <div id="root"></div>
  <script type="module" src="/page.js"></script>
</html>
`;

/**
 * Bundles a script with the packages beside it, and with what `byline codegen`
 * has written in `generated`.
 */
async function bundle(entry, generated) {
  const folder = await mkdtemp(join(tmpdir(), 'byline-page-'));
  try {
    await cp(generated, join(folder, 'generated'), { recursive: true });
    await cp(entry, join(folder, basename(entry)));
    const { outputFiles } = await build({
      entryPoints: [join(folder, basename(entry))],
      bundle: true,
      write: false,
      format: 'esm',
      loader: { '.js': 'jsx' },
      nodePaths: [join(dirname(entry), 'node_modules')],
      // What the bundlers of all the years gave to every page.
      define: { global: 'globalThis', 'process.env.NODE_ENV': '"production"' },
      logLevel: 'error',
    });
    return outputFiles[0].text;
  } finally {
    await rm(folder, { recursive: true });
  }
}

/** Serves a page with that script, as any host of static files does. */
async function host(script) {
  const server = createServer(({ url }, response) => {
    const isScript = url === '/page.js';
    response.setHeader('content-type', isScript ? 'text/javascript' : 'text/html');
    response.end(isScript ? script : PAGE);
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  return server;
}

/**
 * Serves a page with the script on an origin that is not the site's. Each visit
 * is somebody else's: the browser keeps nothing between them.
 *
 * @param {string} entry the script
 * @param {{ folder: string }} site
 */
export async function serve(entry, { folder }) {
  const server = await host(await bundle(entry, folder));
  const browser = await chromium.launch(LAUNCH);
  const visit = async (path = '/') => {
    // A site that speaks TLS here has made its certificate by itself.
    const page = await browser.newPage({ ignoreHTTPSErrors: true });
    await page.goto(`http://localhost:${server.address().port}${path}`);
    return page;
  };
  const close = async () => {
    await browser.close();
    server.closeAllConnections();
    server.close();
  };
  return { visit, close };
}

/** The same for one visit. */
export async function open(entry, site) {
  const { visit, close } = await serve(entry, site);
  return { page: await visit(), close };
}
