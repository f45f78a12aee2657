#!/usr/bin/env node
/** What `npx scrl` starts. Not compiled: it says what is missing where nothing else of scrl could be loaded. */

const isNodeNewEnough = require('./check-node.cjs');

/** Path of what the build makes of src/cli/scrl.cts, if it did. */
function findProgram() {
  try {
    return require.resolve('../dist/src/cli/scrl.cjs');
  } catch {
    return undefined;
  }
}

const program = findProgram();
if (isNodeNewEnough && program !== undefined) {
  require(program);
} else if (isNodeNewEnough) {
  process.stderr.write('error: scrl is not built yet\n  in the clone, run first: npm run build\n');
  process.exitCode = 2;
}
