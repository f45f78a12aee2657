/**
 * Says so, with exit code 2, when Node is too old for scrl, in JavaScript that old versions read. A program of its own, with
 * which the build begins, and a value: whether Node is new enough.
 */

const NEEDED = require('../package.json').engines.node.slice('>='.length);

function isOlder(found, needed) {
  const [major, minor] = found.split('.').map(Number);
  const [neededMajor, neededMinor] = needed.split('.').map(Number);
  return major < neededMajor || (major === neededMajor && minor < neededMinor);
}

const tooOld = isOlder(process.versions.node, NEEDED);
if (tooOld) {
  process.stderr.write(
    `error: scrl needs Node ${NEEDED} or later; this is Node ${process.versions.node}\n` +
      '  install a newer one: https://nodejs.org, or with a version manager, for example: nvm install 22\n',
  );
  process.exitCode = 2;
}

module.exports = !tooOld;
