/** The `images` of an annotation file in COCO's form, as a list of files. Boxes and masks are not read here. */

import { constants } from 'node:buffer';
import { readFile, stat } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { errorMessage, hasCode, UserError } from '../core/errors.js';
import { type FileList, sortByBytes } from './list-files.js';
import { takeStamp } from './stamps.js';

/**
 * @param annotations path of the JSON file
 * @param root folder that each `file_name` is relative to, unless it is absolute: as Python's `os.path.join`
 * @returns names without doubles in byte order, and stamps of the annotation file and of the folders with images
 * @throws UserError when the file is missing, no JSON, too large to be read at once, or without images
 */
export async function listCocoImages(annotations: string, root: string): Promise<FileList> {
  const { size } = await stat(annotations).catch((error: unknown) => {
    throw new UserError(hasCode(error, 'ENOENT') ? 'there is no such annotation file' : 'cannot be read', {
      where: annotations,
      remedy: 'name the JSON file that lists the images',
      cause: error,
    });
  });
  if (size > constants.MAX_STRING_LENGTH) {
    throw new UserError(`annotation file of ${size} bytes is too large to be read at once`, {
      where: annotations,
      remedy: `use a file below ${constants.MAX_STRING_LENGTH} bytes; only its \`images\` are needed here`,
    });
  }
  const stamp = await takeStamp(annotations);
  const names = [...new Set(fileNames(annotations, await parse(annotations)))];
  sortByBytes(names);
  const folders = [...new Set(names.map((name) => dirname(resolve(root, name))))];
  return { names, stamps: [stamp, ...(await Promise.all(folders.map(takeStamp)))], skipped: [] };
}

async function parse(path: string): Promise<unknown> {
  try {
    return JSON.parse(await readFile(path, 'utf8'));
  } catch (error) {
    throw new UserError(`is not valid JSON: ${errorMessage(error)}`, {
      where: path,
      remedy: 'check that the file was downloaded or written completely',
      cause: error,
    });
  }
}

function fileNames(path: string, content: unknown): string[] {
  const images = isRecord(content) ? content.images : undefined;
  if (!Array.isArray(images) || images.length === 0) {
    throw new UserError('holds no list of images', {
      where: path,
      key: 'images',
      remedy: 'use an annotation file in the form of COCO: {"images": [{"file_name": ...}, ...], ...}',
    });
  }
  return images.map((image: unknown, index) => {
    if (isRecord(image) && typeof image.file_name === 'string' && image.file_name !== '')
      return image.file_name;
    throw new UserError('an image without a file name', {
      where: path,
      key: `images[${index}].file_name`,
      value: isRecord(image) ? image.file_name : image,
      remedy: 'give each image the name of its file, relative to the image folder',
    });
  });
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
