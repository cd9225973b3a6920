// Inlines every `@import` of a style sheet, minifies the whole, and prints it.
// No browsers are given as targets: modern CSS stays as it was written.

import { bundle } from 'lightningcss';

const filename = process.argv[2];
try {
  process.stdout.write(bundle({ filename, minify: true }).code);
} catch (error) {
  const place = error.loc ? `${error.fileName}:${error.loc.line}:${error.loc.column}` : filename;
  console.error(`${place}: ${error.message}`);
  process.exitCode = 1;
}
