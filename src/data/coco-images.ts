/** The `images` of an annotation file in COCO's form, as a list of files. Boxes and masks are passed over, whatever their size. */

import { stat } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { hasCode, UserError } from '../core/errors.js';
import { consume } from '../pycocotools/dataset/open.js';
import { KeyTable } from '../pycocotools/json/keys.js';
import { END, JsonReader } from '../pycocotools/json/reader.js';
import { fileSource } from '../pycocotools/json/source.js';
import { type FileList, sortByBytes } from './list-files.js';
import { takeStamp } from './stamps.js';

const OPEN_ARRAY = 0x5b;
const OPEN_OBJECT = 0x7b;
const KEYS = new KeyTable(['file_name']);

/**
 * @param annotations path of the JSON file
 * @param root folder that each `file_name` is relative to, unless it is absolute: as Python's `os.path.join`
 * @returns names without doubles in byte order, and stamps of the annotation file and of the folders with images
 * @throws UserError when the file is missing, no JSON, or without images
 */
export async function listCocoImages(annotations: string, root: string): Promise<FileList> {
  await stat(annotations).catch((error: unknown) => {
    throw new UserError(hasCode(error, 'ENOENT') ? 'there is no such annotation file' : 'cannot be read', {
      where: annotations,
      remedy: 'name the JSON file that lists the images',
      cause: error,
    });
  });
  const stamp = await takeStamp(annotations);
  const names = [...new Set(fileNames(annotations))];
  sortByBytes(names);
  const folders = [...new Set(names.map((name) => dirname(resolve(root, name))))];
  return { names, stamps: [stamp, ...(await Promise.all(folders.map(takeStamp)))], skipped: [] };
}

function fileNames(path: string): string[] {
  const names = readNames(path);
  if (names === undefined || names.length === 0) {
    throw new UserError('holds no list of images', {
      where: path,
      key: 'images',
      remedy: 'use an annotation file in the form of COCO: {"images": [{"file_name": ...}, ...], ...}',
    });
  }
  return names.map((name, index) => {
    if (typeof name === 'string' && name !== '') return name;
    throw new UserError('an image without a file name', {
      where: path,
      key: `images[${index}].file_name`,
      ...(name !== undefined && { value: name }),
      remedy: 'give each image the name of its file, relative to the image folder',
    });
  });
}

/** `file_name` of each image, whatever it is; undefined when there is no list. */
function readNames(path: string): unknown[] | undefined {
  const source = fileSource(path);
  try {
    return consume(source, () => namesIn(new JsonReader(source)));
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    throw new UserError(`is not valid JSON: ${error.problem}`, {
      where: error.details.where ?? path,
      remedy: 'check that the file was downloaded or written completely',
      cause: error,
    });
  }
}

function namesIn(reader: JsonReader): unknown[] | undefined {
  let names: unknown[] | undefined;
  if (reader.whole(() => reader.peek()) === OPEN_OBJECT) {
    reader.members((key) => {
      if (key === 'images' && reader.whole(() => reader.peek()) === OPEN_ARRAY) {
        const list: unknown[] = [];
        reader.elements((index) => {
          list[index] = nameOf(reader);
        });
        names = list;
      } else reader.skipLarge();
    });
  } else reader.skipLarge();
  reader.finish();
  return names;
}

function nameOf(reader: JsonReader): unknown {
  if (reader.peek() !== OPEN_OBJECT) return reader.skip();
  let name: unknown;
  for (let key = reader.firstKey(KEYS); key !== END; key = reader.nextKey(KEYS)) {
    if (key === 0) name = reader.value();
    else reader.skip();
  }
  return name;
}
