#!/usr/bin/env node
/**
 * The executable. CommonJS, because the size of libuv's thread pool (which decodes images) must be set before the pool
 * starts, and loading an ES module starts it.
 */

const { cpus } = require('node:os') as typeof import('node:os');

process.env.UV_THREADPOOL_SIZE ??= String(Math.max(4, 2 * cpus().length));
// biome-ignore lint/complexity/useArrowFunction: a statement, not a value.
void (async function () {
  const { main } = await import('./main.js');
  await main(process.argv.slice(2));
})();
