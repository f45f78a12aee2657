/** Loads a COCO file as a user of the library does, and says what was in it. */

import { COCO } from '../../src/pycocotools/index.js';

const coco = COCO.open(process.argv[2]);
console.log(JSON.stringify({ stats: [coco.imgs.size, coco.anns.size, coco.cats.size] }));
