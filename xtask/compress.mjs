// Writes, beside each file of a folder, what brotli and gzip make of it.
// Node's zlib is compiled and uses all cores: the same in Rust, in the debug
// build of xtask, took 20 s of the first start.

import { readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { brotliCompress, constants, gzip } from "node:zlib";

const brotli = promisify(brotliCompress);
const folder = process.argv[2];

async function compress(name) {
  const path = join(folder, name);
  const contents = await readFile(path);
  const params = {
    [constants.BROTLI_PARAM_QUALITY]: constants.BROTLI_MAX_QUALITY,
    [constants.BROTLI_PARAM_SIZE_HINT]: contents.length,
  };
  await Promise.all([
    brotli(contents, { params }).then((bytes) => writeFile(`${path}.br`, bytes)),
    promisify(gzip)(contents, { level: constants.Z_BEST_COMPRESSION }).then((bytes) => writeFile(`${path}.gz`, bytes)),
  ]);
}

await Promise.all((await readdir(folder)).map(compress));
