/**
 * The program, which `bin/scrl.cjs` starts. CommonJS, because the size of libuv's thread pool must be set before the pool starts, and loading an ES
 * module starts it. The pool decodes images; a step that asks the host holds one of its threads, the listener another.
 */

const { cpus } = require('node:os') as typeof import('node:os');

process.env.UV_THREADPOOL_SIZE ??= String(Math.max(4, 2 * cpus().length) + 2);
// biome-ignore lint/complexity/useArrowFunction: a statement, not a value.
void (async function () {
  const { surviveOutputErrors } = await import('./output-errors.js');
  surviveOutputErrors();
  const { main } = await import('./main.js');
  await main(process.argv.slice(2));
})();
