/**
 * Writes the JSON Schemas of our configurations, which editors know from the first line of each recipe. To be run after a
 * field was changed.
 *
 *     npm run build && node dist/tools/make-json-schema.js
 */

import { writeFileSync } from 'node:fs';
import { DETECT } from '../src/config/schemas/detect.js';
import { PRETRAIN } from '../src/config/schemas/pretrain.js';
import { RESULTS } from '../src/config/schemas/results.js';
import { jsonSchema, schemaFile } from './json-schema/json-schema.js';
import { runTool } from './run-tool.js';

await runTool(async () => {
  for (const schema of [PRETRAIN, DETECT, RESULTS]) {
    writeFileSync(new URL(`../../configs/${schemaFile(schema)}`, import.meta.url), jsonSchema(schema));
  }
});
