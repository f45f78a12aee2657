/** Writes the JSON Schemas of our configurations; see `--help`. */

import { writeFileSync } from 'node:fs';
import { DETECT } from '../src/config/schemas/detect.js';
import { PRETRAIN } from '../src/config/schemas/pretrain.js';
import { RESULTS } from '../src/config/schemas/results.js';
import { jsonSchema, schemaFile } from './json-schema/json-schema.js';
import { requirePositionals, runTool } from './run-tool.js';

const HELP = `Writes configs/**/schema.json, by which editors complete and check recipes; to be run after a field was changed.

Example
  npm run build && node dist/tools/make-json-schema.js
`;

await runTool({ help: HELP, options: {} }, async ({ positionals }) => {
  requirePositionals(positionals, 0, 'no arguments');
  for (const schema of [PRETRAIN, DETECT, RESULTS]) {
    writeFileSync(new URL(`../../configs/${schemaFile(schema)}`, import.meta.url), jsonSchema(schema));
  }
});
